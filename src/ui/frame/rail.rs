//! The right panel: what happened, what is planned, what was changed.

use leptos::{ev, prelude::*};

use super::{Frame, changes::ChangesPanel, progress::ProgressPanel};
use crate::{
    protocol::{Tab, TaskStatus},
    ui::{
        browser,
        logs::panel::LogPanel,
        session_view::SessionView,
        widgets::{Glyph, Icon},
        words::words,
    },
};

#[component]
pub fn Rail(frame: Frame, view: SessionView) -> impl IntoView {
    let w = words();
    let changed = Memo::new(move |_| {
        view.changed.with(|turns| turns.values().flatten().collect::<std::collections::BTreeSet<_>>().len())
    });
    Effect::new(move |_| {
        if view.log_of.with(Option::is_some) {
            frame.show_right(Tab::Logs);
        }
    });
    let label = move |tab: Tab| match tab {
        Tab::Logs => w.logs.logs.to_owned(),
        Tab::Progress => match view.session.with(|session| tasks_left(&session.tasks)) {
            0 => w.frame.progress.to_owned(),
            left => [w.frame.progress, " ", &left.to_string()].concat(),
        },
        Tab::Changes => match changed.get() {
            0 => w.frame.changes.to_owned(),
            count => [w.frame.changes, " ", &count.to_string()].concat(),
        },
    };
    // Choosing the tab that is open already keeps its panel, and what the panel knows.
    let tab = Memo::new(move |_| frame.tab.get());
    let body = move || match tab.get() {
        Tab::Logs => view! { <LogPanel frame view/> }.into_any(),
        Tab::Progress => view! { <ProgressPanel view/> }.into_any(),
        Tab::Changes => view! { <ChangesPanel view/> }.into_any(),
    };
    view! {
        <aside class="rail" id="right" aria-label=w.frame.details>
            <div class="rail-head">
                <div class="rail-tabs" role="tablist" aria-label=w.frame.details on:keydown=move |event| on_key(frame, &event)>
                    {Tab::ALL.map(|tab| view! { <RailTab frame tab label=Signal::derive(move || label(tab))/> })}
                </div>
                <button type="button" class="button quiet icon-button drawer-close" aria-label=w.frame.close on:click=move |_| frame.drawer.set(false)>
                    <Icon glyph=Glyph::Cross/>
                </button>
            </div>
            <div class="rail-body" id="rail-body" role="tabpanel" aria-labelledby=move || tab_id(frame.tab.get())>{body}</div>
        </aside>
    }
}

/// A link, so that it leads somewhere without scripts.
#[component]
fn RailTab(frame: Frame, tab: Tab, label: Signal<String>) -> impl IntoView {
    let selected = move || frame.tab.get() == tab;
    view! {
        <a
            class="rail-tab" role="tab" id=tab_id(tab) href=["?tab=", tab.name()].concat() aria-controls="rail-body"
            aria-selected=move || selected().to_string() tabindex=move || if selected() { "0" } else { "-1" }
            on:click=move |event| { event.prevent_default(); frame.tab.set(tab); }
        >{label}</a>
    }
}

fn tab_id(tab: Tab) -> String {
    ["tab-", tab.name()].concat()
}

/// Arrow keys walk along the tabs, as everywhere.
fn on_key(frame: Frame, event: &ev::KeyboardEvent) {
    let here = Tab::ALL.iter().position(|tab| *tab == frame.tab.get_untracked()).unwrap_or_default();
    let count = Tab::ALL.len();
    let next = match event.key().as_str() {
        "ArrowRight" => (here + 1) % count,
        "ArrowLeft" => (here + count - 1) % count,
        _ => return,
    };
    event.prevent_default();
    frame.tab.set(Tab::ALL[next]);
    browser::focus(&["#", &tab_id(Tab::ALL[next])].concat());
}

fn tasks_left(tasks: &[crate::protocol::Task]) -> usize {
    tasks.iter().filter(|task| task.status != TaskStatus::Completed).count()
}
