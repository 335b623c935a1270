//! What a command did: the files after it against the snapshot from before, put as steps in an order in which they can
//! be taken back one by one.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    ChangeError, MAX_DIFF_FILE_BYTES, MAX_TURN_BYTES, TurnChanges,
    diff::cut,
    images::{Durable, Images},
    is_binary,
    log::{Deed, Step},
    snapshot::{Seen, Snapshot, too_many},
    state::{FileState, Hash, State},
    things::Things,
};
use crate::{
    protocol::FileChange,
    workspace::{
        WorkspacePath,
        real::{Node, Sort},
    },
};

/// Steps that are recorded of one command. One that changes more, such as unpacking an archive, leaves a list that
/// nobody reads.
pub const MAX_STEPS: usize = 5_000;
/// What is read of files that a command changed, in bytes; after that they are told apart by size and time alone.
const MAX_READ_BYTES: u64 = 64 * 1024 * 1024;

type Tree = BTreeMap<WorkspacePath, Seen>;

/// What a command was found to have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandChanges {
    pub changes: Vec<FileChange>,
    /// What is not known, in words for a person and a model.
    pub note: Option<String>,
}

impl CommandChanges {
    pub fn files_changed(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.path.clone()).collect()
    }

    /// The diffs of all files, one after the other.
    pub fn diff(&self) -> Option<String> {
        let diffs: String = self.changes.iter().filter_map(|change| change.diff.as_deref()).collect();
        (!diffs.is_empty()).then(|| cut(diffs))
    }
}

impl TurnChanges<'_> {
    /// Compares with the files before a command and records what it changed. To be called also when it failed.
    pub fn record_since(&self, snapshot: Snapshot) -> Result<CommandChanges, ChangeError> {
        let (deeds, note) = match self.deeds_since(&snapshot)? {
            Ok(deeds) => (deeds, None),
            Err(note) => (Vec::new(), Some(note)),
        };
        let mut log = self.log()?;
        let steps: Vec<Step> = (log.next()..)
            .zip(&deeds)
            .map(|(number, deed)| Step { number, undoes: Vec::new(), undo: false, deed: deed.clone() })
            .collect();
        log.command_ended(snapshot.command, deeds, note.clone())?;
        drop(log);
        let mut found = CommandChanges { changes: self.shown(&Things::of(&steps))?, note };
        let lost = found.changes.iter().filter(|change| !change.undoable).count();
        if lost > 0 {
            let lost = if lost == 1 { "1 of these changes".to_owned() } else { format!("{lost} of these changes") };
            found.note = Some(format!("{lost} can't be undone: what was there before was not kept."));
        }
        Ok(found)
    }

    /// The inner error says why nothing is known.
    fn deeds_since(&self, snapshot: &Snapshot) -> Result<Result<Vec<Deed>, String>, ChangeError> {
        let before = match &snapshot.seen {
            Ok(before) => before,
            Err(why) => return Ok(Err(why.clone())),
        };
        let Some((mut now, _)) = self.look(Some(&snapshot.left_out), &|| false)? else { return Ok(Err(too_many())) };
        // What a walk passes over is not gone.
        for path in before.keys() {
            if now.contains_key(path) {
                continue;
            }
            match self.workspace.node(path) {
                Ok(None) => {}
                Ok(Some(_)) => now.extend(self.seen(path)?.map(|seen| (path.clone(), seen))),
                // In a folder that may no longer be looked into, everything counts as it was.
                Err(_) => now.extend([(path.clone(), before[path].clone())]),
            }
        }
        let mut comparison =
            Comparison { changes: self, before: before.clone(), now, deeds: Vec::new(), room: MAX_READ_BYTES };
        comparison.changed_sorts()?;
        comparison.new_folders()?;
        comparison.moved_files()?;
        comparison.contents()?;
        comparison.gone()?;
        if comparison.deeds.len() > MAX_STEPS {
            return Ok(Err(format!(
                "The command changed more than {MAX_STEPS} files. They are not listed and can't be undone."
            )));
        }
        comparison.adopt()?;
        Ok(Ok(comparison.deeds))
    }
}

