//! The steps of a turn, sorted by what they happened to: a strand is the story of one file, folder or link, also
//! across renames.

use super::{
    log::{Deed, Step},
    state::State,
};
use crate::workspace::WorkspacePath;

#[derive(Clone, Debug)]
pub struct Strand {
    /// The steps that stand, oldest first. Empty: all were taken back.
    pub steps: Vec<u32>,
    pub net: Net,
    /// What the turn had done, where an undo has begun to take it back.
    pub undone: Option<Net>,
}

/// What all steps together come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// Where it was before the turn; `None` where it was not.
    pub from: Option<WorkspacePath>,
    /// Where it is, or was last.
    pub at: WorkspacePath,
    pub before: State,
    pub after: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Created,
    Modified,
    Deleted,
    Moved,
}

impl Strand {
    fn new(step: u32, net: Net) -> Self {
        Self { steps: vec![step], net, undone: None }
    }

    pub fn is_undone(&self) -> bool {
        self.steps.is_empty()
    }

    /// What the turn did, whether or not it was taken back.
    pub fn told(&self) -> &Net {
        if self.is_undone() { self.undone.as_ref().unwrap_or(&self.net) } else { &self.net }
    }

    fn is_gone(&self) -> bool {
        self.net.after.is_absent()
    }
}

impl Net {
    /// `None` where nothing is different.
    pub fn kind(&self) -> Option<Kind> {
        match (&self.from, self.before.is_absent(), self.after.is_absent()) {
            (_, true, true) => None,
            (_, true, false) => Some(Kind::Created),
            (_, false, true) => Some(Kind::Deleted),
            (Some(from), ..) if *from != self.at => Some(Kind::Moved),
            _ if self.before.looks_like(&self.after) => None,
            _ => Some(Kind::Modified),
        }
    }

    /// The path that a person knows it by.
    pub fn path(&self) -> &WorkspacePath {
        match &self.from {
            Some(from) if self.after.is_absent() => from,
            _ => &self.at,
        }
    }

    /// Whether a person who names `path` means this, too: the path itself, a folder above, or where it came from.
    pub fn is_meant_by(&self, path: &WorkspacePath) -> bool {
        [Some(&self.at), self.from.as_ref()].into_iter().flatten().any(|at| at == path || at.below(path).is_some())
    }
}

/// Sorts the steps that were made, those of undos among them.
pub fn strands(made: &[Step]) -> Vec<Strand> {
    let mut strands = Vec::new();
    for step in made {
        if step.undo { take_back(&mut strands, step) } else { add(&mut strands, step) }
    }
    strands
}

fn add(strands: &mut Vec<Strand>, step: &Step) {
    match &step.deed {
        Deed::Put { path, before, after } => match standing(strands, path, before.is_absent()) {
            Some(strand) => {
                strand.steps.push(step.number);
                // A file that was only renamed so far was not read: this is the first that is known of its content.
                if let (Some(known), Some(unread)) = (before.file(), strand.net.before.file())
                    && unread.hash.is_none()
                    && unread.stamp == known.stamp
                {
                    strand.net.before = before.clone();
                }
                strand.net.after = after.clone();
            }
            None => {
                let from = (!before.is_absent()).then(|| path.clone());
                let net = Net { from, at: path.clone(), before: before.clone(), after: after.clone() };
                strands.push(Strand::new(step.number, net));
            }
        },
        Deed::Move { from, to, what } => {
            match standing(strands, from, false) {
                Some(strand) => {
                    strand.steps.push(step.number);
                    strand.net.at = to.clone();
                }
                None => {
                    let net =
                        Net { from: Some(from.clone()), at: to.clone(), before: what.clone(), after: what.clone() };
                    strands.push(Strand::new(step.number, net));
                }
            }
            carry(strands, from, to);
        }
    }
}

/// The strand that a step at `path` goes on with. `gone`: it was not there.
fn standing<'a>(strands: &'a mut [Strand], path: &WorkspacePath, gone: bool) -> Option<&'a mut Strand> {
    strands.iter_mut().rev().find(|strand| !strand.is_undone() && strand.net.at == *path && strand.is_gone() == gone)
}

/// What stands below a folder goes with it.
fn carry(strands: &mut [Strand], from: &WorkspacePath, to: &WorkspacePath) {
    for strand in strands.iter_mut().filter(|strand| strand.net.at.below(from).is_some()) {
        if let Some(at) = strand.net.at.moved(from, to) {
            strand.net.at = at;
        }
    }
}

fn take_back(strands: &mut [Strand], step: &Step) {
    let strand = strands.iter_mut().find(|strand| step.undoes.iter().any(|undone| strand.steps.contains(undone)));
    let Some(strand) = strand else { return };
    let before = strand.net.clone();
    strand.undone.get_or_insert(before);
    strand.steps.retain(|number| !step.undoes.contains(number));
    match &step.deed {
        Deed::Put { after, .. } => strand.net.after = after.clone(),
        Deed::Move { from, to, .. } => {
            strand.net.at = to.clone();
            carry(strands, from, to);
        }
    }
}
