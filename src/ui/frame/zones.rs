//! A phone's tabs: one zone at a time, and a dot where something new has come in another one.

use leptos::prelude::*;

use super::{Frame, Zone};
use crate::ui::{
    session_view::SessionView,
    widgets::{Glyph, Icon},
    words::words,
};

#[component]
pub fn ZoneTabs(frame: Frame, view: SessionView) -> impl IntoView {
    let w = words();
    let chat = unread(frame, Zone::Chat, move || view.written.get());
    let files = unread(frame, Zone::Files, move || view.files_changed.get());
    let logs = unread(frame, Zone::Logs, move || view.session.with(|session| session.head_seq));
    view! {
        <nav class="zones" aria-label=w.frame.views>
            <ZoneTab frame zone=Zone::Chat glyph=Glyph::Chat label=w.frame.chat unread=chat/>
            <ZoneTab frame zone=Zone::Files glyph=Glyph::Folder label=w.frame.files unread=files/>
            <ZoneTab frame zone=Zone::Logs glyph=Glyph::Logs label=w.logs.logs unread=logs/>
        </nav>
    }
}

#[component]
fn ZoneTab(frame: Frame, zone: Zone, glyph: Glyph, label: &'static str, unread: Signal<bool>) -> impl IntoView {
    view! {
        <button type="button" class="zone-tab" aria-pressed=move || (frame.zone.get() == zone).to_string() on:click=move |_| frame.zone.set(zone)>
            <Icon glyph/>{label}
            {move || unread.get().then(|| view! { <span class="unread"><span class="visually-hidden">{words().frame.unread}</span></span> })}
        </button>
    }
}

/// Whether `count` has moved on since the zone was last shown.
fn unread(frame: Frame, zone: Zone, count: impl Fn() -> u64 + Copy + Send + Sync + 'static) -> Signal<bool> {
    let seen = RwSignal::new(untrack(count));
    Effect::new(move |_| {
        if frame.zone.get() == zone {
            seen.set(count());
        }
    });
    Signal::derive(move || frame.zone.get() != zone && seen.get() != count())
}
