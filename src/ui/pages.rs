//! One module per address.

pub mod home;
pub mod live;
pub mod not_found;
pub mod session;
