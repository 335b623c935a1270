//! What a watcher is sent: hello, what it missed, then everything as it happens.

use std::{pin::Pin, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::ws::{CloseCode, Message, Utf8Bytes, WebSocket, close_code},
};
use futures::{SinkExt, StreamExt, channel::mpsc, stream::SplitSink};
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Watch, drawn::Drawn, html::HtmlView, reader::Outgoing};
use crate::{
    agent::feed::{Cursor, Entry, Item, Pulled},
    protocol::{EventBody, Right, Seq, ServerFrame},
    state::presence::Seat,
    web::{frames, socket},
};

/// Events read from the store at once for a watcher that is behind.
const CATCH_UP_EVENTS: u32 = 256;
/// The open block is rendered at most this often, about once in two frames of a screen.
const RENDER_EVERY: Duration = Duration::from_millis(40);

/// Why a connection ends.
enum Leave {
    /// The client is gone or its socket is broken.
    Gone,
    /// We say goodbye with a code and a reason.
    Close(CloseCode, &'static str),
}

/// What came of a replay.
enum Replayed {
    All,
    /// Events that the watcher lacks are not there any more.
    Removed {
        first_seq: Seq,
    },
}

pub struct Writer {
    sink: SplitSink<WebSocket, Message>,
    watch: Arc<Watch>,
    seat: Option<Seat>,
    html: Option<Box<HtmlView>>,
    drawn: Option<Box<Drawn>>,
    render_at: Instant,
    done: CancellationToken,
}

impl Writer {
    pub fn new(
        sink: SplitSink<WebSocket, Message>,
        watch: Arc<Watch>,
        seat: Option<Seat>,
        drawn: Option<Drawn>,
        done: CancellationToken,
    ) -> Self {
        let (html, drawn) = (drawn.as_ref().map(|_| Box::default()), drawn.map(Box::new));
        Self { sink, watch, seat, html, drawn, render_at: Instant::now(), done }
    }

    pub async fn run(mut self, cursor: Option<Seq>, inbox: mpsc::Receiver<Outgoing>) {
        let greeted = boxed(self.greet(cursor)).await;
        let left = match greeted {
            Ok(cursor) => self.follow(cursor, inbox).await,
            Err(leave) => leave,
        };
        if let Leave::Close(code, reason) = left {
            socket::say_goodbye(&mut self.sink, code, reason).await;
        }
        self.done.cancel();
    }

    /// `hello`, the events from the cursor to the head of that moment, `synced`.
    async fn greet(&mut self, asked: Option<Seq>) -> Result<Cursor, Leave> {
        let (head, in_flight) = self.watch.feed.snapshot();
        // Read after the snapshot: what it says is at least as new as the head.
        let gone = |_| Leave::Close(close_code::NORMAL, "the session was deleted");
        let mut session = self.watch.state.agent.session(&self.watch.id).await.map_err(gone)?;
        session.head_seq = head;
        let mut cursor = Cursor::at(head, in_flight.as_ref());
        let running = in_flight.as_ref().filter(|_| self.html.is_some()).map(|live| Box::new(HtmlView::begin(live)));
        let boot_id = self.watch.state.agent.boot_id().to_owned();
        self.frame(&ServerFrame::Hello { session, head_seq: head, boot_id, in_flight }).await?;
        match asked {
            Some(asked) if asked > head => {
                let reason = format!("The cursor {asked} is ahead of the newest event, {head}. Reload the session.");
                self.frame(&ServerFrame::Reset { reason, first_seq: 1 }).await?;
            }
            Some(asked) => {
                let live = std::mem::replace(&mut cursor, Cursor::at(asked, None));
                match self.replay(&mut cursor, head).await? {
                    Replayed::All => self.frame(&ServerFrame::Synced { seq: head }).await?,
                    Replayed::Removed { first_seq } => self.reset_to_what_is_left(first_seq).await?,
                }
                cursor = live;
            }
            None => self.frame(&ServerFrame::Synced { seq: head }).await?,
        }
        self.flush().await?;
        // Only now: the messages that were replayed went through the view too.
        self.html = running.or(self.html.take());
        Ok(cursor)
    }

