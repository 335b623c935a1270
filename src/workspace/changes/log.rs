//! The record itself: a file of JSON lines that only grows. A step stands in it, on the disk, before it is made; how it
//! ended is added after. A process that is killed in between leaves a step without an end, and what stands at its
//! path tells which it was.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::state::State;
use crate::workspace::WorkspacePath;

const FILE: &str = "changes.jsonl";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From 1, in order.
    pub number: u32,
    /// The steps that this one takes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undoes: Vec<u32>,
    /// Part of an undo, also where it takes back no step: a folder that had to be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undo: bool,
    pub deed: Deed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    Put {
        path: WorkspacePath,
        before: State,
        after: State,
    },
    Move {
        from: WorkspacePath,
        to: WorkspacePath,
        /// What was moved.
        what: State,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Step(Step),
    /// `after`: what a put left, as it was seen.
    Done {
        step: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<State>,
    },
    Failed {
        step: u32,
    },
    /// A command runs that may change anything.
    CommandBegan {
        command: u32,
    },
    CommandEnded {
        command: u32,
        /// Why what it changed is not, or not all, among the steps.
        note: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Neither end is recorded: the process was killed.
    Open,
    Done,
    Failed,
}

/// The record of one turn, held alone until it is dropped.
#[derive(Debug)]
pub struct Log {
    file: File,
    steps: Vec<(Step, Outcome)>,
    /// The commands, and how they ended.
    commands: Vec<(u32, Option<Ended>)>,
    /// A kill left half a line at the end.
    torn: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub note: Option<String>,
}

impl Log {
    /// Opens the record in `data` and makes both where they are missing; waits for who holds it.
    pub fn open(data: &Path) -> io::Result<Self> {
        make_folder(data)?;
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(data.join(FILE))?;
        Self::read(file)
    }

    /// The record in `data`, if there is one.
    pub fn existing(data: &Path) -> io::Result<Option<Self>> {
        match OpenOptions::new().read(true).append(true).open(data.join(FILE)) {
            Ok(file) => Self::read(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn read(mut file: File) -> io::Result<Self> {
        file.lock()?;
        let mut text = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut text)?;
        let torn = text.last().is_some_and(|byte| *byte != b'\n');
        let mut log = Self { file, steps: Vec::new(), commands: Vec::new(), torn };
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(line) => log.take(line),
                // A step that was not written whole was never made.
                Err(error) => tracing::debug!(%error, "a line of a turn's record of changes is not whole"),
            }
        }
        Ok(log)
    }

    fn take(&mut self, line: Line) {
        match line {
            Line::Step(step) => self.steps.push((step, Outcome::Open)),
            Line::Done { step, after } => {
                if let Some((found, outcome)) = self.find(step) {
                    *outcome = Outcome::Done;
                    if let (Deed::Put { after: expected, .. }, Some(after)) = (&mut found.deed, after) {
                        *expected = after;
                    }
                }
            }
            Line::Failed { step } => {
                if let Some((_, outcome)) = self.find(step) {
                    *outcome = Outcome::Failed;
                }
            }
            Line::CommandBegan { command } => self.commands.push((command, None)),
            Line::CommandEnded { command, note } => {
                if let Some((_, ended)) = self.commands.iter_mut().find(|(number, _)| *number == command) {
                    *ended = Some(Ended { note });
                }
            }
        }
    }

    fn find(&mut self, number: u32) -> Option<&mut (Step, Outcome)> {
        self.steps.iter_mut().rev().find(|(step, _)| step.number == number)
    }

    pub fn steps(&self) -> &[(Step, Outcome)] {
        &self.steps
    }

    /// The steps that were made.
    pub fn made(&self) -> Vec<Step> {
        self.steps.iter().filter(|(_, outcome)| *outcome == Outcome::Done).map(|(step, _)| step.clone()).collect()
    }

    pub fn commands(&self) -> &[(u32, Option<Ended>)] {
        &self.commands
    }

    /// The number of the next step.
    pub fn next(&self) -> u32 {
        self.steps.last().map_or(1, |(step, _)| step.number + 1)
    }

    /// Records a step that is about to be made.
    pub fn begin(&mut self, step: Step) -> io::Result<()> {
        self.append(vec![Line::Step(step)])?;
        self.file.sync_data()
    }

    pub fn done(&mut self, step: u32, after: Option<State>) -> io::Result<()> {
        self.append(vec![Line::Done { step, after }])
    }

    pub fn failed(&mut self, step: u32) -> io::Result<()> {
        self.append(vec![Line::Failed { step }])
    }

    pub fn command_began(&mut self) -> io::Result<u32> {
        let command = self.commands.last().map_or(1, |(command, _)| command + 1);
        self.append(vec![Line::CommandBegan { command }])?;
        self.file.sync_data()?;
        Ok(command)
    }

    /// Records what a command was found to have done.
    pub fn command_ended(&mut self, command: u32, deeds: Vec<Deed>, note: Option<String>) -> io::Result<()> {
        let mut lines = Vec::with_capacity(deeds.len() * 2 + 1);
        for (number, deed) in (self.next()..).zip(deeds) {
            lines.push(Line::Step(Step { number, undoes: Vec::new(), undo: false, deed }));
            lines.push(Line::Done { step: number, after: None });
        }
        lines.push(Line::CommandEnded { command, note });
        self.append(lines)?;
        self.file.sync_data()
    }

    fn append(&mut self, lines: Vec<Line>) -> io::Result<()> {
        let mut text = if self.torn { vec![b'\n'] } else { Vec::new() };
        for line in &lines {
            serde_json::to_writer(&mut text, line)?;
            text.push(b'\n');
        }
        // Stays set where the write fails half way.
        self.torn = true;
        self.file.write_all(&text)?;
        self.torn = false;
        lines.into_iter().for_each(|line| self.take(line));
        Ok(())
    }
}

/// A folder that only the server's own user may look into, and those above it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
