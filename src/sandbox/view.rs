//! What a confined program sees of the machine: the system's programs and libraries, toolchains on PATH, and nothing
//! of the home folder beside. Looks at the disk and blocks.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{
    orders::{PRIVATE_FOLDER, PRIVATE_HOME, View},
    toolchains::{SECRETS, TOOLCHAINS},
};

/// Programs, libraries and settings of the system. `/run`, `/var` and `/sys` hold sockets and data of services.
const SYSTEM: &[&str] = &[
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc",
    "/opt",
    "/nix/store",
    "/gnu/store",
    // How many processors there are.
    "/sys/devices/system/cpu",
];
/// Read by programs that look up names, where there is a network. Often a link into `/run`.
const NAME_SERVERS: &str = "/etc/resolv.conf";
/// A confined program has its own of these.
const REPLACED: &[&str] = &[PRIVATE_FOLDER, "/dev", "/proc"];
/// What a folder `bin` needs beside it, outside the home folder.
const BESIDE_BIN: &[&str] = &["lib", "lib64", "libexec", "share", "include"];
/// A folder that holds one of these is an installation of Python, whole and with nothing else in it.
const PYTHON_MARKS: &[&str] = &["pyvenv.cfg", "conda-meta"];

/// What the view depends on, beside the disk.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub workspace: PathBuf,
    pub home: Option<PathBuf>,
    /// The value of PATH.
    pub path: String,
    /// The server's own files.
    pub hidden: Vec<PathBuf>,
    pub network: bool,
    /// A server that runs as root can read what is meant for root alone.
    pub is_root: bool,
}

/// The error says in words why this workspace can't be shown safely.
pub fn view(surroundings: &Surroundings) -> Result<View, String> {
    let home = surroundings.home.as_deref().and_then(|home| home.canonicalize().ok());
    check(&surroundings.workspace, home.as_deref())?;
    let mut builder = Builder { surroundings, home, view: View::default() };
    for folder in SYSTEM {
        builder.show(Path::new(folder));
    }
    for folder in std::env::split_paths(&surroundings.path).filter(|folder| folder.is_absolute()) {
        builder.show_programs(&folder);
    }
    if surroundings.network {
        builder.show(Path::new(NAME_SERVERS));
    }
    builder.hide();
    Ok(builder.view)
}

fn check(workspace: &Path, home: Option<&Path>) -> Result<(), String> {
    if home.is_some_and(|home| home.starts_with(workspace)) {
        return Err("the folder holds the home folder with its keys and settings; choose a folder inside it".into());
    }
    match SYSTEM
        .iter()
        .chain(REPLACED)
        .find(|folder| Path::new(folder).starts_with(workspace) || workspace == Path::new(folder))
    {
        Some(folder) => Err(format!("the folder holds {folder}, which belongs to the system; choose another one")),
        None => Ok(()),
    }
}

struct Builder<'a> {
    surroundings: &'a Surroundings,
    home: Option<PathBuf>,
    view: View,
}

impl Builder<'_> {
    fn shows(&self, path: &Path) -> bool {
        path.starts_with(&self.surroundings.workspace)
            || self.view.visible.iter().any(|visible| path.starts_with(visible))
    }

    /// Makes a path visible, where it is there. Where it is a link, the link and what it leads to.
    fn show(&mut self, path: &Path) {
        let Ok(canonical) = path.canonicalize() else { return };
        if self.guards(&canonical) {
            return;
        }
        if canonical != path && !self.shows(path) {
            self.view.links.push((path.into(), canonical.clone()));
        }
        if !self.shows(&canonical) {
            // A folder takes the place of what was visible inside it before.
            self.view.visible.retain(|visible| !visible.starts_with(&canonical));
            self.view.visible.push(canonical);
        }
    }

    /// Whether a path must not be made visible: it would show the home folder, its secrets or the server's own files.
    fn guards(&self, canonical: &Path) -> bool {
        let shows_home = self.home.as_ref().is_some_and(|home| {
            home.starts_with(canonical) || SECRETS.iter().any(|secret| canonical.starts_with(home.join(secret)))
        });
        let replaced = REPLACED.iter().any(|folder| Path::new(folder).starts_with(canonical));
        shows_home || replaced || self.surroundings.hidden.iter().any(|hidden| canonical.starts_with(hidden))
    }

    /// Shows a folder on PATH with what its programs need.
    fn show_programs(&mut self, folder: &Path) {
        let Ok(canonical) = folder.canonicalize() else { return };
        if self.shows(&canonical) && self.shows(folder) {
            return;
        }
        let home = self.home.clone();
        let below_home = home.as_deref().and_then(|home| Some((home, canonical.strip_prefix(home).ok()?)));
        let toolchain =
            below_home.and_then(|(_, below)| TOOLCHAINS.iter().find(|toolchain| below.starts_with(toolchain.root)));
        if let (Some((home, _)), Some(toolchain)) = (below_home, toolchain) {
            for part in toolchain.visible {
                self.show(&home.join(part));
                let place = Path::new(PRIVATE_HOME).join(part);
                if self.shows(&home.join(part)) && !self.view.links.iter().any(|(link, _)| *link == place) {
                    self.view.links.push((place, home.join(part)));
                }
            }
        }
        if let Some(installation) = canonical.parent() {
            if PYTHON_MARKS.iter().any(|mark| installation.join(mark).exists()) {
                self.show(installation);
            } else if below_home.is_none() && canonical.ends_with("bin") {
                for beside in BESIDE_BIN {
                    self.show(&installation.join(beside));
                }
            }
        }
        self.show(folder);
    }

    /// One of the server's own files that is not there: the place in the workspace where it would be looked for.
    fn missing(&self, path: &Path) -> Option<PathBuf> {
        let place = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
        let is_missing = fs::symlink_metadata(&place).is_err() && place.starts_with(&self.surroundings.workspace);
        is_missing.then_some(place)
    }

    fn hide(&mut self) {
        let mut hidden: Vec<PathBuf> =
            self.surroundings.hidden.iter().filter_map(|path| path.canonicalize().ok()).collect();
        if self.surroundings.is_root {
            hidden.extend(not_for_everyone(Path::new("/etc")));
        }
        hidden.retain(|path| self.shows(path));
        hidden.sort();
        // What is in a hidden folder is hidden with it.
        hidden.dedup_by(|inner, outer| inner.starts_with(&*outer));
        self.view.hidden = hidden;
        self.view.absent = self.surroundings.hidden.iter().filter_map(|path| self.missing(path)).collect();
    }
}

/// What only its owner or its group may read. To a program of root's own this would be open, and for every other
/// user the system itself keeps it closed.
fn not_for_everyone(folder: &Path) -> Vec<PathBuf> {
    const READ: u32 = 0o004;
    const READ_AND_ENTER: u32 = 0o005;
    let mut closed = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(facts) = entry.metadata() else { continue };
            let needed = if facts.is_dir() { READ_AND_ENTER } else { READ };
            if facts.permissions().mode() & needed == needed {
                if facts.is_dir() {
                    folders.push(entry.path());
                }
            } else if facts.is_dir() || facts.is_file() {
                closed.push(entry.path());
            }
        }
    }
    closed
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod view_tests;
