//! What the server tells the launcher, and what it hears back: one line of JSON each way, over a socket that is the
//! launcher's standard input. That the socket closes is the order to end everything.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of the subcommand under which this program is its own launcher.
pub const SUBCOMMAND: &str = "sandbox";

/// Where the private files of a confined program are; gone when it ends.
pub const PRIVATE_FOLDER: &str = "/tmp";
/// The home folder of a confined program.
pub const PRIVATE_HOME: &str = "/tmp/home";

/// Which part of the launcher's work a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Makes the namespaces, without a network, and waits for what runs inside.
    Offline,
    /// The same with the machine's network.
    Online,
    /// The first process inside: confines itself and runs the program.
    Inside,
    /// Runs the program unconfined.
    Open,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    pub workspace: PathBuf,
    /// The program and its arguments; never empty.
    pub argv: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// `None`: unconfined, as the operator wants it.
    pub confinement: Option<Confinement>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confinement {
    /// Whether the program may change the workspace.
    pub writes: bool,
    /// TCP ports that it may connect to; `None`: there is no network at all.
    pub ports: Option<Vec<u16>>,
    pub view: View,
    /// Name and text of files in its home folder.
    pub home_files: Vec<(String, String)>,
}

/// What a confined program sees of the machine beside its workspace. Nothing else is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Files and folders that it can read, by their own, canonical paths.
    pub visible: Vec<PathBuf>,
    /// Links to make: where, and to what.
    pub links: Vec<(PathBuf, PathBuf)>,
    /// What stays closed although it stands inside the workspace or something visible.
    pub hidden: Vec<PathBuf>,
    /// What is not there in the workspace and must not be at the end.
    pub absent: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// The program can't be confined here, so it did not run.
    Unconfinable(String),
    /// The program can't be run, for example because there is none of that name.
    NotStarted(String),
    /// Exit code, or the signal that ended it.
    Ended { code: Option<i32>, signal: Option<i32>, removed: Vec<String> },
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offline => "offline",
            Self::Online => "online",
            Self::Inside => "inside",
            Self::Open => "open",
        })
    }
}

impl FromStr for Stage {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Offline, Self::Online, Self::Inside, Self::Open]
            .into_iter()
            .find(|stage| stage.to_string() == text)
            .ok_or("no such stage")
    }
}
