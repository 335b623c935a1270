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
use futures::StreamExt;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::mpsc;
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
use writer::{Watcher, Writer};

/// Answers that wait for the writer; a client that floods waits for its own answers.
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
    let serve = move |socket| serve(socket, state, visitor, id, feed, query, (allowed, connection)).instrument(request);
    Ok(socket::limited(upgrade).on_upgrade(serve))
}

async fn serve(
    socket: WebSocket,
    state: AppState,
    visitor: Visitor,
    id: SessionId,
    feed: Arc<Feed>,
    query: StreamQuery,
    places: (agent::Place, Option<Place>),
) {
    let (_open, _counted) = (state.sockets.token(), state.metrics.open_socket());
    tracing::debug!("a watcher came");
    let (sink, stream) = socket.split();
    let (replies, inbox) = mpsc::channel(REPLIES);
    // Either half ends the other: the reader when the client leaves, the writer when the server must.
    let done = CancellationToken::new();
    // Alone, nobody needs to be told who is there.
    let seat = visitor.limited_to().map(|name| state.presence.enter(&id, name));
    let typing = seat.as_ref().map(|seat| -> Box<dyn Fn(bool) + Send + Sync> { Box::new(seat.typing()) });
    let reader = Reader {
        state: state.clone(),
        visitor: visitor.clone(),
        id: id.clone(),
        feed: feed.clone(),
        typing,
        replies,
        done: done.clone(),
    };
    let language = query.lang.as_deref().and_then(Language::of_tag).unwrap_or_default();
    let drawn = query.view.map(|View::Html| Drawn::new(language, id.clone(), &state.site.base));
    let writer = Writer::new(sink, state, Watcher { visitor, seat }, feed, drawn, done);
    let done = reader.done.clone();
    tokio::join!(socket::read(stream, &reader, &done), writer.run(id, query.cursor, inbox));
    drop(places);
    tracing::debug!("a watcher left");
}