    async fn reset_to_what_is_left(&mut self, first_seq: Seq) -> Result<(), Leave> {
        let reason = format!("The events before {first_seq} have left the log. Reload the session.");
        self.frame(&ServerFrame::Reset { reason, first_seq }).await
    }

    /// Everything after the cursor up to `until`, from the store.
    async fn replay(&mut self, cursor: &mut Cursor, until: Seq) -> Result<Replayed, Leave> {
        while cursor.seq < until {
            let records = self.watch.state.agent.records(&self.watch.id, cursor.seq, CATCH_UP_EVENTS).await;
            let records = records.map_err(|_| Leave::Close(close_code::ERROR, "the log could not be read"))?;
            if records.is_empty() {
                return Err(Leave::Close(close_code::ERROR, "the log has a gap"));
            }
            for record in records.into_iter().take_while(|record| record.event.seq <= until) {
                let seq = record.event.seq;
                if seq != cursor.seq + 1 || matches!(record.event.body, EventBody::EventsRemoved { .. }) {
                    return Ok(Replayed::Removed { first_seq: seq });
                }
                cursor.seq = seq;
                self.event(&Entry::new(record)).await?;
            }
        }
        Ok(Replayed::All)
    }

    async fn follow(&mut self, mut cursor: Cursor, mut inbox: mpsc::Receiver<Outgoing>) -> Leave {
        let (mut moved, mut access) = (self.watch.feed.watch(), self.watch.state.access.changes());
        let period = self.watch.state.site.timing.heartbeat;
        let mut heartbeat = interval_at(Instant::now() + period, period);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (done, stopping) = (self.done.clone(), self.watch.state.stopping.clone());
        // One batch a step, so that answers and heartbeats get their turn while a model writes on and on.
        let mut more = true;
        let mut seat = self.seat.take();
        loop {
            let stale = self.html.as_ref().is_some_and(|html| html.is_stale());
            let step = tokio::select! {
                biased;
                () = done.cancelled() => return Leave::Gone,
                Ok(()) = access.changed() => boxed(self.check_visitor()).await,
                Some(outgoing) = inbox.next() => match outgoing {
                    Outgoing::Frame(frame) => self.frame(&frame).await,
                    Outgoing::Close(code, reason) => Err(Leave::Close(code, reason)),
                },
                _ = heartbeat.tick() => self.frame(&ServerFrame::Heartbeat { head_seq: self.watch.feed.head() }).await,
                present = news_of_people(&mut seat) => self.frame(&present).await,
                () = sleep_until(self.render_at), if stale => self.render().await,
                () = news(&mut moved, more) => boxed(self.pull(&mut cursor)).await.map(|pulled| more = pulled),
                () = stopping.cancelled() => boxed(self.last_words(&mut cursor)).await,
            };
            let flushed = match step {
                Ok(()) => self.flush().await,
                Err(leave) => Err(leave),
            };
            if let Err(leave) = flushed {
                return leave;
            }
        }
    }

    /// Who is shut out while watching sees no more.
    async fn check_visitor(&self) -> Result<(), Leave> {
        if !self.watch.state.access.is_still_in(&self.watch.visitor) {
            return Err(Leave::Close(close_code::POLICY, "you are not signed in any more"));
        }
        let may_watch = self.watch.state.require(&self.watch.visitor, &self.watch.id, Right::Watch).await;
        may_watch.map_err(|_| Leave::Close(close_code::POLICY, "the session is not shared with you any more"))
    }

    /// The turns have ended by now; what they left is sent before the goodbye.
    async fn last_words(&mut self, cursor: &mut Cursor) -> Result<(), Leave> {
        while self.pull(cursor).await? {}
        Err(Leave::Close(close_code::AWAY, "the server is restarting"))
    }

