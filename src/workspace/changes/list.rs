//! What a turn's steps come to, for a person.

use super::{
    ChangeError, Side, TurnChanges, is_binary,
    plan::Planner,
    state::State,
    things::{Id, Kind, Net, Things},
    unified,
};
use crate::{
    protocol::{ChangeKind, ChangeList, FileChange},
    workspace::WorkspacePath,
};

/// Diffs in one listing, in bytes; further ones are left out.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

const NO_END: &str =
    "A command has not ended, or was cut off. What it changed until now is not listed and can't be undone.";

/// For a person who reads what an undo would bring back.
const SHARED: &str = "Somebody else changed it during the turn. Undo brings back what they left.";

/// Of what is not undone.
struct Open {
    /// With the rest of the turn, if not by itself.
    undoable: bool,
    note: Option<String>,
}

impl TurnChanges<'_> {
    /// One entry for each thing that the turn changed, in the order of the paths.
    pub fn list(&self) -> Result<ChangeList, ChangeError> {
        let Some(log) = self.existing_log()? else { return Ok(ChangeList::default()) };
        let notes = log.commands().iter().filter_map(|(_, ended)| match ended {
            Some(ended) => ended.note.clone(),
            None => Some(NO_END.into()),
        });
        Ok(ChangeList { changes: self.shown(&Things::of(&log.made()))?, notes: notes.collect() })
    }

    pub(super) fn shown(&self, things: &Things) -> Result<Vec<FileChange>, ChangeError> {
        let mut planner = Planner::new(self, things);
        let open: Vec<Id> = things.open().collect();
        let whole = planner.plan(&open)?;
        let mut news: Vec<(Net, Option<Open>)> = things.undone().map(|net| (net.clone(), None)).collect();
        for id in open {
            let Some(net) = things.net(id) else { continue };
            let obstacle = whole.obstacle(id).map(ToOwned::to_owned);
            let undoable = obstacle.is_none();
            let note = match obstacle {
                None if net.news && planner.is_entangled(id) => alone(&mut planner, things, id)?,
                obstacle => obstacle,
            };
            news.push((net, Some(Open { undoable, note })));
        }
        news.retain(|(net, _)| net.news);
        news.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        let mut changes = Vec::new();
        let mut room = MAX_LIST_BYTES;
        for (net, open) in news {
            let mut change = self.change(&net, open)?;
            match &change.diff {
                Some(diff) if diff.len() > room => {
                    change.diff = None;
                    add(&mut change.note, "The diff is left out: there are too many in this turn.");
                }
                Some(diff) => room -= diff.len(),
                None => {}
            }
            changes.push(change);
        }
        Ok(changes)
    }

    fn change(&self, net: &Net, open: Option<Open>) -> Result<FileChange, ChangeError> {
        let mut change = FileChange {
            path: net.path.to_string(),
            kind: net.kind.into(),
            from: net.from.as_ref().filter(|_| net.kind == Kind::Moved).map(ToString::to_string),
            folder: net.before.is_folder() || net.after.is_folder(),
            diff: None,
            binary: false,
            undone: open.is_none(),
            undoable: open.as_ref().is_some_and(|open| open.undoable),
            note: open.and_then(|open| open.note),
        };
        if net.shared {
            add(&mut change.note, SHARED);
        }
        self.compare(net, &mut change)?;
        Ok(change)
    }

    /// Adds the diff, or says why there is none.
    fn compare(&self, net: &Net, change: &mut FileChange) -> Result<(), ChangeError> {
        if let Some(target) = [&net.after, &net.before].into_iter().find_map(link) {
            add(&mut change.note, &format!("A link to `{target}`."));
            return Ok(());
        }
        let is_file = |state: &State| state.file().is_some();
        let (before, after) = (&net.before, &net.after);
        if !is_file(before) && !is_file(after) {
            return Ok(());
        }
        if let (Some(before), Some(after)) = (before.file(), after.file()) {
            if before.mode != after.mode {
                add(&mut change.note, &format!("Permissions: {:o} before, {:o} after.", before.mode, after.mode));
            }
            if before.has_content_of(after) {
                return Ok(());
            }
        }
        let path = net.from.as_ref().unwrap_or(&net.path);
        let old = if is_file(before) { self.content_or_disk(before, path)? } else { Some(None) };
        let new = if is_file(after) { self.content_or_disk(after, &net.path)? } else { Some(None) };
        let (Some(old), Some(new)) = (old, new) else {
            add(&mut change.note, "There is no diff: the content was not kept.");
            return Ok(());
        };
        change.binary = [&old, &new].into_iter().flatten().any(|bytes| is_binary(bytes));
        let sides = (Side { path, bytes: old.as_deref() }, Side { path: &net.path, bytes: new.as_deref() });
        change.diff = unified(sides.0, sides.1);
        if change.diff.is_none() && !change.binary {
            add(&mut change.note, "There is no diff: the file is too large for one.");
        }
        Ok(())
    }

    /// The content, kept or still in its place; the outer `None` where it is neither.
    fn content_or_disk(&self, state: &State, path: &WorkspacePath) -> Result<Option<Option<Vec<u8>>>, ChangeError> {
        if let Some(bytes) = self.content(state)? {
            return Ok(Some(Some(bytes)));
        }
        if !state.holds(self.workspace, path)? {
            return Ok(None);
        }
        Ok(self.workspace.read_real(path, super::MAX_IMAGE_BYTES)?.1.map(Some))
    }
}

/// What else has to be undone if this alone is to be.
fn alone(planner: &mut Planner<'_, '_>, things: &Things, id: Id) -> Result<Option<String>, ChangeError> {
    let plan = planner.plan(&things.named(&things.shown(id)))?;
    if let Some(first) = plan.obstacle(id) {
        return Ok(Some(first.to_owned()));
    }
    let along = plan.along().filter_map(|id| things.net(id)).filter(|net| net.news);
    let along: Vec<String> = along.map(|net| format!("`{}`", net.path)).collect();
    Ok((!along.is_empty())
        .then(|| format!("They stand in each other's places, so undo takes back {}, too.", along.join(", "))))
}

fn link(state: &State) -> Option<&str> {
    if let State::Link(target) = state { Some(target) } else { None }
}

fn add(note: &mut Option<String>, more: &str) {
    *note = Some(note.take().map_or_else(|| more.to_owned(), |note| format!("{note} {more}")));
}

impl From<Kind> for ChangeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Created => Self::Created,
            Kind::Modified => Self::Modified,
            Kind::Deleted => Self::Deleted,
            Kind::Moved => Self::Moved,
        }
    }
}
