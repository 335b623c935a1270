//! The browser's side of [`super`].

use js_sys::{Date, Math, Object, Reflect};
use leptos::{html, prelude::*};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{Notification, NotificationOptions, NotificationPermission};

use super::Still;
use crate::ui::words::Language;

/// Distance from the end, in pixels, within which a reader counts as following.
const NEAR_END: i32 = 80;

/// From 0 up to 1.
pub fn random() -> f64 {
    Math::random()
}

pub fn now_ms() -> f64 {
    Date::now()
}

/// An id for a message, so that sending it twice is sending it once.
pub fn new_client_id() -> String {
    let part = || format!("{:08x}", (Math::random() * 4_294_967_296.0) as u32);
    format!("{}{}{}", part(), part(), part())
}

/// Tells tests and styles that the page is live.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// The language that the server has written into the document.
pub fn language() -> Language {
    thread_local! {
        static LANGUAGE: Language = document()
            .document_element()
            .and_then(|root| Language::of_tag(&root.get_attribute("lang")?))
            .unwrap_or_default();
    }
    LANGUAGE.with(|language| *language)
}

pub fn set_title(title: &str) {
    document().set_title(title);
}

pub fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        let _ = root.set_attribute(name, value);
    }
}

/// Sets a custom property of the whole page, such as a panel's width.
pub fn set_root_property(name: &str, value: &str) {
    let root = document().document_element().and_then(|root| root.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(root) = root {
        let _ = root.style().set_property(name, value);
    }
}

/// It is in the page already.
pub fn still() -> Still {
    Still::default()
}

/// The address of what stands at `path` of this server: the document says where it begins.
pub fn at(path: &str) -> String {
    [&base(), path].concat()
}

fn base() -> String {
    document().document_element().and_then(|root| root.get_attribute("data-base")).unwrap_or_default()
}

fn cookie_path() -> String {
    let base = base();
    if base.is_empty() { "/".to_owned() } else { base }
}

/// Keeps a cookie for a year.
pub fn set_cookie(name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<web_sys::HtmlDocument>() {
        let _ = document
            .set_cookie(&[name, "=", value, "; Path=", &cookie_path(), "; Max-Age=31536000; SameSite=Lax"].concat());
    }
}

/// Whether a media query holds now.
pub fn media(query: &str) -> bool {
    window().match_media(query).ok().flatten().is_some_and(|found| found.matches())
}

pub fn window_width() -> f64 {
    window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or_default()
}

pub fn go_to(path: &str) {
    let _ = window().location().set_href(path);
}

pub fn reload() {
    let _ = window().location().reload();
}

/// Minutes that the reader's time is ahead of UTC.
pub fn minutes_ahead() -> i64 {
    -(Date::new_0().get_timezone_offset() as i64)
}

/// Moves the focus along the elements that a selector finds, in the order of the page. Says whether it could.
pub fn move_focus(selector: &str, step: i32) -> bool {
    let Ok(all) = document().query_selector_all(selector) else { return false };
    let focused = document().active_element();
    let elements: Vec<web_sys::Element> =
        (0..all.length()).filter_map(|index| all.item(index)?.dyn_into().ok()).collect();
    let here = elements.iter().position(|element| Some(element) == focused.as_ref());
    let next = here.map_or(if step > 0 { 0 } else { elements.len() as i32 - 1 }, |here| here as i32 + step);
    let Some(element) = usize::try_from(next).ok().and_then(|next| elements.get(next)) else { return false };
    element.unchecked_ref::<web_sys::HtmlElement>().focus().is_ok()
}

/// What moves over the page from here on goes to the event's element.
pub fn capture_pointer(event: &leptos::ev::PointerEvent) {
    if let Some(element) = event.current_target().and_then(|target| target.dyn_into::<web_sys::Element>().ok()) {
        let _ = element.set_pointer_capture(event.pointer_id());
    }
}

/// Closes the menu that is open and leaves the focus where it was opened; whether there was one.
pub fn close_menus() -> bool {
    let open = open_menus();
    for menu in &open {
        let _ = menu.remove_attribute("open");
        if let Ok(Some(summary)) = menu.query_selector("summary") {
            let _ = summary.unchecked_ref::<web_sys::HtmlElement>().focus();
        }
    }
    !open.is_empty()
}

/// Closes the menus that the event is no part of.
pub fn close_other_menus(event: &leptos::ev::PointerEvent) {
    let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
    for menu in open_menus().iter().filter(|menu| !menu.contains(target.as_ref())) {
        let _ = menu.remove_attribute("open");
    }
}

fn open_menus() -> Vec<web_sys::Element> {
    let Ok(open) = document().query_selector_all("details.menu[open]") else { return Vec::new() };
    (0..open.length()).filter_map(|index| open.item(index)?.dyn_into().ok()).collect()
}

pub fn is_visible() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Visible
}

/// A text as part of an address.
pub fn encode(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

/// A text for the clipboard.
pub fn copy(text: &str) {
    // Browsers give none to pages that are not secure; then nothing is copied.
    let clipboard = Reflect::get(&window().navigator(), &JsValue::from_str("clipboard"));
    if let Some(clipboard) = clipboard.ok().filter(JsValue::is_object) {
        let _ = clipboard.unchecked_into::<web_sys::Clipboard>().write_text(text);
    }
}

/// Whether keys go into a field now.
pub fn is_typing() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"))
}

