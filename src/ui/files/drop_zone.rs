//! The ways in: drop, choose, paste; and a plain form without scripts.

use leptos::{ev, html, prelude::*};

use super::{
    state::{Files, ROOT},
    tree::{drop_into, over},
};
use crate::ui::{
    browser,
    widgets::{Glyph, Icon},
    words::{fill, words},
};

#[component]
pub fn DropZone(files: Files, folder: String) -> impl IntoView {
    let w = &words().files;
    let action = files.view.path("/uploads");
    let folders = NodeRef::<html::Input>::new();
    Effect::new(move |_| browser::choose_folders(folders));
    let choose = move |event: ev::Event| files.add(browser::chosen_files(&event), ROOT);
    view! {
        <form class="drop-zone" method="post" enctype="multipart/form-data" action=action>
            <p><strong>{w.drop_bold}</strong>" "{fill(w.drop_into, &[&folder])}</p>
            <p>
                <label class="choose">{w.drop_choose}<input id="attach" class="visually-hidden" type="file" name="files" multiple on:change=choose/></label>
                <label class="choose scripted">{w.choose_folder}<input class="visually-hidden" type="file" multiple node_ref=folders on:change=choose/></label>
            </p>
            <button class="button no-script" type="submit">{w.upload}</button>
        </form>
    }
}

/// Over the whole window while files are dragged over it; names the folder that they go to.
#[component]
pub fn DropOverlay(files: Files, folder: String) -> impl IntoView {
    let folder = StoredValue::new(folder);
    // The page tells of every element that the pointer enters and leaves; only the last leaving is the window's.
    let inside = StoredValue::new(0_i32);
    let enter = window_event_listener(ev::dragenter, move |event| {
        if browser::drags_files(&event) {
            inside.update_value(|count| *count += 1);
            files.target.maybe_update(|target| {
                let begins = target.is_none();
                target.get_or_insert(ROOT.to_owned());
                begins
            });
        }
    });
    let leave = window_event_listener(ev::dragleave, move |event| {
        if browser::drags_files(&event)
            && inside
                .try_update_value(|count| {
                    *count -= 1;
                    *count
                })
                .is_some_and(|count| count <= 0)
        {
            files.target.set(None);
        }
    });
    let above = window_event_listener(ev::dragover, move |event| over(files, ROOT.to_owned(), &event));
    let dropped = window_event_listener(ev::drop, move |event| {
        inside.set_value(0);
        drop_into(files, ROOT.to_owned(), &event);
    });
    let paste = window_event_listener(ev::paste, move |event| {
        let pasted = browser::pasted_files(&event);
        if !pasted.is_empty() {
            event.prevent_default();
            files.add(pasted, ROOT);
        }
    });
    on_cleanup(move || [enter, leave, above, dropped, paste].into_iter().for_each(|listener| listener.remove()));
    let text = move |target: &str| {
        let name = if target == ROOT { folder.get_value() } else { ["/", target].concat() };
        fill(words().files.drop_to_add, &[&name])
    };
    move || {
        files.target.get().map(|target| {
            view! { <div class="drop-overlay" aria-hidden="true"><p><Icon glyph=Glyph::Upload/>{text(&target)}</p></div> }
        })
    }
}
