//! What was uploaded here lately: by whom, when, and with what result. It is read from the log, so it is there after a
//! reload too, and tells of everybody.

use std::sync::Arc;

use leptos::prelude::*;

use crate::{
    protocol::{Event, EventBody, UploadStatus},
    ui::{
        session_view::SessionView,
        viewer::Viewer,
        widgets::Clock,
        words::{fill, words},
    },
};

#[component]
pub fn RecentUploads(view: SessionView) -> impl IntoView {
    let newest_first = move || view.uploads.with(|uploads| uploads.iter().rev().cloned().collect::<Vec<_>>());
    let any = move || view.uploads.with(|uploads| !uploads.is_empty());
    view! {
        <Show when=any fallback=|| ()>
            <details class="recent-uploads" open>
                <summary>{words().files.recent}</summary>
                <ul><For each=newest_first key=|event| event.seq let:event><Row event/></For></ul>
            </details>
        </Show>
    }
}

#[component]
fn Row(event: Arc<Event>) -> impl IntoView {
    let w = &words().files;
    let (name, tone, result) = match &event.body {
        EventBody::UploadCompleted { path, status: UploadStatus::Skipped, .. } => {
            (path.clone(), "waiting", w.skipped.to_owned())
        }
        EventBody::UploadCompleted { path, .. } => (path.clone(), "done", w.added.to_owned()),
        EventBody::UploadFailed { name, detail, .. } => {
            (name.clone().unwrap_or_else(|| words().logs.files_word.to_owned()), "failed", detail.clone())
        }
        _ => Default::default(),
    };
    let by = Viewer::sees_as_other(&event.actor.name).then(|| [&fill(w.by, &[&event.actor.name]), ", "].concat());
    view! {
        <li class="recent-upload" data-tone=tone>
            <span class="recent-name" title=name.clone()>{name.clone()}</span>
            <span class="upload-state">{result}</span>
            <span class="recent-by">{by}<Clock at=event.created_at.clone()/></span>
        </li>
    }
}
