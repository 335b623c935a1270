//! The process that reads a document, and who starts it. One line of orders and the file's bytes go in, one JSON value
//! comes out; that it dies says as much as an error does.

use std::{
    io::{self, BufRead, Write},
    path::PathBuf,
    process::{ExitCode, Stdio},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use super::{Kind, Text, text};

/// The name of the subcommand under which this program reads a document.
pub const SUBCOMMAND: &str = "document";
/// Memory of the process, in bytes: enough for the largest documents that people have, and no more than a server can
/// spare beside its work.
const MEMORY: u64 = 1 << 30;
/// What it may compute, in seconds; reading twenty pages takes less than one.
const CPU_SECONDS: u64 = 20;
/// The same as a person waits, also where the machine is busy.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// Its answer, in bytes: the text with its escapes.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Orders {
    kind: Kind,
    first_page: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// What is wrong with the document, as the end of a sentence.
    #[error("{0}")]
    Unreadable(String),
    #[error("reading it took longer than {limit} seconds", limit = TIME_LIMIT.as_secs())]
    TimeUp,
    #[error("reading it takes more memory or time than one document is given")]
    TooMuch,
    /// The reader itself could not be run.
    #[error("the reader of documents can't be started: {0}")]
    NotStarted(String),
}

/// Reads documents. Cheap to share.
#[derive(Clone, Debug)]
pub struct Reader {
    program: PathBuf,
}

impl Reader {
    /// `program`: a Cowork program of this version.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into() }
    }

    /// Dropping the future ends the process.
    pub async fn read(&self, kind: Kind, bytes: &[u8], first_page: u32) -> Result<Text, ReadError> {
        timeout(TIME_LIMIT, self.ask(kind, bytes, first_page)).await.unwrap_or(Err(ReadError::TimeUp))
    }

    async fn ask(&self, kind: Kind, bytes: &[u8], first_page: u32) -> Result<Text, ReadError> {
        let not_started = |error: io::Error| ReadError::NotStarted(error.to_string());
        let mut command = Command::new(&self.program);
        command.arg(SUBCOMMAND).env_clear().current_dir("/").kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(not_started)?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ReadError::TooMuch);
        };
        let mut orders = serde_json::to_vec(&Orders { kind, first_page }).map_err(|error| not_started(error.into()))?;
        orders.push(b'\n');
        let send = async move {
            // One that dies half way says so by its end.
            let _ = input.write_all(&orders).await;
            let _ = input.write_all(bytes).await;
        };
        let mut answer = Vec::new();
        let mut output = output.take(MAX_ANSWER_BYTES);
        let receive = output.read_to_end(&mut answer);
        let ((), received) = tokio::join!(send, receive);
        received.map_err(not_started)?;
        let _ = child.wait().await;
        match serde_json::from_slice::<Result<Text, String>>(&answer) {
            Ok(read) => read.map_err(ReadError::Unreadable),
            Err(_) => Err(ReadError::TooMuch),
        }
    }
}

/// Reads one document from standard input, within limits that it sets itself. Ends the process.
pub fn serve() -> ExitCode {
    for (resource, most) in [(Resource::As, MEMORY), (Resource::Cpu, CPU_SECONDS), (Resource::Core, 0)] {
        if setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) }).is_err() {
            return ExitCode::FAILURE;
        }
    }
    // Its crashes are no news: they are told as an answer.
    std::panic::set_hook(Box::new(|_| ()));
    match answer(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(input: &mut impl BufRead, output: &mut impl Write) -> io::Result<()> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    let orders: Orders = serde_json::from_str(&line)?;
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    let read = std::panic::catch_unwind(|| text(orders.kind, &bytes, orders.first_page));
    let read = read.unwrap_or_else(|_| Err("it is damaged, or of a form that is not known here".into()));
    serde_json::to_writer(&mut *output, &read)?;
    output.flush()
}
