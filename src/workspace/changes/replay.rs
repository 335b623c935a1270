//! How a turn's steps are read: each is taken to the thing that it was with, under the names of its time.

use super::{
    log::{Deed, Step},
    state::State,
    things::{Id, Place, ROOT, Thing, Things},
};
use crate::workspace::WorkspacePath;

impl Things {
    /// Of all steps that were made, those of undos among them.
    pub fn of(made: &[Step]) -> Self {
        let at = Place { folder: ROOT, name: String::new() };
        // Of this one nothing is told or changed.
        let state = State::Folder { mode: 0 };
        let mut things = Self { things: vec![Thing::found(at, state, true)], ..Self::default() };
        let mut undoing = false;
        for step in made {
            if step.undo && !undoing {
                things.silent = things.silent_folders();
            }
            undoing = step.undo;
            if step.undo {
                things.take_back(step);
            } else {
                things.take(step);
            }
        }
        if !undoing {
            things.silent = things.silent_folders();
        }
        things
    }

    fn take(&mut self, step: &Step) {
        match &step.deed {
            Deed::Put { path, before, after } => {
                let Some(place) = self.place(path) else { return };
                let folder = if before.is_absent() { after.is_folder() } else { before.is_folder() };
                let id = self.meet(place, before, folder);
                self.touch(id, step.number, before);
                self.put(id, after);
            }
            // Nothing moves into itself.
            Deed::Move { from, to, .. } if to.below(from).is_some() => {}
            Deed::Move { from, to, what } => {
                let (Some(place), Some(to)) = (self.place(from), self.place(to)) else { return };
                let id = self.meet(place, what, what.is_folder());
                self.touch(id, step.number, what);
                self.set(id, to);
            }
        }
    }

    fn take_back(&mut self, step: &Step) {
        let (path, state) = match &step.deed {
            Deed::Put { path, before, after } => (path, if after.is_absent() { before } else { after }),
            Deed::Move { from, what, .. } => (from, what),
        };
        let Some(place) = self.place(path) else { return };
        let owner = step.undoes.first().and_then(|step| self.owners.get(step));
        let id = owner.copied().unwrap_or_else(|| self.meet(place.clone(), state, state.is_folder()));
        if self.things[id].undone.is_none() {
            self.things[id].undone = self.net(id);
        }
        match &step.deed {
            Deed::Put { after, .. } => {
                self.set(id, place);
                self.put(id, after);
            }
            Deed::Move { from, to, .. } => {
                if let Some(to) = self.place(to).filter(|_| to.below(from).is_none()) {
                    self.set(id, to);
                }
            }
        }
        self.things[id].steps.retain(|own| !step.undoes.contains(own));
    }

    /// The place that a path names now; `None` of the workspace itself.
    fn place(&mut self, path: &WorkspacePath) -> Option<Place> {
        let (folder, name) = path.split()?;
        Some(Place { folder: self.folder(&folder), name: name.to_owned() })
    }

    fn folder(&mut self, path: &WorkspacePath) -> Id {
        let Some(place) = self.place(path) else { return ROOT };
        // Its permissions are told with the first step that changes them.
        let state = State::Folder { mode: 0 };
        let id = self.meet(place, &state, true);
        if self.things[id].after.is_absent() {
            // Somebody else put it back.
            let before = self.things[id].before.clone();
            self.put(id, if before.is_folder() { &before } else { &state });
        }
        id
    }

    /// The thing that a step finds at a place, or that comes there: what stands there, else what stood there before
    /// the turn and is gone, else one that was not known.
    fn meet(&mut self, place: Place, found: &State, folder: bool) -> Id {
        let standing = self.standing(&place);
        let gone = || self.homes.get(&place).copied().filter(|id| self.things[*id].after.is_absent());
        match standing.or_else(gone) {
            Some(id) if self.things[id].folder == folder => {
                if !found.is_absent() {
                    self.standing.insert(place.clone(), id);
                }
                self.things[id].at = place;
                id
            }
            _ => {
                let id = self.things.len();
                if !found.is_absent() {
                    self.homes.insert(place.clone(), id);
                    // What stood there was taken away by somebody else.
                    self.standing.insert(place.clone(), id);
                }
                self.things.push(Thing::found(place, found.clone(), folder));
                id
            }
        }
    }

    /// Takes in what a step found of a thing before it changed it.
    fn touch(&mut self, id: Id, step: u32, found: &State) {
        let thing = &mut self.things[id];
        if !thing.is_touched() {
            thing.before = found.clone();
            thing.home = (!found.is_absent()).then(|| thing.at.clone());
            thing.undone = None;
        } else if !thing.after.has_content_of(found) {
            // Somebody else was here between two steps. What they left is theirs, and is what an undo brings back.
            thing.before = found.clone();
            thing.home = (!found.is_absent()).then(|| thing.home.take().unwrap_or_else(|| thing.at.clone()));
            thing.shared = true;
        } else {
            let mode = if found.mode() == thing.after.mode() { thing.before.mode() } else { found.mode() };
            // A file that was only moved so far was not read: this is the first that is known of its content.
            if thing.before.has_content_of(&thing.after) {
                thing.before = found.clone();
            }
            thing.before.set_mode(mode);
        }
        thing.after = found.clone();
        thing.steps.push(step);
        self.owners.insert(step, id);
        if let Some(home) = thing.home.clone() {
            self.homes.insert(home, id);
        }
    }
}
