//! How long programs live: no longer than somebody wants them, whatever they do to outlive it.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use cowork::sandbox::{End, Job, SandboxError};
use serde_json::json;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support::{
    host::{Calls, Host, launcher, this_program},
    jail::{Jail, assert_available, assert_gone, assert_there, confined, processes_with, unconfined},
    soon,
};

/// A number of seconds that no other program of this machine sleeps.
fn seconds(test: u32) -> String {
    format!("{}.{:07}{test}", 60, std::process::id())
}

/// Ways to leave the program that started one.
fn escapes(sleep: &str) -> [String; 5] {
    [
        format!("sleep {sleep} & echo started; wait"),
        format!("setsid sleep {sleep} & echo started; wait"),
        format!("nohup setsid bash -c 'sleep {sleep} & disown; echo started; exec sleep {sleep}' 2>&1 & wait"),
        format!("trap '' TERM HUP INT; (trap '' TERM HUP; setsid sleep {sleep}) & echo started; sleep {sleep}"),
        format!(
            "perl -MPOSIX -e 'if (!fork) {{ POSIX::setsid(); if (!fork) {{ exec qw(sleep {sleep}) }} exit }} \
             wait; $| = 1; print \"started\\n\"; sleep 60'"
        ),
    ]
}

#[tokio::test]
async fn stopped_it_is_gone_within_a_second_and_so_is_all_that_it_started() {
    for (sandbox, test) in [(confined(), 1), (unconfined(), 2)] {
        for script in escapes(&seconds(test)) {
            let jail = Jail::new();
            let (cancel, job) = (CancellationToken::new(), jail.job(&script));
            let stopped = Arc::new(Mutex::new(None));
            let (stop, at) = (cancel.clone(), stopped.clone());
            let live = move |text: &str| {
                if text.contains("started") {
                    *at.lock().unwrap() = Some(Instant::now());
                    stop.cancel();
                }
            };
            let ended = soon("the end", sandbox.run(&job, &cancel, &live)).await.unwrap();
            let took = stopped.lock().unwrap().unwrap().elapsed();
            assert_eq!(ended.how, End::Stopped, "{script}");
            assert!(took < Duration::from_secs(1), "{script}: {took:?}");
            assert_eq!(processes_with(&seconds(test)), Vec::<u32>::new(), "{script}");
        }
    }
}

