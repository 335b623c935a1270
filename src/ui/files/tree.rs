//! The workspace as a tree: a folder is read when it is opened, and follows what steps and uploads change.

use leptos::{ev, prelude::*, task::spawn_local};

use super::{
    sizes::size,
    state::{Files, ROOT},
};
use crate::{
    protocol::{FileEntry, FileKind},
    ui::{
        browser,
        widgets::{Glyph, Icon, upright},
        words::words,
    },
};

/// What the arrow keys walk along.
const ROWS: &str = "#left .file-row";
/// Deeper folders are not moved in further: there is no room.
const MOST_DEPTH: usize = 6;

#[component]
pub fn FileTree(files: Files) -> impl IntoView {
    let rows = Memo::new(move |_| files.rows());
    let on_key = move |event: ev::KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            _ => return,
        };
        if browser::move_focus(ROWS, step) {
            event.prevent_default();
        }
    };
    view! {
        <ul class="files" on:keydown=on_key>
            <For each=move || rows.get() key=|(depth, entry)| (*depth, entry.path.clone(), entry.size, entry.modified_at.clone()) let((depth, entry))>
                <FileRow files depth entry/>
            </For>
        </ul>
        {move || rows.with(Vec::is_empty).then(|| view! { <p class="empty">{words().files.no_files}</p> })}
    }
}

#[component]
fn FileRow(files: Files, depth: usize, entry: FileEntry) -> impl IntoView {
    let class = ["file-item depth-", &depth.min(MOST_DEPTH).to_string()].concat();
    let row = match entry.kind {
        FileKind::Folder => view! { <FolderLine files entry/> }.into_any(),
        FileKind::File | FileKind::Other => view! { <FileLine files entry/> }.into_any(),
    };
    view! { <li class=class>{row}</li> }
}

#[component]
fn FolderLine(files: Files, entry: FileEntry) -> impl IntoView {
    let path = StoredValue::new(entry.path);
    let is_open = move || files.open.with(|open| path.with_value(|path| open.contains(path)));
    let zip = files.view.path(&["/archive?dir=", &browser::encode(&path.get_value())].concat());
    let w = &words().files;
    view! {
        <button
            type="button" class="file-row" aria-expanded=move || is_open().to_string()
            data-target=move || files.target.with(|target| path.with_value(|path| target.as_ref() == Some(path))).then_some("")
            on:click=move |_| files.toggle(path.get_value())
            on:dragover=move |event| over(files, path.get_value(), &event)
            on:drop=move |event| drop_into(files, path.get_value(), &event)
        >
            <Icon glyph=Glyph::Folder/><span class="file-name">{upright(entry.name)}</span>
        </button>
        <a class="file-act" href=zip download="" rel="external" title=w.download_zip aria-label=w.download_zip><Icon glyph=Glyph::Download/></a>
    }
}

/// Without scripts a file's row downloads it.
#[component]
fn FileLine(files: Files, entry: FileEntry) -> impl IntoView {
    let FileEntry { name, path, size: bytes, .. } = entry;
    let href = files.view.path(&["/files/", &address(&path)].concat());
    let mention = path.clone();
    let on_click = move |event: ev::MouseEvent| {
        event.prevent_default();
        files.shown.set(Some(path.clone()));
    };
    let w = &words().files;
    view! {
        <a class="file-row" href=href rel="external" on:click=on_click>
            <Icon glyph=Glyph::File/><span class="file-name">{upright(name)}</span>
            <span class="file-size">{bytes.map(|bytes| size(bytes, browser::language()))}</span>
        </a>
        <button type="button" class="file-act" title=w.mention aria-label=w.mention on:click=move |_| files.view.mention.set(Some(mention.clone()))><Icon glyph=Glyph::Chat/></button>
    }
}

/// A path in an address: its parts stay parts.
pub fn address(path: &str) -> String {
    path.split('/').map(browser::encode).collect::<Vec<_>>().join("/")
}

/// Something is dragged over a folder.
pub fn over(files: Files, dir: String, event: &ev::DragEvent) {
    if browser::drags_files(event) {
        event.prevent_default();
        event.stop_propagation();
        files.target.maybe_update(|target| {
            let moved = target.as_ref() != Some(&dir);
            *target = Some(dir);
            moved
        });
    }
}

pub fn drop_into(files: Files, dir: String, event: &ev::DragEvent) {
    if !browser::drags_files(event) {
        return;
    }
    event.prevent_default();
    event.stop_propagation();
    files.target.set(None);
    let dropped = browser::dropped_files(event);
    spawn_local(async move {
        files.add(dropped.await, &dir);
        if dir != ROOT {
            files.open.try_update(|open| open.insert(dir.clone()));
        }
    });
}
