//! What operators allow: how much at once and in a while, to each person and to all. Nothing is limited until somebody
//! says so, all but the space that the database needs.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use super::ports::clock::Clock;
use crate::protocol::{ApiError, ErrorCode};

/// Where nobody knows when there will be room again.
const SOME_TIME_S: u64 = 60;
const MINUTE_S: f64 = 60.0;
const DAY_S: u64 = 24 * 60 * 60;

/// The limits; `None` is none. A person is a name, and so is a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Of a person, archived ones too.
    pub sessions: Option<u64>,
    /// Sessions that work at one moment, of all people …
    pub running: Option<u64>,
    /// … and of one.
    pub running_of_person: Option<u64>,
    pub sockets: Option<u64>,
    pub requests_per_minute: Option<u64>,
    /// Of a person's messages; a day is one in UTC.
    pub tokens_per_day: Option<u64>,
    /// What the database's disk must have left for new work.
    pub free_bytes: u64,
}

/// The limits in force, and what is used of them.
pub struct Allowance {
    allowed: RwLock<Allowed>,
    clock: Arc<dyn Clock>,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    turns: HashMap<String, u64>,
    sockets: HashMap<String, u64>,
    requests: HashMap<String, Bucket>,
}

/// Requests that are still free; they come back evenly.
struct Bucket {
    left: f64,
    at: Duration,
}

#[derive(Clone, Copy)]
enum Kind {
    Turn,
    Socket,
}

/// What somebody uses until this is dropped.
pub struct Place {
    allowance: Arc<Allowance>,
    name: String,
    kind: Kind,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut used = self.allowance.used();
        let counts = used.counts(self.kind);
        if let Some(count) = counts.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.name);
            }
        }
    }
}

impl Used {
    fn counts(&mut self, kind: Kind) -> &mut HashMap<String, u64> {
        match kind {
            Kind::Turn => &mut self.turns,
            Kind::Socket => &mut self.sockets,
        }
    }
}

impl Allowance {
    pub fn new(allowed: Allowed, clock: Arc<dyn Clock>) -> Self {
        Self { allowed: RwLock::new(allowed), clock, used: Mutex::default() }
    }

    /// From now on; what is in use stays.
    pub fn set(&self, allowed: Allowed) {
        *self.allowed.write().unwrap_or_else(PoisonError::into_inner) = allowed;
    }

    pub fn allowed(&self) -> Allowed {
        *self.allowed.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, or says when the next one is free.
    pub fn request(&self, name: &str) -> Result<(), ApiError> {
        let Some(limit) = self.allowed().requests_per_minute else { return Ok(()) };
        let (most, now) = (limit as f64, self.clock.elapsed());
        let each = MINUTE_S / most;
        let mut used = self.used();
        let back = |bucket: &Bucket| bucket.left + now.saturating_sub(bucket.at).as_secs_f64() / each;
        // Who has all of theirs back needs no memory.
        used.requests.retain(|known, bucket| known == name || back(bucket) < most);
        let bucket = used.requests.entry(name.to_owned()).or_insert(Bucket { left: most, at: now });
        let left = back(bucket).min(most);
        (bucket.left, bucket.at) = (left, now);
        if left >= 1.0 {
            bucket.left -= 1.0;
            return Ok(());
        }
        let wait = ((1.0 - left) * each).ceil().max(1.0) as u64;
        let detail = format!(
            "You sent {limit} requests within a minute, which is the limit here. This one was not carried out. Try again \
             in {wait} s."
        );
        Err(ApiError::limited(ErrorCode::TooManyRequests, detail, wait))
    }

    pub fn socket(self: &Arc<Self>, name: &str) -> Result<Place, ApiError> {
        let limit = self.allowed().sockets;
        let mut used = self.used();
        let open = used.sockets.get(name).copied().unwrap_or_default();
        if let Some(limit) = limit.filter(|limit| open >= *limit) {
            let detail = format!(
                "You have {limit} live connections, which is the limit here. This one was not opened. Close a tab, or a \
                 program that watches."
            );
            return Err(ApiError::limited(ErrorCode::TooManySockets, detail, SOME_TIME_S));
        }
        Ok(self.place(&mut used, Kind::Socket, name))
    }

    /// For a session that begins to work. It keeps its place while its queue lasts.
    pub fn turn(self: &Arc<Self>, name: &str) -> Result<Place, ApiError> {
        let allowed = self.allowed();
        let mut used = self.used();
        let own = used.turns.get(name).copied().unwrap_or_default();
        if let Some(limit) = allowed.running_of_person.filter(|limit| own >= *limit) {
            let detail = format!(
                "{limit} of your sessions work already, which is the limit here. The message was not sent. Wait until one \
                 is done, or stop one."
            );
            return Err(ApiError::limited(ErrorCode::TooManyTurns, detail, SOME_TIME_S));
        }
        let all: u64 = used.turns.values().sum();
        if let Some(limit) = allowed.running.filter(|limit| all >= *limit) {
            let detail = format!(
                "This server works on {limit} sessions already, which is its limit. The message was not sent. Try again in \
                 a while."
            );
            return Err(ApiError::limited(ErrorCode::ServerBusy, detail, SOME_TIME_S));
        }
        Ok(self.place(&mut used, Kind::Turn, name))
    }

    /// For a turn that waited through a restart: it was let in before.
    pub fn resumed_turn(self: &Arc<Self>) -> Place {
        self.place(&mut self.used(), Kind::Turn, "")
    }

    fn place(self: &Arc<Self>, used: &mut Used, kind: Kind, name: &str) -> Place {
        *used.counts(kind).entry(name.to_owned()).or_default() += 1;
        Place { allowance: self.clone(), name: name.to_owned(), kind }
    }

    pub fn check_sessions(&self, count: u64) -> Result<(), ApiError> {
        let Some(limit) = self.allowed().sessions.filter(|limit| count >= *limit) else { return Ok(()) };
        let detail = format!(
            "You have {count} sessions, and {limit} is the limit here. None was made. Delete one that is not needed any more."
        );
        Err(ApiError::limited(ErrorCode::TooManySessions, detail, SOME_TIME_S))
    }

    pub fn check_tokens(&self, spent: u64) -> Result<(), ApiError> {
        let Some(limit) = self.allowed().tokens_per_day.filter(|limit| spent >= *limit) else { return Ok(()) };
        let wait = DAY_S - (self.clock.now().as_second().rem_euclid(DAY_S as i64)) as u64;
        let detail = format!(
            "You have used {spent} tokens today, and {limit} is the limit here. The message was not sent. The count begins \
             anew at midnight UTC."
        );
        Err(ApiError::limited(ErrorCode::TokensUsedUp, detail, wait))
    }

    pub fn check_space(&self, free: u64) -> Result<(), ApiError> {
        let wanted = self.allowed().free_bytes;
        if free >= wanted {
            return Ok(());
        }
        let detail = "The disk of this server is almost full, so it takes no new work. Nothing was sent or made. Whoever runs \
                      the server must free some space.";
        Err(ApiError::limited(ErrorCode::DiskLow, detail, SOME_TIME_S))
    }
}

#[cfg(test)]
#[path = "allowance_tests.rs"]
mod tests;
