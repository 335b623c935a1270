//! The live stream: one WebSocket that watches one session. The writer pulls from the feed with its own cursor,
//! the reader takes commands; neither waits for another watcher's pace.

mod drawn;
mod html;
mod reader;
mod writer;

use std::sync::Arc;

use axum::{
    Extension,
    extract::{
        State, WebSocketUpgrade,
        ws::{WebSocket, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures::{StreamExt, channel::mpsc};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use super::{
    error::{Answer, Problem},
    extract::{Params, SessionPath},
    server::Place,
    socket,
};
use crate::{
    access::Visitor,
    agent::{self, feed::Feed},
    protocol::{ErrorCode, Seq, SessionId},
    state::AppState,
    ui::words::Language,
};
use drawn::Drawn;
use reader::Reader;
use writer::Writer;

/// Answers that wait for the writer; a client that floods waits for its own answers. The channel is one that allocates nothing
/// before there is one: few watchers ever say anything.
const REPLIES: usize = 16;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StreamQuery {
    /// The last seq that the client has; without it nothing old is replayed.
    cursor: Option<Seq>,
    view: Option<View>,
    /// Of what the view draws; a tag such as `de`.
    lang: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum View {
    Html,
}

/// Everything that can be refused is refused before the upgrade, as plain HTTP.
pub async fn upgrade(
    State(state): State<AppState>,
    visitor: Visitor,
    SessionPath(id): SessionPath,
    Params(query): Params<StreamQuery>,
    place: Option<Extension<Place>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer<Response> {
    let connection = place.map(|Extension(place)| place);
    let (_, feed) = state.agent.watch(&id).await?;
    let allowed = state.agent.allowance().socket(&visitor.actor.name)?;
    let upgrade = upgrade.map_err(|rejection| {
        let detail = format!("This address is a WebSocket. {}.", rejection.body_text());
        Problem::new(ErrorCode::InvalidRequest, detail)
    })?;
    // What is done over the socket belongs to the request that opened it.
    let request = Span::current();
    let watch = Arc::new(Watch { state, visitor, id, feed });
    let serve = move |socket| serve(socket, watch, query, (allowed, connection)).instrument(request);
    Ok(socket::limited(upgrade).on_upgrade(serve))
}

/// Who watches what. Both halves of a connection have it, and it is there once.
struct Watch {
    state: AppState,
    visitor: Visitor,
    id: SessionId,
    feed: Arc<Feed>,
}

async fn serve(socket: WebSocket, watch: Arc<Watch>, query: StreamQuery, places: (agent::Place, Option<Place>)) {
    let Watch { state, visitor, id, .. } = &*watch;
    let (_open, _counted) = (state.sockets.token(), state.metrics.open_socket());
    tracing::debug!("a watcher came");
    let (sink, stream) = socket.split();
    let (replies, inbox) = mpsc::channel(REPLIES);
    // Either half ends the other: the reader when the client leaves, the writer when the server must.
    let done = CancellationToken::new();
    // Alone, nobody needs to be told who is there.
    let seat = visitor.limited_to().map(|name| state.presence.enter(id, name));
    let typing = seat.as_ref().map(|seat| -> Box<dyn Fn(bool) + Send + Sync> { Box::new(seat.typing()) });
    let language = query.lang.as_deref().and_then(Language::of_tag).unwrap_or_default();
    let drawn = query.view.map(|View::Html| Drawn::new(language, id.clone(), &state.site.base));
    let reader = Reader { watch: watch.clone(), typing, replies, done: done.clone() };
    let writer = Writer::new(sink, watch.clone(), seat, drawn, done.clone());
    tokio::join!(socket::read(stream, &reader, &done), writer.run(query.cursor, inbox));
    drop(places);
    tracing::debug!("a watcher left");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More would be a second buffer for each of thousands that only wait.
    const MOST_BYTES: usize = 2816;

    fn bytes_of_future<A, B, C, D, T>(_: impl Fn(A, B, C, D) -> T) -> usize {
        size_of::<T>()
    }

    #[test]
    fn the_task_of_a_watcher_is_small() {
        let bytes = bytes_of_future(serve);
        assert!(bytes <= MOST_BYTES, "{bytes} bytes");
    }
}
