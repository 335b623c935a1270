//! Times. The server prints UTC; the browser puts in the reader's own time, so that both first draw the same.

use leptos::prelude::*;

use crate::ui::browser;

/// Below a second in milliseconds, above with one decimal.
pub fn duration(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
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

/// "3 Mar", as wide as what the browser puts in its place, so that nothing beside it moves.
fn short_date(iso: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month: usize = iso.get(5..7)?.parse().ok()?;
    let day: u8 = iso.get(8..10)?.parse().ok()?;
    Some(format!("{day} {}", MONTHS.get(month.checked_sub(1)?)?))
}

#[component]
fn LocalTime(at: String, first: String, local: fn(&str) -> Option<String>) -> impl IntoView {
    let shown = RwSignal::new(first);
    let iso = at.clone();
    Effect::new(move |_| local(&iso).into_iter().for_each(|text| shown.set(text)));
    view! { <time datetime=at.clone() title=at>{shown}</time> }
}

#[cfg(test)]
mod tests {
    use super::{duration, short_date};

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(88), "88 ms");
        assert_eq!(duration(3_149), "3.1 s");
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
