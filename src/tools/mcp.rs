//! Tools of MCP servers, named `mcp.<alias>.<tool>`. Each server has one connection for the whole process; one that ends
//! is started again. What a server says of its tools is a stranger's word: it is cut to size, and no call of it is free
//! unless the operator trusts that server.

mod check;
mod link;
mod remote;
mod server;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::future::join_all;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::server::Server;
use crate::{
    agent::ports::tool::{Tool, Toolbox, Tools},
    config::McpServer,
};

/// How long a start of this program waits for servers: most are there by then, and the first turn has their tools. What
/// comes later is there for the next turn.
const FIRST_WAIT: Duration = Duration::from_secs(5);

/// The tools of this program and of all servers.
pub struct McpTools {
    own: Tools,
    servers: Vec<Arc<Server>>,
    /// The servers' tools as they last were, and what they make together with our own.
    last: Mutex<(Vec<Arc<dyn Tool>>, Tools)>,
    stop: CancellationToken,
    running: TaskTracker,
}

impl McpTools {
    /// Starts the servers; they live as long as this program.
    pub fn start(own: Tools, configured: &[McpServer]) -> Self {
        let (stop, running) = (CancellationToken::new(), TaskTracker::new());
        let servers: Vec<Arc<Server>> =
            configured.iter().map(|settings| Arc::new(Server::new(settings.clone()))).collect();
        for server in &servers {
            running.spawn(server.clone().live(stop.clone()));
        }
        running.close();
        Self { last: Mutex::new((Vec::new(), own.clone())), own, servers, stop, running }
    }

    /// Resolves when every server has answered or failed once, and not much later.
    pub async fn ready(&self) {
        let all = join_all(self.servers.iter().map(|server| server.tried()));
        let _ = timeout(FIRST_WAIT, all).await;
    }

    /// Ends all servers and what they started.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.running.wait().await;
    }
}

impl Toolbox for McpTools {
    fn tools(&self) -> Tools {
        let theirs: Vec<_> = self.servers.iter().flat_map(|server| server.tools()).collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, together) = &mut *last;
        let same = known.len() == theirs.len() && known.iter().zip(&theirs).all(|(one, other)| Arc::ptr_eq(one, other));
        if !same {
            *together = self.own.with(theirs.iter().cloned());
            *known = theirs;
        }
        together.clone()
    }
}
