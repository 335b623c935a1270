//! The launcher: this program, started anew to confine itself and then run another one. A child can't be confined
//! safely between fork and exec without `unsafe`, and the server itself must stay free.
//!
//! The keeper makes the namespaces; what it starts next is the first process in them. That one builds the file tree,
//! gives up its rights, runs the program, and takes all others with it when it ends.

mod confine;
mod fault;
mod keeper;
mod link;
mod repositories;
mod root;
mod supervise;
mod syscalls;

use std::process::ExitCode;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use self::{fault::Fault, link::Link};
use super::orders::{Report, Stage};

/// Does the work of one stage. Must run before the process has a second thread, and ends the process.
pub fn launch(stage: Stage) -> ExitCode {
    if keeper::close_inherited_files().is_err() {
        return ExitCode::FAILURE;
    }
    let Ok(link) = Link::on_standard_input() else { return ExitCode::FAILURE };
    let done = match stage {
        Stage::Offline => keeper::keep(false),
        Stage::Online => keeper::keep(true),
        Stage::Inside => inside(&link),
        Stage::Open => open(&link),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            link.report(&Report::Unconfinable(fault.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn inside(link: &Link) -> Result<(), Fault> {
    let orders = link.orders()?;
    let Some(confinement) = &orders.confinement else { return Err(Fault::new("no confinement was ordered")) };
    confine::end_with_the_keeper()?;
    confine::limit(true)?;
    root::build(&orders.workspace, confinement)?;
    // In the new /proc, as long as it can be written: that of a container often can't.
    confine::limit_processes_of_the_namespace()?;
    let repositories = root::close(&orders.workspace, confinement)?;
    confine::drop_capabilities()?;
    // The program must not look into the memory of its supervisor, which has the same user.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Fault::of("hiding the supervisor's memory"))?;
    supervise::everything(link, &orders, confinement, &repositories)
}

fn open(link: &Link) -> Result<(), Fault> {
    keeper::leave_the_terminal()?;
    let orders = link.orders()?;
    confine::limit(false)?;
    supervise::descendants(link, &orders)
}
