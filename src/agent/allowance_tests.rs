use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use super::*;
use crate::agent::ports::clock::day;

/// A clock that stands until it is told to go on, at 23:00 UTC.
#[derive(Default)]
struct Hand(AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        "2026-03-01T23:00:00Z".parse::<Timestamp>().unwrap() + self.elapsed()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

fn allowance(allowed: Allowed) -> (Arc<Allowance>, Arc<Hand>) {
    let clock = Arc::new(Hand::default());
    (Arc::new(Allowance::new(allowed, clock.clone())), clock)
}

fn code<T>(result: Result<T, ApiError>) -> (ErrorCode, u64) {
    let error = result.err().expect("refused");
    assert!(error.detail.ends_with('.'), "{error}");
    (error.code, error.retry_after.expect("a time"))
}

#[test]
fn nothing_is_limited_until_somebody_says_so() {
    let (all, _) = allowance(Allowed::default());
    let places: Vec<_> = (0..1000).flat_map(|_| [all.socket("anna").unwrap(), all.turn("anna").unwrap()]).collect();
    (0..10_000).for_each(|_| all.request("anna").unwrap());
    all.check_sessions(u64::MAX).unwrap();
    all.check_tokens(u64::MAX).unwrap();
    all.check_space(0).unwrap();
    drop(places);
    assert!(all.used().turns.is_empty() && all.used().sockets.is_empty() && all.used().requests.is_empty());
}

#[test]
fn requests_come_back_evenly_and_to_each_their_own() {
    let (all, clock) = allowance(Allowed { requests_per_minute: Some(6), ..Allowed::default() });
    (0..6).for_each(|_| all.request("anna").unwrap());
    assert_eq!(code(all.request("anna")), (ErrorCode::TooManyRequests, 10));
    all.request("ben").unwrap();
    clock.0.store(9_000, Ordering::SeqCst);
    assert_eq!(code(all.request("anna")), (ErrorCode::TooManyRequests, 1));
    clock.0.store(10_000, Ordering::SeqCst);
    all.request("anna").unwrap();
    assert_eq!(code(all.request("anna")).1, 10);
    // After a long rest there is one minute's worth again, not more, and nothing is remembered of Ben.
    clock.0.store(3_600_000, Ordering::SeqCst);
    (0..6).for_each(|_| all.request("anna").unwrap());
    assert_eq!(code(all.request("anna")).1, 10);
    assert_eq!(all.used().requests.len(), 1);
}

#[test]
fn places_are_free_again_when_they_are_left() {
    let allowed = Allowed { running: Some(3), running_of_person: Some(2), sockets: Some(1), ..Allowed::default() };
    let (all, _) = allowance(allowed);
    let anna = [all.turn("anna").unwrap(), all.turn("anna").unwrap()];
    assert_eq!(code(all.turn("anna")).0, ErrorCode::TooManyTurns);
    let ben = all.turn("ben").unwrap();
    assert_eq!(code(all.turn("ben")).0, ErrorCode::ServerBusy);
    // A turn that waited through a restart has its place all the same, and takes it from the others.
    let resumed = all.resumed_turn();
    drop(ben);
    assert_eq!(code(all.turn("ben")).0, ErrorCode::ServerBusy);
    drop((anna, resumed));
    let socket = all.socket("anna").unwrap();
    assert_eq!(code(all.socket("anna")).0, ErrorCode::TooManySockets);
    drop(socket);
    all.socket("anna").unwrap();
    all.turn("ben").unwrap();
}

#[test]
fn a_day_ends_at_midnight_utc() {
    let allowed = Allowed { tokens_per_day: Some(100), sessions: Some(2), free_bytes: 10, ..Allowed::default() };
    let (all, clock) = allowance(allowed);
    all.check_tokens(99).unwrap();
    assert_eq!(code(all.check_tokens(100)), (ErrorCode::TokensUsedUp, 3600));
    assert_eq!(day(clock.now()), "2026-03-01");
    clock.0.store(3_600_000, Ordering::SeqCst);
    assert_eq!(day(clock.now()), "2026-03-02");
    all.check_sessions(1).unwrap();
    assert_eq!(code(all.check_sessions(2)).0, ErrorCode::TooManySessions);
    all.check_space(10).unwrap();
    assert_eq!(code(all.check_space(9)).0, ErrorCode::DiskLow);
}

#[test]
fn new_limits_hold_from_the_next_wish_on() {
    let (all, _) = allowance(Allowed::default());
    let _two = [all.socket("anna").unwrap(), all.socket("anna").unwrap()];
    all.set(Allowed { sockets: Some(1), ..Allowed::default() });
    assert_eq!(code(all.socket("anna")).0, ErrorCode::TooManySockets);
    all.set(Allowed { sockets: Some(3), ..Allowed::default() });
    all.socket("anna").unwrap();
}
