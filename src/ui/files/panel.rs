//! The left panel's lower part: the files, what is on its way, and the ways in.

use leptos::prelude::*;

use super::{
    drop_zone::{DropOverlay, DropZone},
    preview::Preview,
    queue::UploadQueue,
    recent::RecentUploads,
    state::Files,
    tree::FileTree,
};
use crate::ui::{
    widgets::Notice,
    words::{fill, words},
};

#[component]
pub fn FilesPanel(files: Files) -> impl IntoView {
    let workspace = files.view.session.with_untracked(|session| session.workspace.clone());
    let folder = workspace.rsplit('/').find(|part| !part.is_empty()).unwrap_or("/").to_owned();
    let title = fill(words().files.files_in, &[&folder]);
    view! {
        <section class="files-panel" aria-label=title.clone()>
            <h2 class="group">{title.clone()}</h2>
            {move || files.problem.get().map(|text| view! { <Notice kind="waiting">{text}</Notice> })}
            <UploadQueue files/>
            <FileTree files/>
            <RecentUploads view=files.view/>
            <DropZone files folder=folder.clone()/>
        </section>
        <Preview files/>
        <DropOverlay files folder/>
    }
}
