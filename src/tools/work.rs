//! Runs a tool's work on the disk beside the async threads, and ends it: on stop, on time, or when the call is
//! dropped.

use std::{
    io::{self, Read},
    time::{Duration, Instant},
};

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{changing::opened, wording::respond};
use crate::{
    agent::ports::tool::{ToolContext, ToolError, ToolOutput},
    workspace::{OpenFile, Workspace, changes::TurnChanges},
};

/// How long one call may look at files. Longer, and a person takes the agent for dead.
pub const TIME_LIMIT: Duration = Duration::from_secs(30);

/// What long work asks again and again.
#[derive(Clone, Debug)]
pub struct Watch {
    cancel: CancellationToken,
    until: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A person stopped the turn, or nobody waits for the answer.
    Stopped,
    TimeUp,
}

impl Watch {
    pub fn new(cancel: CancellationToken, limit: Duration) -> Self {
        Self { cancel, until: Instant::now() + limit }
    }

    pub fn halted(&self) -> Option<Halt> {
        if self.cancel.is_cancelled() {
            return Some(Halt::Stopped);
        }
        (Instant::now() >= self.until).then_some(Halt::TimeUp)
    }
}

/// A file whose reading ends when the work must end: one file may be larger than all others.
pub struct Watched<'a> {
    file: OpenFile,
    watch: &'a Watch,
}

impl<'a> Watched<'a> {
    pub fn new(file: OpenFile, watch: &'a Watch) -> Self {
        Self { file, watch }
    }
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.watch.halted() {
            None => self.file.read(buffer),
            Some(_) => Err(io::Error::other("the call was ended")),
        }
    }
}

/// Runs `job` on a thread of its own and answers as soon as it is done or the turn is stopped.
pub async fn work<T, J>(context: ToolContext<'_>, job: J) -> Result<T, ToolError>
where
    T: Send + 'static,
    J: FnOnce(&Workspace, &Watch) -> Result<T, ToolError> + Send + 'static,
{
    let (task, _ends_with_call) = begin(context, job);
    tokio::select! {
        biased;
        () = context.cancel.cancelled() => Err(stopped()),
        result = task => result.unwrap_or_else(crashed),
    }
}

/// The same for a change: once begun it is not left alone, so that the answer tells what happened. `job` changes
/// nothing once `watch` says to end.
pub async fn change<J>(context: ToolContext<'_>, job: J) -> Result<ToolOutput, ToolError>
where
    J: FnOnce(&TurnChanges<'_>, &Workspace, &Watch) -> Result<ToolOutput, ToolError> + Send + 'static,
{
    if context.cancel.is_cancelled() {
        return Err(stopped());
    }
    let data = context.data.to_path_buf();
    let (task, _ends_with_call) =
        begin(context, move |workspace, watch| job(&TurnChanges::open(workspace, &data), workspace, watch));
    task.await.unwrap_or_else(crashed)
}

fn begin<T, J>(context: ToolContext<'_>, job: J) -> (JoinHandle<Result<T, ToolError>>, DropGuard)
where
    T: Send + 'static,
    J: FnOnce(&Workspace, &Watch) -> Result<T, ToolError> + Send + 'static,
{
    let cancel = context.cancel.child_token();
    // The thread outlives a dropped call; this tells it that nobody waits.
    let ends_with_call = cancel.clone().drop_guard();
    let watch = Watch::new(cancel, TIME_LIMIT);
    let root = context.workspace.to_path_buf();
    let task = tokio::task::spawn_blocking(move || {
        let workspace = opened(&root)?;
        job(&workspace, &watch)
    });
    (task, ends_with_call)
}

fn crashed<T>(error: JoinError) -> Result<T, ToolError> {
    tracing::error!(%error, "a tool crashed");
    Err(ToolError::Fatal("The tool failed because of a mistake of the server, whose log says more.".into()))
}

pub fn stopped() -> ToolError {
    respond("The call was stopped before it was done.")
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn a_stop_answers_at_once_and_ends_the_work() {
        let place = TempDir::new().unwrap();
        let cancel = CancellationToken::new();
        let context = ToolContext::alone(place.path(), place.path(), &cancel);
        let (ended, end) = mpsc::channel();
        let stop = cancel.clone();
        let call = work(context, move |_, watch| {
            stop.cancel();
            while watch.halted().is_none() {
                thread::yield_now();
            }
            ended.send(watch.halted()).unwrap();
            Ok(ToolOutput::default())
        });
        assert_eq!(call.await, Err::<ToolOutput, _>(stopped()));
        assert_eq!(end.recv().unwrap(), Some(Halt::Stopped));
    }

    #[tokio::test]
    async fn dropping_the_call_ends_the_work() {
        let place = TempDir::new().unwrap();
        let cancel = CancellationToken::new();
        let (begun, begin) = tokio::sync::oneshot::channel();
        let (ended, end) = mpsc::channel();
        let context = ToolContext::alone(place.path(), place.path(), &cancel);
        let call = work(context, move |_, watch| {
            begun.send(()).unwrap();
            while watch.halted().is_none() {
                thread::yield_now();
            }
            ended.send(watch.halted()).unwrap();
            Ok(ToolOutput::default())
        });
        tokio::select! {
            _ = call => panic!("the work waits for its end"),
            begun = begin => begun.unwrap(),
        }
        assert_eq!(end.recv().unwrap(), Some(Halt::Stopped));
        assert!(!cancel.is_cancelled(), "the turn itself goes on");
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_of_ours_and_a_missing_folder_is_not() {
        let place = TempDir::new().unwrap();
        let cancel = CancellationToken::new();
        let context = ToolContext::alone(place.path(), place.path(), &cancel);
        assert!(matches!(
            work(context, |_, _| -> Result<ToolOutput, ToolError> { panic!("boom") }).await,
            Err(ToolError::Fatal(_))
        ));
        let gone = place.path().join("gone");
        let context = ToolContext::alone(&gone, &gone, &cancel);
        let answer = work(context, |_, _| Ok(ToolOutput::default())).await;
        assert!(matches!(answer, Err(ToolError::RespondToModel(_))));
    }
}
