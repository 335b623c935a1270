//! Runs the program and ends with it: what it left behind ends too, and so does all of it when the server says so.

use std::{
    fs,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use nix::{sys::signal, unistd};
use rustix::{
    io::Errno,
    process::{
        Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, set_child_subreaper, wait,
    },
};

use super::{Fault, Link, confine, repositories::Repositories, syscalls};
use crate::sandbox::orders::{Confinement, Orders, Report};

/// How far an end reaches.
#[derive(Clone, Copy)]
enum Reach {
    /// All of the namespace, of which this process is the first.
    Namespace,
    /// The program's process group; its other descendants become ours, one after the other.
    Group,
}

#[derive(Default)]
struct Course {
    program: Option<Pid>,
    stopped: bool,
}

/// Runs the program as the only one of a namespace.
pub fn everything(
    link: &Link,
    orders: &Orders,
    confinement: &Confinement,
    repositories: &Repositories,
) -> Result<(), Fault> {
    if getpid() != Pid::INIT {
        return Err(Fault::new("the process inside is not the first of its namespace"));
    }
    let course = listen(link, Reach::Namespace)?;
    confine::close_files(&orders.workspace, confinement)?;
    syscalls::refuse(confinement.ports.is_some())?;
    let ended = run(orders, &course, Reach::Namespace);
    end(Reach::Namespace, None);
    while !matches!(next_end(), Err(Errno::CHILD)) {}
    link.report(&report(ended, repositories.mend()));
    Ok(())
}

/// Runs the program without a namespace.
pub fn descendants(link: &Link, orders: &Orders) -> Result<(), Fault> {
    set_child_subreaper(Some(getpid())).map_err(Fault::of("taking over orphans"))?;
    let course = listen(link, Reach::Group)?;
    let ended = run(orders, &course, Reach::Group);
    end_descendants();
    link.report(&report(ended, Vec::new()));
    Ok(())
}

/// Listens in a thread of its own, which is not confined: nothing from outside reaches it but the end.
fn listen(link: &Link, reach: Reach) -> Result<Arc<Mutex<Course>>, Fault> {
    let course = Arc::new(Mutex::new(Course::default()));
    let (shared, link) = (course.clone(), link.try_clone().map_err(Fault::of("listening to the server"))?);
    let listener = thread::Builder::new().spawn(move || {
        link.wait_for_the_end();
        let mut course = lock(&shared);
        course.stopped = true;
        end(reach, course.program);
    });
    listener.map(|_| course).map_err(Fault::of("starting a thread"))
}

fn run(orders: &Orders, course: &Mutex<Course>, reach: Reach) -> Result<WaitStatus, String> {
    let mut command = Command::new(&orders.argv[0]);
    command.args(&orders.argv[1..]).current_dir(&orders.workspace).env_clear().envs(&orders.environment);
    // A group of its own, so that a script that signals its group does not mean us.
    command.stdin(Stdio::null()).process_group(0);
    let program = {
        let mut course = lock(course);
        let started = command.spawn().map_err(|error| format!("`{}` can't be run: {error}", orders.argv[0]))?;
        course.program = i32::try_from(started.id()).ok().and_then(Pid::from_raw);
        if course.stopped {
            end(reach, course.program);
        }
        course.program
    };
    loop {
        match next_end() {
            Ok((ended, status)) if Some(ended) == program => {
                lock(course).program = None;
                // Its group may have members left.
                end(reach, program);
                return Ok(status);
            }
            Ok(_) => {}
            Err(error) => return Err(format!("waiting for `{}` failed: {error}", orders.argv[0])),
        }
    }
}

fn lock(course: &Mutex<Course>) -> MutexGuard<'_, Course> {
    course.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Signals only; the ended are still to be waited for.
fn end(reach: Reach, program: Option<Pid>) {
    match (reach, program) {
        // Of a namespace the first process is spared, and nobody can start another one meanwhile.
        (Reach::Namespace, _) if getpid() == Pid::INIT => {
            let _ = signal::kill(unistd::Pid::from_raw(-1), signal::Signal::SIGKILL);
        }
        (Reach::Group, Some(program)) => {
            let _ = kill_process_group(program, Signal::KILL);
        }
        _ => {}
    }
}

/// Ends children until there are none: the children of one that ended have become ours.
fn end_descendants() {
    loop {
        for child in children() {
            let _ = kill_process(child, Signal::KILL);
        }
        if matches!(next_end(), Err(Errno::CHILD)) {
            return;
        }
    }
}

fn children() -> Vec<Pid> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let numbers = lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    numbers.filter_map(|number| Pid::from_raw(number.parse().ok()?)).collect()
}

/// Waits for any child.
fn next_end() -> rustix::io::Result<(Pid, WaitStatus)> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some(ended)) => return Ok(ended),
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

fn report(ended: Result<WaitStatus, String>, removed: Vec<String>) -> Report {
    match ended {
        Ok(status) => Report::Ended { code: status.exit_status(), signal: status.terminating_signal(), removed },
        Err(problem) => Report::NotStarted(problem),
    }
}
