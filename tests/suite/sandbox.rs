//! Programs in the sandbox try to get out. Each script ends with 0 where it got through, and each gets through where
//! the sandbox is off: without that, its failure would show nothing.

use std::{
    io::{Read, Write},
    net::{TcpListener, UdpSocket},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram, UnixListener},
    },
    path::Path,
};

use cowork::sandbox::End;

use crate::support::jail::{Jail, assert_available, confined, sandbox, unconfined};

/// Runs each script without the sandbox, where it must get through, and in it, where it must not.
async fn all_are_held(jail: &Jail, scripts: &[&str]) {
    let (open, confined) = (unconfined(), confined());
    assert_available(&confined).await;
    for script in scripts {
        let ended = jail.run_in(&open, script).await;
        assert_eq!(ended.how, End::Exited(0), "`{script}` does not even work in the open: {}", ended.output);
        let ended = jail.run_in(&confined, script).await;
        assert_ne!(ended.how, End::Exited(0), "`{script}` got through: {}", ended.output);
    }
}

#[tokio::test]
async fn nothing_outside_the_workspace_changes() {
    let (open, confined) = (unconfined(), confined());
    for script in [
        "echo x > $OUT/new",
        "echo x >> $OUT/file",
        ": > $OUT/file",
        "truncate -s 0 $OUT/file",
        "rm $OUT/file",
        "mv $OUT/file $OUT/other",
        "mv own.txt $OUT/own.txt",
        "mkdir $OUT/folder",
        "ln -s x $OUT/link",
        "chmod 777 $OUT/file && echo x > $OUT/file",
        "echo x > ../outside/new",
        "ln -s ../outside way && echo x > way/new",
        "ln -s $OUT/file way2 && echo x > way2",
        "ln $OUT/file here && echo x > here",
        "cd / && cd $OUT && touch new",
        "echo x > /proc/self/root$OUT/new",
        "cp own.txt $OUT/file",
        "dd if=/dev/zero of=$OUT/file bs=1 count=1",
        "perl -e 'open(F, \">\", \"$ENV{OUT}/new\") or exit 1'",
    ] {
        let jail = Jail::new();
        let before = jail.snapshot();
        let ended = jail.run_in(&confined, script).await;
        assert_ne!(ended.how, End::Exited(0), "`{script}` got through: {}", ended.output);
        assert_eq!(jail.snapshot(), before, "{script}");
        let jail = Jail::new();
        let ended = jail.run_in(&open, script).await;
        assert!(ended.how == End::Exited(0) && jail.snapshot() != before, "`{script}` does nothing: {}", ended.output);
    }
}

#[tokio::test]
async fn the_home_folder_and_the_systems_are_neither_changed_nor_shown() {
    let jail = Jail::new();
    let home = std::env::home_dir().unwrap();
    let name = format!("cowork-test-{}", std::process::id());
    for folder in [home.to_str().unwrap(), "/tmp", "/var/tmp", "/usr", "/etc", "/", "/root", "/dev", "/run", "/var"] {
        let file = Path::new(folder).join(&name);
        let ended = jail.run(&format!("echo x > {}", file.display())).await;
        let there = file.exists();
        let _ = std::fs::remove_file(&file);
        assert!(!there, "{}: {}", file.display(), ended.output);
    }
    // Below the home folder there is at most what belongs to toolchains.
    let shown = jail.run(&format!("ls -A {} 2>/dev/null", home.display())).await.output;
    for name in shown.lines() {
        assert!(![".ssh", ".config", ".gitconfig", ".bashrc", ".npmrc", ".loom"].contains(&name), "{shown}");
    }
    assert_eq!(jail.output("echo $HOME $TMPDIR").await, "/tmp/home /tmp\n");
}

