//! What the conversation needs of a browser: forms that are sent without leaving the page, copying, scrolling in place.

use js_sys::{Array, Date};
use leptos::{
    ev::{Event, KeyboardEvent, MouseEvent, SubmitEvent},
    html,
    prelude::*,
    task::spawn_local,
};
use serde_json::{Map, Value};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement, ResizeObserver};

use super::{ask, copy, load_draft, on_next_frame, post, save_draft, sleep};
use crate::{protocol::ApiError, ui::browser::Wish};

const BUSY: &str = "aria-busy";
/// How long a button says that it has copied, in milliseconds.
const COPIED_MS: u32 = 2_000;

/// A form that says of itself that it can be sent without leaving the page.
pub struct LiveForm {
    form: HtmlFormElement,
    path: String,
    body: Value,
}

impl LiveForm {
    /// Takes the form over; one that is on its way is not sent again.
    pub fn take(event: &SubmitEvent) -> Option<Self> {
        let form: HtmlFormElement = closest(event, "form[data-live]")?.dyn_into().ok()?;
        event.prevent_default();
        if form.has_attribute(BUSY) {
            return None;
        }
        let mut body = Map::new();
        let mut add = |name: String, value: String| match body.get_mut(&name) {
            None => drop(body.insert(name, value.into())),
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        };
        let fields = web_sys::FormData::new_with_form(&form).ok()?;
        for pair in Array::from(&fields) {
            let pair: Array = pair.unchecked_into();
            add(pair.get(0).as_string()?, pair.get(1).as_string()?);
        }
        let button = event.submitter();
        let attribute = |name| button.as_ref().and_then(|button| button.get_attribute(name));
        if let Some(name) = attribute("name") {
            add(name, attribute("value").unwrap_or_default());
        }
        let path = form.get_attribute("action")?;
        Some(Self { form, path, body: Value::Object(body) })
    }

    pub async fn send(self) -> Result<(), ApiError> {
        let _ = self.form.set_attribute(BUSY, "true");
        let sent = post(&self.path, self.body).await;
        let _ = self.form.remove_attribute(BUSY);
        if sent.is_ok() {
            drafts(&self.form).iter().for_each(|(_, key)| save_draft(key, ""));
        }
        sent.map(drop)
    }
}

fn closest(event: &Event, selector: &str) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest(selector).ok()?
}

/// Whether a click opens or closes something in place.
pub fn unfolds(event: &MouseEvent) -> bool {
    closest(event, "summary").is_some()
}

/// Closes what an element is folded into.
pub fn fold(event: &Event) {
    let Some(fold) = closest(event, "details") else { return };
    let _ = fold.remove_attribute("open");
    if let Some(summary) = fold.first_element_child() {
        let _ = summary.unchecked_into::<HtmlElement>().focus();
    }
}

/// Where something is edited in its place, Enter saves, and Escape leaves it as it was.
pub fn edit_key(event: &KeyboardEvent) {
    let form = closest(event, "form").and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
    let Some(form) = form else { return };
    match event.key().as_str() {
        "Enter" if !event.shift_key() => {
            event.prevent_default();
            if form.report_validity() {
                let _ = form.request_submit();
                fold(event);
            }
        }
        "Escape" => form.reset(),
        _ => {}
    }
}

/// Where a form's action leads, of the button that was pressed or of the form itself.
pub fn form_action(event: &SubmitEvent) -> Option<String> {
    event.submitter()?.get_attribute("formaction")
}

/// Does what a drawn button or link says of itself: copy, load; the rest is the page's.
pub fn clicked(event: &MouseEvent) -> Option<Wish> {
    if let Some(button) = closest(event, "[data-copy]") {
        copy(&copied_text(&button)?);
        let _ = button.set_attribute("data-copied", "");
        spawn_local(async move {
            sleep(COPIED_MS).await;
            let _ = button.remove_attribute("data-copied");
        });
    } else if let Some(link) = closest(event, "[data-load]") {
        event.prevent_default();
        load_into_previous(link);
    } else if let Some(button) = closest(event, "[data-edit]") {
        // Without scripts, one that offers a task is a form of its own.
        event.prevent_default();
        let form = button.closest("form").ok()??;
        let field: HtmlInputElement = form.query_selector("[name=message]").ok()??.dyn_into().ok()?;
        return Some(Wish::Rewrite(field.value()));
    } else if let Some(button) = closest(event, "[data-log]") {
        return button.get_attribute("data-log").map(Wish::ShowLog);
    } else if let Some(link) = closest(event, "a[href^=\"?file=\"]") {
        event.prevent_default();
        let path = js_sys::decode_uri_component(link.get_attribute("href")?.strip_prefix("?file=")?).ok()?;
        return Some(Wish::ShowFile(path.into()));
    }
    None
}

