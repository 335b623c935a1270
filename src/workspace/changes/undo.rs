//! Taking a turn's changes back: each thing goes from where and what it is to where and what it was before the turn,
//! in an order in which there is room for it. A thing that is something else than what the turn left is not touched,
//! and is told as a conflict.

use super::{
    ChangeError, TurnChanges,
    log::{Deed, Log},
    perform::Wanted,
    plan::{AGAIN, Course, Plan, Planner, Why},
    state::State,
    things::{Id, Net, Place, ROOT, Thing, Things},
};
use crate::workspace::WorkspacePath;

/// Begins the name of what waits for others to make room. It is seen only while an undo runs, or after a kill; then
/// it is listed under that name, and the next undo brings it to its place.
const HELD_PREFIX: &str = ".cowork-undo-";
const NO_ROOM: &str = "What has to be undone before it could not be.";
/// What an owner needs to change what is in a folder.
const OWNERS_WAY_IN: u32 = 0o700;

/// What an undo came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undone {
    /// What is again as it was before the turn, by the paths of the listing.
    pub restored: Vec<WorkspacePath>,
    pub conflicts: Vec<Conflict>,
}

/// What was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub path: WorkspacePath,
    /// For a person.
    pub reason: String,
}

struct Undo<'a, 'b> {
    changes: &'b TurnChanges<'a>,
    log: &'b mut Log,
    /// As they are now.
    things: Things,
    plan: Plan,
    pending: Vec<Id>,
    /// Folders that get their permissions when all is in its place.
    late: Vec<Id>,
}

impl TurnChanges<'_> {
    /// Takes the turn's changes back, all or those at `paths` (as listed; a folder means all in it). What was taken
    /// back before stays as it is.
    pub fn undo(&self, paths: Option<&[WorkspacePath]>) -> Result<Undone, ChangeError> {
        let Some(mut log) = self.existing_log()? else { return Ok(Undone::default()) };
        let things = Things::of(&log.made());
        let chosen: Vec<Id> = match paths {
            None => things.open().collect(),
            Some(paths) => paths.iter().flat_map(|path| things.named(path)).collect(),
        };
        let plan = Planner::new(self, &things).plan(&chosen)?;
        let told: Vec<(Id, Net)> = plan.picks.keys().filter_map(|id| Some((*id, things.net(*id)?))).collect();
        let mut undo = Undo { changes: self, log: &mut log, things, plan, pending: Vec::new(), late: Vec::new() };
        undo.run();
        Ok(undo.outcome(told))
    }
}

impl Undo<'_, '_> {
    fn run(&mut self) {
        for id in self.that(&Course::AsBefore) {
            let settled = self.settle(id);
            self.end(id, settled);
        }
        self.pending = self.that(&Course::Goes);
        // What the turn made goes first, from below; then the rest comes, from the top down.
        let things = &self.things;
        self.pending.sort_by_key(|id| match things.get(*id).home {
            None => (false, usize::MAX - *id),
            Some(_) => (true, *id),
        });
        for id in self.pending.clone() {
            if self.is_shut(id) {
                let opened = self.restore_mode(id);
                self.end(id, opened);
            }
        }
        while self.advance_all() || self.hold_one() {}
        for id in std::mem::take(&mut self.pending) {
            let stands = self.things.path(id).map(|path| format!(" It stands at `{path}` now."));
            self.end(id, Err(format!("{NO_ROOM}{}", stands.unwrap_or_default())));
        }
        let mut late = std::mem::take(&mut self.late);
        late.sort_by_key(|id| std::cmp::Reverse(self.things.around(*id).count()));
        for id in late {
            let restored = self.restore_mode(id);
            self.end(id, restored);
        }
    }

    fn that(&self, course: &Course) -> Vec<Id> {
        self.plan.picks.iter().filter(|(_, pick)| pick.course == *course).map(|(id, _)| *id).collect()
    }

    fn end(&mut self, id: Id, ended: Result<(), String>) {
        if let (Err(reason), Some(pick)) = (ended, self.plan.picks.get_mut(&id)) {
            pick.course = Course::Stays(reason);
            self.pending.retain(|other| *other != id);
        }
    }

    /// Whether anything came further.
    fn advance_all(&mut self) -> bool {
        let before = self.pending.len();
        for id in self.pending.clone() {
            match self.advance(id) {
                Ok(false) => {}
                Ok(true) => self.pending.retain(|other| *other != id),
                Err(reason) => self.end(id, Err(reason)),
            }
        }
        self.pending.len() < before
    }

