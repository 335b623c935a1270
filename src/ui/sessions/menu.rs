//! What can be done with the session of the page: forms, so that they work without scripts.

use leptos::prelude::*;

use super::notify::NotifyButton;
use crate::ui::{
    browser,
    session_view::SessionView,
    widgets::{Glyph, Icon},
    words::words,
};

#[component]
pub fn SessionMenu(view: SessionView, title: Signal<String>) -> impl IntoView {
    let w = &words().sessions;
    let archived = move || view.session.with(|session| session.archived);
    let pinned = move || view.session.with(|session| session.pinned);
    let (update, delete) = (view.path("/update"), view.path("/delete"));
    let sharing =
        view.session.with_untracked(|session| browser::at(&["/sessions/", session.id.as_str(), "/sharing"].concat()));
    view! {
        <details class="menu session-menu">
            <summary class="button quiet icon-button" aria-label=w.actions title=w.actions><Icon glyph=Glyph::Menu/></summary>
            <div class="menu-body card">
                <form class="menu-form" method="post" action=update.clone()>
                    <label class="field">{w.title}" "<input name="title" maxlength="200" prop:value=title value=title.get_untracked() autocomplete="off"/></label>
                    <button class="button" type="submit">{w.rename}</button>
                </form>
                <NotifyButton view title/>
                <a class="button quiet wide" href=sharing>{w.sharing}</a>
                <div class="exports" inner_html=browser::still().exports></div>
                <form method="post" action=update.clone()>
                    <button class="button quiet wide" type="submit" name="pinned" value=move || (!pinned()).to_string()>{move || if pinned() { w.unpin } else { w.pin }}</button>
                </form>
                <form method="post" action=update>
                    <button class="button quiet wide" type="submit" name="archived" value=move || (!archived()).to_string()>{move || if archived() { w.unarchive } else { w.archive }}</button>
                </form>
                <form method="post" action=delete>
                    <button class="button quiet wide danger" type="submit">{w.delete}</button>
                </form>
            </div>
        </details>
    }
}
