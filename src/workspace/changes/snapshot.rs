//! What the files are before a command runs, which may change any of them. Contents are kept once per session under
//! their hash: where nothing changed since the last command, nothing is read.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{
    ChangeError, TurnChanges,
    images::{Durable, Images},
    log::make_folder,
    state::Hash,
};
use crate::workspace::{
    Found, WorkspaceError, WorkspacePath,
    real::{Node, Stamp, nanoseconds},
    sync::sync_all_of,
    walk::LeftOut,
};

/// Files, folders and links that are compared. A workspace with more is compared not at all: looking at it before
/// and after each command would take longer than the command.
pub const MAX_COMPARED: usize = 50_000;
/// The largest file whose content is kept before a command, in bytes.
pub const MAX_KEPT_FILE_BYTES: u64 = 1024 * 1024;
/// How many files' contents are kept, the smallest first.
pub const MAX_KEPT_FILES: usize = 10_000;
/// And in bytes: each session has a copy of its own.
pub const MAX_KEPT_BYTES: u64 = 64 * 1024 * 1024;
/// A file that changed just before it was looked at may change again without showing it: clocks of file systems
/// are as coarse as two seconds.
const CLOCK_STEP: i64 = 2_000_000_000;

/// How many steps of a walk pass between two looks at whether it should end.
const STEPS_BETWEEN_LOOKS: usize = 256;

/// The files before a command.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) command: u32,
    /// The error says why they are not known, for a person.
    pub(super) seen: Result<BTreeMap<WorkspacePath, Seen>, String>,
    pub(super) left_out: LeftOut,
}

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub node: Node,
    /// Target of a link.
    pub link: Option<String>,
    /// Under what its content is kept.
    pub kept: Option<Hash>,
    /// Whether an unchanged node means an unchanged content.
    pub sure: bool,
}

/// A content that was kept for an earlier command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    path: WorkspacePath,
    stamp: Stamp,
    changed: i64,
    hash: Hash,
    sure: bool,
}

/// What stands in the workspace, and what was not looked at.
type Looked = (BTreeMap<WorkspacePath, Seen>, LeftOut);