fn copied_text(button: &Element) -> Option<String> {
    let (around, parts) = match button.get_attribute("data-copy")?.as_str() {
        "turn" => (".turn", ".prose"),
        _ => (".block", "code"),
    };
    let found = button.closest(around).ok()??.query_selector_all(parts).ok()?;
    let texts =
        (0..found.length()).filter_map(|index| Some(found.get(index)?.unchecked_into::<HtmlElement>().inner_text()));
    Some(texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n"))
}

/// Puts the whole text at the link's address in place of its beginning, which stands before the link.
fn load_into_previous(link: Element) {
    let (Some(path), Some(place)) = (link.get_attribute("href"), link.previous_element_sibling()) else { return };
    spawn_local(async move {
        if let Ok(text) = ask("GET", &path, None).await {
            place.set_text_content(Some(&text));
            link.remove();
        }
    });
}

/// Keeps what is typed into a drawn field over a reload.
pub fn keep_field(event: &Event) {
    let field = closest(event, "[data-draft]").and_then(|field| field.dyn_into::<HtmlTextAreaElement>().ok());
    if let Some(field) = field
        && let Some(key) = field.get_attribute("data-draft")
    {
        save_draft(&key, &field.value());
    }
}

pub fn restore_fields(card: NodeRef<html::Div>) {
    let Some(card) = card.get_untracked() else { return };
    for (field, key) in drafts(&card) {
        load_draft(&key).into_iter().for_each(|text| field.set_value(&text));
    }
}

/// The fields whose text is kept, each with the name that it is kept under.
fn drafts(around: &Element) -> Vec<(HtmlTextAreaElement, String)> {
    let Ok(found) = around.query_selector_all("[data-draft]") else { return Vec::new() };
    let fields = (0..found.length()).filter_map(|index| found.get(index)?.dyn_into::<HtmlTextAreaElement>().ok());
    fields
        .filter_map(|field| Some((field.get_attribute("data-draft")?, field)))
        .map(|(key, field)| (field, key))
        .collect()
}

/// How far an element is scrolled, how high its content is, and how much of it shows.
pub fn scroll_of(element: NodeRef<html::Div>) -> (i32, i32, i32) {
    element
        .get_untracked()
        .map(|element| (element.scroll_top(), element.scroll_height(), element.client_height()))
        .unwrap_or_default()
}

/// While it stands at the scroller, turns out of sight are laid out too: an estimated height would be mended under the
/// reader's eyes.
const HOLDS: &str = "data-holds";

/// Changes what stands before the first turn; what is in sight stays where it is.
pub fn hold_place(scroller: NodeRef<html::Div>, change: impl FnOnce()) {
    let found = scroller.get_untracked().and_then(|scroller| Some((scroller.query_selector(".turn").ok()??, scroller)));
    let before = found.as_ref().map(|(first, scroller)| {
        let _ = scroller.set_attribute(HOLDS, "");
        first.get_bounding_client_rect().top()
    });
    change();
    on_next_frame(move || {
        if let (Some((first, scroller)), Some(before)) = (found, before) {
            let moved = first.get_bounding_client_rect().top() - before;
            scroller.set_scroll_top(scroller.scroll_top() + moved as i32);
            on_next_frame(move || drop(scroller.remove_attribute(HOLDS)));
        }
    });
}

/// Tells each change of an element's size, whatever brought it about, as long as the page lives.
pub fn on_resize(element: NodeRef<html::Div>, act: impl Fn() + 'static) {
    let Some(element) = element.get_untracked() else { return };
    let resized = Closure::<dyn Fn()>::new(act);
    if let Ok(observer) = ResizeObserver::new(resized.as_ref().unchecked_ref()) {
        observer.observe(&element);
        resized.forget();
    }
}

/// Writes how long it is since a moment into each element that tells one.
pub fn tick() {
    let Ok(found) = document().query_selector_all("[data-since]") else { return };
    for element in (0..found.length()).filter_map(|index| found.get(index)) {
        let element: Element = element.unchecked_into();
        let since = Date::parse(&element.get_attribute("data-since").unwrap_or_default());
        // A clock that runs behind the server's begins at nothing.
        let seconds = ((Date::now() - since) / 1000.0).max(0.0);
        if !seconds.is_nan() {
            let seconds = seconds as u32;
            let minutes = seconds / 60;
            let rest = (seconds % 60).to_string() + " s";
            let text = if minutes == 0 { rest } else { [&minutes.to_string(), " min ", &rest].concat() };
            element.set_text_content(Some(&text));
        }
    }
}

/// The text of a field before and behind the caret.
pub fn around_caret(field: NodeRef<html::Textarea>) -> (String, String) {
    let Some(field) = field.get_untracked() else { return Default::default() };
    let value = js_sys::JsString::from(field.value());
    let caret = field.selection_start().ok().flatten().unwrap_or(value.length());
    (value.slice(0, caret).into(), value.slice(caret, value.length()).into())
}

/// Puts the caret behind `before`, which the field begins with.
pub fn set_caret(field: NodeRef<html::Textarea>, before: &str) {
    let units = before.encode_utf16().count() as u32;
    on_next_frame(move || {
        if let Some(field) = field.try_get_untracked().flatten() {
            let _ = field.focus();
            let _ = field.set_selection_range(units, units);
        }
    });
}

/// Presses the first element that a selector finds.
pub fn press(selector: &str) {
    if let Ok(Some(found)) = document().query_selector(selector) {
        found.unchecked_into::<HtmlElement>().click();
    }
}

/// Opens a drawn menu by the place of its chip.
pub fn open_menu(index: u32) {
    let chip = document().query_selector_all(".composer details > summary").ok().and_then(|chips| chips.get(index));
    if let Some(chip) = chip {
        let chip: HtmlElement = chip.unchecked_into();
        let _ = chip.focus();
        chip.click();
    }
}
