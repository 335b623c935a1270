//! The logs panel: one row for each event, as it happens.

mod describe;
pub mod link;
pub mod panel;
