//! Time as a port, so that tests decide what time it is.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};

pub trait Clock: Send + Sync {
    /// What people call the time. It may jump, so nothing is measured with it.
    fn now(&self) -> Timestamp;

    /// The time since the process began to look at it. It never goes back, whatever becomes of the other.
    fn elapsed(&self) -> Duration {
        static BEGIN: OnceLock<Instant> = OnceLock::new();
        BEGIN.get_or_init(Instant::now).elapsed()
    }
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The day that limits count by, in UTC.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// RFC 3339, UTC, milliseconds: the form of every time that leaves the program.
pub fn rfc3339(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
