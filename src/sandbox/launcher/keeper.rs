//! The keeper: makes the namespaces and starts the first process in them.

use std::{fs, os::fd::RawFd, process::Command};

use nix::sched::{CloneFlags, unshare};
use rustix::{
    process::{getegid, geteuid, setsid},
    thread::{CapabilitySet, CapabilitySets, configure_capability_in_ambient_set, set_capabilities},
};

use super::Fault;
use crate::sandbox::{OWN_PROGRAM, SUBCOMMAND, Stage};

/// The first file number behind standard input, output and error.
const FIRST_OWN_FILE: RawFd = 3;
/// What the first process inside needs to build its file tree and to give up the rest.
const NEEDED: CapabilitySet = CapabilitySet::SYS_ADMIN.union(CapabilitySet::SETPCAP);

/// Makes the namespaces, starts the first process in them, and waits until everything inside has ended. What runs inside
/// talks to the server itself.
pub fn keep(online: bool) -> Result<(), Fault> {
    leave_the_terminal()?;
    // Both are told from outside the namespaces: inside they have no meaning before the maps are written.
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let mut namespaces = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    if !online {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    unshare(namespaces).map_err(Fault::of("making namespaces"))?;
    for (file, text) in [
        ("/proc/self/setgroups", "deny".to_owned()),
        ("/proc/self/uid_map", format!("{user} {user} 1")),
        ("/proc/self/gid_map", format!("{group} {group} 1")),
    ] {
        fs::write(file, text).map_err(Fault::of(&format!("writing {file}")))?;
    }
    pass_on_capabilities().map_err(Fault::of("keeping the rights to mount"))?;

    let mut inside = Command::new(OWN_PROGRAM)
        .args([SUBCOMMAND, &Stage::Inside.to_string()])
        .spawn()
        .map_err(Fault::of("starting a process inside"))?;
    inside.wait().map_err(Fault::of("waiting for the process inside"))?;
    Ok(())
}

/// Files that the server inherited from whoever started it are open in its children, too. They would be open to
/// the program, whatever rules there are for paths.
pub fn close_inherited_files() -> Result<(), Fault> {
    let entries = fs::read_dir("/proc/self/fd").map_err(Fault::of("listing open files"))?;
    let open: Vec<RawFd> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for file in open.into_iter().filter(|file| *file >= FIRST_OWN_FILE) {
        // The list itself is in the list, and closed by now.
        let _ = nix::unistd::close(file);
    }
    Ok(())
}

/// A session of its own: signals typed at the server's terminal don't come here, and no program can type into it.
pub fn leave_the_terminal() -> Result<(), Fault> {
    setsid().map(|_| ()).map_err(Fault::of("starting a session"))
}

/// A program that isn't started by root loses its rights at its start, except those in the ambient set.
fn pass_on_capabilities() -> rustix::io::Result<()> {
    set_capabilities(None, CapabilitySets { effective: NEEDED, permitted: NEEDED, inheritable: NEEDED })?;
    for one in NEEDED.iter() {
        configure_capability_in_ambient_set(one, true)?;
    }
    Ok(())
}
