//! Times. The server prints UTC; the browser puts in the reader's own time, so that both first draw the same.

use leptos::prelude::*;

use crate::ui::{
    browser,
    words::{Language, fill, words},
};

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// Below a second in milliseconds, above with one decimal.
pub fn duration(ms: u64, language: Language) -> String {
    if ms < 1000 { ms.to_string() + " ms" } else { language.tenths(ms / 100) + " s" }
}

/// A time of day: `14:05:09`.
#[component]
pub fn Clock(at: String) -> impl IntoView {
    let utc = at.get(11..19).unwrap_or(&at).to_owned();
    view! { <LocalTime at first=utc local=browser::local_clock/> }
}

/// A moment in a list: the time of day today, the date before.
#[component]
pub fn Day(at: String) -> impl IntoView {
    let utc = short_date(&at).unwrap_or_else(|| at.clone());
    view! { <LocalTime at first=utc local=browser::local_day/> }
}

/// "3 Mar" in the page's language, as wide as what the browser puts in its place, so that nothing beside it moves.
fn short_date(iso: &str) -> Option<String> {
    let w = &words().logs;
    let month: usize = iso.get(5..7)?.parse().ok()?;
    let day: u8 = iso.get(8..10)?.parse().ok()?;
    Some(fill(w.short_date, &[&day.to_string(), w.months.get(month.checked_sub(1)?)?]))
}

#[component]
fn LocalTime(at: String, first: String, local: fn(&str) -> Option<String>) -> impl IntoView {
    let shown = RwSignal::new(first);
    let iso = at.clone();
    Effect::new(move |_| local(&iso).into_iter().for_each(|text| shown.set(text)));
    view! { <time datetime=at.clone() title=at>{shown}</time> }
}

/// Minutes since 1970 of a UTC time such as `2026-03-09T14:05:09.120Z`.
pub fn minutes(iso: &str) -> Option<i64> {
    let number = |from, to| iso.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute) = (number(11, 13)?, number(14, 16)?);
    // Years begin in March here, so that the leap day is the last.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - DAYS_TO_1970;
    Some((days * 24 + hour) * 60 + minute)
}

/// How long ago something was, in a word; both in minutes since 1970.
pub fn ago(then: i64, now: i64) -> String {
    let w = &words().logs;
    match (now - then).max(0) {
        0 => w.ago_now.to_owned(),
        minutes @ 1..60 => fill(w.ago_minutes, &[&minutes.to_string()]),
        minutes @ 60..1440 => fill(w.ago_hours, &[&(minutes / 60).to_string()]),
        minutes => fill(w.ago_days, &[&(minutes / 1440).to_string()]),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, duration, minutes, short_date};
    use crate::ui::words::Language;

    #[test]
    fn minutes_count_from_1970() {
        assert_eq!(minutes("1970-01-01T00:00:00.000Z"), Some(0));
        assert_eq!(minutes("2000-02-29T12:30:00.000Z"), Some(951_827_400 / 60));
        assert_eq!(minutes("2026-11-30T03:00:00.000Z"), Some(1_796_007_600 / 60));
        assert_eq!(minutes("soon"), None);
    }

    #[test]
    fn the_past_is_told_in_a_word() {
        let told: Vec<_> =
            [0, 1, 59, 60, 1439, 1440, 4000].into_iter().map(|minutes| ago(10_000 - minutes, 10_000)).collect();
        assert_eq!(told, ["now", "1 min", "59 min", "1 h", "23 h", "1 d", "2 d"]);
        assert_eq!(ago(10_001, 10_000), "now", "a clock that is ahead");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(88, Language::German), "88 ms");
        assert_eq!(duration(3_149, Language::English), "3.1 s");
        assert_eq!(duration(130_549, Language::German), "130,5 s");
    }

    #[test]
    fn a_date_in_a_list_is_short() {
        assert_eq!(short_date("2026-03-09T14:05:09.120Z").as_deref(), Some("9 Mar"));
        assert_eq!(short_date("2026-12-31T23:59:59.999Z").as_deref(), Some("31 Dec"));
        for none in ["", "2026", "2026-00-09", "2026-13-09", "soon, perhaps"] {
            assert_eq!(short_date(none), None, "{none}");
        }
    }
}
