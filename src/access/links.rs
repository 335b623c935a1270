//! Launch links: each lets one browser in, once, within a minute. They live in this process alone.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::secret::{Fingerprint, fingerprint, random, same};

/// From the terminal to the browser.
pub const LIFE: Duration = Duration::from_secs(60);
/// Links that may wait at once; a new one takes the place of the oldest.
const MOST: usize = 16;

#[derive(Default)]
pub struct Links(Mutex<Vec<(Fingerprint, Instant)>>);

impl Links {
    /// The secret part of a new link.
    pub fn issue(&self, now: Instant) -> io::Result<String> {
        let secret = random()?;
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(_, until)| *until > now);
        if links.len() == MOST {
            links.remove(0);
        }
        links.push((fingerprint(&secret), now + LIFE));
        Ok(secret)
    }

    /// Whether the link may be used; it may not be a second time.
    pub fn take(&self, secret: &str, now: Instant) -> bool {
        let shown = fingerprint(secret);
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(_, until)| *until > now);
        let before = links.len();
        links.retain(|(known, _)| !same(known, &shown));
        links.len() < before
    }

    pub fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_not_after_a_minute() {
        let (links, now) = (Links::default(), Instant::now());
        let (one, two) = (links.issue(now).unwrap(), links.issue(now).unwrap());
        assert!(!links.take("", now) && !links.take(&one[1..], now));
        assert!(links.take(&one, now) && !links.take(&one, now));
        assert!(!links.take(&two, now + LIFE));
        let oldest = links.issue(now).unwrap();
        let newer: Vec<_> = (0..MOST).map(|_| links.issue(now).unwrap()).collect();
        assert!(!links.take(&oldest, now) && newer.iter().all(|link| links.take(link, now)), "only so many wait");
        let left = links.issue(now).unwrap();
        links.forget_all();
        assert!(!links.take(&left, now));
    }
}
