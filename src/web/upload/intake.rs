//! From the stream to the disk. What arrives is gathered and handed on in pieces, each one blocking section: many
//! small files together, a large one MiB by MiB. While one piece is written the next one arrives, and no more.

use axum::body::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    protocol::{ApiError, UploadedFile},
    workspace::upload::Receiver,
};

/// What is gathered before it is handed on. Twice that is in memory at most.
const PIECE_BYTES: usize = 1024 * 1024;
const PIECE_STEPS: usize = 1024;

enum Step {
    Begin(String),
    Bytes(Bytes),
    End,
    Abandon(ApiError),
}

pub struct Intake {
    stage: Stage,
    steps: Vec<Step>,
    bytes: usize,
}

enum Stage {
    Rests(Box<Receiver>),
    Works(JoinHandle<Box<Receiver>>),
    /// A blocking section panicked; it was logged.
    Lost,
}

impl Intake {
    pub fn new(receiver: Receiver) -> Self {
        Self { stage: Stage::Rests(Box::new(receiver)), steps: Vec::new(), bytes: 0 }
    }

    pub async fn begin(&mut self, name: String) -> Result<(), ApiError> {
        self.push(Step::Begin(name)).await
    }

    pub async fn write(&mut self, bytes: Bytes) -> Result<(), ApiError> {
        self.bytes += bytes.len();
        self.push(Step::Bytes(bytes)).await
    }

    pub async fn end(&mut self) -> Result<(), ApiError> {
        self.push(Step::End).await
    }

    pub async fn abandon(&mut self, why: ApiError) -> Result<(), ApiError> {
        self.push(Step::Abandon(why)).await
    }

    /// Everything that arrived is under its name after this.
    pub async fn finish(mut self) -> Result<Vec<UploadedFile>, ApiError> {
        self.hand_on().await?;
        let receiver = self.receiver().await?;
        spawn_blocking(move || receiver.finish()).await.map_err(panicked)
    }

    async fn push(&mut self, step: Step) -> Result<(), ApiError> {
        self.steps.push(step);
        if self.bytes >= PIECE_BYTES || self.steps.len() >= PIECE_STEPS {
            self.hand_on().await?;
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> Result<(), ApiError> {
        let mut receiver = self.receiver().await?;
        let steps = std::mem::take(&mut self.steps);
        self.bytes = 0;
        self.stage = Stage::Works(spawn_blocking(move || {
            steps.into_iter().for_each(|step| step.take(&mut receiver));
            receiver
        }));
        Ok(())
    }

    /// The receiver, once it has done what it was given. Whoever stops waiting for it finds it later.
    async fn receiver(&mut self) -> Result<Box<Receiver>, ApiError> {
        if let Stage::Works(work) = &mut self.stage {
            let done = work.await;
            self.stage = Stage::Lost;
            self.stage = Stage::Rests(done.map_err(panicked)?);
        }
        match std::mem::replace(&mut self.stage, Stage::Lost) {
            Stage::Rests(receiver) => Ok(receiver),
            Stage::Works(_) | Stage::Lost => Err(ApiError::internal()),
        }
    }
}

impl Step {
    fn take(self, receiver: &mut Receiver) {
        match self {
            Self::Begin(name) => receiver.begin(&name),
            Self::Bytes(bytes) => receiver.write(&bytes),
            Self::End => receiver.end(),
            Self::Abandon(why) => receiver.abandon(why),
        }
    }
}

pub fn panicked(error: tokio::task::JoinError) -> ApiError {
    tracing::error!(%error, "the work on an upload's files panicked");
    ApiError::internal()
}