    /// Sends one batch of what the watcher lacks, and tells whether there was anything.
    async fn pull(&mut self, cursor: &mut Cursor) -> Result<bool, Leave> {
        if self.watch.feed.is_closed() {
            return Err(Leave::Close(close_code::NORMAL, "the session was deleted"));
        }
        match self.watch.feed.pull(cursor) {
            Pulled::Behind => {
                let head = self.watch.feed.head().min(cursor.seq + Seq::from(CATCH_UP_EVENTS));
                if let Replayed::Removed { first_seq } = self.replay(cursor, head).await? {
                    self.reset_to_what_is_left(first_seq).await?;
                    let (head, in_flight) = self.watch.feed.snapshot();
                    *cursor = Cursor::at(head, in_flight.as_ref());
                }
                Ok(true)
            }
            Pulled::Items(items) => {
                let any = !items.is_empty();
                for item in items {
                    self.item(item).await?;
                }
                Ok(any)
            }
        }
    }

    async fn item(&mut self, item: Item) -> Result<(), Leave> {
        match item {
            Item::Event(entry) => self.event(&entry).await,
            Item::Text { turn, message, offset, text } => {
                if let Some(html) = &mut self.html {
                    html.push(turn, message, &text);
                }
                self.frame(&ServerFrame::TextDelta { turn, message, offset: offset as u64, text }).await
            }
            Item::Output { turn, call, offset, text } => {
                self.frame(&ServerFrame::ToolCallOutput { turn, tool_call_id: call, offset, text }).await
            }
            Item::Writing { turn, writing } => match self.drawn.as_ref().map(|drawn| drawn.writing(turn, &writing)) {
                Some(frame) => self.frame(&frame).await,
                None => Ok(()),
            },
            Item::Thinking { turn, message, offset, text } => {
                self.frame(&ServerFrame::ThinkingDelta { turn, message, offset: offset as u64, text }).await
            }
        }
    }

    async fn event(&mut self, entry: &Entry) -> Result<(), Leave> {
        if let (Some(html), EventBody::MessageCompleted { turn, message, .. }) =
            (&mut self.html, &entry.record.event.body)
        {
            let blocks = html.complete(*turn, *message, entry.record.text.as_deref().unwrap_or_default());
            self.frame(&blocks).await?;
        }
        if let EventBody::SharingChanged { .. } = &entry.record.event.body {
            self.check_visitor().await?;
        }
        if let Some(drawn) = &mut self.drawn {
            let changed = drawn.frames(&self.watch.state, &entry.record).await;
            for frame in changed {
                self.frame(&frame).await?;
            }
        }
        let frames = entry.frames(frames::encode).to_vec();
        for frame in frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    async fn render(&mut self) -> Result<(), Leave> {
        self.render_at = Instant::now() + RENDER_EVERY;
        let Some(html) = &mut self.html else { return Ok(()) };
        let changes = html.changes();
        self.frame(&changes).await
    }

    async fn frame(&mut self, frame: &ServerFrame) -> Result<(), Leave> {
        self.send(frames::text(frame)).await
    }

    /// Hands a frame to the socket; frames that follow each other share a write to it.
    async fn send(&mut self, json: Bytes) -> Result<(), Leave> {
        let text = Utf8Bytes::try_from(json).map_err(|_| Leave::Gone)?;
        within(self.watch.state.site.timing.stalled, self.sink.feed(Message::Text(text))).await
    }

    async fn flush(&mut self) -> Result<(), Leave> {
        within(self.watch.state.site.timing.stalled, self.sink.flush()).await
    }
}

/// What is long and done now and then stands in memory only while it is done: there are thousands of watchers that wait.
fn boxed<'f, T>(work: impl Future<Output = T> + Send + 'f) -> Pin<Box<dyn Future<Output = T> + Send + 'f>> {
    Box::pin(work)
}

/// A client that takes nothing for `stalled` is let go.
async fn within(stalled: Duration, sent: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Leave> {
    match timeout(stalled, sent).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Leave::Gone),
        Err(_) => Err(Leave::Close(close_code::AGAIN, "nothing was taken for too long")),
    }
}

/// Never resolves where nobody else could be there.
async fn news_of_people(seat: &mut Option<Seat>) -> ServerFrame {
    match seat {
        Some(seat) => seat.news().await,
        None => std::future::pending().await,
    }
}

/// Resolves when the feed moves, or at once while there may be more to pull.
async fn news(moved: &mut watch::Receiver<u64>, more: bool) {
    if !more && moved.changed().await.is_err() {
        // The feed outlives its watchers, so this does not happen; the other arms go on.
        std::future::pending::<()>().await;
    }
}