    /// Takes a thing back if there is room for it. The error is the reason for a person.
    fn advance(&mut self, id: Id) -> Result<bool, String> {
        let thing = self.things.get(id).clone();
        let Some(home) = &thing.home else { return self.remove(id, &thing) };
        let Some(target) = self.things.path_of(home) else { return Ok(false) };
        if !(thing.is_home() && self.things.is_standing(id)) {
            let inside = home.folder == id || self.things.around(home.folder).any(|folder| folder == id);
            if self.things.standing(home).is_some() || inside && self.things.is_standing(id) {
                return Ok(false);
            }
            self.bring(id, &thing, home, &target)?;
        }
        let thing = self.things.get(id).clone();
        if thing.before.looks_like(&thing.after) {
            return Ok(true);
        }
        if thing.is_folder() {
            self.late.push(id);
            return Ok(true);
        }
        self.expect(&thing, &target)?;
        let now = self.changes.now(&target).map_err(told)?;
        self.changes.put_back(self.log, &target, &thing.restored(&now.state), thing.steps.clone()).map_err(told)?;
        self.things.put(id, &thing.before);
        Ok(true)
    }

    /// Brings a thing to where it was, from where it is or from what was kept of it.
    fn bring(&mut self, id: Id, thing: &Thing, home: &Place, target: &WorkspacePath) -> Result<(), String> {
        let from = self.things.path(id);
        if let Some(from) = &from {
            self.expect(thing, from)?;
        }
        self.changes.make_parents(self.log, target, true).map_err(told)?;
        if self.changes.workspace.node(target).map_err(told)?.is_some() {
            return Err(AGAIN.into());
        }
        let Some(from) = from else {
            let mut before = thing.before.clone();
            if let (true, Some(mode)) = (before.is_folder(), before.mode()) {
                before.set_mode(Some(mode | OWNERS_WAY_IN));
            }
            let whole = before == thing.before;
            let steps = if whole { thing.steps.clone() } else { Vec::new() };
            self.changes.put_back(self.log, target, &before, steps).map_err(told)?;
            self.things.set(id, home.clone());
            self.things.put(id, &before);
            return Ok(());
        };
        let whole = thing.before.looks_like(&thing.after);
        let steps = if whole { thing.steps.clone() } else { Vec::new() };
        self.relocate(id, &from, home, target, steps)
    }

    fn relocate(
        &mut self,
        id: Id,
        from: &WorkspacePath,
        place: &Place,
        to: &WorkspacePath,
        steps: Vec<u32>,
    ) -> Result<(), String> {
        let now = self.changes.now(from).map_err(told)?;
        self.changes.relocate(self.log, from, &now, to, Some(steps)).map_err(told)?;
        self.things.set(id, place.clone());
        Ok(())
    }

    /// Takes away what was not there; a folder when it is empty.
    fn remove(&mut self, id: Id, thing: &Thing) -> Result<bool, String> {
        let path = self.things.path(id).ok_or_else(|| self.changes.difference(None).to_owned())?;
        self.expect(thing, &path)?;
        if thing.is_folder() && !self.changes.workspace.list(&path).map_err(told)?.is_empty() {
            return Ok(false);
        }
        let now = self.changes.now(&path).map_err(told)?;
        self.changes.put(self.log, &path, &now, Wanted::Absent, Some(thing.steps.clone())).map_err(told)?;
        self.things.put(id, &State::Absent);
        Ok(true)
    }

    /// Between the plan and the deed somebody may have been there.
    fn expect(&self, thing: &Thing, at: &WorkspacePath) -> Result<(), String> {
        match thing.after.holds(self.changes.workspace, at).map_err(told)? {
            true => Ok(()),
            false => Err(self.changes.difference(Some(at)).into()),
        }
    }

    /// Records what somebody else has taken back already.
    fn settle(&mut self, id: Id) -> Result<(), String> {
        let thing = self.things.get(id).clone();
        let path = self.things.home_path(id).unwrap_or_else(|| self.things.shown(id));
        self.note(path, thing.before.clone(), thing.steps)?;
        if let Some(home) = thing.home {
            self.things.set(id, home);
        }
        self.things.put(id, &thing.before);
        Ok(())
    }

    /// Records a step for which nothing had to be done.
    fn note(&mut self, path: WorkspacePath, state: State, undoes: Vec<u32>) -> Result<(), String> {
        self.changes.note(self.log, Deed::Put { path, before: state.clone(), after: state }, undoes).map_err(told)
    }

    /// Whether a folder has to get its permissions back first, so that what is in it can be changed.
    fn is_shut(&self, id: Id) -> bool {
        let thing = self.things.get(id);
        let open = |state: &State| state.mode().is_some_and(|mode| mode & OWNERS_WAY_IN == OWNERS_WAY_IN);
        thing.is_folder() && self.things.is_standing(id) && open(&thing.before) && !open(&thing.after)
    }

