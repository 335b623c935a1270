//! What a process gives up: capabilities, resources without end, and the files and ports that Landlock closes.

use std::{error::Error, fs, path::Path};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, NetPort, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::{
    process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit},
    thread::{
        CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_capabilities_secure_bits, set_no_new_privs,
    },
};

use super::{Fault, root};
use crate::sandbox::orders::{Confinement, PRIVATE_FOLDER};

/// Processes and threads of one command: far more than a build on a large machine has, far less than a machine bears.
pub const MAX_PROCESSES: u64 = 1024;
const MAX_OPEN_FILES: u64 = 4096;
/// The largest file that a command may write, in bytes: a runaway log shall not fill the disk at once.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// When memory runs out, the system ends a command before anything else.
const FIRST_TO_END: &str = "1000";
/// The kernel since which each process namespace has a limit of its own.
const NAMESPACES_COUNT_PROCESSES: (u32, u32) = (6, 14);

/// All rights that this version of the rules knows; an older kernel enforces those that it has.
const NEWEST: ABI = ABI::V9;
/// What the promise can't do without: reading, writing and running files, and making and removing names.
const LEAST: ABI = ABI::V1;

/// The keeper dies with the server or is killed; then so is this process, and with it the namespace.
pub fn end_with_the_keeper() -> Result<(), Fault> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(Fault::of("following the keeper"))
}

/// `own_namespace`: the process is the only user of its namespace, so that processes can be counted.
pub fn limit(own_namespace: bool) -> Result<(), Fault> {
    let mut limits = vec![(Resource::Core, 0), (Resource::Nofile, MAX_OPEN_FILES), (Resource::Fsize, MAX_FILE_BYTES)];
    // Elsewhere it counts all processes of the user, also those that the person has open.
    if own_namespace {
        limits.push((Resource::Nproc, MAX_PROCESSES));
    }
    for (resource, most) in limits {
        let most = rustix::process::getrlimit(resource).maximum.map_or(most, |already| already.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(Fault::of("setting limits"))?;
    }
    // Not to have it is no danger, and a container may not allow it.
    let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_END);
    Ok(())
}

/// The count of the user's processes does not bind root; that of the namespace does, where the kernel has one.
pub fn limit_processes_of_the_namespace() -> Result<(), Fault> {
    let release =
        fs::read_to_string("/proc/sys/kernel/osrelease").map_err(Fault::of("reading the kernel's version"))?;
    // The same file of an older kernel is the limit of the whole machine.
    if version(&release) < NAMESPACES_COUNT_PROCESSES {
        return Ok(());
    }
    fs::write("/proc/sys/kernel/pid_max", MAX_PROCESSES.to_string())
        .map_err(Fault::of("limiting the number of processes"))
}

/// `6.18.44-generic` is version 6.18.
fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// For good: nothing that is started later gets any back, also where it is root's.
pub fn drop_capabilities() -> Result<(), Fault> {
    let drop = || -> rustix::io::Result<()> {
        clear_ambient_capability_set()?;
        for one in CapabilitySet::all().iter() {
            // A capability that this kernel doesn't have.
            if !matches!(remove_capability_from_bounding_set(one), Ok(()) | Err(rustix::io::Errno::INVAL)) {
                return Err(rustix::io::Errno::PERM);
            }
        }
        set_capabilities_secure_bits(
            CapabilitiesSecureBits::NO_ROOT
                | CapabilitiesSecureBits::NO_ROOT_LOCKED
                | CapabilitiesSecureBits::NO_SETUID_FIXUP
                | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
                | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE
                | CapabilitiesSecureBits::NO_CAP_AMBIENT_RAISE_LOCKED,
        )?;
        set_no_new_privs(true)?;
        let none = CapabilitySet::empty();
        set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
    };
    drop().map_err(Fault::of("giving up capabilities"))
}

/// Closes for this thread, and all that it starts, every file and port that isn't named here.
pub fn close_files(workspace: &Path, confinement: &Confinement) -> Result<(), Fault> {
    let rules = || -> Result<RulesetStatus, Box<dyn Error>> {
        let read = AccessFs::from_read(NEWEST);
        let all = AccessFs::from_all(NEWEST);
        let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
        let mut rules = ruleset(confinement)?.add_rule(PathBeneath::new(PathFd::new("/")?, read))?;
        let own = if confinement.writes { all } else { read };
        rules = rules.add_rule(PathBeneath::new(PathFd::new(workspace)?, own))?;
        for folder in [PRIVATE_FOLDER, root::SHARED_MEMORY] {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(folder)?, all))?;
        }
        for file in root::DEVICES {
            rules = rules.add_rule(PathBeneath::new(PathFd::new(file)?, device))?;
        }
        for port in confinement.ports.iter().flatten() {
            rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
        }
        Ok(rules.restrict_self()?.ruleset)
    };
    match rules() {
        Ok(RulesetStatus::NotEnforced) => Err(Fault::new("the kernel has no Landlock, or it is switched off")),
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new(format!("closing files with Landlock failed: {error}"))),
    }
}

fn ruleset(confinement: &Confinement) -> Result<RulesetCreated, RulesetError> {
    // With a network, ports are all that keeps a program from the server's own.
    let ports = match confinement.ports {
        Some(_) => CompatLevel::HardRequirement,
        None => CompatLevel::BestEffort,
    };
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .scope(BitFlags::<Scope>::from(Scope::AbstractUnixSocket) | Scope::Signal)?
        .set_compatibility(ports)
        .handle_access(AccessNet::ConnectTcp | AccessNet::BindTcp)?
        .set_compatibility(CompatLevel::BestEffort)
        .create()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_kernels_are_compared_by_number() {
        assert_eq!(version("6.18.44-fc-v509\n"), (6, 18));
        assert!(version("6.8.0-31-generic") < NAMESPACES_COUNT_PROCESSES);
        assert!(version("6.14-rc1") >= NAMESPACES_COUNT_PROCESSES && version("10.0") >= NAMESPACES_COUNT_PROCESSES);
        assert!(version("strange") < NAMESPACES_COUNT_PROCESSES, "then the whole machine's limit is not touched");
    }
}
