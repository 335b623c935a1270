//! The left panel's upper part: search, and the sessions in their groups.

use leptos::{ev, prelude::*};

use super::{
    groups::{Group, group},
    row::SessionRow,
    state::Sessions,
};
use crate::{
    protocol::SessionId,
    ui::{
        browser,
        widgets::{Glyph, Icon, Notice},
        words::{fill, words},
    },
};

/// What the arrow keys walk along.
const ROWS: &str = "#left .session-row";

#[component]
pub fn SessionList(sessions: Sessions) -> impl IntoView {
    let w = &words().sessions;
    let groups = Memo::new(move |_| grouped(sessions));
    let is_empty = move || groups.with(Vec::is_empty);
    let asked = move || !sessions.query.with(|query| query.trim().is_empty());
    let nothing =
        move || if asked() { fill(w.nothing_found, &[sessions.query.get().trim()]) } else { w.none_yet.to_owned() };
    let archived = move || sessions.archived.get();
    view! {
        <nav class="sessions" id="sessions" aria-label=w.sessions on:keydown=on_key>
            <a class="button new-session" href=browser::at("/")><Icon glyph=Glyph::Plus/>{w.new_session}</a>
            <div class="search" role="search">
                <Icon glyph=Glyph::Search/>
                <input
                    type="search" aria-label=w.search placeholder=w.search autocomplete="off"
                    prop:value=move || sessions.query.get() on:input:target=move |event| sessions.query.set(event.target().value())
                />
                <button type="button" class="button quiet icon-button" aria-pressed=move || archived().to_string()
                    aria-label=move || if archived() { w.hide_archived } else { w.show_archived }
                    title=move || if archived() { w.hide_archived } else { w.show_archived }
                    on:click=move |_| sessions.archived.update(|archived| *archived = !*archived)
                ><Icon glyph=Glyph::Archive/></button>
            </div>
            {move || sessions.problem.get().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
            {move || sessions.failed.get().then(|| view! { <Notice kind="waiting">{w.list_failed}</Notice> })}
            {move || sessions.deleted.get().map(|listed| view! { <Undo sessions id=listed.id title=listed.title/> })}
            {move || archived().then(|| view! { <p class="group">{w.group_archived}</p> })}
            {move || is_empty().then(|| view! { <p class="empty">{nothing}</p> })}
            <For each=move || groups.get() key=|(group, _)| *group let((group, _))>
                <section>
                    <h2 class="group">{group.label()}</h2>
                    <ul class="session-list">
                        <For each=move || members(groups, group) key=|id| id.clone() let:id>
                            <SessionRow sessions id/>
                        </For>
                    </ul>
                </section>
            </For>
        </nav>
    }
}

type Groups = Vec<(Group, Vec<SessionId>)>;

fn grouped(sessions: Sessions) -> Groups {
    let (today, ahead) = sessions.today.get();
    let mut placed: Vec<(Group, SessionId)> = sessions.list.with(|list| {
        list.iter().map(|listed| (group(listed, sessions.status(listed), today, ahead), listed.id.clone())).collect()
    });
    // Stable: inside a group the newest stay first.
    placed.sort_by_key(|(group, _)| *group);
    let mut groups: Groups = Vec::new();
    for (group, id) in placed {
        match groups.last_mut() {
            Some((last, ids)) if *last == group => ids.push(id),
            _ => groups.push((group, vec![id])),
        }
    }
    groups
}

fn members(groups: Memo<Groups>, group: Group) -> Vec<SessionId> {
    groups
        .with(|groups| groups.iter().find(|(known, _)| *known == group).map(|(_, ids)| ids.clone()))
        .unwrap_or_default()
}

#[component]
fn Undo(sessions: Sessions, id: SessionId, title: String) -> impl IntoView {
    let w = &words().sessions;
    view! {
        <div class="notice notice-info undo" role="status">
            <strong>{title}</strong><span>{w.deleted}</span>
            <button type="button" class="button" on:click=move |_| sessions.restore(&id)>{w.undo}</button>
        </div>
    }
}

fn on_key(event: ev::KeyboardEvent) {
    let step = match event.key().as_str() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    if browser::move_focus(ROWS, step) {
        event.prevent_default();
    }
}
