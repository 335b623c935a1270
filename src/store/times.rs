//! The forms of time in a Loom file: sessions have local time without a zone, turn rows have UTC without a zone.

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::agent::ports::clock::rfc3339;

/// Loom's form in `cowork_sessions`: local time with microseconds, as Python's `datetime.now().isoformat()`.
pub(super) fn local_form(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}

/// Loom's form in `conversation_turns`: UTC, as SQLite's `datetime('now')`.
pub(super) fn utc_form(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Any of the forms as RFC 3339, UTC, milliseconds. A `T` without a zone is local time, a blank means UTC.
///
/// The hour that occurs twice when summer time ends is read as its first occurrence: the file doesn't say which it
/// was. Text that is no time at all is returned as it stands, since any time in its place would be invented.
pub(super) fn read(raw: &str, zone: &TimeZone) -> String {
    if let Ok(at) = raw.parse::<Timestamp>() {
        return rfc3339(at);
    }
    let Ok(civil) = raw.parse::<civil::DateTime>() else { return raw.to_owned() };
    let zone = if raw.contains('T') { zone.clone() } else { TimeZone::UTC };
    zone.to_timestamp(civil).map_or_else(|_| raw.to_owned(), rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn times_are_written_in_the_forms_of_looms_rows() {
        let at: Timestamp = "2026-07-01T10:00:00.139014Z".parse().unwrap();
        assert_eq!(local_form(at, &berlin()), "2026-07-01T12:00:00.139014");
        assert_eq!(utc_form(at), "2026-07-01 10:00:00");
    }

    #[test]
    fn every_form_is_read_as_utc_with_milliseconds() {
        for (raw, expected) in [
            ("2026-11-22T09:56:54.139014", "2026-11-22T08:56:54.139Z"),
            ("2026-07-01T12:00:00", "2026-07-01T10:00:00.000Z"),
            ("2026-11-22 09:56:54", "2026-11-22T09:56:54.000Z"),
            ("2026-11-22T09:56:54.5+02:00", "2026-11-22T07:56:54.500Z"),
            ("2026-11-22T09:56:54Z", "2026-11-22T09:56:54.000Z"),
        ] {
            assert_eq!(read(raw, &berlin()), expected, "{raw}");
        }
    }

    #[test]
    fn the_doubled_hour_of_autumn_is_read_as_its_first_occurrence() {
        assert_eq!(read("2026-10-25T02:30:00", &berlin()), "2026-10-25T00:30:00.000Z");
    }

    #[test]
    fn text_that_is_no_time_stays_as_it_is() {
        assert_eq!(read("yesterday", &berlin()), "yesterday");
        assert_eq!(read("", &berlin()), "");
    }
}
