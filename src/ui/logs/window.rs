//! The part of a long list that is drawn: rows have one height, so that a hundred thousand cost no more than a
//! screenful.

use leptos::{html, prelude::*};

use crate::ui::browser;

/// Height of a row in pixels, as in `logs.css`, and where fingers need more, as in `small.css`.
const ROW_PX: usize = 28;
const FINGER_ROW_PX: usize = 44;
/// Rows drawn before and after what can be seen.
const AHEAD: usize = 20;
/// A list of so many rows is drawn whole, as the server does.
const WHOLE: usize = 300;

#[derive(Clone, Copy)]
pub struct Window {
    pub scroller: NodeRef<html::Div>,
    pub space: NodeRef<html::Div>,
    /// The first row that can be seen and how many fit.
    seen: RwSignal<(usize, usize)>,
    row_px: usize,
}

impl Window {
    pub fn new() -> Self {
        let row_px = if browser::media(browser::FINGERS) { FINGER_ROW_PX } else { ROW_PX };
        Self { scroller: NodeRef::new(), space: NodeRef::new(), seen: RwSignal::new((0, WHOLE)), row_px }
    }

    /// Looks where the reader is.
    pub fn look(&self) {
        let (top, height) = browser::scroll_place(self.scroller);
        let seen = (top as usize / self.row_px, height as usize / self.row_px + 1);
        self.seen.maybe_update(|known| {
            let moved = *known != seen;
            *known = seen;
            moved
        });
    }

    /// The rows to draw, of so many; and the room that those before and after take.
    pub fn part(&self, count: usize) -> (usize, usize) {
        if count <= WHOLE {
            return (0, count);
        }
        let (first, fit) = self.seen.get();
        // Steps of the margin, so that not every scrolled row changes what is drawn.
        let from = first.saturating_sub(AHEAD) / AHEAD * AHEAD;
        (from.min(count), (first + fit + 2 * AHEAD).min(count))
    }

    /// Gives the rows that are not drawn their room.
    pub fn make_room(&self, count: usize) {
        let (from, to) = self.part(count);
        browser::set_padding(self.space, from * self.row_px, (count - to) * self.row_px);
    }

    pub fn scroll_to(&self, row: usize) {
        let half = browser::scroll_place(self.scroller).1 / 2.0;
        browser::scroll_to(self.scroller, ((row * self.row_px) as f64 - half).max(0.0));
    }

    /// Keeps what can be seen in its place when rows come before it.
    pub fn shift(&self, rows: usize) {
        let top = browser::scroll_place(self.scroller).0;
        browser::scroll_to(self.scroller, top + (rows * self.row_px) as f64);
    }
}
