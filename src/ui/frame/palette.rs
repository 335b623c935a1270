//! Ctrl-K: sessions, files and commands, found by typing.

use leptos::{ev, html, prelude::*, task::spawn_local};
use serde_json::json;

use super::{Frame, shortcuts::Shortcuts};
use crate::{
    protocol::{FileList, ListedPage, Tab, Theme},
    ui::{
        browser,
        files::state::Files,
        widgets::{Glyph, Icon},
        words::words,
    },
};

/// After the last key, in milliseconds.
const TYPING_MS: u32 = 120;
/// Sessions and files that are offered.
const MOST: usize = 8;

#[derive(Clone, PartialEq)]
struct Found {
    glyph: Glyph,
    label: String,
    act: Act,
}

#[derive(Clone, PartialEq)]
enum Act {
    Go(String),
    Look(String),
    Show(Tab),
    Theme(Theme),
    Left,
    Right,
    Composer,
    Stop,
    Shortcuts,
}

/// The keys that open it, on any keyboard.
const KEYS: &str = "Ctrl K";

#[component]
pub fn Palette(frame: Frame, files: Files, open: RwSignal<bool>) -> impl IntoView {
    let w = &words().frame;
    let dialog = NodeRef::<html::Dialog>::new();
    let (query, chosen) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
    let found = RwSignal::new(Vec::<Found>::new());
    let help = RwSignal::new(false);
    listen(frame, open, help);
    Effect::new(move |_| if open.get() { browser::show_dialog(dialog) } else { browser::close_dialog(dialog) });
    Effect::new(move |_| {
        if !open.get() {
            return;
        }
        let asked = query.get();
        found.set(commands(files, &asked));
        chosen.set(0);
        spawn_local(async move {
            browser::sleep(TYPING_MS).await;
            if query.try_get_untracked().as_ref() == Some(&asked) {
                let more = search(files, &asked).await;
                if query.try_get_untracked().as_ref() == Some(&asked) {
                    found.try_update(|found| found.splice(0..0, more).for_each(drop));
                }
            }
        });
    });
    let act = move |what: Act| {
        open.set(false);
        query.set(String::new());
        perform(frame, files, help, what);
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let count = found.with_untracked(Vec::len).max(1);
        match event.key().as_str() {
            "ArrowDown" => chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" => chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" if !event.is_composing() => {
                if let Some(found) = found.with_untracked(|found| found.get(chosen.get_untracked()).cloned()) {
                    act(found.act);
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    let rows = move || {
        let at = chosen.get();
        let row = |(index, found): (usize, Found)| {
            view! {
                <li class="palette-row" role="option" id=option_id(index) aria-selected=(index == at).to_string() on:click=move |_| act(found.act.clone())>
                    <Icon glyph=found.glyph/><span>{found.label}</span>
                </li>
            }
        };
        found.get().into_iter().enumerate().map(row).collect_view()
    };
    view! {
        <dialog class="palette" node_ref=dialog aria-label=w.palette on:close=move |_| open.set(false)>
            <input
                type="search" class="palette-field" role="combobox" aria-label=w.palette placeholder=w.palette_hint autocomplete="off"
                aria-expanded="true" aria-controls="palette-list" aria-activedescendant=move || option_id(chosen.get())
                prop:value=move || query.get() on:input:target=move |event| query.set(event.target().value()) on:keydown=on_key
            />
            <ul class="palette-list" id="palette-list" role="listbox" aria-label=w.palette>{rows}</ul>
            {move || found.with(Vec::is_empty).then(|| view! { <p class="empty">{w.nothing_matches}</p> })}
        </dialog>
        <Shortcuts open=help/>
        <button type="button" class="chip palette-chip" aria-label=w.palette title=w.palette on:click=move |_| open.set(true)>{KEYS}</button>
    }
}

fn option_id(index: usize) -> String {
    ["palette-", &index.to_string()].concat()
}

/// The keys that work everywhere. Letters go with Alt, so that nobody who types or speaks sets them off.
fn listen(frame: Frame, open: RwSignal<bool>, help: RwSignal<bool>) {
    let listener = window_event_listener(ev::keydown, move |event| {
        let command = event.ctrl_key() || event.meta_key();
        match event.code().as_str() {
            "KeyK" if command => open.update(|open| *open = !*open),
            "KeyN" if event.alt_key() => browser::go_to(&browser::at("/")),
            "KeyS" if event.alt_key() => frame.toggle_left(),
            "KeyL" if event.alt_key() => frame.toggle_right(),
            "KeyC" if event.alt_key() => show_composer(frame),
            "Escape" if browser::close_menus() => {}
            _ if event.key() == "?" && !browser::is_typing() => help.set(true),
            _ => return,
        }
        event.prevent_default();
    });
    let elsewhere = window_event_listener(ev::pointerdown, |event| browser::close_other_menus(&event));
    on_cleanup(move || {
        listener.remove();
        elsewhere.remove();
    });
}

fn show_composer(frame: Frame) {
    frame.show_chat();
    browser::focus(".composer-text");
}

fn commands(files: Files, asked: &str) -> Vec<Found> {
    let (w, all) = (&words().frame, words());
    let running = files.view.is_running();
    let offered = [
        (Glyph::Plus, all.sessions.new_session, Act::Go(browser::at("/"))),
        (Glyph::Chat, w.key_composer, Act::Composer),
        (Glyph::Logs, all.logs.logs, Act::Show(Tab::Logs)),
        (Glyph::Flag, w.progress, Act::Show(Tab::Progress)),
        (Glyph::File, w.changes, Act::Show(Tab::Changes)),
        (Glyph::PanelLeft, w.key_left, Act::Left),
        (Glyph::PanelRight, w.key_right, Act::Right),
        (Glyph::Look, w.light, Act::Theme(Theme::Light)),
        (Glyph::Look, w.dark, Act::Theme(Theme::Dark)),
        (Glyph::Look, w.system, Act::Theme(Theme::System)),
        (Glyph::Look, w.contrast, Act::Theme(Theme::Contrast)),
        (Glyph::Question, w.shortcuts, Act::Shortcuts),
        (Glyph::Stop, all.chat.stop, Act::Stop),
    ];
    let asked = browser::lowercase(asked.trim());
    let fits = |(_, label, act): &(Glyph, &str, Act)| {
        browser::lowercase(label).contains(&asked) && (running || *act != Act::Stop)
    };
    offered.into_iter().filter(fits).map(|(glyph, label, act)| Found { glyph, label: label.to_owned(), act }).collect()
}

async fn search(files: Files, asked: &str) -> Vec<Found> {
    let asked = browser::encode(asked.trim());
    let sessions = browser::get::<ListedPage>(&browser::at(&["/cowork/sessions?limit=8&q=", &asked].concat())).await;
    let session = |listed: crate::protocol::Listed| Found {
        glyph: Glyph::Chat,
        act: Act::Go(browser::at(&["/sessions/", listed.id.as_str()].concat())),
        label: listed.title,
    };
    let mut found: Vec<Found> =
        sessions.map(|page| page.sessions.into_iter().take(MOST).map(session).collect()).unwrap_or_default();
    if !asked.is_empty() {
        let path = files.view.path(&["/files/search?limit=8&q=", &asked].concat());
        let listed = browser::get::<FileList>(&path).await.unwrap_or_default();
        found.extend(listed.entries.into_iter().take(MOST).map(|entry| Found {
            glyph: Glyph::File,
            label: entry.path.clone(),
            act: Act::Look(entry.path),
        }));
    }
    found
}

fn perform(frame: Frame, files: Files, help: RwSignal<bool>, act: Act) {
    match act {
        Act::Go(path) => browser::go_to(&path),
        Act::Look(path) => files.shown.set(Some(path)),
        Act::Show(tab) => frame.show_right(tab),
        Act::Theme(theme) => frame.theme.set(theme),
        Act::Left => frame.toggle_left(),
        Act::Right => frame.toggle_right(),
        Act::Composer => show_composer(frame),
        Act::Shortcuts => help.set(true),
        Act::Stop => {
            let path = files.view.path("/stop");
            spawn_local(async move { drop(browser::post(&path, json!({})).await) });
        }
    }
}