    /// Gives a folder the permissions that it had, unless somebody else has given it other ones since.
    fn restore_mode(&mut self, id: Id) -> Result<(), String> {
        let thing = self.things.get(id).clone();
        let path = self.things.path(id).ok_or_else(|| self.changes.difference(None).to_owned())?;
        let now = self.changes.now(&path).map_err(told)?;
        let before = thing.restored(&now.state);
        let steps = if thing.is_home() { thing.steps } else { Vec::new() };
        if before == now.state {
            self.note(path, before, steps)?;
        } else {
            self.changes.put_back(self.log, &path, &before, steps).map_err(told)?;
        }
        self.things.put(id, &thing.before);
        Ok(())
    }

    /// Where things stand in each other's places, one is put aside.
    fn hold_one(&mut self) -> bool {
        let waits = |id: &Id| {
            let thing = self.things.get(*id);
            let held = thing.at.folder == ROOT && thing.at.name.starts_with(HELD_PREFIX);
            let holder = thing.home.as_ref().map(|home| self.things.standing(home));
            let in_turn = holder.is_some_and(|holder| holder.is_none_or(|holder| self.pending.contains(&holder)));
            in_turn && !thing.is_home() && self.things.is_standing(*id) && !held
        };
        let Some(id) = self.pending.iter().copied().find(waits) else { return false };
        let held = self.hold(id);
        self.end(id, held);
        true
    }

    fn hold(&mut self, id: Id) -> Result<(), String> {
        let from = self.things.path(id).ok_or_else(|| self.changes.difference(None).to_owned())?;
        self.expect(&self.things.get(id).clone(), &from)?;
        let place = Place { folder: ROOT, name: format!("{HELD_PREFIX}{}", self.log.next()) };
        let to = WorkspacePath::root().entry(&place.name);
        self.relocate(id, &from, &place, &to, Vec::new())
    }

    fn outcome(self, told: Vec<(Id, Net)>) -> Undone {
        let mut undone = Undone::default();
        for (id, net) in told {
            let Some(pick) = self.plan.picks.get(&id) else { continue };
            match &pick.course {
                Course::Goes | Course::AsBefore if net.news => undone.restored.push(net.path),
                // A folder that is not news is told by what is in it, except where that is somebody else's.
                Course::Stays(reason) if pick.why == Why::Chosen && (net.news || net.before.is_absent()) => {
                    undone.conflicts.push(Conflict { path: net.path, reason: reason.clone() });
                }
                _ => {}
            }
        }
        undone.restored.sort();
        undone.conflicts.sort_by(|a, b| a.path.cmp(&b.path));
        undone
    }
}

impl Thing {
    /// What it was before the turn, with the permissions that somebody else has given it since.
    fn restored(&self, now: &State) -> State {
        let mut before = self.before.clone();
        if now.mode() != self.after.mode() {
            before.set_mode(now.mode());
        }
        before
    }
}

impl TurnChanges<'_> {
    fn note(&self, log: &mut Log, deed: Deed, undoes: Vec<u32>) -> Result<(), ChangeError> {
        let step = self.begin(log, deed, Some(undoes))?;
        Ok(log.done(step, None)?)
    }

    fn put_back(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        before: &State,
        undoes: Vec<u32>,
    ) -> Result<(), ChangeError> {
        let mut now = self.now(path)?;
        let bytes = if now.node.is_some() || before.file().is_none_or(|file| file.trash.is_none()) {
            self.content(before)?
        } else {
            None
        };
        if let (State::File(file), None) = (before, &bytes) {
            let step = file.trash.ok_or_else(|| ChangeError::NotKept(path.clone()))?;
            if now.node.is_some() {
                // Too large to be put there in one step.
                self.put(log, path, &now, Wanted::Absent, Some(Vec::new()))?;
                now = self.now(path)?;
            }
            self.put(log, path, &now, Wanted::FromTrash { step, file }, Some(undoes))?;
            return Ok(());
        }
        let wanted = match (before, &bytes) {
            (State::File(file), Some(bytes)) => Wanted::File { bytes, mode: Some(file.mode) },
            (State::Link(target), _) => Wanted::Link(target),
            (State::Folder { mode, .. }, _) => Wanted::Folder { mode: Some(*mode) },
            (State::Absent | State::File(_), _) => Wanted::Absent,
        };
        // What the turn left is replaced, not thrown away.
        if now.state.file().is_some() {
            (now, _) = self.with_content(path)?;
        }
        self.put(log, path, &now, wanted, Some(undoes))?;
        Ok(())
    }
}

fn told(error: impl Into<ChangeError>) -> String {
    error.into().to_string()
}
