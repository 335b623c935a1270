//! What a turn's steps come to: its things. A thing is one file, folder or link, with where it stood before the turn
//! and where it stands now. A place is a name in a folder, and that folder is a thing itself. So what stands in a
//! folder moves with it, and what comes back into a folder comes to wherever that stands by then: no order of steps
//! and undos has to be remembered.

use std::collections::{HashMap, HashSet};

use super::{
    log::{Deed, Step},
    state::State,
};
use crate::workspace::WorkspacePath;

/// Which of the things.
pub type Id = usize;

/// The workspace itself.
pub const ROOT: Id = 0;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub folder: Id,
    pub name: String,
}

#[derive(Clone, Debug)]
pub struct Thing {
    /// Where it stood before the turn; `None` where it was not.
    pub home: Option<Place>,
    pub before: State,
    /// Where it stands, or stood last.
    pub at: Place,
    pub after: State,
    /// The turn's steps with it that are not taken back.
    pub steps: Vec<u32>,
    /// Somebody else changed it between two of the steps: `before` is what they left.
    pub shared: bool,
    /// What the turn had done, where it was taken back.
    pub undone: Option<Net>,
    folder: bool,
}

/// What all steps with a thing together come to, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    pub kind: Kind,
    /// Where it stands; of what is gone where it would come back to.
    pub path: WorkspacePath,
    /// Where it was before the turn, if it was.
    pub from: Option<WorkspacePath>,
    pub before: State,
    pub after: State,
    pub shared: bool,
    /// A folder that came or went with what is in it is not told beside it.
    pub news: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Created,
    Modified,
    Deleted,
    Moved,
}

#[derive(Clone, Debug)]
pub struct Things {
    things: Vec<Thing>,
    /// What stands where.
    standing: HashMap<Place, Id>,
    /// What stood where before the turn.
    homes: HashMap<Place, Id>,
    /// Which thing a step was with.
    owners: HashMap<u32, Id>,
    /// Folders that came or went with what is in them, which are not told beside it. As it was before the first undo:
    /// what is told does not change while it is taken back.
    silent: HashSet<Id>,
}

