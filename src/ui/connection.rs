//! The page's connection: connect, catch up, follow, and back off when it breaks. What it shows is measured, never
//! assumed.

use futures::{
    StreamExt,
    channel::mpsc::{self, UnboundedReceiver},
    future::{Either, abortable, select},
};
use leptos::{ev, prelude::*, task::spawn_local};
use serde_json::json;

use super::{
    browser::{self, Socket, Speaker},
    session_view::{Link, SessionView},
};
use crate::protocol::{ErrorCode, Record, Seq, ServerFrame, SessionId};

/// Nothing heard for this long, heartbeats included, which come every 15 s at least: whether it still stands is asked.
const SILENCE_MS: u32 = 20_000;
/// No answer to the question for this long: the connection is dead, whatever the browser says.
const ANSWER_MS: u32 = 5_000;
/// After the last key, in milliseconds.
const TYPING_MS: u32 = 3_000;
/// The first wait before connecting again; it doubles up to the last.
const FIRST_WAIT_S: f64 = 0.5;
const LAST_WAIT_S: f64 = 15.0;

/// Follows the session until the page is left.
pub fn follow(view: SessionView, id: SessionId, boot_id: String) {
    let speaker = StoredValue::new_local(None);
    tell_typing(view, speaker);
    let hurried = hurry(view);
    let connection =
        Connection { view, id, boot_id, speaker, hurried, text: None, connected_before: false, limited: false };
    // Aborting drops the socket with the task, and no signal of the page is touched after it.
    let (run, abort) = abortable(connection.run());
    on_cleanup(move || abort.abort());
    spawn_local(async move {
        let _ = run.await;
    });
}

/// Tells when there is reason to look at the connection now and not when its time has come.
fn hurry(view: SessionView) -> UnboundedReceiver<()> {
    let (tell, told) = mpsc::unbounded();
    let online = window_event_listener(ev::online, move |_| view.hurry.update(|hurry| *hurry += 1));
    let shown = window_event_listener_untyped("visibilitychange", move |_| {
        if browser::is_visible() {
            view.hurry.update(|hurry| *hurry += 1);
        }
    });
    on_cleanup(move || {
        online.remove();
        shown.remove();
    });
    Effect::new(move |before: Option<()>| {
        view.hurry.track();
        if before.is_some() {
            // Nobody listens when the connection is over for good.
            let _ = tell.unbounded_send(());
        }
    });
    told
}

/// Others see that somebody types here, until nothing was typed for a while.
fn tell_typing(view: SessionView, speaker: StoredValue<Option<Speaker>, LocalStorage>) {
    let told = StoredValue::new(false);
    let tell = move |typing: bool| {
        let others = view.people.with_untracked(|people| people.len() > 1);
        if told.get_value() != typing && (others || !typing) {
            told.set_value(typing);
            let frame = json!({ "type": "typing", "typing": typing });
            speaker.with_value(|speaker| speaker.iter().for_each(|speaker| speaker.say(&frame)));
        }
    };
    // What was said is no longer being typed.
    Effect::new(move |before: Option<()>| {
        view.said.track();
        if before.is_some() {
            tell(false);
        }
    });
    Effect::new(move |before: Option<()>| {
        let typed = view.typed.get();
        if before.is_none() {
            return;
        }
        tell(true);
        spawn_local(async move {
            browser::sleep(TYPING_MS).await;
            if view.typed.try_get_untracked() == Some(typed) {
                tell(false);
            }
        });
    });
}

/// Seconds before the next try. Half of it is fixed and half is chance, from 0 up to 1, so that many pages don't come back at
/// one moment.
fn wait_s(failures: i32, chance: f64) -> f64 {
    let most = (FIRST_WAIT_S * 2f64.powi(failures)).min(LAST_WAIT_S);
    most / 2.0 + chance * most / 2.0
}

