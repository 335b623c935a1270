//! Taking a turn's changes back: its steps in reverse, each by a step of its own. A strand of which something else
//! is known than what the turn left is not touched, and is told as a conflict.

use super::{
    ChangeError, TurnChanges,
    list::is_news,
    log::{Deed, Log, Step},
    obstacles::{self, places, touches},
    perform::Wanted,
    state::State,
    strands::{Net, Strand, strands},
};
use crate::workspace::{WorkspaceError, WorkspacePath};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    No,
    /// A folder around something chosen: one that the turn made goes if it becomes empty, one that it took away
    /// comes back.
    Around,
    Yes,
}

/// How far a strand has come.
struct Thread<'a> {
    strand: &'a Strand,
    choice: Choice,
    /// What must stand there when the next step is taken back.
    expected: State,
    /// Steps that the next one takes back with itself.
    carried: Vec<u32>,
    left: usize,
    fault: Option<String>,
}

struct Undo<'a, 'b> {
    changes: &'b TurnChanges<'a>,
    log: &'b mut Log,
    made: &'b [Step],
    strands: &'b [Strand],
    threads: Vec<Thread<'b>>,
    /// Renames that stay: what happened under those names before them can't be reached by name.
    standing: Vec<(&'b WorkspacePath, &'b WorkspacePath)>,
    /// Folders that had to be made for something to come back.
    parents: Vec<WorkspacePath>,
}

impl TurnChanges<'_> {
    /// Takes the turn's changes back, all or those at `paths` (as listed; a folder means all in it). What was taken
    /// back before stays as it is.
    pub fn undo(&self, paths: Option<&[WorkspacePath]>) -> Result<Undone, ChangeError> {
        let Some(mut log) = self.existing_log()? else { return Ok(Undone::default()) };
        let made = log.made();
        let strands = strands(&made);
        let mut threads = threads(&strands, paths);
        let chosen: Vec<bool> = threads.iter().map(|thread| thread.choice != Choice::No).collect();
        for (thread, fault) in threads.iter_mut().zip(self.obstacles(&strands, &chosen, &made)?) {
            thread.fault = fault;
        }
        let mut undo = Undo {
            changes: self,
            log: &mut log,
            made: &made,
            strands: &strands,
            threads,
            standing: Vec::new(),
            parents: Vec::new(),
        };
        for step in made.iter().rev().filter(|step| !step.undo) {
            undo.step(step);
        }
        undo.remove_empty_parents()?;
        Ok(undo.outcome())
    }
}

fn threads<'a>(strands: &'a [Strand], paths: Option<&[WorkspacePath]>) -> Vec<Thread<'a>> {
    let meant = |net: &Net| paths.is_none_or(|paths| paths.iter().any(|path| net.is_meant_by(path)));
    let chosen: Vec<&Strand> = strands.iter().filter(|strand| !strand.is_undone() && meant(&strand.net)).collect();
    let holds_chosen = |strand: &Strand| {
        let (before, after) = (&strand.net.before, &strand.net.after);
        (before.is_absent() && after.is_folder() || before.is_folder() && after.is_absent())
            && chosen.iter().any(|inside| inside.net.at.below(&strand.net.at).is_some())
    };
    let choice = |strand: &Strand| match () {
        () if strand.is_undone() => Choice::No,
        () if meant(&strand.net) => Choice::Yes,
        () if holds_chosen(strand) => Choice::Around,
        () => Choice::No,
    };
    let thread = |strand: &'a Strand| Thread {
        strand,
        choice: choice(strand),
        expected: strand.net.after.clone(),
        carried: Vec::new(),
        left: strand.steps.len(),
        fault: None,
    };
    strands.iter().map(thread).collect()
}

