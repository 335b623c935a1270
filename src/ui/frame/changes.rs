//! What each turn changed, with its diff, and taking it back: one file, or the whole turn.

use std::collections::BTreeMap;

use leptos::{ev, prelude::*, task::spawn_local};
use serde_json::json;

use crate::{
    protocol::{ChangeKind, ChangeList, FileChange, UndoAnswer},
    ui::{
        browser,
        session_view::SessionView,
        widgets::Notice,
        words::{fill, words},
    },
};

#[component]
pub fn ChangesPanel(view: SessionView) -> impl IntoView {
    let lists = RwSignal::new(view.changes.get_value());
    let problem = RwSignal::new(None);
    // A step's end, a turn's end and an undo change what there is to show.
    Effect::new(move |_| {
        view.files_changed.track();
        let turns = view.changing_turns();
        spawn_local(async move { read(view, turns, lists, problem).await });
    });
    let turns = move || lists.with(|lists| lists.keys().rev().copied().collect::<Vec<_>>());
    let waiting = move || lists.with(BTreeMap::is_empty) && !view.changing_turns().is_empty();
    view! {
        {move || problem.get().map(|(kind, text)| view! { <Notice kind>{text}</Notice> })}
        {move || (lists.with(BTreeMap::is_empty)).then(|| view! { <p class="empty">{if waiting() { words().frame.reading } else { words().frame.no_changes }}</p> })}
        <For each=turns key=|turn| *turn let:turn>
            <TurnChanges view turn lists problem/>
        </For>
    }
}

type Lists = RwSignal<BTreeMap<u32, ChangeList>>;
/// What came of the last undo or reading: its kind and words.
type Problem = RwSignal<Option<(&'static str, String)>>;

async fn read(view: SessionView, turns: Vec<u32>, lists: Lists, problem: Problem) {
    for turn in turns {
        let found = browser::get::<ChangeList>(&view.path(&["/turns/", &turn.to_string(), "/changes"].concat())).await;
        match found {
            Ok(list) if list.changes.is_empty() && list.notes.is_empty() => {}
            Ok(list) => {
                if lists.try_update(|lists| lists.insert(turn, list)).is_none() {
                    return;
                }
            }
            Err(error) => drop(problem.try_set(Some(("failed", error.detail)))),
        }
    }
}

#[component]
fn TurnChanges(view: SessionView, turn: u32, lists: Lists, problem: Problem) -> impl IntoView {
    let list = move || lists.with(|lists| lists.get(&turn).cloned().unwrap_or_default());
    let number = turn.to_string();
    let undo = view.path(&["/turns/", &number, "/undo"].concat());
    let title = fill(words().frame.turn, &[&number]);
    let files = {
        let undo = undo.clone();
        move || list().changes.into_iter().map(|change| file(change, view, &undo, problem)).collect_view()
    };
    let notes = move || list().notes.into_iter().map(|note| view! { <p class="muted small">{note}</p> }).collect_view();
    let undoable = move || list().changes.iter().filter(|change| change.undoable).count() > 1;
    let on_submit = undo_by(view, undo.clone(), None, problem);
    view! {
        <section class="turn-changes">
            <header class="turn-changes-head">
                <h3 class="group"><a href=["#turn-", &number].concat()>{title}</a></h3>
                <form method="post" action=undo on:submit=on_submit hidden=move || !undoable()>
                    <button class="button quiet" type="submit">{words().frame.undo_turn}</button>
                </form>
            </header>
            {files}
            {notes}
        </section>
    }
}

fn file(change: FileChange, view: SessionView, undo: &str, problem: Problem) -> impl IntoView + use<> {
    let w = &words().frame;
    let (kind, label) = match (change.kind, &change.from) {
        (ChangeKind::Created, _) => ("created", w.created.to_owned()),
        (ChangeKind::Modified, _) => ("modified", w.modified.to_owned()),
        (ChangeKind::Deleted, _) => ("deleted", w.deleted.to_owned()),
        (ChangeKind::Moved, from) => ("moved", fill(w.moved_from, &[from.as_deref().unwrap_or_default()])),
    };
    let label = if change.undone { [&label, ", ", w.undone].concat() } else { label };
    let FileChange { path, diff, binary, undoable, note, .. } = change;
    let body = diff.map(|diff| view! { <pre class="diff" tabindex="0">{diff_lines(&diff)}</pre> });
    let note =
        note.or_else(|| binary.then(|| w.binary.to_owned())).map(|note| view! { <p class="muted small">{note}</p> });
    let form = undoable.then(|| {
        let on_submit = undo_by(view, undo.to_owned(), Some(path.clone()), problem);
        view! {
            <form method="post" action=undo.to_owned() on:submit=on_submit>
                <input type="hidden" name="paths" value=path.clone()/>
                <button class="button quiet" type="submit">{w.undo_file}</button>
            </form>
        }
    });
    view! {
        <details class="file-change" data-kind=kind>
            <summary><code>{path.clone()}</code><span class="muted small">{label}</span></summary>
            {body} {note} {form}
        </details>
    }
}

/// What takes back one path or all, says what came of it, and reads the lists again.
fn undo_by(
    view: SessionView,
    action: String,
    path: Option<String>,
    problem: Problem,
) -> impl Fn(ev::SubmitEvent) + 'static {
    move |event| {
        event.prevent_default();
        let action = action.clone();
        let body = path.as_ref().map_or_else(|| json!({}), |path| json!({"paths": [path]}));
        spawn_local(async move {
            let answer = browser::post(&action, body).await;
            let told = match answer {
                Ok(answer) => outcome(&browser::read(&answer).unwrap_or_default()),
                Err(error) => ("failed", error.detail),
            };
            problem.try_set(Some(told));
            view.files_changed.try_update(|count| *count += 1);
        });
    }
}

fn outcome(answer: &UndoAnswer) -> (&'static str, String) {
    let w = &words().frame;
    let kept = answer.conflicts.iter().map(|conflict| fill(w.kept, &[&conflict.path, &conflict.detail]));
    let told = std::iter::once(w.restored.of(answer.restored.len() as u64)).chain(kept).collect::<Vec<_>>().join(" ");
    (if answer.conflicts.is_empty() { "info" } else { "waiting" }, told)
}

/// Each line in its colour.
pub fn diff_lines(diff: &str) -> impl IntoView + use<> {
    let class = |line: &str| match line.as_bytes().first() {
        Some(b'+') if !line.starts_with("+++") => "added",
        Some(b'-') if !line.starts_with("---") => "removed",
        Some(b'@' | b'\\') => "hunk",
        _ => "same",
    };
    let lines = diff.lines().filter(|line| !line.starts_with("+++") && !line.starts_with("---"));
    // Git says it in English.
    let told = |line: &str| if line.starts_with('\\') { words().frame.no_line_end } else { line }.to_owned();
    lines.map(|line| view! { <span class=class(line)>{told(line)}</span> }).collect_view()
}
