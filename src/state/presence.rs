//! Who has a session open right now. It is no event: it lives in this process and ends with the socket.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::protocol::{Present, ServerFrame, SessionId};

#[derive(Default)]
pub struct Presence(Mutex<HashMap<SessionId, Room>>);

#[derive(Default)]
struct Room {
    last: u64,
    seats: BTreeMap<u64, (String, bool)>,
    moved: watch::Sender<u64>,
}

/// One socket's place; dropping it leaves the room.
pub struct Seat {
    presence: Arc<Presence>,
    session: SessionId,
    number: u64,
    moved: watch::Receiver<u64>,
}

impl Presence {
    pub fn enter(self: &Arc<Self>, session: &SessionId, name: &str) -> Seat {
        let mut rooms = self.rooms();
        let room = rooms.entry(session.clone()).or_default();
        room.last += 1;
        room.seats.insert(room.last, (name.to_owned(), false));
        room.moved.send_modify(|count| *count += 1);
        let mut moved = room.moved.subscribe();
        // The newcomer is told too.
        moved.mark_changed();
        Seat { presence: self.clone(), session: session.clone(), number: room.last, moved }
    }

    fn rooms(&self) -> MutexGuard<'_, HashMap<SessionId, Room>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn people(&self, session: &SessionId) -> ServerFrame {
        let mut people = BTreeMap::new();
        for (name, typing) in self.rooms().get(session).iter().flat_map(|room| room.seats.values()) {
            *people.entry(name.clone()).or_insert(false) |= *typing;
        }
        ServerFrame::Presence { people: people.into_iter().map(|(name, typing)| Present { name, typing }).collect() }
    }
}

impl Seat {
    /// Waits until somebody came, left, or began or ceased to type.
    pub async fn news(&mut self) -> ServerFrame {
        // The room lasts as long as this seat, so its sender does too.
        let _ = self.moved.changed().await;
        self.presence.people(&self.session)
    }

    /// For the half of the connection that hears the client.
    pub fn typing(&self) -> impl Fn(bool) + Send + Sync + use<> {
        let (presence, session, number) = (self.presence.clone(), self.session.clone(), self.number);
        move |typing| {
            let mut rooms = presence.rooms();
            let Some(room) = rooms.get_mut(&session) else { return };
            let Some(seat) = room.seats.get_mut(&number) else { return };
            if std::mem::replace(&mut seat.1, typing) != typing {
                room.moved.send_modify(|count| *count += 1);
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.presence.rooms();
        let Some(room) = rooms.get_mut(&self.session) else { return };
        room.seats.remove(&self.number);
        room.moved.send_modify(|count| *count += 1);
        if room.seats.is_empty() {
            rooms.remove(&self.session);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frame: &ServerFrame) -> Vec<(&str, bool)> {
        let ServerFrame::Presence { people } = frame else { panic!("{frame:?}") };
        people.iter().map(|present| (present.name.as_str(), present.typing)).collect()
    }

    #[tokio::test]
    async fn people_come_type_and_leave() {
        let (presence, session) = (Arc::new(Presence::default()), SessionId("s".into()));
        let mut anna = presence.enter(&session, "anna");
        assert_eq!(seen(&anna.news().await), [("anna", false)]);
        let (ben, bens_phone) = (presence.enter(&session, "ben"), presence.enter(&session, "ben"));
        assert_eq!(seen(&anna.news().await), [("anna", false), ("ben", false)]);
        bens_phone.typing()(true);
        assert_eq!(seen(&anna.news().await), [("anna", false), ("ben", true)]);
        bens_phone.typing()(true);
        drop(bens_phone);
        assert_eq!(seen(&anna.news().await), [("anna", false), ("ben", false)]);
        let _elsewhere = presence.enter(&SessionId("t".into()), "chris");
        drop(ben);
        assert_eq!(seen(&anna.news().await), [("anna", false)]);
        drop(anna);
        assert_eq!(presence.rooms().len(), 1, "an empty room is forgotten");
    }
}
