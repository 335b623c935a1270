//! The answer as it comes over the connection.

use std::{sync::Arc, time::Duration};

use futures::stream::{self, Stream};
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::{
    failure::Server,
    reader::{Decode, Reader},
};
use crate::agent::ports::model::{ModelError, ModelEvent};

/// Dropping it closes the connection, or resets the one stream of a shared one.
pub struct Answer<D> {
    pub server: Arc<Server>,
    pub response: Response,
    pub reader: Reader<D>,
    pub patience: Patience,
}

/// When silence becomes an error.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// What the silence may last, for the error's words.
    pub limit: Duration,
    pub until: Instant,
    /// The limit from the next byte on.
    pub idle: Duration,
}

impl Patience {
    pub fn new(first: Duration, idle: Duration) -> Self {
        Self { limit: first, until: Instant::now() + first, idle }
    }

    fn renewed(self) -> Self {
        Self::new(self.idle, self.idle)
    }
}

impl<D: Decode + 'static> Answer<D> {
    pub fn events(self) -> impl Stream<Item = Result<ModelEvent, ModelError>> + Send {
        stream::unfold(self, |mut answer| async move { Some((answer.next().await?, answer)) })
    }

    async fn next(&mut self) -> Option<Result<ModelEvent, ModelError>> {
        loop {
            if let Some(event) = self.reader.pop() {
                return Some(event);
            }
            if self.reader.is_over() {
                return None;
            }
            self.receive().await;
        }
    }

    async fn receive(&mut self) {
        match timeout_at(self.patience.until, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => self.reader.push(&bytes),
            Ok(Ok(None)) => self.reader.end(),
            Ok(Err(error)) => self.reader.fail(|_| self.server.broken(&error)),
            Err(_) => self.reader.fail(|_| self.server.silent(self.patience.limit)),
        }
        self.patience = self.patience.renewed();
    }
}