impl<'b> Undo<'_, 'b> {
    fn step(&mut self, step: &'b Step) {
        let Some(at) = self.threads.iter().position(|thread| thread.strand.steps.contains(&step.number)) else {
            return;
        };
        let thread = &self.threads[at];
        if thread.choice == Choice::No || thread.fault.is_some() || thread.left == 0 {
            if thread.left > 0 {
                self.stays(step);
            }
            return;
        }
        match self.take_back(at, step) {
            Ok(()) => self.threads[at].left -= 1,
            Err(reason) => {
                self.threads[at].fault = Some(reason);
                self.stays(step);
            }
        }
    }

    fn stays(&mut self, step: &'b Step) {
        if let Deed::Move { from, to, .. } = &step.deed {
            self.standing.push((from, to));
        }
    }

    /// The error is the reason for a person.
    fn take_back(&mut self, at: usize, step: &Step) -> Result<(), String> {
        if let Some(moved) = self.standing.iter().flat_map(|(a, b)| [*a, *b]).find(|moved| touches(step, moved)) {
            return Err(obstacles::moved(moved));
        }
        let now = match &step.deed {
            Deed::Put { path, .. } => path,
            Deed::Move { to, .. } => to,
        };
        let thread = &self.threads[at];
        let fresh = thread.left == thread.strand.steps.len();
        if fresh && !thread.expected.holds(self.changes.workspace, now).map_err(told)? {
            let net = &thread.strand.net;
            if net.at == *now && self.changes.is_as_before(net).map_err(told)? {
                return self.note_as_before(at, now);
            }
            return Err(self.changes.difference(net, now).into());
        }
        if self.can_be_carried(at, step) {
            self.threads[at].carried.push(step.number);
            return Ok(());
        }
        let undoes = self.undoes(at, step);
        let thread = &mut self.threads[at];
        match &step.deed {
            Deed::Put { path, before, .. } => {
                if !before.is_absent() {
                    self.parents.extend(self.changes.make_parents(self.log, path, true).map_err(told)?);
                }
                self.changes.put_back(self.log, path, before, undoes).map_err(told)?;
                thread.expected = before.clone();
            }
            Deed::Move { from, .. } => {
                let to = self.made.iter().find(|made| Some(&made.number) == undoes.first());
                let to = to.and_then(|newest| if let Deed::Move { to, .. } = &newest.deed { Some(to) } else { None });
                self.parents.extend(self.changes.make_parents(self.log, from, true).map_err(told)?);
                self.changes.move_back(self.log, to.unwrap_or(now), from, undoes).map_err(told)?;
            }
        }
        Ok(())
    }

    fn undoes(&mut self, at: usize, step: &Step) -> Vec<u32> {
        let mut undoes = std::mem::take(&mut self.threads[at].carried);
        undoes.push(step.number);
        undoes
    }

    /// Records it, so that it counts as taken back.
    fn note_as_before(&mut self, at: usize, path: &WorkspacePath) -> Result<(), String> {
        let thread = &mut self.threads[at];
        let before = thread.strand.net.before.clone();
        let deed = Deed::Put { path: path.clone(), before: before.clone(), after: before };
        self.changes.record(self.log, deed, thread.strand.steps.clone()).map_err(told)?;
        thread.left = 1;
        Ok(())
    }

    /// Whether this step and the next older one of its strand can be taken back as one: the file was there under the
    /// same name in between, and nothing else was.
    fn can_be_carried(&self, at: usize, step: &Step) -> bool {
        let steps = &self.threads[at].strand.steps;
        let older = steps.iter().rev().find(|number| **number < step.number);
        let Some(older) = older.and_then(|older| self.made.iter().find(|made| made.number == *older)) else {
            return false;
        };
        let joins = match (&older.deed, &step.deed) {
            (Deed::Put { path: a, before: old, after: between }, Deed::Put { path: b, after: new, .. }) => {
                a == b && ![old, between, new].into_iter().any(State::is_folder)
            }
            (Deed::Move { to, .. }, Deed::Move { from, .. }) => to == from,
            _ => false,
        };
        let between = |made: &&Step| made.number > older.number && made.number < step.number;
        joins
            && !self.made.iter().filter(between).any(|made| places(step).into_iter().any(|place| touches(made, place)))
    }

    /// What came back may have gone on its way further, out of a folder that was only there for it.
    fn remove_empty_parents(&mut self) -> Result<(), ChangeError> {
        for folder in std::mem::take(&mut self.parents).iter().rev() {
            let now = self.changes.now(folder)?;
            if now.state.is_folder() && self.changes.workspace.list(folder)?.is_empty() {
                self.changes.put(self.log, folder, &now, Wanted::Absent, Some(Vec::new()))?;
            }
        }
        Ok(())
    }

    fn outcome(self) -> Undone {
        let mut undone = Undone::default();
        let faulty: Vec<&WorkspacePath> = self
            .threads
            .iter()
            .filter(|thread| thread.choice == Choice::No || thread.fault.is_some())
            .map(|thread| &thread.strand.net.at)
            .collect();
        for thread in self.threads.iter().filter(|thread| thread.choice != Choice::No) {
            let net = &thread.strand.net;
            let Some(reason) = &thread.fault else {
                if is_news(thread.strand, self.strands) && thread.choice == Choice::Yes {
                    undone.restored.push(net.path().clone());
                }
                continue;
            };
            // A folder that has to stay for what is left in it is no news, nor is what came and went.
            let stays = net.after.is_folder() && faulty.iter().any(|path| path.below(&net.at).is_some());
            if thread.choice == Choice::Yes && net.kind().is_some() && !stays {
                undone.conflicts.push(Conflict { path: net.path().clone(), reason: reason.clone() });
            }
        }
        undone.restored.sort();
        undone.conflicts.sort_by(|a, b| a.path.cmp(&b.path));
        undone
    }
}