impl Things {
    /// Of all steps that were made, those of undos among them.
    pub fn of(made: &[Step]) -> Self {
        let at = Place { folder: ROOT, name: String::new() };
        let state = State::Folder { mode: 0 };
        let mut things = Self {
            things: vec![Thing::found(at, state.clone(), true)],
            standing: HashMap::new(),
            homes: HashMap::new(),
            owners: HashMap::new(),
            silent: HashSet::new(),
        };
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

    pub fn get(&self, id: Id) -> &Thing {
        &self.things[id]
    }

    /// What the turn made different and no undo has taken back.
    pub fn open(&self) -> impl Iterator<Item = Id> {
        (0..self.things.len()).filter(|id| self.kind(*id).is_some())
    }

    /// What was taken back.
    pub fn undone(&self) -> impl Iterator<Item = &Net> {
        self.things.iter().filter(|thing| !thing.is_touched()).filter_map(|thing| thing.undone.as_ref())
    }

    pub fn standing(&self, place: &Place) -> Option<Id> {
        self.standing.get(place).copied()
    }

    pub fn is_standing(&self, id: Id) -> bool {
        id == ROOT || self.standing(&self.things[id].at) == Some(id)
    }

    /// Where it stands; `None` where it doesn't.
    pub fn path(&self, id: Id) -> Option<WorkspacePath> {
        if id == ROOT {
            return Some(WorkspacePath::root());
        }
        let stands = self.is_standing(id) && self.around(id).all(|folder| self.is_standing(folder));
        stands.then(|| self.named_by(id, |thing| &thing.at))
    }

    pub fn path_of(&self, place: &Place) -> Option<WorkspacePath> {
        self.path(place.folder).map(|folder| folder.entry(&place.name))
    }

    /// The folders around it, from the nearest up.
    pub fn around(&self, id: Id) -> impl Iterator<Item = Id> {
        self.up(id, |thing| &thing.at)
    }

    fn up<'a>(&'a self, id: Id, place: impl Fn(&'a Thing) -> &'a Place + 'a) -> impl Iterator<Item = Id> + 'a {
        let above = move |id: &Id| Some(place(&self.things[*id]).folder).filter(|folder| *folder != ROOT);
        // A record that was tampered with may lead in a circle.
        std::iter::successors(above(&id), above).take(self.things.len())
    }

    fn named_by<'a>(&'a self, id: Id, place: impl Fn(&'a Thing) -> &'a Place + Copy + 'a) -> WorkspacePath {
        let mut names = vec![place(&self.things[id]).name.as_str()];
        names.extend(self.up(id, place).map(|folder| place(&self.things[folder]).name.as_str()));
        names.iter().rev().fold(WorkspacePath::root(), |folder, name| folder.entry(name))
    }

    /// The path that a person knows it by: of what is gone where it would come back to.
    pub fn shown(&self, id: Id) -> WorkspacePath {
        self.named_by(id, Thing::shown_place)
    }

    /// Where it would come back to now; `None` where it was not before the turn.
    pub fn home_path(&self, id: Id) -> Option<WorkspacePath> {
        let home = self.things[id].home.as_ref()?;
        let folder = if home.folder == ROOT { WorkspacePath::root() } else { self.shown(home.folder) };
        Some(folder.entry(&home.name))
    }

    /// Whether nothing that is known stands where it would come back to, or where a folder of that path would.
    pub fn is_home_free(&self, id: Id) -> bool {
        let is_free = |id: Id| {
            let place = self.things[id].home_or_place();
            self.is_standing(id) || self.standing(place).is_none()
        };
        let place = self.things[id].home_or_place();
        let own = self.standing(place).is_none_or(|holder| holder == id);
        own && (place.folder == ROOT
            || std::iter::once(place.folder).chain(self.up(place.folder, Thing::shown_place)).all(is_free))
    }

    fn from(&self, id: Id) -> WorkspacePath {
        self.named_by(id, Thing::home_or_place)
    }

    /// What is open under `path`: what it names, and all in it.
    pub fn named(&self, path: &WorkspacePath) -> Vec<Id> {
        let meant = |at: WorkspacePath| at == *path || at.below(path).is_some();
        let listed: Vec<Id> = self.open().filter(|id| meant(self.shown(*id))).collect();
        if !listed.is_empty() {
            return listed;
        }
        // Nothing is listed there any more: what was there before the turn.
        self.open().filter(|id| self.things[*id].home.is_some() && meant(self.from(*id))).collect()
    }

    /// What is different with it; `None` where nothing is, or no longer.
    pub fn kind(&self, id: Id) -> Option<Kind> {
        let thing = &self.things[id];
        match (thing.before.is_absent(), thing.after.is_absent()) {
            _ if !thing.is_touched() => None,
            (true, true) => None,
            (true, false) => Some(Kind::Created),
            (false, true) => Some(Kind::Deleted),
            _ if !thing.is_home() => Some(Kind::Moved),
            _ if thing.before.looks_like(&thing.after) => None,
            _ => Some(Kind::Modified),
        }
    }

    pub fn net(&self, id: Id) -> Option<Net> {
        let kind = self.kind(id)?;
        let thing = &self.things[id];
        Some(Net {
            kind,
            path: self.shown(id),
            from: thing.home.as_ref().map(|_| self.from(id)),
            before: thing.before.clone(),
            after: thing.after.clone(),
            shared: thing.shared,
            news: !self.silent.contains(&id),
        })
    }

    fn silent_folders(&self) -> HashSet<Id> {
        let (mut now, mut before) = (HashSet::new(), HashSet::new());
        for id in self.open() {
            if self.path(id).is_some() {
                now.extend(self.around(id));
            }
            before.extend(self.up(id, Thing::home_or_place));
        }
        let is_silent = |id: &Id| {
            self.things[*id].folder
                && match self.kind(*id) {
                    Some(Kind::Created) => now.contains(id),
                    Some(Kind::Deleted) => before.contains(id),
                    _ => false,
                }
        };
        self.open().filter(is_silent).collect()
    }
}

/// The steps.
impl Things {
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

    /// A thing is made what it is from now on, where it is.
    pub fn put(&mut self, id: Id, after: &State) {
        let place = self.things[id].at.clone();
        if after.is_absent() {
            if self.is_standing(id) {
                self.standing.remove(&place);
            }
        } else {
            self.standing.insert(place, id);
        }
        self.things[id].after = after.clone();
    }

    /// A thing goes to a place.
    pub fn set(&mut self, id: Id, place: Place) {
        if self.is_standing(id) {
            self.standing.remove(&self.things[id].at);
            self.standing.insert(place.clone(), id);
        }
        self.things[id].at = place;
    }
}

impl Thing {
    fn found(at: Place, state: State, folder: bool) -> Self {
        let home = (!state.is_absent()).then(|| at.clone());
        Self { home, before: state.clone(), at, after: state, steps: Vec::new(), shared: false, undone: None, folder }
    }

    fn is_touched(&self) -> bool {
        !self.steps.is_empty()
    }

    pub fn is_folder(&self) -> bool {
        self.folder
    }

    fn shown_place(&self) -> &Place {
        match &self.home {
            Some(home) if self.after.is_absent() => home,
            _ => &self.at,
        }
    }

    fn home_or_place(&self) -> &Place {
        self.home.as_ref().unwrap_or(&self.at)
    }

    /// Whether it stands, or stood last, where it was before the turn.
    pub fn is_home(&self) -> bool {
        self.home.as_ref() == Some(&self.at)
    }
}
