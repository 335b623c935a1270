//! Why a strand can't be taken back, found before anything is done: a file is taken back whole or not at all.

use std::collections::HashMap;

use super::{
    TurnChanges,
    log::{Deed, Step},
    strands::{Net, Strand},
};
use crate::workspace::{WorkspaceError, WorkspacePath};

pub const AGAIN: &str = "Something else stands there now, so it was left as it is.";
pub const GONE: &str = "It is no longer there.";
pub const CHANGED: &str = "It was changed after this turn, so it was left as it is.";
const NOT_KEPT: &str = "What it held before was not kept, so it can't be undone.";

impl TurnChanges<'_> {
    /// For each strand that is chosen what stands against taking it back, for a person.
    pub(super) fn obstacles(
        &self,
        strands: &[Strand],
        chosen: &[bool],
        made: &[Step],
    ) -> Result<Vec<Option<String>>, WorkspaceError> {
        let mut weighed = Weighed { changes: self, strands, faults: vec![None; strands.len()], chosen };
        let steps: HashMap<u32, &Step> = made.iter().map(|step| (step.number, step)).collect();
        for (at, strand) in strands.iter().enumerate() {
            if chosen[at] && !weighed.is_nothing(strand) {
                weighed.faults[at] = weighed.of_itself(strand, &steps)?;
            }
        }
        // What stays may be in the way of others, which then stay, too.
        loop {
            let mut more = false;
            for (at, strand) in strands.iter().enumerate() {
                if !weighed.goes(at) || weighed.is_nothing(strand) {
                    continue;
                }
                let fault = match weighed.place_taken(&strand.net)? {
                    None => weighed.moved_since(strand, &steps),
                    taken => taken,
                };
                more |= fault.is_some();
                weighed.faults[at] = fault;
            }
            if !more {
                return Ok(weighed.faults);
            }
        }
    }

    /// Whether somebody has already put back what was there before the turn.
    pub(super) fn is_as_before(&self, net: &Net) -> Result<bool, WorkspaceError> {
        let stayed = net.from.as_ref().is_none_or(|from| *from == net.at);
        Ok(stayed && net.before.holds(self.workspace, &net.at)?)
    }

    pub(super) fn difference(&self, net: &Net, at: &WorkspacePath) -> &'static str {
        match self.workspace.node(at) {
            Ok(None) => GONE,
            _ if net.after.is_absent() => AGAIN,
            _ => CHANGED,
        }
    }
}

struct Weighed<'a, 'b> {
    changes: &'b TurnChanges<'a>,
    strands: &'b [Strand],
    chosen: &'b [bool],
    faults: Vec<Option<String>>,
}

impl Weighed<'_, '_> {
    fn goes(&self, at: usize) -> bool {
        self.chosen[at] && self.faults[at].is_none()
    }

    /// It came and went within the turn.
    fn is_nothing(&self, strand: &Strand) -> bool {
        strand.net.before.is_absent() && strand.net.after.is_absent()
    }

    fn of_itself(&self, strand: &Strand, steps: &HashMap<u32, &Step>) -> Result<Option<String>, WorkspaceError> {
        let (net, workspace) = (&strand.net, self.changes.workspace);
        // Where something was deleted, see `place_taken`.
        if !net.after.is_absent() && !net.after.holds(workspace, &net.at)? && !self.changes.is_as_before(net)? {
            return Ok(Some(self.changes.difference(net, &net.at).into()));
        }
        let first = strand.steps.iter().find_map(|number| match steps.get(number).map(|step| &step.deed) {
            Some(Deed::Put { before, .. }) => Some(before),
            _ => None,
        });
        let kept = first.is_none_or(|before| self.changes.is_kept(before));
        Ok((!kept).then(|| NOT_KEPT.into()))
    }

    /// Whether something that stays stands where the strand has to go back to.
    fn place_taken(&self, net: &Net) -> Result<Option<String>, WorkspaceError> {
        let Some(from) = &net.from else { return Ok(None) };
        if *from == net.at && !net.after.is_absent() || self.changes.is_as_before(net)? {
            return Ok(None);
        }
        if self.changes.workspace.node(from)?.is_none() {
            return Ok(None);
        }
        let leaves = |(at, strand): (usize, &Strand)| {
            self.goes(at) && strand.net.at == *from && !strand.net.after.is_absent() && !std::ptr::eq(&strand.net, net)
        };
        Ok((!self.strands.iter().enumerate().any(leaves)).then(|| AGAIN.into()))
    }

    /// Whether a name that its steps go by was moved by a step that stays.
    fn moved_since(&self, strand: &Strand, steps: &HashMap<u32, &Step>) -> Option<String> {
        let oldest = strand.steps.first()?;
        for (_, other) in self.strands.iter().enumerate().filter(|(at, _)| !self.goes(*at)) {
            for number in other.steps.iter().filter(|number| *number > oldest) {
                let Some(Deed::Move { from, to, .. }) = steps.get(number).map(|step| &step.deed) else { continue };
                let older = strand.steps.iter().filter(|own| *own < number).filter_map(|own| steps.get(own));
                for own in older {
                    if let Some(name) = [from, to].into_iter().find(|name| touches(own, name)) {
                        return Some(moved(name));
                    }
                }
            }
        }
        None
    }
}

pub fn moved(name: &WorkspacePath) -> String {
    format!("It was done before `{name}` was moved; undo that, too.")
}

pub fn places(step: &Step) -> Vec<&WorkspacePath> {
    match &step.deed {
        Deed::Put { path, .. } => vec![path],
        Deed::Move { from, to, .. } => vec![from, to],
    }
}

/// Whether a step happened at `place`, in it, or to a folder around it.
pub fn touches(step: &Step, place: &WorkspacePath) -> bool {
    places(step).into_iter().any(|path| path == place || path.below(place).is_some() || place.below(path).is_some())
}