struct Connection {
    view: SessionView,
    id: SessionId,
    boot_id: String,
    speaker: StoredValue<Option<Speaker>, LocalStorage>,
    hurried: UnboundedReceiver<()>,
    /// The text of the event that comes next, if it has one.
    text: Option<(Seq, String)>,
    connected_before: bool,
    /// The page says that a limit keeps it from connecting.
    limited: bool,
}

/// How a connection ended.
enum Ended {
    /// Broken; it had been in order before.
    Broken { worked: bool },
    /// Nothing comes of trying again: only a person can go on from here.
    ForGood(Link),
}

impl Connection {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            match self.connect().await {
                Ended::ForGood(link) => return self.view.link.set(link),
                Ended::Broken { worked } => failures = if worked { 0 } else { failures + 1 },
            }
            self.wait(failures).await;
        }
    }

    async fn wait(&mut self, failures: i32) {
        // What came while it was connected is no reason any more.
        while let Ok(()) = self.hurried.try_recv() {}
        let wait = wait_s(failures, browser::random());
        for seconds in (0..=wait as u32).rev() {
            self.view.link.set(Link::Waiting { seconds: seconds + 1 });
            let part = if seconds == 0 { wait.fract() } else { 1.0 };
            let slept = Box::pin(browser::sleep((part * 1000.0) as u32));
            if let Either::Right(_) = select(slept, self.hurried.next()).await {
                return;
            }
        }
    }

    async fn connect(&mut self) -> Ended {
        let missed_from = self.view.cursor();
        let (cursor, language) = (missed_from.to_string(), browser::language().tag());
        let path = self.view.path(&["/stream?view=html&cursor=", &cursor, "&lang=", language].concat());
        let Some(mut socket) = Socket::open(&path) else { return Ended::Broken { worked: false } };
        let speaker = socket.speaker();
        self.speaker.set_value(Some(socket.speaker()));
        let (mut worked, mut patience) = (false, SILENCE_MS);
        loop {
            let silence = Box::pin(browser::sleep(patience));
            let heard = match select(Box::pin(socket.next()), select(silence, self.hurried.next())).await {
                Either::Left((frame, _)) => frame,
                Either::Right((Either::Left(_), _)) if patience == ANSWER_MS => None,
                // Silent for long, or there is another reason to ask whether it still stands.
                Either::Right(_) => {
                    speaker.say(&json!({ "type": "ping" }));
                    patience = ANSWER_MS;
                    continue;
                }
            };
            // Closed, or without an answer.
            let Some(text) = heard else {
                return if worked { Ended::Broken { worked } } else { self.refused().await };
            };
            patience = SILENCE_MS;
            // A frame that can't be read is one of a later version; its event comes as `log_event` too.
            let Some(frame) = browser::read::<ServerFrame>(&text) else { continue };
            worked = true;
            if let Some(ended) = self.take(frame, missed_from) {
                return ended;
            }
        }
    }

    /// Why a socket never worked. A browser does not tell, so the same address is asked without one.
    async fn refused(&mut self) -> Ended {
        match browser::ask("GET", &self.view.path("/stream"), None).await {
            Err(error) if error.code == ErrorCode::NotFound => {
                // The start says what became of it, and brings it back where that can be done.
                browser::go_to(&browser::at(&["/?deleted=", self.id.as_str()].concat()));
                Ended::ForGood(Link::Connecting)
            }
            Err(error) if error.code == ErrorCode::NotSignedIn => Ended::ForGood(Link::SignedOut),
            Err(error) if matches!(error.code, ErrorCode::TooManySockets | ErrorCode::TooManyRequests) => {
                self.view.problem.set(Some(error.detail));
                self.limited = true;
                Ended::Broken { worked: false }
            }
            _ => Ended::Broken { worked: false },
        }
    }

    fn take(&mut self, frame: ServerFrame, missed_from: Seq) -> Option<Ended> {
        match frame {
            ServerFrame::Hello { session, head_seq, boot_id, in_flight } => {
                if self.boot_id != boot_id {
                    // Text that the old process had not kept is gone; what it did keep comes as a partial message.
                    self.view.drop_unfinished();
                    self.boot_id = boot_id;
                }
                if std::mem::take(&mut self.limited) {
                    self.view.problem.set(None);
                }
                in_flight.iter().for_each(|live| self.view.resume(live));
                let head = head_seq;
                self.view.session.set(session);
                self.view.link.set(if head > missed_from { Link::CatchingUp { head } } else { Link::Live });
            }
            ServerFrame::Synced { seq } => {
                if std::mem::replace(&mut self.connected_before, true) {
                    self.view.note_recovery(missed_from, seq.saturating_sub(missed_from));
                }
                self.view.link.set(Link::Live);
            }
            // What is missing is no longer kept: the page as it is now takes the place of this one.
            ServerFrame::Reset { .. } => {
                browser::reload();
                return Some(Ended::ForGood(Link::Connecting));
            }
            ServerFrame::MessageAccepted { seq, message: text }
            | ServerFrame::TurnStarted { seq, message: text }
            | ServerFrame::QueueChanged { seq, message: Some(text) }
            | ServerFrame::SteeringReceived { seq, message: text }
            | ServerFrame::UserInputReceived { seq, answer: text }
            | ServerFrame::MessageCompleted { seq, text } => self.text = Some((seq, text)),
            ServerFrame::LogEvent(event) => {
                let text = self.text.take().filter(|(seq, _)| *seq == event.seq).map(|(_, text)| text);
                self.view.apply(Record { event, text });
            }
            ServerFrame::MessageBlocks { turn, message, from, blocks, .. } => {
                self.view.set_blocks(turn, message, from, blocks)
            }
            ServerFrame::ToolCallCard { turn, message, card } => self.view.set_card(turn, message, card),
            ServerFrame::Fragment { part, html } => self.view.set_fragment(part, html),
            ServerFrame::ToolCallOutput { turn, tool_call_id, text, .. } => {
                self.view.add_output(turn, &tool_call_id, &text)
            }
            ServerFrame::ThinkingDelta { turn, message, text, .. } => self.view.add_thinking(turn, message, &text),
            ServerFrame::Presence { people } => self.view.people.set(people),
            // The page shows blocks; the text itself is for other clients. Errors answer frames, and this page sends none.
            ServerFrame::TextDelta { .. }
            | ServerFrame::QueueChanged { message: None, .. }
            | ServerFrame::Error { .. }
            | ServerFrame::Heartbeat { .. }
            | ServerFrame::Pong { .. }
            | ServerFrame::Other => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that `browser::random` can be, its ends among them.
    const CHANCES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0 - f64::EPSILON];

    fn longest(failures: i32) -> f64 {
        wait_s(failures, 1.0)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let longest: Vec<f64> = (0..8).map(longest).collect();
        assert_eq!(longest, [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]);
        for failures in [100, 2_000, i32::MAX] {
            assert_eq!(wait_s(failures, 1.0), LAST_WAIT_S, "a server that is away for days is still asked");
        }
    }

    #[test]
    fn chance_spreads_pages_over_the_second_half_of_a_wait() {
        for failures in 0..12 {
            let most = longest(failures);
            let waits = CHANCES.map(|chance| wait_s(failures, chance));
            assert_eq!(waits[0], most / 2.0, "never at once");
            assert!(waits.is_sorted_by(|one, next| one < next), "another chance is another wait: {waits:?}");
            assert!(waits.iter().all(|wait| (most / 2.0..most).contains(wait)), "{waits:?}");
            assert!(waits[3] - waits[1] == most / 4.0, "evenly: {waits:?}");
        }
    }

    #[test]
    fn by_the_same_chance_no_wait_is_shorter_than_the_one_before() {
        for (failures, chance) in (0..12).flat_map(|failures| CHANCES.map(|chance| (failures, chance))) {
            assert!(wait_s(failures + 1, chance) >= wait_s(failures, chance), "{failures} {chance}");
        }
    }
}