#[tokio::test]
async fn files_outside_are_not_read() {
    let jail = Jail::new();
    all_are_held(
        &jail,
        &["cat $OUT/file", "ls $OUT", "cat ../outside/file", "ln -sf $OUT/file way && cat way", "stat $OUT/file"],
    )
    .await;
    // Unreadable for everyone but root, and for root's programs here too.
    jail.refused("cat /etc/shadow").await;
    jail.refused("ls /run").await;
    jail.refused("ls /var/lib").await;
    let listed = jail.output("ls -A /").await;
    let expected =
        ["bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "nix", "gnu", "opt", "proc", "root"];
    let more = ["sbin", "srv", "sys", "tmp", "usr", "var", ".closed-file", ".closed-folder", "work"];
    for name in listed.lines() {
        assert!(expected.contains(&name) || more.contains(&name), "/{name}");
    }
}

#[tokio::test]
async fn the_servers_own_files_are_closed_also_inside_the_workspace() {
    let jail = Jail::new();
    std::fs::write(jail.workspace.join("loom.toml"), "api_key = 'secret'").unwrap();
    std::fs::create_dir(jail.workspace.join("data")).unwrap();
    std::fs::write(jail.workspace.join("data/row"), "secret").unwrap();
    let hidden = ["loom.toml", "data"].map(|name| jail.workspace.join(name)).into();
    let confined = sandbox(cowork::sandbox::Settings { hidden, ..Default::default() });
    for script in [
        "cat loom.toml",
        "cat data/row",
        "ls data",
        "echo x > loom.toml",
        "rm -f loom.toml",
        "mv loom.toml away.toml",
        "mv data away",
        "chmod 777 loom.toml",
        "ln loom.toml here",
    ] {
        let ended = jail.run_in(&confined, script).await;
        assert_ne!(ended.how, End::Exited(0), "`{script}` got through: {}", ended.output);
        assert!(!ended.output.contains("secret"), "{script}");
    }
    assert_eq!(std::fs::read_to_string(jail.workspace.join("loom.toml")).unwrap(), "api_key = 'secret'");
    assert_eq!(jail.run_in(&confined, "cat own.txt").await.output, "ours");
}

/// Scripts that call a port of this machine by the programs that people have for it. One that is missing is named, past
/// the harness, which keeps the words of tests that pass to itself.
fn callers(port: u16) -> Vec<String> {
    let there = |(program, _): &(&str, String)| {
        let there = Path::new("/usr/bin").join(program).exists();
        if !there {
            let words = format!("suite::sandbox: there is no /usr/bin/{program} here, so it is not tried\n");
            std::io::stderr().write_all(words.as_bytes()).unwrap();
        }
        there
    };
    let url = format!("http://127.0.0.1:{port}/");
    let ssh = "ssh -v -F none -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no";
    let programs = [
        ("curl", format!("curl -s -m 5 {url}")),
        ("wget", format!("wget -q -t 1 -T 5 -O /dev/null {url}")),
        ("nc", format!("echo | nc -w 5 127.0.0.1 {port} | grep -q HTTP")),
        ("ssh", format!("{ssh} -p {port} 127.0.0.1 true 2>&1 | grep -q 'Connection established'")),
        ("python3", format!("python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}))'")),
    ];
    programs.into_iter().filter(there).map(|(_, script)| format!("PATH=/usr/bin; {script}")).collect()
}

#[tokio::test]
async fn there_is_no_network() {
    let jail = Jail::new();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp_port = tcp.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut peer, _)) = tcp.accept() {
            let _ = peer.read(&mut [0; 1024]);
            let _ = peer.write_all(b"HTTP/1.0 200 OK\r\n\r\n");
        }
    });
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let udp_port = udp.local_addr().unwrap().port();
    let mut scripts = vec![
        format!("exec 3<>/dev/tcp/127.0.0.1/{tcp_port}"),
        format!("echo hello > /dev/udp/127.0.0.1/{udp_port}"),
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) or exit 1'".to_owned(),
        "perl -MSocket -e 'socket(S, AF_INET6, SOCK_DGRAM, 0) or exit 1'".to_owned(),
        // Netlink: the machine's addresses.
        "perl -MSocket -e 'socket(S, 16, SOCK_RAW, 0) or exit 1'".to_owned(),
    ];
    scripts.extend(callers(tcp_port));
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    all_are_held(&jail, &scripts).await;
    let mut packet = [0; 16];
    assert_eq!(udp.recv(&mut packet).unwrap(), 6, "the one sent in the open");
    assert!(udp.recv(&mut packet).is_err(), "none came out of the sandbox");
    jail.refused("getent ahosts example.org").await;
    jail.refused("getent hosts 8.8.8.8").await;
    let words = jail.refused("ping -c 1 -W 1 127.0.0.1").await;
    assert!(!words.contains("1 received"), "{words}");
    assert_eq!(jail.output("cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' '").await, "lo\n");
}

#[tokio::test]
async fn sockets_of_other_programs_are_out_of_reach() {
    let jail = Jail::new();
    let _stream = UnixListener::bind(jail.workspace.join("stream.sock")).unwrap();
    let datagram = UnixDatagram::bind(jail.workspace.join("datagram.sock")).unwrap();
    datagram.set_nonblocking(true).unwrap();
    let name = format!("cowork-test-{}", std::process::id());
    let _abstract = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let connect = "socket(S, AF_UNIX, SOCK_STREAM, 0) && connect(S, sockaddr_un";
    all_are_held(
        &jail,
        &[
            &format!("perl -MSocket -e '{connect}(\"stream.sock\")) or exit 1'"),
            &format!("perl -MSocket -e '{connect}(\"\\0{name}\")) or exit 1'"),
            "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_DGRAM, 0) && send(S, \"x\", 0, sockaddr_un(\"datagram.sock\")) or exit 1'",
            // A pair needs no address, but its ends can be given one.
            "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_DGRAM, 0) && send(A, \"x\", 0, sockaddr_un(\"datagram.sock\")) or exit 1'",
            "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) && bind(S, sockaddr_un(\"own.sock\")) or exit 1; unlink \"own.sock\"'",
        ],
    )
    .await;
    assert_eq!(datagram.recv(&mut [0; 16]).unwrap(), 1);
    assert_eq!(datagram.recv(&mut [0; 16]).unwrap(), 1);
    assert!(datagram.recv(&mut [0; 16]).is_err(), "only the two from the open");
    let pair = "perl -MSocket -e 'socketpair(A, B, AF_UNIX, SOCK_STREAM, 0) or exit 1; syswrite(A, \"hi\"); \
                sysread(B, $x, 2); print $x'";
    assert_eq!(jail.output(pair).await, "hi", "a pair of sockets stays");
}