impl TurnChanges<'_> {
    /// Records a step for which nothing had to be done.
    fn record(&self, log: &mut Log, deed: Deed, undoes: Vec<u32>) -> Result<(), ChangeError> {
        let number = log.next();
        log.begin(Step { number, undoes, undo: true, deed })?;
        Ok(log.done(number, None)?)
    }

    fn put_back(
        &self,
        log: &mut Log,
        path: &WorkspacePath,
        before: &State,
        undoes: Vec<u32>,
    ) -> Result<(), ChangeError> {
        let mut now = self.now(path)?;
        let bytes = match before.file() {
            Some(file) => match file.trash.filter(|_| self.is_kept(before)) {
                Some(step) if now.node.is_none() => {
                    self.put(log, path, &now, Wanted::FromTrash { step, file }, Some(undoes))?;
                    return Ok(());
                }
                _ => Some(self.content(before)?.ok_or_else(|| ChangeError::NotKept(path.clone()))?),
            },
            None => None,
        };
        let wanted = match (before, &bytes) {
            (State::File(file), Some(bytes)) => Wanted::File { bytes, mode: Some(file.mode) },
            (State::Link(target), _) => Wanted::Link(target),
            (State::Folder { mode, .. }, _) => Wanted::Folder { mode: Some(*mode) },
            (State::Absent | State::File(_), _) => Wanted::Absent,
        };
        // What the turn left is replaced, not thrown away.
        if now.state.file().is_some() && !before.is_absent() {
            (now, _) = self.with_content(path)?;
        }
        self.put(log, path, &now, wanted, Some(undoes))?;
        Ok(())
    }

    fn move_back(
        &self,
        log: &mut Log,
        from: &WorkspacePath,
        to: &WorkspacePath,
        undoes: Vec<u32>,
    ) -> Result<(), ChangeError> {
        let now = self.now(from)?;
        if from == to {
            // There and back again.
            let deed = Deed::Move { from: from.clone(), to: to.clone(), what: now.state };
            return self.record(log, deed, undoes);
        }
        if self.workspace.node(to)?.is_some() {
            return Err(WorkspaceError::Exists(to.clone()).into());
        }
        self.relocate(log, from, &now, to, Some(undoes))
    }
}

fn told(error: impl Into<ChangeError>) -> String {
    error.into().to_string()
}
