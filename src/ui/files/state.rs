//! The files that the page knows of, and the uploads that it makes.

use std::collections::{BTreeMap, BTreeSet};

use futures::channel::oneshot;
use leptos::{prelude::*, task::spawn_local};

use super::send;
use crate::{
    protocol::{FileEntry, FileKind, FileList},
    ui::{
        browser::{self, LocalFile},
        session_view::SessionView,
        words::{fill, words},
    },
};

/// The workspace's own folder.
pub const ROOT: &str = ".";
/// After something changed, in milliseconds: steps come in bursts.
const SETTLE_MS: u32 = 300;

#[derive(Clone, Copy)]
pub struct Files {
    pub view: SessionView,
    /// Folders that were read, by their paths.
    pub lists: RwSignal<BTreeMap<String, Vec<FileEntry>>>,
    pub open: RwSignal<BTreeSet<String>>,
    pub problem: RwSignal<Option<String>>,
    /// The file that is looked into.
    pub shown: RwSignal<Option<String>>,
    /// The folder that something is dragged over.
    pub target: RwSignal<Option<String>>,
    pub uploads: RwSignal<Vec<Upload>>,
    counts: StoredValue<Counts>,
}

#[derive(Clone, Copy, Default)]
pub struct Counts {
    next: u32,
    pub running: u32,
    look: u32,
}

/// A file on its way.
#[derive(Clone, Copy)]
pub struct Upload {
    pub id: u32,
    pub file: StoredValue<LocalFile, LocalStorage>,
    /// With the folders that it was dropped with.
    pub name: StoredValue<String>,
    pub dir: StoredValue<String>,
    pub size: u64,
    pub state: RwSignal<State>,
    /// Gives up the piece that is on its way.
    pub stop: StoredValue<Option<oneshot::Sender<()>>>,
    /// What happens where the name is taken.
    pub rule: RwSignal<&'static str>,
}

#[derive(Clone, PartialEq)]
pub enum State {
    Waiting,
    /// Bytes that are there, and how many come in a second once that can be told.
    Sending {
        sent: u64,
        speed: Option<u64>,
    },
    /// The connection is away with so many bytes there; it goes on by itself.
    Away(u64),
    /// All bytes are sent; the server has the last word.
    Verifying,
    Added(String),
    Skipped,
    /// The name is taken.
    Exists,
    Failed(String),
    Cancelled,
}

impl State {
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Sending { .. } | Self::Away(_) | Self::Verifying)
    }
}

impl Files {
    pub fn new(view: SessionView, root: FileList) -> Self {
        let files = Self {
            view,
            lists: RwSignal::new(BTreeMap::from([(ROOT.to_owned(), sorted(root.entries))])),
            open: RwSignal::new(BTreeSet::new()),
            problem: RwSignal::new(None),
            shown: view.shown,
            target: RwSignal::new(None),
            uploads: RwSignal::new(Vec::new()),
            counts: StoredValue::new(Counts::default()),
        };
        Effect::new(move |before: Option<()>| {
            view.files_changed.track();
            if before.is_some() {
                files.read_again();
            }
        });
        files
    }

    /// Reads all folders that are open, once what happens has settled.
    pub fn read_again(self) {
        let look = self.counts.try_update_value(|counts| {
            counts.look += 1;
            counts.look
        });
        spawn_local(async move {
            browser::sleep(SETTLE_MS).await;
            if self.counts.try_with_value(|counts| counts.look) != look {
                return;
            }
            let Some(open) = self.open.try_get_untracked() else { return };
            for dir in std::iter::once(ROOT.to_owned()).chain(open) {
                self.read(dir).await;
            }
        });
    }

    pub async fn read(self, dir: String) {
        let path = self.view.path(&["/files?dir=", &browser::encode(&dir)].concat());
        match browser::get::<FileList>(&path).await {
            Ok(list) => {
                let entries = sorted(list.entries);
                let same = self.lists.try_with_untracked(|lists| lists.get(&dir) == Some(&entries));
                if same == Some(false) {
                    self.lists.try_update(|lists| lists.insert(dir, entries));
                }
            }
            // A folder that is gone is not shown any more.
            Err(_) if dir != ROOT => {
                self.open.try_update(|open| open.remove(&dir));
                self.lists.try_update(|lists| lists.remove(&dir));
            }
            Err(error) => drop(self.problem.try_set(Some(fill(words().files.list_failed, &[&error.detail])))),
        }
    }

