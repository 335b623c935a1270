//! Markdown of models and people, as sanitised HTML blocks. The browser never parses Markdown; it shows what this module gives.
//!
//! The way of a text: `stream` takes it in as it grows, `splitter` cuts it into chunks that nothing later can change,
//! `chunk` parses one with comrak, `writer` writes its tree as HTML under the rules of `links` and `invisible`,
//! and `sanitise` has the last word. [`render`] is the same way walked at once, so a text reads the same live and later.
//!
//! The dialect is GitHub's (tables, task lists, strikethrough, autolinks) with these differences:
//! - raw HTML is text; so is a link reference definition, since a definition far away would change finished blocks;
//! - headings start at `h3`, the page has its own two levels;
//! - links lead to `http`, `https` and `mailto`, and name their host, or to a file of the workspace; images are links, nothing is ever fetched;
//! - `$math$` stays as it was typed;
//! - what lies past [`MARKDOWN_LIMIT_BYTES`] is plain text.

mod chunk;
mod highlight;
mod invisible;
mod lines;
mod links;
mod plain;
mod sanitise;
mod splitter;
mod stream;
mod writer;

pub use invisible::{visible, visible_line};
pub use stream::{Change, MARKDOWN_LIMIT_BYTES, Stream};

#[cfg(test)]
mod bombs_tests;
#[cfg(test)]
mod features_tests;
#[cfg(test)]
mod inspection;
#[cfg(test)]
mod payloads;
#[cfg(test)]
mod security_tests;
#[cfg(test)]
mod stream_tests;

/// Renders a whole text: one string per top-level block, whose concatenation is the rendering.
pub fn render(text: &str) -> Vec<String> {
    let mut stream = Stream::new();
    stream.push(text);
    stream.finish().blocks
}
