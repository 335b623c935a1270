//! The list as the page knows it: read with the page, and read again when something may have changed it.

use futures::future::abortable;
use leptos::{prelude::*, task::spawn_local};
use serde_json::{Value, json};

use super::groups::day;
use crate::{
    protocol::{ApiError, Listed, ListedPage, SessionId, Status},
    ui::{browser, session_view::SessionView},
};

/// Between two looks at what other sessions do, in milliseconds. Only a session's own page has a live stream.
const LOOK_MS: u32 = 15_000;
/// While nobody looks at the page, every so manieth of these looks is taken: the tab's title says what waits.
const UNSEEN_LOOKS: u32 = 4;
/// After the last key of a search, in milliseconds.
const TYPING_MS: u32 = 200;

#[derive(Clone, Copy)]
pub struct Sessions {
    pub list: RwSignal<Vec<Listed>>,
    /// The session whose page this is: its live state goes before the list's.
    pub current: Option<SessionView>,
    pub query: RwSignal<String>,
    pub archived: RwSignal<bool>,
    /// Why the last look failed.
    pub failed: RwSignal<bool>,
    /// The session whose actions are open, and the one that is being renamed.
    pub opened: RwSignal<Option<SessionId>>,
    pub renamed: RwSignal<Option<SessionId>>,
    pub problem: RwSignal<Option<String>>,
    /// The one that was deleted last, to bring it back.
    pub deleted: RwSignal<Option<Listed>>,
    /// The reader's day, and the minutes that their time is ahead of UTC.
    pub today: RwSignal<(i64, i64)>,
    /// Each look has a number: an answer that was overtaken is passed over.
    look: StoredValue<u32>,
}

impl Sessions {
    /// `now`: when the server drew the page. It knows the reader's time zone no more than the first rendering may.
    pub fn new(list: Vec<Listed>, now: &str, current: Option<SessionView>) -> Self {
        let now = now.to_owned();
        let today = RwSignal::new((day(&now, 0), 0));
        Effect::new(move |_| {
            let ahead = browser::minutes_ahead();
            today.set((day(&now, ahead), ahead));
        });
        let sessions = Self {
            list: RwSignal::new(list),
            current,
            query: RwSignal::default(),
            archived: RwSignal::new(false),
            failed: RwSignal::new(false),
            opened: RwSignal::new(None),
            renamed: RwSignal::new(None),
            problem: RwSignal::new(None),
            deleted: RwSignal::new(None),
            today,
            look: StoredValue::new(0),
        };
        sessions.keep_looking();
        current.into_iter().for_each(|view| sessions.follow_pin(view));
        sessions
    }

    /// This page's session may be pinned in another tab.
    fn follow_pin(self, view: SessionView) {
        let pinned = Memo::new(move |_| view.session.with(|session| session.pinned));
        Effect::new(move |_| {
            let pinned = pinned.get();
            self.list.update(|list| {
                let here = list.iter_mut().filter(|listed| self.is_current(&listed.id));
                here.for_each(|listed| listed.pinned = pinned);
            });
        });
    }

    /// Reads the list now and then, when a person searches, and when this page's session changes its state.
    fn keep_looking(self) {
        Effect::new(move |before: Option<()>| {
            self.query.track();
            self.archived.track();
            if let Some(view) = self.current {
                view.status.track();
            }
            if before.is_some() {
                spawn_local(async move {
                    browser::sleep(TYPING_MS).await;
                    self.read().await;
                });
            }
        });
        Effect::new(move |_| {
            let (run, abort) = abortable(async move {
                for count in 1_u32.. {
                    browser::sleep(LOOK_MS).await;
                    if browser::is_visible() || count.is_multiple_of(UNSEEN_LOOKS) {
                        self.read().await;
                    }
                }
            });
            on_cleanup(move || abort.abort());
            spawn_local(async move {
                let _ = run.await;
            });
        });
    }

    async fn read(self) {
        let Some(look) = self.look.try_update_value(|look| {
            *look += 1;
            *look
        }) else {
            return;
        };
        let (Some(query), Some(archived)) = (self.query.try_get_untracked(), self.archived.try_get_untracked()) else {
            return;
        };
        let path = [
            "/cowork/sessions?limit=200&archived=",
            if archived { "true" } else { "false" },
            "&q=",
            &browser::encode(&query),
        ];
        let found = browser::get::<ListedPage>(&browser::at(&path.concat())).await;
        if self.look.try_get_value() != Some(look) {
            return;
        }
        self.failed.set(found.is_err());
        if let Ok(page) = found {
            self.list.maybe_update(|list| {
                let differs = *list != page.sessions;
                *list = page.sessions;
                differs
            });
        }
    }

    /// How many sessions wait for a person.
    pub fn waiting(&self) -> usize {
        self.list.with(|list| list.iter().filter(|listed| is_waiting(self.status(listed))).count())
    }

    fn here(&self, listed: &Listed) -> Option<SessionView> {
        self.current.filter(|view| view.session.with_untracked(|session| session.id == listed.id))
    }

    pub fn is_current(&self, id: &SessionId) -> bool {
        self.current.is_some_and(|view| view.session.with_untracked(|session| session.id == *id))
    }

    pub fn status(&self, listed: &Listed) -> Status {
        self.here(listed).map_or(listed.status, |view| view.status.get())
    }

    pub fn title(&self, listed: &Listed) -> String {
        self.here(listed)
            .map_or_else(|| listed.title.clone(), |view| view.session.with(|session| session.title.clone()))
    }

    /// Changes a session and shows the change at once; what the server refuses is taken back with the next look.
    pub fn change(self, id: &SessionId, body: Value, now: impl Fn(&mut Listed)) {
        self.list.update(|list| list.iter_mut().filter(|listed| listed.id == *id).for_each(now));
        self.opened.set(None);
        self.send("PATCH", browser::at(&["/cowork/sessions/", id.as_str()].concat()), Some(body));
    }

    pub fn rename(self, id: &SessionId, title: String) {
        self.renamed.set(None);
        if !title.trim().is_empty() {
            self.change(id, json!({ "title": title }), |listed| listed.title.clone_from(&title));
        }
    }

    /// Takes the session away; it can be brought back for a while.
    pub fn delete(self, listed: Listed) {
        let path = browser::at(&["/cowork/sessions/", listed.id.as_str()].concat());
        let leaves = self.is_current(&listed.id).then(|| browser::at(&["/?deleted=", listed.id.as_str()].concat()));
        self.opened.set(None);
        spawn_local(async move {
            match browser::ask("DELETE", &path, None).await {
                Ok(_) => {
                    if let Some(start) = leaves {
                        return browser::go_to(&start);
                    }
                    self.list.try_update(|list| list.retain(|known| known.id != listed.id));
                    self.deleted.try_set(Some(listed));
                }
                Err(error) => drop(self.problem.try_set(Some(error.detail))),
            }
        });
    }

    pub fn restore(self, id: &SessionId) {
        self.deleted.set(None);
        self.send("POST", browser::at(&["/cowork/sessions/", id.as_str(), "/restore"].concat()), Some(json!({})));
    }

    fn send(self, method: &'static str, path: String, body: Option<Value>) {
        self.problem.set(None);
        spawn_local(async move {
            let sent: Result<String, ApiError> = browser::ask(method, &path, body).await;
            if let Err(error) = sent {
                self.problem.try_set(Some(error.detail));
            }
            self.read().await;
        });
    }
}

pub fn is_waiting(status: Status) -> bool {
    matches!(status, Status::AwaitingApproval | Status::AwaitingUserInput)
}