impl TurnChanges<'_> {
    /// Looks at all files, to be compared with by [`TurnChanges::record_since`]. Ends early when `halted` says so.
    pub fn snapshot(&self, halted: &dyn Fn() -> bool) -> Result<Snapshot, ChangeError> {
        let looked = self.look(None, halted)?;
        let (seen, left_out) = match looked {
            Some((mut seen, left_out)) => {
                self.keep(&mut seen, halted)?;
                (Ok(seen), left_out)
            }
            None => (Err(too_many()), LeftOut::default()),
        };
        Ok(Snapshot { command: self.log()?.command_began()?, seen, left_out })
    }

    /// For a command that runs although its files could not be looked at; `why` is for a person.
    pub fn snapshot_of_nothing(&self, why: String) -> Result<Snapshot, ChangeError> {
        Ok(Snapshot { command: self.log()?.command_began()?, seen: Err(why), left_out: LeftOut::default() })
    }

    /// Everything that is compared, unread; `None` where that is too much.
    pub(super) fn look(
        &self,
        before: Option<&LeftOut>,
        halted: &dyn Fn() -> bool,
    ) -> Result<Option<Looked>, ChangeError> {
        let mut seen = BTreeMap::new();
        let mut walk = self.workspace.walk_comparing(before)?;
        for (step, found) in walk.by_ref().enumerate() {
            if step % STEPS_BETWEEN_LOOKS == 0 && halted() {
                return Err(ChangeError::Stopped);
            }
            if seen.len() >= MAX_COMPARED {
                return Ok(None);
            }
            let (Found::Folder(path) | Found::File(path) | Found::Link(path)) = found;
            if let Some(found) = self.seen(&path)? {
                seen.insert(path, found);
            }
        }
        Ok(Some((seen, walk.left_out())))
    }

    /// What can't be named or is gone again is not seen.
    pub(super) fn seen(&self, path: &WorkspacePath) -> Result<Option<Seen>, ChangeError> {
        let Ok(metadata) = self.workspace.dir.symlink_metadata(path) else { return Ok(None) };
        let node = Node::of(&metadata);
        let link = if metadata.is_symlink() {
            match self.workspace.dir.read_link_contents(path).map(|target| target.into_os_string().into_string()) {
                Ok(Ok(target)) => Some(target),
                _ => return Ok(None),
            }
        } else {
            None
        };
        let sure = is_sure(node.changed);
        Ok(Some(Seen { node, link, kept: None, sure }))
    }

    /// Keeps the contents of small files, as many as there is room for.
    fn keep(&self, seen: &mut BTreeMap<WorkspacePath, Seen>, halted: &dyn Fn() -> bool) -> Result<(), ChangeError> {
        let (images, mut index) = (self.session_images(), self.index());
        let mut small: Vec<(&WorkspacePath, &mut Seen)> = seen
            .iter_mut()
            .filter(|(_, seen)| seen.node.is_file() && seen.node.stamp.size <= MAX_KEPT_FILE_BYTES)
            .collect();
        small.sort_by_key(|(_, seen)| seen.node.stamp.size);
        let known = index.len();
        let (mut kept, mut read, mut room) = (Vec::new(), 0_usize, MAX_KEPT_BYTES);
        for (path, seen) in small.into_iter().take(MAX_KEPT_FILES) {
            let Some(left) = room.checked_sub(seen.node.stamp.size) else { break };
            room = left;
            let was = index.remove(path);
            let same = was.filter(|was| was.sure && was.stamp == seen.node.stamp && was.changed == seen.node.changed);
            let hash = match same {
                Some(was) => was.hash,
                None if halted() => return Err(ChangeError::Stopped),
                None => {
                    read += 1;
                    match self.workspace.read_real(path, MAX_KEPT_FILE_BYTES) {
                        Ok((node, Some(bytes))) => {
                            seen.node = node;
                            seen.sure = is_sure(seen.node.changed);
                            images.save(&bytes, Durable::No)?
                        }
                        // Not to be read, or on the move: it has no content that could be kept.
                        Ok((_, None)) | Err(WorkspaceError::Changed(_) | WorkspaceError::NotFound(_)) => continue,
                        Err(WorkspaceError::Denied(_) | WorkspaceError::NotAFile(_)) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            seen.kept = Some(hash.clone());
            let (stamp, changed) = (seen.node.stamp, seen.node.changed);
            kept.push(Kept { path: path.clone(), stamp, changed, hash, sure: seen.sure });
        }
        if read > 0 || kept.len() != known {
            self.rewrite_index(&images, &kept)?;
        }
        Ok(())
    }

    pub(super) fn session_images(&self) -> Images {
        Images::new(self.session_folder().join("images"))
    }

    fn session_folder(&self) -> PathBuf {
        self.data.parent().unwrap_or(&self.data).join("snapshot")
    }

    fn index_file(&self) -> PathBuf {
        self.session_folder().join("index.jsonl")
    }

    /// An index that is missing or broken only means that files are read again.
    fn index(&self) -> HashMap<WorkspacePath, Kept> {
        let Ok(file) = File::open(self.index_file()) else { return HashMap::new() };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        let kept = lines.filter_map(|line| serde_json::from_str::<Kept>(&line).ok());
        kept.map(|kept| (kept.path.clone(), kept)).collect()
    }

    fn rewrite_index(&self, images: &Images, kept: &[Kept]) -> io::Result<()> {
        make_folder(&self.session_folder())?;
        let mut text = Vec::new();
        for kept in kept {
            serde_json::to_writer(&mut text, kept)?;
            text.push(b'\n');
        }
        let part = self.session_folder().join("index.part");
        let mut file = File::create(&part)?;
        file.write_all(&text)?;
        let named: std::collections::HashSet<&str> = kept.iter().map(|kept| kept.hash.as_str()).collect();
        images.retain(|name| named.contains(name))?;
        // One sync for all the contents that were saved; they count before the command runs.
        sync_all_of(&file)?;
        fs::rename(part, self.index_file())
    }
}

pub(super) fn too_many() -> String {
    format!(
        "The workspace has more than {MAX_COMPARED} files, so what the command changed in it is not listed and can't be \
         undone."
    )
}

fn is_sure(changed: i64) -> bool {
    changed < nanoseconds(SystemTime::now()).saturating_sub(CLOCK_STEP)
}