    pub fn toggle(self, dir: String) {
        let opened = self.open.try_update(|open| if open.remove(&dir) { false } else { open.insert(dir.clone()) });
        if opened == Some(true) {
            spawn_local(self.read(dir));
        }
    }

    /// What can be seen of the tree, in its order: each entry with its depth.
    pub fn rows(&self) -> Vec<(usize, FileEntry)> {
        let mut rows = Vec::new();
        self.lists.with(|lists| self.open.with(|open| add_rows(lists, open, ROOT, 0, &mut rows)));
        rows
    }

    /// Puts files in the queue for a folder.
    pub fn add(self, files: Vec<LocalFile>, dir: &str) {
        if let Some(reason) = self.view.blocked.get_value() {
            self.problem.set(Some(reason));
            return;
        }
        for file in files {
            let id = self
                .counts
                .try_update_value(|counts| {
                    counts.next += 1;
                    counts.next
                })
                .unwrap_or_default();
            let upload = Upload {
                id,
                name: StoredValue::new(file.path()),
                size: file.size(),
                file: StoredValue::new_local(file),
                dir: StoredValue::new(dir.to_owned()),
                state: RwSignal::new(State::Waiting),
                stop: StoredValue::new(None),
                rule: RwSignal::new("fail"),
            };
            self.uploads.update(|uploads| uploads.push(upload));
        }
        self.start_next();
    }

    /// Starts what waits, a few at a time.
    pub fn start_next(self) {
        let waiting = |upload: &&Upload| upload.state.with_untracked(|state| *state == State::Waiting);
        while self.counts.with_value(|counts| counts.running) < send::AT_ONCE {
            let Some(next) = self.uploads.with_untracked(|uploads| uploads.iter().find(waiting).copied()) else {
                break;
            };
            next.state.set(State::Sending { sent: 0, speed: None });
            self.counts.update_value(|counts| counts.running += 1);
            spawn_local(async move {
                send::send(self.view, next).await;
                if self.counts.try_update_value(|counts| counts.running -= 1).is_some() {
                    self.read_again();
                    self.start_next();
                }
            });
        }
        browser::warn_before_leaving(
            self.uploads
                .with_untracked(|uploads| uploads.iter().any(|upload| !upload.state.with_untracked(State::is_over))),
        );
    }

    pub fn again(self, upload: Upload, rule: &'static str) {
        upload.rule.set(rule);
        upload.state.set(State::Waiting);
        self.start_next();
    }

    pub fn cancel(self, upload: Upload) {
        upload.state.set(State::Cancelled);
        if let Some(stop) = upload.stop.try_update_value(Option::take).flatten() {
            // It may have ended just now.
            let _ = stop.send(());
        }
    }

    pub fn forget(self, id: u32) {
        self.uploads.update(|uploads| uploads.retain(|upload| upload.id != id));
    }
}

/// Folders first, each kind by name.
fn sorted(mut entries: Vec<FileEntry>) -> Vec<FileEntry> {
    entries.sort_by_key(|entry| (entry.kind != FileKind::Folder, browser::lowercase(&entry.name)));
    entries
}

fn add_rows(
    lists: &BTreeMap<String, Vec<FileEntry>>,
    open: &BTreeSet<String>,
    dir: &str,
    depth: usize,
    rows: &mut Vec<(usize, FileEntry)>,
) {
    // Git's own folder is nobody's work; tools and addresses reach it all the same.
    for entry in lists.get(dir).into_iter().flatten().filter(|entry| entry.name != ".git") {
        rows.push((depth, entry.clone()));
        if open.contains(&entry.path) {
            add_rows(lists, open, &entry.path, depth + 1, rows);
        }
    }
}
