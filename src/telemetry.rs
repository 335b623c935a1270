//! The process log: one line an event, on standard error. `RUST_LOG` decides, else the configured level.

use tracing_subscriber::EnvFilter;

/// Sets the log up for the whole process; a second call changes nothing.
pub fn start(level: &str) {
    // Other crates speak up only when something is wrong.
    let fallback = || EnvFilter::new(format!("warn,cowork={level}"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| fallback());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // It fails only where a log is set up already, as in tests.
    let _ = log.try_init();
}
