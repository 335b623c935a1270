//! The process log: one line an event, on standard error, without secrets. `RUST_LOG` decides, else the configured level.

use std::{
    borrow::Cow,
    io::{self, Write},
    sync::Arc,
};

use serde_json::Value;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt::MakeWriter, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

pub use crate::traces::Sending;
use crate::{
    config::LogFormat,
    redaction::Redaction,
    traces::{self, Traces},
};

/// How much is told; can be changed while the log is written.
pub struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Where `RUST_LOG` decides, this changes nothing.
    pub fn set(&self, level: &str) {
        if self.0.reload(filter(level)).is_err() {
            tracing::warn!("the level of the log stays as it is");
        }
    }
}

/// Sets the log up for the whole process, and what is sent of it to a collector; a second call changes nothing. A panic
/// is a line of it, too.
pub fn start(level: &str, format: LogFormat, redaction: Arc<Redaction>) -> (Level, Sending) {
    let (filter, handle) = reload::Layer::new(filter(level));
    // Without colours: the signs for them would stand between a name and its secret.
    let lines = tracing_subscriber::fmt::layer().with_target(false).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.with_writer(Lines { clean: Redaction::text, redaction }).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_current_span(false);
            lines.with_writer(Lines { clean: clean_json, redaction }).boxed()
        }
    };
    let Traces { layer, sending, trouble } = traces::start();
    // Each has a filter of its own: what the log leaves out may be sent, and the other way round.
    let mut layers = vec![lines.with_filter(filter).boxed()];
    layers.extend(layer);
    // It fails only where a log is set up already, as in tests.
    if tracing_subscriber::registry().with(layers).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    }
    if let Some(trouble) = trouble {
        tracing::warn!("{trouble}");
    }
    (Level(handle), sending)
}

fn filter(level: &str) -> EnvFilter {
    // Other crates speak up only when something is wrong.
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(format!("warn,cowork={level}")))
}

type Clean = for<'r, 't> fn(&'r Redaction, &'t str) -> Cow<'t, str>;

/// A secret may be written in JSON's own way, so its texts are looked at as what they mean.
fn clean_json<'t>(redaction: &Redaction, line: &'t str) -> Cow<'t, str> {
    let Ok(mut value) = serde_json::from_str::<Value>(line) else { return redaction.text(line) };
    if redaction.json(&mut value) { Cow::Owned(format!("{value}\n")) } else { Cow::Borrowed(line) }
}

/// Writes each line to standard error, cleaned. A line is handed over whole.
struct Lines {
    clean: Clean,
    redaction: Arc<Redaction>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

struct Line<'a>(&'a Lines);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let Lines { clean, redaction } = self.0;
        io::stderr().lock().write_all(clean(redaction, &text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_json_stays_one_and_tells_no_secret_in_any_writing() {
        let redaction = Redaction::new([r#"with "quotes" \ and ä"#.to_owned()], &[]);
        let line = serde_json::json!({
            "message": r#"the key with "quotes" \ and ä"#,
            "password": "hunter2", "spans": [{"name": "request", "id": "7"}],
        });
        let line = format!("{line}\n").replace('ä', "\\u00e4");
        let clean = clean_json(&redaction, &line);
        let value: Value = serde_json::from_str(&clean).unwrap();
        assert_eq!((&value["message"], &value["password"]), (&"the key [redacted]".into(), &"[redacted]".into()));
        assert_eq!(value["spans"][0]["id"], "7");
        assert_eq!(clean.matches('\n').count(), 1, "{clean}");
        let plain = "{\"message\":\"nothing to hide\"}\n";
        assert_eq!(clean_json(&redaction, plain), plain);
        assert_eq!(clean_json(&redaction, "no JSON password=hunter2"), "no JSON password=[redacted]");
    }
}