/// Shows a dialog over everything; it takes the focus and gives it back.
pub fn show_dialog(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked().filter(|dialog| !dialog.open()) {
        let _ = dialog.show_modal();
    }
}

pub fn close_dialog(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        dialog.close();
    }
}

/// Puts the focus on the first element that a selector finds.
pub fn focus(selector: &str) {
    if let Ok(Some(found)) = document().query_selector(selector) {
        let _ = found.unchecked_into::<web_sys::HtmlElement>().focus();
    }
}

/// The time of day where the reader is.
pub fn local_clock(iso: &str) -> Option<String> {
    format_date(iso, &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")])
}

/// "14:05" today, "3 Mar" before.
pub fn local_day(iso: &str) -> Option<String> {
    let then = Date::new(&JsValue::from_str(iso));
    let same_day = then.to_date_string() == Date::new_0().to_date_string();
    let fields: &[_] = if same_day {
        &[("hour", "2-digit"), ("minute", "2-digit")]
    } else {
        &[("day", "numeric"), ("month", "short")]
    };
    format_date(iso, fields)
}

fn format_date(iso: &str, fields: &[(&str, &str)]) -> Option<String> {
    let date = Date::new(&JsValue::from_str(iso));
    if date.get_time().is_nan() {
        return None;
    }
    let options = Object::new();
    for (name, value) in fields {
        Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value)).ok()?;
    }
    Reflect::set(&options, &JsValue::from_str("hourCycle"), &JsValue::from_str("h23")).ok()?;
    date.to_locale_string("default", &options).as_string()
}

pub fn load_draft(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

pub fn save_draft(key: &str, text: &str) {
    let Ok(Some(storage)) = window().local_storage() else { return };
    // A full or forbidden storage costs the draft's survival of a reload, nothing else.
    let _ = if text.is_empty() { storage.remove_item(key) } else { storage.set_item(key, text) };
}

pub fn is_near_end(element: NodeRef<html::Div>) -> bool {
    let Some(element) = element.get_untracked() else { return true };
    element.scroll_height() - element.scroll_top() - element.client_height() < NEAR_END
}

/// Turns the column, which until now began at its end, so that it is scrolled from its top; what is in sight stays where it
/// is. How far from the end that was, in pixels.
pub fn take_over_scrolling(element: NodeRef<html::Div>) -> i32 {
    let Some(element) = element.get_untracked() else { return 0 };
    let from_end = -element.scroll_top();
    let _ = element.set_attribute("data-alive", "");
    // The very end may lie between two pixels.
    let shown = if from_end == 0 { 0 } else { element.client_height() };
    element.set_scroll_top(element.scroll_height() - shown - from_end);
    from_end
}

/// Now: what has just been written and is not drawn yet does not count.
pub fn scroll_to_end(element: NodeRef<html::Div>) {
    if let Some(element) = element.try_get_untracked().flatten() {
        element.set_scroll_top(element.scroll_height());
    }
}

/// How far an element is scrolled and how much of it can be seen, in pixels.
pub fn scroll_place(element: NodeRef<html::Div>) -> (f64, f64) {
    let element = element.try_get_untracked().flatten();
    element.map_or((0.0, 0.0), |element| (element.scroll_top().into(), element.client_height().into()))
}

/// Once, before the page is drawn next. Leptos' own would be taken back with what asked for it: a button that vanishes
/// when it is clicked, for one.
pub fn on_next_frame(act: impl FnOnce() + 'static) {
    let _ = window().request_animation_frame(Closure::once_into_js(act).unchecked_ref());
}

/// When what changed is drawn.
pub fn scroll_to(element: NodeRef<html::Div>, top: f64) {
    on_next_frame(move || {
        if let Some(element) = element.try_get_untracked().flatten() {
            element.set_scroll_top(top as i32);
        }
    });
}

/// The browser has the tables of letters.
pub fn lowercase(text: &str) -> String {
    js_sys::JsString::from(text).to_lower_case().into()
}

/// In pixels.
pub fn set_padding(element: NodeRef<html::Div>, above: usize, below: usize) {
    if let Some(element) = element.get_untracked() {
        let style = web_sys::HtmlElement::style(&element);
        let _ = style.set_property("padding-top", &(above.to_string() + "px"));
        let _ = style.set_property("padding-bottom", &(below.to_string() + "px"));
    }
}

/// Lets a text field be as high as its text, within what the style allows.
pub fn fit_height(element: NodeRef<html::Textarea>) {
    let Some(element) = element.get_untracked() else { return };
    let style = web_sys::HtmlElement::style(&element);
    let _ = style.set_property("height", "auto");
    let _ = style.set_property("height", &(element.scroll_height().to_string() + "px"));
}

/// Whether the system's notifications can be asked for: browsers have them on secure pages alone, and ask once.
pub fn can_ask_to_notify() -> bool {
    has_notifications() && Notification::permission() == NotificationPermission::Default
}

fn has_notifications() -> bool {
    Reflect::has(&window(), &JsValue::from_str("Notification")).unwrap_or_default()
}

/// Browsers take it from within a click alone.
pub fn ask_to_notify() {
    let _ = Notification::request_permission();
}

/// Tells somebody who looks elsewhere, where they wanted that.
pub fn notify(title: &str, text: &str) {
    if is_visible() || !has_notifications() || Notification::permission() != NotificationPermission::Granted {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(text);
    let _ = Notification::new_with_options(title, &options);
}