#[tokio::test]
async fn a_program_that_ends_takes_all_with_it_that_it_left_behind() {
    for (sandbox, test) in [(confined(), 3), (unconfined(), 4)] {
        let sleep = seconds(test);
        for script in [
            format!("sleep {sleep} & echo done"),
            format!("(setsid sleep {sleep} > /dev/null 2>&1 < /dev/null &); echo done"),
            format!(
                "setsid bash -c 'exec > /dev/null 2>&1; setsid sleep {sleep} & setsid sleep {sleep} &' & sleep 0.1; echo done"
            ),
        ] {
            let jail = Jail::new();
            let started = Instant::now();
            let ended = soon("the end", jail.run_in(&sandbox, &script)).await;
            assert_eq!((ended.how, ended.output.as_str()), (End::Exited(0), "done\n"), "{script}");
            assert!(started.elapsed() < Duration::from_secs(10), "not only at its time limit");
            assert_eq!(processes_with(&sleep), Vec::<u32>::new(), "{script}");
        }
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_ends() {
    for (sandbox, test) in [(confined(), 5), (unconfined(), 6)] {
        let jail = Jail::new();
        let sleep = seconds(test);
        let started = Notify::new();
        {
            let (cancel, job) =
                (CancellationToken::new(), jail.job(&format!("echo started; setsid --wait sleep {sleep}")));
            let live = |_: &str| started.notify_one();
            tokio::select! {
                ended = sandbox.run(&job, &cancel, &live) => panic!("{ended:?}"),
                () = soon("the start", started.notified()) => {}
            }
        }
        assert_gone(&sleep).await;
    }
}

#[tokio::test]
async fn time_is_limited_and_what_was_written_is_kept() {
    let jail = Jail::new();
    for (sandbox, test) in [(confined(), 7), (unconfined(), 8)] {
        assert_eq!(jail.run_in(&sandbox, "true").await.how, End::Exited(0));
        let script = format!("echo half; sleep {}", seconds(test));
        let job = Job { time_limit: Duration::from_millis(300), ..jail.job(&script) };
        let ended = soon("the end", sandbox.run(&job, &CancellationToken::new(), &|_| ())).await.unwrap();
        assert_eq!((ended.how, ended.output.as_str()), (End::TimeUp, "half\n"));
        assert_eq!(processes_with(&seconds(test)), Vec::<u32>::new());
    }
}

#[tokio::test]
async fn a_server_that_dies_takes_its_programs_with_it() {
    for (network, test) in [(false, 9), (true, 10)] {
        let jail = Jail::new();
        let sleep = seconds(test);
        let script = format!("(setsid sleep {sleep} &); echo started; exec sleep {sleep}");
        let calls = Calls {
            launcher: launcher(),
            workspace: jail.workspace.clone(),
            network,
            calls: vec![("shell_execute".into(), json!({ "command": script }))],
        };
        let mut host = Host::start(&[], &[].into(), &this_program(), &calls);
        assert_eq!(host.next().unwrap(), "started\n");
        assert_there(&sleep, 2).await;
        host.kill();
        assert_gone(&sleep).await;
    }
}

#[tokio::test]
async fn a_launcher_that_is_killed_leaves_nothing_behind() {
    let jail = Jail::new();
    let (sandbox, sleep) = (confined(), seconds(11));
    assert_available(&sandbox).await;
    let script = format!("echo started; sleep {sleep}");
    let me = std::process::id();
    let live = |_: &str| {
        let keepers = processes_with("sandbox offline").into_iter().filter(|keeper| parent(*keeper) == Some(me));
        // Other tests have launchers too; ours is the one above the sleeper.
        let above: Vec<u32> = processes_with(&sleep).into_iter().filter_map(|one| parent(parent(one)?)).collect();
        for keeper in keepers.filter(|keeper| above.contains(keeper)) {
            std::process::Command::new("kill").args(["-9", &keeper.to_string()]).status().unwrap();
        }
    };
    let (job, cancel) = (jail.job(&script), CancellationToken::new());
    let ended = soon("the end", sandbox.run(&job, &cancel, &live)).await;
    assert_eq!(ended, Err(SandboxError::Lost));
    assert_gone(&sleep).await;
}

fn parent(process: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[tokio::test]
async fn a_fork_bomb_meets_its_limit() {
    let jail = Jail::new();
    let script = "perl -e '$n = 0; while ($n < 5000) { my $p = fork; last unless defined $p; \
                  if (!$p) { sleep 60; exit } $n++ } print $n'";
    let made: u32 = jail.output(script).await.parse().unwrap();
    assert!((100..1100).contains(&made), "{made} processes");
    // Bash gives up in its own way; what counts is that it ends, and that there is room for others.
    soon("the end of the bomb", jail.run("bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 1")).await;
    assert_eq!(jail.output("echo on we go").await, "on we go\n");
}

#[tokio::test]
async fn a_flood_of_output_is_read_to_its_end_and_cut() {
    let jail = Jail::new();
    let shown = Mutex::new(0);
    let script = "echo first; yes 'a line of output' | head -c 8000000; echo; echo last";
    let job = jail.job(script);
    let live = |text: &str| *shown.lock().unwrap() += text.len();
    let ended = soon("the end", confined().run(&job, &CancellationToken::new(), &live)).await.unwrap();
    assert_eq!(ended.how, End::Exited(0));
    assert!(ended.output.starts_with("first\na line of output\n") && ended.output.ends_with("\nlast\n"));
    assert!(ended.output.len() < 300_000, "{}", ended.output.len());
    assert!(ended.output.contains("\n[cut: 77"), "says how much is missing");
    assert!(*shown.lock().unwrap() < 1_100_000, "{}", shown.lock().unwrap());
}

#[tokio::test]
async fn output_comes_while_the_program_runs_and_in_its_order() {
    let jail = Jail::new();
    let (sender, heard) = mpsc::channel();
    let go = jail.workspace.join("go");
    // It waits for the test, which waits for its first words.
    let script = "echo one; echo two >&2; while [ ! -e go ]; do sleep 0.01; done; for i in 3 4 5; do echo $i; echo e$i >&2; done";
    let job = jail.job(script);
    let live = |text: &str| {
        sender.send(text.to_owned()).unwrap();
        if text.contains("two") {
            std::fs::write(&go, "").unwrap();
        }
    };
    let ended = soon("the end", confined().run(&job, &CancellationToken::new(), &live)).await.unwrap();
    assert_eq!(ended.output, "one\ntwo\n3\ne3\n4\ne4\n5\ne5\n");
    assert_eq!(heard.try_iter().collect::<String>(), ended.output);
}

#[tokio::test]
async fn no_file_grows_without_end() {
    let jail = Jail::new();
    assert_eq!(jail.run("truncate -s 4G big && rm big").await.how, End::Exited(0));
    assert_ne!(jail.run("truncate -s 5G big").await.how, End::Exited(0));
}
