//! What a turn's steps come to: its things. A thing is one file, folder or link, with where it stood before the turn
//! and where it stands now. A place is a name in a folder, and that folder is a thing itself. So what stands in a
//! folder moves with it, and what comes back into a folder comes to wherever that stands by then: no order of steps
//! and undos has to be remembered.

use std::collections::{HashMap, HashSet};

use super::state::State;
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
    pub(super) folder: bool,
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

#[derive(Clone, Debug, Default)]
pub struct Things {
    pub(super) things: Vec<Thing>,
    /// What stands where.
    pub(super) standing: HashMap<Place, Id>,
    /// What stood where before the turn.
    pub(super) homes: HashMap<Place, Id>,
    /// Which thing a step was with.
    pub(super) owners: HashMap<u32, Id>,
    /// Folders that came or went with what is in them, which are not told beside it. As it was before the first undo:
    /// what is told does not change while it is taken back.
    pub(super) silent: HashSet<Id>,
}

impl Things {
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

    pub(super) fn silent_folders(&self) -> HashSet<Id> {
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

impl Thing {
    pub(super) fn found(at: Place, state: State, folder: bool) -> Self {
        let home = (!state.is_absent()).then(|| at.clone());
        Self { home, before: state.clone(), at, after: state, steps: Vec::new(), shared: false, undone: None, folder }
    }

    pub(super) fn is_touched(&self) -> bool {
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
