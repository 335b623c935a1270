//! The logs panel: one row for each event, as it happens.

mod describe;
mod filter;
pub mod link;
pub mod panel;
mod places;
mod row;
mod window;