struct Comparison<'a, 'b> {
    changes: &'b TurnChanges<'a>,
    /// Follows the steps: what is moved is moved in it, too.
    before: Tree,
    now: Tree,
    deeds: Vec<Deed>,
    room: u64,
}

impl Comparison<'_, '_> {
    /// A file that became a folder, or the other way round, goes first with all that was in it.
    fn changed_sorts(&mut self) -> Result<(), ChangeError> {
        let is_folder = |seen: &Seen| seen.node.is_folder();
        let changed: Vec<WorkspacePath> = self
            .before
            .iter()
            .filter(|(path, was)| self.now.get(*path).is_some_and(|now| is_folder(now) != is_folder(was)))
            .map(|(path, _)| path.clone())
            .collect();
        let goes = |path: &WorkspacePath| changed.iter().any(|top| path == top || path.below(top).is_some());
        let gone: Vec<WorkspacePath> = self.before.keys().filter(|path| goes(path)).cloned().collect();
        for path in gone.into_iter().rev() {
            if let Some(was) = self.before.remove(&path) {
                self.put(path, State::from(&was), State::Absent);
            }
        }
        Ok(())
    }

    /// Folders that are new or have moved, from the top down.
    fn new_folders(&mut self) -> Result<(), ChangeError> {
        let folders: Vec<(WorkspacePath, Seen)> = self
            .now
            .iter()
            .filter(|(path, seen)| seen.node.is_folder() && !self.before.contains_key(*path))
            .map(|(path, seen)| (path.clone(), seen.clone()))
            .collect();
        for (path, seen) in folders {
            // With the folder around it, it may have come already.
            if self.before.contains_key(&path) {
                continue;
            }
            let Some(from) = self.moved_from(&seen, |was, now| was.node.stamp.inode == now.node.stamp.inode) else {
                self.put(path.clone(), State::Absent, State::from(&seen));
                self.before.insert(path, seen);
                continue;
            };
            self.deeds.push(Deed::Move { from: from.clone(), to: path.clone(), what: State::from(&seen) });
            let with = |at: &WorkspacePath| at.moved(&from, &path);
            self.before =
                std::mem::take(&mut self.before).into_iter().map(|(at, was)| (with(&at).unwrap_or(at), was)).collect();
        }
        Ok(())
    }

    fn moved_files(&mut self) -> Result<(), ChangeError> {
        let fresh: Vec<(WorkspacePath, Seen)> = self
            .now
            .iter()
            .filter(|(path, seen)| seen.node.is_file() && !self.before.contains_key(*path))
            .map(|(path, seen)| (path.clone(), seen.clone()))
            .collect();
        let mut gone: HashMap<u64, WorkspacePath> = HashMap::new();
        for (path, was) in &self.before {
            if was.node.is_file() && was.node.stamp.born.is_some() && !self.now.contains_key(path) {
                gone.insert(was.node.stamp.inode, path.clone());
            }
        }
        for (path, seen) in fresh {
            let Some(from) = gone.get(&seen.node.stamp.inode) else { continue };
            let Some(was) = self.before.get(from).filter(|was| was.node.stamp == seen.node.stamp) else { continue };
            let (from, was) = (from.clone(), was.clone());
            self.deeds.push(Deed::Move { from: from.clone(), to: path.clone(), what: State::from(&was) });
            self.before.remove(&from);
            // Renaming alone sets the time of the last change.
            let node = Node { changed: seen.node.changed, ..was.node.clone() };
            self.before.insert(path, Seen { node, ..was });
        }
        Ok(())
    }

