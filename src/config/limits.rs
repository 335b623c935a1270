//! What people may use of a shared server: `[cowork.limits]`.

use super::{ConfigError, document::Section};

pub const KEYS: &[&str] = &[
    "sessions_per_person",
    "running_turns",
    "running_turns_per_person",
    "sockets_per_person",
    "requests_per_minute",
    "tokens_per_day",
    "min_free_bytes",
];

/// A turn that can't be written down is lost, so there is always some room for those that run.
const MIN_FREE_BYTES: u64 = 64 * 1024 * 1024;

/// `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub sessions_per_person: Option<u64>,
    /// Of the whole server.
    pub running_turns: Option<u64>,
    pub running_turns_per_person: Option<u64>,
    pub sockets_per_person: Option<u64>,
    /// Of a person.
    pub requests_per_minute: Option<u64>,
    /// Of a person.
    pub tokens_per_day: Option<u64>,
    /// On the database's disk.
    pub min_free_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions_per_person: None,
            running_turns: None,
            running_turns_per_person: None,
            sockets_per_person: None,
            requests_per_minute: None,
            tokens_per_day: None,
            min_free_bytes: MIN_FREE_BYTES,
        }
    }
}

pub fn read(section: &Section<'_>) -> Result<Limits, ConfigError> {
    let most = |key| section.whole(key, 1..=u64::from(u32::MAX));
    Ok(Limits {
        sessions_per_person: most("sessions_per_person")?,
        running_turns: most("running_turns")?,
        running_turns_per_person: most("running_turns_per_person")?,
        sockets_per_person: most("sockets_per_person")?,
        requests_per_minute: most("requests_per_minute")?,
        tokens_per_day: section.whole("tokens_per_day", 1..=u64::MAX)?,
        min_free_bytes: section.whole("min_free_bytes", 0..=u64::MAX)?.unwrap_or(MIN_FREE_BYTES),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Limits;
    use crate::config::Config;

    fn read(text: &str) -> Result<Limits, String> {
        let text = format!("[cowork.limits]\n{text}");
        let (config, warnings) = Config::from_toml(&text, "loom.toml", &|_| None, Some(Path::new("/home/anna")))
            .map_err(|error| error.to_string())?;
        if warnings.is_empty() { Ok(config.limits) } else { Err(warnings.join("; ")) }
    }

    #[test]
    fn there_is_none_until_somebody_writes_one_all_but_the_room_to_write() {
        assert_eq!(read("").unwrap(), Limits::default());
        let limits = read("running_turns = 8\ntokens_per_day = 2_000_000\nmin_free_bytes = 0").unwrap();
        let wanted =
            Limits { running_turns: Some(8), tokens_per_day: Some(2_000_000), min_free_bytes: 0, ..Limits::default() };
        assert_eq!(limits, wanted);
        for key in super::KEYS {
            assert!(read(&format!("{key} = 7")).is_ok(), "{key}");
            assert!(read(&format!("{key} = \"7\"")).unwrap_err().contains("must be a whole number"), "{key}");
        }
        assert!(read("sockets_per_person = 0").unwrap_err().contains("from 1 to"));
        assert!(read("socket_per_person = 1").unwrap_err().contains("did you mean `sockets_per_person`"));
    }
}
