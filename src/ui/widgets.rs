//! Small parts that every area of the page uses.

mod clock;
mod icon;
mod notice;
mod upright;

pub use clock::{Clock, Day, ago, duration, minutes};
pub use icon::{Glyph, Icon};
pub use notice::Notice;
pub use upright::upright;
