//! What a turn's steps come to, for a person.

use super::{
    ChangeError, Side, TurnChanges, is_binary,
    log::Step,
    state::State,
    strands::{Kind, Net, Strand, strands},
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

impl TurnChanges<'_> {
    /// One entry for each path that the turn changed, in the order of the paths.
    pub fn list(&self) -> Result<ChangeList, ChangeError> {
        let Some(log) = self.existing_log()? else { return Ok(ChangeList::default()) };
        let made = log.made();
        let strands = strands(&made);
        let notes = log.commands().iter().filter_map(|(_, ended)| match ended {
            Some(ended) => ended.note.clone(),
            None => Some(NO_END.into()),
        });
        Ok(ChangeList { changes: self.shown(&strands, &made)?, notes: notes.collect() })
    }

    pub(super) fn shown(&self, strands: &[Strand], made: &[Step]) -> Result<Vec<FileChange>, ChangeError> {
        let standing: Vec<bool> = strands.iter().map(|strand| !strand.is_undone()).collect();
        let obstacles = self.obstacles(strands, &standing, made)?;
        let mut news: Vec<(&Strand, Option<String>)> =
            strands.iter().zip(obstacles).filter(|(strand, _)| is_news(strand, strands)).collect();
        news.sort_by(|(a, _), (b, _)| a.told().path().cmp(b.told().path()));
        let mut changes = Vec::new();
        let mut room = MAX_LIST_BYTES;
        for (strand, obstacle) in news {
            let Some(mut change) = self.change(strand, obstacle)? else { continue };
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

    fn change(&self, strand: &Strand, obstacle: Option<String>) -> Result<Option<FileChange>, ChangeError> {
        let net = strand.told();
        let Some(kind) = net.kind() else { return Ok(None) };
        let mut change = FileChange {
            path: net.path().to_string(),
            kind: kind.into(),
            from: net.from.as_ref().filter(|_| kind == Kind::Moved).map(ToString::to_string),
            folder: net.before.is_folder() || net.after.is_folder(),
            diff: None,
            binary: false,
            undone: strand.is_undone(),
            undoable: !strand.is_undone() && obstacle.is_none(),
            note: obstacle,
        };
        self.compare(net, &mut change)?;
        Ok(Some(change))
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
        let path = net.from.as_ref().unwrap_or(&net.at);
        let old = if is_file(before) { self.content_or_disk(before, path)? } else { Some(None) };
        let new = if is_file(after) { self.content_or_disk(after, &net.at)? } else { Some(None) };
        let (Some(old), Some(new)) = (old, new) else {
            add(&mut change.note, "There is no diff: the content was not kept.");
            return Ok(());
        };
        change.binary = [&old, &new].into_iter().flatten().any(|bytes| is_binary(bytes));
        let sides = (Side { path, bytes: old.as_deref() }, Side { path: &net.at, bytes: new.as_deref() });
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

/// A folder that came or went with what is in it is not told beside it.
pub(super) fn is_news(strand: &Strand, strands: &[Strand]) -> bool {
    let net = strand.told();
    let folder = match net.kind() {
        None => return false,
        Some(Kind::Created) => net.after.is_folder(),
        Some(Kind::Deleted) => net.before.is_folder(),
        Some(Kind::Modified | Kind::Moved) => false,
    };
    let inside = |other: &&Strand| {
        let other = other.told();
        other.kind().is_some() && [&other.at, other.path()].iter().any(|path| path.below(net.path()).is_some())
    };
    !folder || !strands.iter().any(|other| inside(&other))
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
