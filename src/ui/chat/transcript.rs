//! The transcript: turns in a column that follows the newest text until the reader scrolls up.

use std::time::Duration;

use leptos::{ev::SubmitEvent, html, prelude::*, task::spawn_local};

use super::{ask::AskList, queue::QueueList, turn::TurnItem};
use crate::{
    protocol::{CallId, EarlierTurns},
    ui::{
        browser::{self, Wish},
        session_view::SessionView,
        words::words,
    },
};

/// How many rows more the page shows where scripts don't load them.
const MORE_ROWS: usize = 1000;
/// Distance from the end, in pixels, at which a reader who scrolls down follows again.
const NEAR_END: i32 = 24;
/// Distance from the begin, in pixels, at which older turns are asked for.
const NEAR_START: i32 = 800;

/// Where the reader stands.
#[derive(Clone, Copy)]
struct Reader {
    view: SessionView,
    scroller: NodeRef<html::Div>,
    /// `None`: at the end; else what was news when the reader left it.
    left_at: RwSignal<Option<u32>>,
    /// Top, height, and how much of it is shown, when it was last looked at.
    seen: StoredValue<(i32, i32, i32)>,
    loading: RwSignal<bool>,
}

impl Reader {
    fn follow(self) {
        if self.left_at.try_with_untracked(Option::is_none) == Some(true) {
            browser::scroll_to_end(self.scroller);
        }
    }

    fn to_end(self) {
        self.left_at.set(None);
        self.follow();
    }

    fn leave(self) {
        let (_, height, shown) = browser::scroll_of(self.scroller);
        if height > shown {
            self.left_at.update(|left| *left = left.or(Some(self.view.news.get_untracked())));
        }
    }

    fn scrolled(self) {
        let (top, height, shown) = browser::scroll_of(self.scroller);
        let (before, sizes) = self.seen.with_value(|seen| (seen.0, (seen.1, seen.2)));
        self.seen.set_value((top, height, shown));
        // Content that shrinks moves the top too, and so does more room; only a person moves it up where both stay.
        if top < before && sizes == (height, shown) {
            self.leave();
        } else if height - top - shown < NEAR_END {
            self.left_at.set(None);
        }
        if top < NEAR_START && self.left_at.with_untracked(Option::is_some) {
            self.load_earlier();
        }
    }

    fn load_earlier(self) {
        let Some(before) = self.view.earlier.get_untracked().filter(|_| !self.loading.get_untracked()) else { return };
        self.loading.set(true);
        let asked = ["/earlier?before=", &before.to_string(), "&lang=", browser::language().tag()].concat();
        let path = self.view.path(&asked);
        spawn_local(async move {
            match browser::get::<EarlierTurns>(&path).await {
                Ok(earlier) => browser::hold_place(self.scroller, || self.view.add_earlier(earlier)),
                Err(error) => drop(self.view.problem.try_set(Some(error.detail))),
            }
            self.loading.try_set(false);
        });
    }
}

#[component]
pub fn TranscriptView(view: SessionView) -> impl IntoView {
    let reader = Reader {
        view,
        scroller: NodeRef::new(),
        left_at: RwSignal::new(None),
        seen: StoredValue::new((0, 0, 0)),
        loading: RwSignal::new(false),
    };
    let column = NodeRef::<html::Div>::new();
    // Whatever changes their sizes: text that comes, turns that get their true height when they come near, a composer
    // that grows. The browser tells before it draws, so nothing is seen in the wrong place.
    Effect::new(move |_| {
        if browser::take_over_scrolling(reader.scroller) > NEAR_END {
            // Who has scrolled up already goes on reading there.
            reader.leave();
        }
        for element in [column, reader.scroller] {
            browser::on_resize(element, move || reader.follow());
        }
    });
    Effect::new(move |before: Option<()>| {
        view.said.track();
        if before.is_some() {
            reader.to_end();
        }
    });
    // It ends with the effect.
    Effect::new(move |_| drop(set_interval(browser::tick, Duration::from_secs(1))));
    let is_empty = move || view.turns.with(Vec::is_empty) && view.queue.with(Vec::is_empty);
    let clicked = move |event: leptos::ev::MouseEvent| {
        // Who opens something reads on from there, and is not taken to the end of what grew.
        if browser::unfolds(&event) {
            reader.leave();
        }
        match browser::clicked(&event) {
            Some(Wish::Rewrite(text)) => view.compose.set(Some(text)),
            Some(Wish::ShowLog(call)) => view.log_of.set(Some(CallId::new(call))),
            Some(Wish::ShowFile(path)) => view.shown.set(Some(path)),
            None => {}
        }
    };
    let earlier = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        reader.load_earlier();
    };
    view! {
        <div class="scroller" node_ref=reader.scroller data-follows=move || reader.left_at.get().is_none().then_some("") on:scroll=move |_| reader.scrolled() on:wheel=move |event| if event.delta_y() < 0.0 { reader.leave() } on:click=clicked on:submit=move |event| send_form(view, &event)>
            <div class="column" node_ref=column role="log" aria-live="off" aria-label=words().chat.conversation>
                <Show when=move || view.earlier.get().is_some() fallback=|| ()>
                    <p class="earlier"><a href=["?rows=", &MORE_ROWS.to_string()].concat() on:click=earlier>
                        {move || if reader.loading.get() { words().chat.loading } else { words().chat.earlier }}
                    </a></p>
                </Show>
                <Show when=is_empty fallback=|| ()>
                    <Welcome view/>
                </Show>
                <For each=move || view.turns.get() key=|turn| turn.turn let:turn>
                    <TurnItem turn/>
                </For>
                <AskList view/>
                <QueueList view/>
            </div>
            <div class="end"></div>
        </div>
        <Show when=move || reader.left_at.get().is_some() fallback=|| ()>
            <div class="to-end"><button type="button" class="button" on:click=move |_| reader.to_end()>{move || news(reader)}</button></div>
        </Show>
    }
}

/// Sends a drawn form without leaving the page; what came of it is an event.
pub fn send_form(view: SessionView, event: &SubmitEvent) {
    let Some(form) = browser::LiveForm::take(event) else { return };
    view.problem.set(None);
    spawn_local(async move {
        let sent = form.send().await;
        view.problem.try_set(sent.err().map(|error| error.detail));
    });
}

fn news(reader: Reader) -> String {
    let left_at = reader.left_at.get().unwrap_or_default();
    match reader.view.news.get().saturating_sub(left_at) {
        0 => words().chat.to_newest.to_owned(),
        count => words().chat.news.of(count.into()),
    }
}

#[component]
fn Welcome(view: SessionView) -> impl IntoView {
    let examples = || view! { <ul class="examples" inner_html=browser::still().examples></ul> };
    let offer = (!view.watches).then(|| view! { <p>{words().chat.ready_text}</p>{examples()} });
    view! { <div class="welcome"><h2>{words().chat.ready}</h2>{offer}</div> }
}
