//! The bar over the page.

use leptos::prelude::*;

use super::{Frame, Side, look_menu::LookMenu, toggle::PanelToggle};
use crate::ui::{
    browser,
    widgets::{Glyph, Icon},
    words::words,
};

/// `children`: what a page puts on the right, before the look. `back`: the page's own address.
#[component]
pub fn Topbar(
    frame: Frame,
    #[prop(into)] title: AnyView,
    has_right: bool,
    back: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <header class="topbar">
            <PanelToggle frame side=Side::Left/>
            <a class="brand" href=browser::at("/") aria-label=words().frame.all_sessions><span class="logo"><Icon glyph=Glyph::Logo/></span></a>
            {title}
            <span class="spacer"></span>
            {children.map(|children| children())}
            <LookMenu frame back/>
            {has_right.then(|| view! { <PanelToggle frame side=Side::Right/> })}
        </header>
    }
}
