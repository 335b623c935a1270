//! Light or dark, English or German, and signing out: a form that works without scripts; with them a look is there at once.

use leptos::prelude::*;

use super::Frame;
use crate::{
    protocol::Theme,
    ui::{
        browser,
        widgets::{Glyph, Icon},
        words::{Language, words},
    },
};

/// `back`: the page's own address.
#[component]
pub fn LookMenu(frame: Frame, back: String) -> impl IntoView {
    let w = &words().frame;
    let theme = move |theme: Theme| {
        let label = match theme {
            Theme::System => w.system,
            Theme::Light => w.light,
            Theme::Dark => w.dark,
            Theme::Contrast => w.contrast,
        };
        view! {
            <label class="choice">
                <input
                    type="radio" name="theme" value=theme.name() checked=frame.theme.get_untracked() == theme
                    on:change=move |_| frame.theme.set(theme)
                />
                {label}
            </label>
        }
    };
    let languages = Language::ALL.map(|language| {
        let chosen = browser::language() == language;
        view! { <button class="button quiet wide" name="lang" value=language.tag() lang=language.tag() aria-pressed=chosen.to_string()>{language.name()}</button> }
    });
    view! {
        <details class="menu">
            <summary class="button quiet icon-button" aria-label=w.look title=w.look><Icon glyph=Glyph::Look/></summary>
            <form class="menu-body card" method="post" action=browser::at("/cowork/look")>
                <input type="hidden" name="back" value=back/>
                <fieldset class="choices"><legend class="group">{w.look}</legend>{Theme::ALL.map(theme)}</fieldset>
                <button class="button wide no-script" type="submit">{w.apply}</button>
                <div class="choices" role="group" aria-label=w.language>{languages}</div>
                <a class="button quiet wide" href=browser::at("/docs")>{w.docs}</a>
                <div class="choices"><button class="button quiet wide" type="submit" formaction=browser::at("/sign-out")>{w.sign_out}</button></div>
            </form>
        </details>
    }
}
