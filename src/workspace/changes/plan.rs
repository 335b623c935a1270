//! What an undo takes back and what it has to leave, and why, found before anything is done: a thing is taken back
//! whole or not at all.

use std::collections::{BTreeMap, HashMap};

use super::{
    ChangeError, TurnChanges,
    state::State,
    things::{Id, Kind, Place, Things},
};
use crate::workspace::{WorkspaceError, WorkspacePath};

pub const AGAIN: &str = "Something else stands there now, so it was left as it is.";
const GONE: &str = "It is no longer there.";
const CHANGED: &str = "It was changed after this turn, so it was left as it is.";
const NOT_KEPT: &str = "What it held before was not kept, so it can't be undone.";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub picks: BTreeMap<Id, Pick>,
}

/// A thing that was chosen, or that hangs together with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub why: Why,
    pub course: Course,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody asked for it.
    Chosen,
    /// Something that goes can only go with it.
    Needed,
    /// A folder that the turn made around something that goes. It goes if nothing is left in it.
    Around,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is taken back.
    Goes,
    /// Somebody has done so already.
    AsBefore,
    /// It is left, for this reason.
    Stays(String),
    /// A folder that is left for this in it, which is told by itself.
    Holds(Id),
}

/// What must be taken back before, or at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// The folder that it stood in, which is gone. It comes back with it.
    Folder(Id),
    /// What stands in its place now.
    Holder(Id),
    /// What was moved, and so has brought the folder that it stood in into itself.
    Inside(Id),
    /// What stands in it, where it is a folder that the turn made.
    Content(Id),
}

pub struct Planner<'a, 'b> {
    changes: &'b TurnChanges<'a>,
    things: &'b Things,
    known: HashMap<Id, Course>,
    taken: HashMap<Id, bool>,
    entries: HashMap<Id, Vec<Place>>,
    /// What of the turn stands in a folder.
    contents: HashMap<Id, Vec<Id>>,
}

impl Plan {
    fn goes(&self, id: Id) -> bool {
        self.picks.get(&id).is_some_and(|pick| matches!(pick.course, Course::Goes | Course::AsBefore))
    }

    /// Why a thing can't be taken back.
    pub fn obstacle(&self, id: Id) -> Option<&str> {
        match self.picks.get(&id).map(|pick| &pick.course) {
            Some(Course::Stays(reason)) => Some(reason),
            _ => None,
        }
    }

    /// What goes although nobody asked for it.
    pub fn along(&self) -> impl Iterator<Item = Id> {
        self.picks.iter().filter(|(id, pick)| pick.why == Why::Needed && self.goes(**id)).map(|(id, _)| *id)
    }
}

impl<'a, 'b> Planner<'a, 'b> {
    pub fn new(changes: &'b TurnChanges<'a>, things: &'b Things) -> Self {
        let mut contents: HashMap<Id, Vec<Id>> = HashMap::new();
        for id in things.open().filter(|id| things.is_standing(*id)) {
            contents.entry(things.get(id).at.folder).or_default().push(id);
        }
        Self { changes, things, known: HashMap::new(), taken: HashMap::new(), entries: HashMap::new(), contents }
    }

    pub fn plan(&mut self, chosen: &[Id]) -> Result<Plan, ChangeError> {
        let mut plan = Plan::default();
        for id in chosen {
            self.pick(&mut plan, *id, Why::Chosen)?;
        }
        // Folders that the turn made for what goes now.
        for folder in chosen.iter().flat_map(|id| self.things.around(*id)) {
            if self.things.kind(folder) == Some(Kind::Created) && !plan.picks.contains_key(&folder) {
                self.pick(&mut plan, folder, Why::Around)?;
            }
        }
        // What stays may be in the way of others, which then stay, too.
        loop {
            let before = plan.clone();
            let going: Vec<Id> =
                plan.picks.iter().filter(|(_, pick)| pick.course == Course::Goes).map(|(id, _)| *id).collect();
            for id in going {
                let course = self.weigh(&mut plan, id)?;
                if let Some(pick) = plan.picks.get_mut(&id) {
                    pick.course = course;
                }
            }
            if plan == before {
                return Ok(plan);
            }
        }
    }

    fn pick(&mut self, plan: &mut Plan, id: Id, why: Why) -> Result<(), ChangeError> {
        let course = self.of_itself(id)?;
        plan.picks.insert(id, Pick { why, course });
        Ok(())
    }

