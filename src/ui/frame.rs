//! The page around the conversation: its state, the bar, the panels and what they hold beside lists and logs.

mod changes;
mod divider;
mod look_menu;
pub mod palette;
pub mod people;
mod progress;
pub mod rail;
mod shortcuts;
pub mod toggle;
pub mod topbar;
pub mod zones;

pub use divider::{Divider, Side};

use leptos::prelude::*;

use super::browser;
use crate::protocol::{Look, Tab, Theme};

/// Below this width the right panel is a drawer over the conversation, as in `small.css`.
const NARROW: &str = "(max-width: 1099px)";

/// How the page stands. What a person has set is kept in a cookie; a drawer and a phone's zone are of the moment.
#[derive(Clone, Copy)]
pub struct Frame {
    pub theme: RwSignal<Theme>,
    pub left_open: RwSignal<bool>,
    pub right_open: RwSignal<bool>,
    pub left: RwSignal<u16>,
    pub right: RwSignal<u16>,
    pub tab: RwSignal<Tab>,
    pub drawer: RwSignal<bool>,
    pub zone: RwSignal<Zone>,
}

/// What a phone shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    Chat,
    Files,
    Logs,
}

impl Zone {
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Files => "files",
            Self::Logs => "logs",
        }
    }
}

impl Frame {
    pub fn new(look: Look) -> Self {
        let frame = Self {
            theme: RwSignal::new(look.theme),
            left_open: RwSignal::new(look.left_open),
            right_open: RwSignal::new(look.right_open),
            left: RwSignal::new(look.left),
            right: RwSignal::new(look.right),
            tab: RwSignal::new(look.tab),
            drawer: RwSignal::new(false),
            zone: RwSignal::new(Zone::Chat),
        };
        Effect::new(move |before: Option<Look>| {
            let look = frame.look();
            if before.is_some_and(|before| before != look) {
                browser::set_cookie(Look::COOKIE, &look.written());
                browser::set_root_attribute("data-theme", look.theme.name());
                browser::set_root_property("--left", &px(look.left));
                browser::set_root_property("--right", &px(look.right));
            }
            look
        });
        frame
    }

    fn look(&self) -> Look {
        Look {
            theme: self.theme.get(),
            left_open: self.left_open.get(),
            right_open: self.right_open.get(),
            left: self.left.get(),
            right: self.right.get(),
            tab: self.tab.get(),
        }
    }

    pub fn toggle_left(&self) {
        self.left_open.update(|open| *open = !*open);
    }

    pub fn toggle_right(&self) {
        let open = if browser::media(NARROW) { self.drawer } else { self.right_open };
        open.update(|open| *open = !*open);
    }

    /// Shows something in the right panel, wherever that stands now.
    pub fn show_right(&self, tab: Tab) {
        self.tab.set(tab);
        self.zone.set(Zone::Logs);
        if browser::media(NARROW) { self.drawer.set(true) } else { self.right_open.set(true) }
    }

    /// Shows the conversation, also where something covers it.
    pub fn show_chat(&self) {
        self.drawer.set(false);
        self.zone.set(Zone::Chat);
    }
}

pub fn px(width: u16) -> String {
    width.to_string() + "px"
}
