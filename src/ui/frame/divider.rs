//! The line between two zones: it is dragged, moved with the arrow keys, or doubly clicked to close its panel.

use leptos::{ev, prelude::*};

use super::Frame;
use crate::{
    protocol::{LEFT_WIDTHS, RIGHT_WIDTHS},
    ui::{browser, words::words},
};

/// Pixels that an arrow key moves it by.
const STEP: i32 = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

#[component]
pub fn Divider(frame: Frame, side: Side) -> impl IntoView {
    let (width, (least, most), class, label) = match side {
        Side::Left => (frame.left, LEFT_WIDTHS, "divider divider-left", words().frame.width_left),
        Side::Right => (frame.right, RIGHT_WIDTHS, "divider divider-right", words().frame.width_right),
    };
    let dragged = StoredValue::new(false);
    let set = move |wanted: i32| width.set(wanted.clamp(least.into(), most.into()) as u16);
    let on_move = move |event: ev::PointerEvent| {
        if dragged.get_value() {
            let x = event.client_x();
            set(if side == Side::Left { x } else { browser::window_width() as i32 - x });
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let outward = if side == Side::Left { STEP } else { -STEP };
        let now = i32::from(width.get_untracked());
        match event.key().as_str() {
            "ArrowRight" => set(now + outward),
            "ArrowLeft" => set(now - outward),
            "Home" => set(least.into()),
            "End" => set(most.into()),
            _ => return,
        }
        event.prevent_default();
    };
    view! {
        <div
            class=class role="separator" tabindex="0" aria-orientation="vertical" aria-label=label
            aria-valuemin=least.to_string() aria-valuemax=most.to_string() aria-valuenow=move || width.get().to_string()
            on:pointerdown=move |event| { dragged.set_value(true); browser::capture_pointer(&event); }
            on:pointermove=on_move
            on:pointerup=move |_| dragged.set_value(false)
            on:pointercancel=move |_| dragged.set_value(false)
            on:keydown=on_key
            on:dblclick=move |_| if side == Side::Left { frame.toggle_left() } else { frame.toggle_right() }
        ></div>
    }
}