    /// Takes in what something that goes needs, where they can only go together.
    fn call(&mut self, plan: &mut Plan, need: Need, by: Id) -> Result<(), ChangeError> {
        let id = need.id();
        let joins = match plan.picks.get(&id) {
            Some(pick) => pick.why == Why::Around,
            None => self.things.kind(id).is_some() && (matches!(need, Need::Folder(_)) || self.leads_to(id, by)),
        };
        if joins { self.pick(plan, id, Why::Needed) } else { Ok(()) }
    }

    /// Whether it, or a folder that has to come back with it, waits for something else.
    pub fn is_entangled(&self, id: Id) -> bool {
        let mut seen = vec![id];
        while let Some(id) = seen.last().copied() {
            match self.needs(id).first() {
                None => return false,
                Some(Need::Folder(folder)) if !seen.contains(folder) => seen.push(*folder),
                Some(_) => return true,
            }
        }
        false
    }

    /// What stands against taking it back, others left aside.
    fn of_itself(&mut self, id: Id) -> Result<Course, ChangeError> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let course = self.look(id)?;
        self.known.insert(id, course.clone());
        Ok(course)
    }

    fn look(&self, id: Id) -> Result<Course, ChangeError> {
        let (thing, workspace) = (self.things.get(id), self.changes.workspace);
        let at = self.things.path(id);
        let holds = match &at {
            Some(at) if !thing.after.is_absent() => thing.after.holds(workspace, at)?,
            _ => false,
        };
        if !holds && self.is_as_before(id, at.as_ref())? {
            return Ok(Course::AsBefore);
        }
        if !holds && !thing.after.is_absent() {
            return Ok(Course::Stays(self.changes.difference(at.as_ref()).into()));
        }
        let differs = !thing.before.looks_like(&thing.after);
        Ok(match differs && !self.changes.is_kept(&thing.before) {
            true => Course::Stays(NOT_KEPT.into()),
            false => Course::Goes,
        })
    }

    /// Whether somebody has already put back what was there before the turn.
    fn is_as_before(&self, id: Id, at: Option<&WorkspacePath>) -> Result<bool, WorkspaceError> {
        let (thing, workspace) = (self.things.get(id), self.changes.workspace);
        let home = self.things.home_path(id);
        let is_left = match at {
            Some(at) if home.as_ref() != Some(at) => workspace.node(at)?.is_none(),
            _ => true,
        };
        let is_back =
            self.things.is_home_free(id) && home.map_or(Ok(true), |home| thing.before.holds(workspace, &home))?;
        Ok(is_left && is_back)
    }

    fn weigh(&mut self, plan: &mut Plan, id: Id) -> Result<Course, ChangeError> {
        let Some(home) = &self.things.get(id).home else { return self.weigh_empty(plan, id) };
        for need in self.needs(id) {
            let other = need.id();
            self.call(plan, need, id)?;
            let makes_room = self.things.get(other).home.as_ref() != Some(home);
            if !(plan.goes(other) && makes_room) {
                return Ok(Course::Stays(self.reason(plan, id, need)));
            }
        }
        let stands = self.things.get(id).is_home() && self.things.is_standing(id);
        if !stands && self.things.standing(home).is_none() && self.is_taken(id, home)? {
            return Ok(Course::Stays(AGAIN.into()));
        }
        Ok(Course::Goes)
    }

    /// A folder that the turn made goes when nothing is left in it.
    fn weigh_empty(&mut self, plan: &mut Plan, id: Id) -> Result<Course, ChangeError> {
        let (thing, Some(path)) = (self.things.get(id), self.things.path(id)) else { return Ok(Course::Goes) };
        if !thing.is_folder() {
            return Ok(Course::Goes);
        }
        if plan.picks.get(&id).is_some_and(|pick| pick.why != Why::Around) {
            for need in self.needs(id) {
                self.call(plan, need, id)?;
            }
        }
        if !self.entries.contains_key(&id) {
            let entries = match self.changes.workspace.list(&path) {
                Ok(entries) => entries,
                // Somebody is taking it away at this moment.
                Err(WorkspaceError::NotFound(_) | WorkspaceError::NotAFolder(_)) => Vec::new(),
                Err(error) => return Ok(Course::Stays(error.to_string())),
            };
            let places = entries.into_iter().map(|entry| Place { folder: id, name: entry.name }).collect();
            self.entries.insert(id, places);
        }
        let mut course = Course::Goes;
        for place in &self.entries[&id] {
            match self.things.standing(place) {
                Some(inside) if plan.goes(inside) && self.things.get(inside).home.as_ref() != Some(place) => {}
                Some(inside) if self.things.kind(inside).is_some() => return Ok(Course::Holds(inside)),
                _ => course = Course::Stays(WorkspaceError::NotEmpty(path.clone()).to_string()),
            }
        }
        Ok(course)
    }

    fn needs(&self, id: Id) -> Vec<Need> {
        let thing = self.things.get(id);
        let Some(home) = &thing.home else {
            return self.contents.get(&id).into_iter().flatten().copied().map(Need::Content).collect();
        };
        let folders = || std::iter::once(home.folder).chain(self.things.around(home.folder));
        if let Some(gone) = folders().find(|folder| !self.things.is_standing(*folder)) {
            return vec![Need::Folder(gone)];
        }
        let holder = self.things.standing(home).filter(|holder| *holder != id);
        let mut needs: Vec<Need> = holder.map(Need::Holder).into_iter().collect();
        if self.things.is_standing(id) && folders().any(|folder| folder == id) {
            let between = folders().take_while(|folder| *folder != id);
            needs.extend(between.filter(|folder| !self.things.get(*folder).is_home()).map(Need::Inside));
        }
        needs
    }

    /// Whether what `from` needs comes, over whatever else, to `to`: then they can only go together.
    fn leads_to(&self, from: Id, to: Id) -> bool {
        let mut seen = vec![from];
        let mut next = 0;
        while let Some(id) = seen.get(next).copied() {
            next += 1;
            for need in self.needs(id) {
                if need.id() == to {
                    return true;
                }
                if !seen.contains(&need.id()) {
                    seen.push(need.id());
                }
            }
        }
        false
    }

    fn is_taken(&mut self, id: Id, home: &Place) -> Result<bool, WorkspaceError> {
        if let Some(taken) = self.taken.get(&id) {
            return Ok(*taken);
        }
        let taken = match self.things.path_of(home) {
            Some(path) => self.changes.workspace.node(&path)?.is_some(),
            None => false,
        };
        self.taken.insert(id, taken);
        Ok(taken)
    }

    fn reason(&self, plan: &Plan, id: Id, need: Need) -> String {
        let other = need.id();
        let name = self.things.shown(other);
        let obstacle = plan.obstacle(other);
        let can_go = |other| self.things.kind(other).is_some() && !plan.picks.contains_key(&other);
        let holds = match plan.picks.get(&other).map(|pick| &pick.course) {
            Some(Course::Holds(inside)) => Some(*inside),
            _ => None,
        };
        match need {
            Need::Folder(_) => match obstacle {
                Some(why) => format!("Its folder `{name}` has to come back first. {why}"),
                None => format!("Its folder `{name}` is no longer there."),
            },
            Need::Holder(_) if can_go(other) => format!("`{name}` stands in its place now. Undo `{name}` first."),
            Need::Inside(_) if can_go(other) => {
                let folder = self.things.home_path(id).map(|home| home.folder()).unwrap_or_else(WorkspacePath::root);
                format!("The folder `{folder}`, where it was, stands inside it now. Undo `{name}` first.")
            }
            _ => match holds.filter(|inside| can_go(*inside)).map(|inside| self.things.shown(inside)) {
                Some(inside) => {
                    format!("`{name}` stands in its place now, with `{inside}` in it. Undo `{inside}` first.")
                }
                None => AGAIN.into(),
            },
        }
    }
}

impl Need {
    fn id(self) -> Id {
        match self {
            Self::Folder(id) | Self::Holder(id) | Self::Inside(id) | Self::Content(id) => id,
        }
    }
}

impl TurnChanges<'_> {
    /// What is other than the turn left it.
    pub(super) fn difference(&self, at: Option<&WorkspacePath>) -> &'static str {
        match at.map(|at| self.workspace.node(at)) {
            None | Some(Ok(None)) => GONE,
            _ => CHANGED,
        }
    }

    /// Whether a state that was recorded can be put back.
    fn is_kept(&self, state: &State) -> bool {
        match state.file() {
            None => true,
            Some(file) => match file.trash {
                Some(step) => self.trash().join(step.to_string()).is_file(),
                None => file.hash.as_ref().is_some_and(|hash| self.images.has(hash)),
            },
        }
    }
}
