//! Times. The server prints UTC; the browser puts in the reader's own time, so that both first draw the same.

use leptos::prelude::*;

use crate::ui::browser;

/// A time of day: `14:05:09`.
#[component]
pub fn Clock(at: String) -> impl IntoView {
    let utc = at.get(11..19).unwrap_or(&at).to_owned();
    view! { <LocalTime at first=utc local=browser::local_clock/> }
}

/// A moment in a list: the time of day today, the date before.
#[component]
pub fn Day(at: String) -> impl IntoView {
    let utc = at.get(..10).unwrap_or(&at).to_owned();
    view! { <LocalTime at first=utc local=browser::local_day/> }
}

#[component]
fn LocalTime(at: String, first: String, local: fn(&str) -> Option<String>) -> impl IntoView {
    let shown = RwSignal::new(first);
    let iso = at.clone();
    Effect::new(move |_| local(&iso).into_iter().for_each(|text| shown.set(text)));
    view! { <time datetime=at.clone() title=at>{shown}</time> }
}
