//! The file tree of a confined program, built anew: what is not put into it is not there.

use std::{
    ffi::CStr,
    fs, io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use rustix::{
    io::Errno,
    mount::{
        MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_bind_recursive, mount_change, mount_remount,
        unmount,
    },
    process::pivot_root,
};

use super::{Fault, repositories::Repositories};
use crate::sandbox::orders::{Confinement, PRIVATE_FOLDER, PRIVATE_HOME};

pub const DEVICES: &[&str] = &["/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"];
pub const SHARED_MEMORY: &str = "/dev/shm";
const LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/var/tmp", PRIVATE_FOLDER),
];
/// Where the machine's own tree stands while the new one is built.
const OLD: &str = "/.machine";
/// What covers hidden files and folders: nobody may open them.
const CLOSED_FILE: &str = "/.closed-file";
const CLOSED_FOLDER: &str = "/.closed-folder";

/// In memory, like all that is private; what is larger belongs into the workspace.
const PRIVATE_SIZE: &CStr = c"mode=0755,size=1g";
const SHARED_MEMORY_SIZE: &CStr = c"mode=0755,size=256m";
const ROOT_SIZE: &CStr = c"mode=0755,size=4m";

/// Replaces the file tree of this process. It can be changed until [`close`] is called.
pub fn build(workspace: &Path, confinement: &Confinement) -> Result<(), Fault> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(Fault::of("separating the file trees"))?;
    // Any folder that is there would do: the new tree moves from it to the root at once.
    memory(PRIVATE_FOLDER, ROOT_SIZE)?;
    let old = format!("{PRIVATE_FOLDER}{OLD}");
    folder(Path::new(&old))?;
    pivot_root(PRIVATE_FOLDER, &*old).map_err(Fault::of("changing the root folder"))?;
    std::env::set_current_dir("/").map_err(Fault::of("entering the root folder"))?;

    // The kernel allows a new /proc only where another one is in sight, hence before that goes.
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    folder(Path::new("/proc"))?;
    mount("proc", "/proc", "proc", flags, None).map_err(Fault::of("mounting /proc"))?;
    make_private(confinement)?;
    let devices = DEVICES.iter().map(Path::new);
    for path in devices.chain(confinement.view.visible.iter().map(PathBuf::as_path)).chain([workspace]) {
        show(path)?;
    }
    let links = LINKS.iter().map(|(place, target)| (Path::new(place), Path::new(target)));
    for (place, target) in links.chain(confinement.view.links.iter().map(|(place, target)| (&**place, &**target))) {
        link(place, target)?;
    }
    cover(&confinement.view.hidden)?;
    unmount(OLD, UnmountFlags::DETACH).map_err(Fault::of("leaving the machine's file tree"))?;
    fs::remove_dir(OLD).map_err(Fault::of("removing the old root folder"))
}

/// Leaves of the new tree only what the program may write. Gives the repositories that are protected in it.
pub fn close(workspace: &Path, confinement: &Confinement) -> Result<Repositories, Fault> {
    let repositories = protect(workspace, confinement)?;
    make_read_only_but(|place| {
        let private = [PRIVATE_FOLDER, SHARED_MEMORY].iter().any(|folder| Path::new(folder) == place);
        let hidden = || confinement.view.hidden.iter().any(|hidden| hidden == place);
        let own = || confinement.writes && place.starts_with(workspace);
        private || own() && !hidden() && !repositories.frozen.contains(place)
    })?;
    Ok(repositories)
}

/// Puts a file or folder of the machine into the tree, at its own path.
fn show(path: &Path) -> Result<(), Fault> {
    let source = Path::new(OLD).join(path.strip_prefix("/").unwrap_or(path));
    let doing = format!("showing {}", path.display());
    match fs::metadata(&source).map_err(Fault::of(&doing))?.is_dir() {
        true => folder(path)?,
        false => empty_file(path, 0o644)?,
    }
    mount_bind_recursive(&source, path).map_err(Fault::of(&doing))
}

fn make_private(confinement: &Confinement) -> Result<(), Fault> {
    folder(Path::new(PRIVATE_FOLDER))?;
    memory(PRIVATE_FOLDER, PRIVATE_SIZE)?;
    folder(Path::new(SHARED_MEMORY))?;
    memory(SHARED_MEMORY, SHARED_MEMORY_SIZE)?;
    folder(Path::new(PRIVATE_HOME))?;
    for (name, text) in &confinement.home_files {
        fs::write(Path::new(PRIVATE_HOME).join(name), text).map_err(Fault::of("writing the private home"))?;
    }
    Ok(())
}

