//! The buttons that show and hide the panels.

use leptos::prelude::*;

use super::{Frame, Side};
use crate::ui::{
    widgets::{Glyph, Icon},
    words::words,
};

#[component]
pub fn PanelToggle(frame: Frame, side: Side) -> impl IntoView {
    let w = &words().frame;
    let (glyph, show, hide, controls) = match side {
        Side::Left => (Glyph::PanelLeft, w.show_left, w.hide_left, "left"),
        Side::Right => (Glyph::PanelRight, w.show_right, w.hide_right, "right"),
    };
    let open = move || match side {
        Side::Left => frame.left_open.get(),
        Side::Right => frame.right_open.get(),
    };
    let label = move || if open() { hide } else { show };
    let class = if side == Side::Left {
        "button quiet icon-button toggle-left"
    } else {
        "button quiet icon-button toggle-right"
    };
    view! {
        <button
            type="button" class=class aria-controls=controls aria-expanded=move || open().to_string()
            aria-label=label title=label
            on:click=move |_| if side == Side::Left { frame.toggle_left() } else { frame.toggle_right() }
        ><Icon glyph/></button>
    }
}