#[tokio::test]
async fn other_processes_are_neither_seen_nor_touched() {
    let jail = Jail::new();
    let me = std::process::id();
    let ptrace = libc::SYS_ptrace;
    let read = libc::SYS_process_vm_readv;
    all_are_held(
        &jail,
        &[
            &format!("kill -0 {me}"),
            &format!("cat /proc/{me}/environ > /dev/null"),
            &format!("ls /proc/{me}/fd"),
            // Ask to be traced, which every program may.
            &format!("perl -e 'exit(syscall({ptrace}, 0, 0, 0, 0) == 0 ? 0 : 1)'"),
            &format!("perl -e 'syscall({read}, $$, 0, 0, 0, 0, 0) == 0 or exit 1'"),
            "perl -e 'syscall(302, getppid(), 7, 0, 0) == 0 or exit 1'",
        ],
    )
    .await;
    // The supervisor is the only other process, and it is the namespace's first.
    let numbers = jail.output("cd /proc && echo [0-9]*").await;
    assert_eq!(numbers.split_whitespace().count(), 2, "the supervisor and the shell: {numbers}");
    for script in [
        "cat /proc/1/environ",
        "cat /proc/1/maps",
        "readlink /proc/1/fd/0",
        "echo > /proc/1/fd/1",
        "echo > /proc/1/mem",
        "cd /proc/1/root && cat etc/passwd",
    ] {
        jail.refused(script).await;
    }
    // Our runtime handles two of them. The sleep is for a supervisor that takes one for the end of everything.
    let signals = "kill -9 1; kill -9 -1; kill -STOP 1; kill -SEGV 1; kill -BUS 1";
    assert_eq!(jail.output(&format!("{{ {signals}; }} 2>/dev/null; sleep 0.2; echo alive")).await, "alive\n");
}

#[tokio::test]
async fn corners_of_the_kernel_are_closed() {
    let jail = Jail::new();
    let call =
        |number: libc::c_long, arguments: &str| format!("perl -e 'syscall({number}, {arguments}) >= 0 or exit 1'");
    all_are_held(
        &jail,
        &[
            // A user namespace, in which one would be root.
            &call(libc::SYS_unshare, "0x10000000"),
            &call(libc::SYS_keyctl, "0, -3, 1"),
            "unshare -Ur true",
        ],
    )
    .await;
    for (name, script) in [
        ("io_uring", call(libc::SYS_io_uring_setup, "1, \"\\0\" x 120")),
        ("bpf", call(libc::SYS_bpf, "0, \"\\0\" x 72, 72")),
        ("userfaultfd", call(libc::SYS_userfaultfd, "1")),
        ("mount", call(libc::SYS_mount, "\"tmpfs\", \"/tmp\", \"tmpfs\", 0, 0")),
        ("umount", call(libc::SYS_umount2, "\"/tmp\", 2")),
        ("remount", call(libc::SYS_mount, "0, \"/\", 0, 0x1020, 0")),
        ("open_tree", call(libc::SYS_open_tree, "-100, \"/usr\", 1")),
        ("pivot_root", call(libc::SYS_pivot_root, "\"/tmp\", \"/tmp\"")),
        ("chroot", call(libc::SYS_chroot, "\"/tmp\"")),
        ("setns", "perl -e 'open(F, \"/proc/self/ns/net\"); syscall(308, fileno(F), 0) == 0 or exit 1'".into()),
        ("perf", call(libc::SYS_perf_event_open, "\"\\0\" x 128, 0, -1, -1, 0")),
        ("clone into a namespace", call(libc::SYS_clone, "0x10000011, 0, 0, 0, 0")),
        ("reboot", call(libc::SYS_reboot, "0xfee1dead, 672274793, 0, 0")),
        ("sysrq", "echo h > /proc/sysrq-trigger".into()),
        ("kernel settings", "echo 1 > /proc/sys/kernel/pid_max".into()),
        ("become another user", "setpriv --reuid 12345 true".into()),
        ("make a device", "mknod device b 7 0".into()),
        ("chown", "touch c && chown 12345 c".into()),
    ] {
        let words = jail.refused(&script).await;
        assert!(!words.contains("syntax error"), "{name}: {words}");
    }
    let status = jail.output("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status").await;
    for line in status.lines() {
        let value = line.split_whitespace().last().unwrap();
        let expected = match line.split(':').next().unwrap() {
            "NoNewPrivs" => "1",
            "Seccomp" => "2",
            _ => "0000000000000000",
        };
        assert_eq!(value, expected, "{line}");
    }
    assert_eq!(jail.output("ulimit -c").await, "0\n");
}
