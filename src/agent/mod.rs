//! The domain: sessions, turns, the feed. Knows no HTTP, no SQL and no page.

pub mod ports;
