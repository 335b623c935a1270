//! The form that makes a session. Folders are links, so that it works without scripts too.

use leptos::{either::Either, prelude::*};

use crate::{
    protocol::{CreateChoices, Folder, FolderList},
    ui::{
        browser,
        widgets::{Glyph, Icon, Notice},
        words::words,
    },
};

#[component]
pub fn CreateForm(choices: CreateChoices) -> impl IntoView {
    let CreateChoices { models, built_in_only, folders, notice } = choices;
    let notice = notice.map(|text| view! { <Notice kind="info">{text}</Notice> });
    let form = match folders {
        Ok(folders) => Either::Left(view! { <FolderForm folders models built_in_only/> }),
        Err(error) => Either::Right(view! {
            <Notice kind="failed">{error.detail}</Notice>
            <p><a href=browser::at("/")>{words().home.back_to_folders}</a></p>
        }),
    };
    view! { {notice} {form} }
}

#[component]
fn FolderForm(folders: FolderList, models: Vec<String>, built_in_only: bool) -> impl IntoView {
    let w = words();
    let FolderList { dir, parent, usable, folders, .. } = folders;
    let up = parent.as_deref().map(folder_link);
    let chosen = dir.clone();
    view! {
        <form class="create card" method="post" action=browser::at("/cowork/sessions")>
            <div class="folder-bar">
                <Icon glyph=Glyph::Folder/>
                <span class="folder-path">{dir.clone().unwrap_or_else(|| w.home.choose_folder.into())}</span>
                {up.map(|up| view! { <a class="button quiet" href=up><Icon glyph=Glyph::Up/>{w.home.up}</a> })}
            </div>
            <ul class="folder-list">{folders.iter().map(folder_row).collect_view()}</ul>
            {folders.is_empty().then(|| view! { <p class="empty">{w.home.no_folders}</p> })}
            <input type="hidden" name="workspace" value=chosen/>
            <div class="create-bar">
                <label class="field">{w.sessions.title}" "<input name="title" maxlength="200" placeholder=w.home.title_hint autocomplete="off"/></label>
                {(models.len() > 1).then(|| view! { <ModelChoice models/> })}
                <button class="button primary" type="submit" disabled=!usable>{w.home.start}</button>
            </div>
        </form>
        {built_in_only.then(|| view! { <p class="muted small">{w.home.built_in_note}</p> })}
    }
}

fn folder_row(folder: &Folder) -> impl IntoView + use<> {
    view! { <li><a href=folder_link(&folder.path)><Icon glyph=Glyph::Folder/><span>{folder.name.clone()}</span></a></li> }
}

fn folder_link(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let encoded: String =
        path.bytes().map(|byte| if keep(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect();
    browser::at(&format!("/?dir={encoded}"))
}

#[component]
fn ModelChoice(models: Vec<String>) -> impl IntoView {
    let options =
        models.into_iter().map(|name| view! { <option value=name.clone()>{name.clone()}</option> }).collect_view();
    view! { <label class="field">{words().home.model}" "<select name="model">{options}</select></label> }
}
