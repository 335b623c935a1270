//! Wrong passwords, tokens and links are counted, by whom they name and by where they come from.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Wrong ones within a [`WINDOW`]. People mistype a few times; at this pace nobody guesses a password.
pub const MOST: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);
/// Names and addresses that are remembered; beyond that the counts begin anew, so that nobody fills our memory.
const MOST_KEYS: usize = 10_000;

#[derive(Default)]
pub struct Guesses(Mutex<HashMap<String, (Instant, u32)>>);

impl Guesses {
    /// How long to wait; `None` where another try is fine.
    pub fn wait(&self, key: &str, now: Instant) -> Option<Duration> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = counts.get(key).copied()?;
        let left = (since + WINDOW).saturating_duration_since(now);
        (count >= MOST && !left.is_zero()).then_some(left)
    }

    pub fn wrong(&self, key: &str, now: Instant) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST_KEYS && !counts.contains_key(key) {
            counts.retain(|_, (since, _)| *since + WINDOW > now);
            if counts.len() >= MOST_KEYS {
                counts.clear();
            }
        }
        let (since, count) = counts.entry(key.to_owned()).or_insert((now, 0));
        if *since + WINDOW <= now {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_so_many_wrong_ones_it_is_a_while_before_the_next() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..MOST {
            assert_eq!(guesses.wait("anna", now), None);
            guesses.wrong("anna", now);
        }
        assert_eq!(guesses.wait("anna", now), Some(WINDOW));
        assert_eq!(guesses.wait("ben", now), None);
        assert_eq!(guesses.wait("anna", now + WINDOW), None);
        guesses.wrong("anna", now + WINDOW);
        assert_eq!(guesses.wait("anna", now + WINDOW), None, "counted anew");
        for number in 0..=MOST_KEYS {
            guesses.wrong(&number.to_string(), now);
        }
        assert!(guesses.0.lock().unwrap().len() <= MOST_KEYS);
    }
}
