//! Small parts that every area of the page uses.

mod clock;
mod icon;
mod notice;

pub use clock::{Clock, Day, duration};
pub use icon::{Glyph, Icon};
pub use notice::Notice;
