//! System calls that a confined program does not get: the network, other processes' memory, mounts and namespaces,
//! and the corners of the kernel that no program of a workspace needs.

use std::{collections::BTreeMap, env::consts::ARCH};

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Is, SeccompCondition as Condition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, sock_filter,
};

use super::Fault;

type Refused = BTreeMap<i64, Vec<SeccompRule>>;

/// Refused whatever their arguments are.
const REFUSED: &[libc::c_long] = &[
    // Looking into and steering other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    // Does what other calls do, past every filter.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Mounts and namespaces: what is read-only stays so.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    // The kernel itself, its keys and its programs.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_fanotify_init,
];
/// Refused where there is no network: what needs an address. A pair of sockets needs none.
const NETWORK: &[libc::c_long] =
    &[libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen, libc::SYS_accept, libc::SYS_accept4];
/// Address families of a program that has a network. Netlink tells it which addresses the machine has.
const FAMILIES: &[libc::c_int] = &[libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
const NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];
/// The part of a socket's type that is no flag.
const SOCKET_TYPE: u64 = 0xf;

/// Refuses them for this thread and all that it starts.
pub fn refuse(online: bool) -> Result<(), Fault> {
    let fault = |error: &dyn std::fmt::Display| Fault::new(format!("filtering system calls failed: {error}"));
    let architecture = TargetArch::try_from(ARCH).map_err(|error| fault(&error))?;
    let filter = |refused: Refused, error: i32| -> Result<BpfProgram, seccompiler::BackendError> {
        let refusal = SeccompAction::Errno(error.unsigned_abs());
        SeccompFilter::new(refused, SeccompAction::Allow, refusal, architecture)?.try_into()
    };
    // Its arguments stand in memory, where no filter sees them. Programs take `clone` when it isn't there.
    let unseen = Refused::from([(libc::SYS_clone3, Vec::new())]);
    let programs = refused(online)
        .and_then(|refused| Ok([filter(refused, libc::EPERM)?, filter(unseen, libc::ENOSYS)?, no_second_numbering()]));
    for program in programs.map_err(|error| fault(&error))? {
        apply_filter(&program).map_err(|error| fault(&error))?;
    }
    Ok(())
}

fn refused(online: bool) -> Result<Refused, seccompiler::BackendError> {
    let one = |argument, is, value: u64| Condition::new(argument, Length::Dword, is, value);
    let when = |conditions| SeccompRule::new(conditions);
    let number = |value: libc::c_int| u64::from(value.unsigned_abs());

    let mut refused: Refused = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    if online {
        let other = FAMILIES.iter().map(|family| one(0, Is::Ne, number(*family)));
        let netlink = [one(0, Is::Eq, number(libc::AF_NETLINK))?, one(2, Is::Ne, number(libc::NETLINK_ROUTE))?];
        refused.insert(libc::SYS_socket, vec![when(other.collect::<Result<_, _>>()?)?, when(netlink.into())?]);
    } else {
        refused.extend(NETWORK.iter().map(|call| (*call, Vec::new())));
    }
    // Datagrams carry an address of their own: from such a pair one could still reach any socket that has a path.
    let datagrams = one(1, Is::MaskedEq(SOCKET_TYPE), number(libc::SOCK_DGRAM))?;
    let other_family = one(0, Is::Ne, number(libc::AF_UNIX))?;
    refused.insert(libc::SYS_socketpair, vec![when(vec![datagrams])?, when(vec![other_family])?]);
    let new_namespace = |flag: &libc::c_int| when(vec![one(0, Is::MaskedEq(number(*flag)), number(*flag))?]);
    refused.insert(libc::SYS_clone, NAMESPACES.iter().map(new_namespace).collect::<Result<_, _>>()?);
    // Limits of another process; those of the program itself go by the number 0.
    refused.insert(libc::SYS_prlimit64, vec![when(vec![one(0, Is::Ne, 0)?])?]);
    // Typing into a terminal.
    refused.insert(libc::SYS_ioctl, vec![when(vec![one(1, Is::Eq, libc::TIOCSTI)?])?]);
    Ok(refused)
}

/// On x86-64 each call has a second number, with this bit set, which a list of numbers does not know.
const SECOND_NUMBERING: u32 = 0x4000_0000;

/// Answers every call of the second numbering as if it weren't there, which is so on nearly every kernel. On other
/// architectures no call has such a number.
fn no_second_numbering() -> BpfProgram {
    let (load, jump_if_at_least, answer) = (0x20, 0x35, 0x06);
    let step = |code, jt, jf, k| sock_filter { code, jt, jf, k };
    vec![
        step(load, 0, 0, 0),
        step(jump_if_at_least, 0, 1, SECOND_NUMBERING),
        step(answer, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
        step(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_fits_with_and_without_a_network() {
        for online in [false, true] {
            let refused = refused(online).unwrap();
            assert_eq!(refused[&libc::SYS_socket].is_empty(), !online, "an empty list refuses every call");
            let filter = SeccompFilter::new(
                refused,
                SeccompAction::Allow,
                SeccompAction::Errno(1),
                TargetArch::try_from(ARCH).unwrap(),
            );
            assert!(BpfProgram::try_from(filter.unwrap()).is_ok());
        }
    }
}
