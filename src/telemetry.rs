//! The process log: one line an event, on standard error, without secrets. `RUST_LOG` decides, else the configured level.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use crate::redaction::Redaction;

/// Sets the log up for the whole process; a second call changes nothing. A panic is a line of it, too.
pub fn start(level: &str, redaction: Arc<Redaction>) {
    // Other crates speak up only when something is wrong.
    let fallback = || EnvFilter::new(format!("warn,cowork={level}"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| fallback());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(Lines(redaction));
    // Without colours: the signs for them would stand between a name and its secret.
    let log = log.with_target(false).with_ansi(false);
    // It fails only where a log is set up already, as in tests.
    if log.try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
}

/// Writes each line to standard error, cleaned. A line is handed over whole.
struct Lines(Arc<Redaction>);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a Redaction);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        io::stderr().lock().write_all(self.0.text(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
