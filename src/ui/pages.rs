//! One module per address.

pub mod home;
pub mod live;
pub mod not_found;
pub mod session;

use super::words::words;
use crate::protocol::Page;

/// The name of the product, alone or behind a title.
pub const NAME: &str = "Cowork";

/// What the browser's tab says at first, as HTML: a text child would leave a mark of hydration in it.
pub fn title(page: &Page) -> String {
    let title = match page {
        Page::Home(_) => NAME.to_owned(),
        Page::Session(page) => tab_title(&page.session.title),
        Page::Running(_) => tab_title(words().frame.running_turn),
        Page::NotFound => tab_title(words().frame.not_found),
    };
    title.replace('&', "&amp;").replace('<', "&lt;")
}

pub fn tab_title(title: &str) -> String {
    [title, " · ", NAME].concat()
}