/// Lays something over files and folders that nobody may open.
fn cover(hidden: &[PathBuf]) -> Result<(), Fault> {
    if hidden.is_empty() {
        return Ok(());
    }
    folder(Path::new(CLOSED_FOLDER))?;
    fs::set_permissions(CLOSED_FOLDER, fs::Permissions::from_mode(0o000))
        .map_err(Fault::of("making a closed folder"))?;
    empty_file(Path::new(CLOSED_FILE), 0)?;
    for path in hidden {
        let lid = match fs::symlink_metadata(path) {
            Ok(facts) if facts.is_dir() => CLOSED_FOLDER,
            Ok(_) => CLOSED_FILE,
            // Gone meanwhile.
            Err(_) => continue,
        };
        mount_bind_recursive(lid, path).map_err(Fault::of(&format!("hiding {}", path.display())))?;
    }
    Ok(())
}

/// Makes mounts of what must not move and of what must not change.
fn protect(workspace: &Path, confinement: &Confinement) -> Result<Repositories, Fault> {
    if !confinement.writes {
        return Ok(Repositories::default());
    }
    let mut repositories = Repositories::find(workspace)?;
    repositories.expect_absent(&confinement.view.absent);
    // In the order of paths: a folder before what is inside it.
    for path in repositories.pinned.union(&repositories.frozen) {
        mount_bind_recursive(path, path).map_err(Fault::of(&format!("protecting {}", path.display())))?;
    }
    Ok(repositories)
}

/// Makes every mount read-only but those that may be written.
fn make_read_only_but(may_be_written: impl Fn(&Path) -> bool) -> Result<(), Fault> {
    let table = fs::read_to_string("/proc/self/mountinfo").map_err(Fault::of("reading the mounts"))?;
    for line in table.lines() {
        let Some((point, options)) = parse(line) else {
            return Err(Fault::new(format!("the mount `{line}` can't be read")));
        };
        let mut flags = MountFlags::BIND | MountFlags::NOSUID;
        if !may_be_written(&point) {
            flags |= MountFlags::RDONLY;
        }
        if !DEVICES.iter().any(|device| Path::new(device) == point) {
            flags |= MountFlags::NODEV;
        }
        // What the machine forbids for a mount stays forbidden; to leave it out is refused.
        for option in options.split(',') {
            flags |= match option {
                "ro" => MountFlags::RDONLY,
                "noexec" => MountFlags::NOEXEC,
                "nosymfollow" => MountFlags::NOSYMFOLLOW,
                _ => MountFlags::empty(),
            };
        }
        match mount_remount(&point, flags, "") {
            // Out of reach, also for the program: covered by another mount, or another user's.
            Ok(()) | Err(Errno::ACCESS | Errno::NOENT) => {}
            Err(error) => return Err(Fault::of(&format!("closing {}", point.display()))(error)),
        }
    }
    Ok(())
}

/// The place and the options of a mount, from a line of `mountinfo`.
fn parse(line: &str) -> Option<(PathBuf, &str)> {
    let mut fields = line.split(' ').skip(4);
    let (place, options) = (fields.next()?, fields.next()?);
    let mut path = String::new();
    let mut rest = place;
    while let Some(at) = rest.find('\\') {
        path.push_str(&rest[..at]);
        path.push(u8::from_str_radix(rest.get(at + 1..at + 4)?, 8).ok()?.into());
        rest = &rest[at + 4..];
    }
    path.push_str(rest);
    Some((path.into(), options))
}

fn memory(place: &str, options: &CStr) -> Result<(), Fault> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", place, "tmpfs", flags, options).map_err(Fault::of(&format!("mounting {place}")))
}

fn folder(path: &Path) -> Result<(), Fault> {
    fs::create_dir_all(path).map_err(Fault::of(&format!("making the folder {}", path.display())))
}

/// The place for a file that is mounted there; one that is there already is as good.
fn empty_file(path: &Path, mode: u32) -> Result<(), Fault> {
    if let Some(above) = path.parent() {
        folder(above)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Fault::of(&format!("making the file {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}

fn link(place: &Path, target: &Path) -> Result<(), Fault> {
    if let Some(above) = place.parent() {
        folder(above)?;
    }
    match symlink(target, place) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Fault::of(&format!("making the link {}", place.display()))(error))
        }
        _ => Ok(()),
    }
}