    /// Where a folder stood that is gone from there.
    fn moved_from(&self, seen: &Seen, same: impl Fn(&Seen, &Seen) -> bool) -> Option<WorkspacePath> {
        seen.node.stamp.born?;
        self.before
            .iter()
            .find(|(path, was)| {
                was.node.is_folder()
                    && was.node.stamp.born == seen.node.stamp.born
                    && same(was, seen)
                    && !self.now.contains_key(*path)
            })
            .map(|(path, _)| path.clone())
    }

    /// What is new or different where it stands.
    fn contents(&mut self) -> Result<(), ChangeError> {
        for (path, seen) in std::mem::take(&mut self.now) {
            let was = self.before.get(&path).cloned();
            let before = was.as_ref().map_or(State::Absent, State::from);
            match &was {
                Some(was) if is_untouched(was, &seen) => {}
                _ => {
                    let after = self.read(&path, &seen)?;
                    let same = match (&was, before.file(), after.file()) {
                        // Touched, not changed: without its content from before, size and time have to tell.
                        (Some(was), Some(old), Some(new)) if was.kept.is_none() => {
                            old.mode == new.mode && old.stamp == new.stamp
                        }
                        _ => before.looks_like(&after),
                    };
                    if !same {
                        self.put(path.clone(), before, after);
                    }
                }
            }
            self.before.remove(&path);
        }
        Ok(())
    }

    /// What is left is gone: files first, then their folders from below.
    fn gone(&mut self) -> Result<(), ChangeError> {
        let (folders, files): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.before).into_iter().partition(|(_, was)| was.node.is_folder());
        for (path, was) in files.into_iter().chain(folders.into_iter().rev()) {
            self.put(path, State::from(&was), State::Absent);
        }
        Ok(())
    }

    fn put(&mut self, path: WorkspacePath, before: State, after: State) {
        self.deeds.push(Deed::Put { path, before, after });
    }

    /// What stands there now; a small text is kept for its diff.
    fn read(&mut self, path: &WorkspacePath, seen: &Seen) -> Result<State, ChangeError> {
        let size = seen.node.stamp.size;
        if !seen.node.is_file() || size > MAX_DIFF_FILE_BYTES || size > self.room {
            return Ok(State::from(seen));
        }
        self.room -= size;
        let Ok((node, Some(bytes))) = self.changes.workspace.read_real(path, MAX_DIFF_FILE_BYTES) else {
            return Ok(State::from(seen));
        };
        let hash = if is_binary(&bytes) { Hash::of(&bytes) } else { self.changes.images.save(&bytes, Durable::No)? };
        Ok(State::File(FileState::of(&node, Some(hash))))
    }

    /// Takes the contents from before over into the turn's own folder, while there is room.
    fn adopt(&self) -> Result<(), ChangeError> {
        let (turn, session): (&Images, Images) = (&self.changes.images, self.changes.session_images());
        let mut used = turn.used()?;
        let mut adopted = HashSet::new();
        for deed in &self.deeds {
            let Deed::Put { before: State::File(FileState { hash: Some(hash), size, .. }), .. } = deed else {
                continue;
            };
            if used + size > MAX_TURN_BYTES || !adopted.insert(hash) {
                continue;
            }
            used += size;
            match turn.adopt(&session, hash) {
                // It was removed by hand: the change is told as one that can't be undone.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                adopted => adopted?,
            }
        }
        Ok(turn.sync()?)
    }
}

fn is_untouched(was: &Seen, now: &Seen) -> bool {
    let same = was.node.sort == now.node.sort && was.node.mode == now.node.mode && was.link == now.link;
    let still = match now.node.sort {
        Sort::File => was.sure && was.node.stamp == now.node.stamp && was.node.changed == now.node.changed,
        Sort::Folder | Sort::Link | Sort::Special => true,
    };
    same && still
}

impl From<&Seen> for State {
    fn from(seen: &Seen) -> Self {
        match (&seen.link, seen.node.is_folder()) {
            (Some(target), _) => Self::Link(target.clone()),
            (None, true) => Self::Folder { mode: seen.node.mode },
            (None, false) => Self::File(FileState::of(&seen.node, seen.kept.clone())),
        }
    }
}
