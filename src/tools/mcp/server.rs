//! The life of one server: started, asked for its tools, watched, and started again when it ends.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rmcp::{RoleClient, service::Peer};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    link::{Link, connect},
    remote::{RemoteTool, remote_tools},
};
use crate::{agent::ports::tool::Tool, config::McpServer};

/// The first wait before another start; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A server that lived so long was well; its end is a new story.
const STEADY: Duration = Duration::from_secs(60);

pub struct Server {
    settings: McpServer,
    /// What it last said that it has. Stays while it is started again, so that a turn does not lose them.
    tools: Mutex<Vec<Arc<RemoteTool>>>,
    state: watch::Sender<State>,
}

#[derive(Clone)]
pub enum State {
    /// Not tried yet.
    New,
    Connected(Peer<RoleClient>),
    /// Why it is not there, as the end of a sentence.
    Gone(String),
}

impl Server {
    pub fn new(settings: McpServer) -> Self {
        Self { settings, tools: Mutex::default(), state: watch::Sender::new(State::New) }
    }

    pub fn settings(&self) -> &McpServer {
        &self.settings
    }

    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        let tools = self.tools.lock().unwrap_or_else(PoisonError::into_inner);
        tools.iter().map(|tool| tool.clone() as Arc<dyn Tool>).collect()
    }

    /// Resolves when the first start has ended, well or not.
    pub async fn tried(&self) {
        let mut state = self.state.subscribe();
        // The sender stands beside it in this server.
        let _ = state.wait_for(|state| !matches!(state, State::New)).await;
    }

    /// The connection; waits for a start that is under way, within the server's time.
    pub async fn peer(&self) -> Result<Peer<RoleClient>, String> {
        let mut state = self.state.subscribe();
        // One that has just broken is not yet known to be gone.
        let connected = state.wait_for(|state| matches!(state, State::Connected(peer) if !peer.is_transport_closed()));
        if let Ok(Ok(state)) = timeout(self.settings.timeout, connected).await
            && let State::Connected(peer) = &*state
        {
            return Ok(peer.clone());
        }
        Err(match &*self.state.borrow() {
            State::Gone(why) => why.clone(),
            State::New | State::Connected(_) => "it does not answer".into(),
        })
    }

    pub async fn live(self: Arc<Self>, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let why = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                opened = timeout(self.settings.timeout, self.open()) => match opened {
                    Err(_) => format!("it did not start in {} seconds", self.settings.timeout.as_secs()),
                    Ok(Err(why)) => why,
                    Ok(Ok(link)) => self.serve(link, &stop).await,
                },
            };
            if stop.is_cancelled() {
                return;
            }
            tracing::warn!(server = self.settings.alias, why, "an MCP server is not there; it is started again");
            self.state.send_replace(State::Gone(why));
            if started.elapsed() >= STEADY {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    async fn open(self: &Arc<Self>) -> Result<Link, String> {
        let link = connect(&self.settings.alias, &self.settings.link).await?;
        let listed = link.service.peer().list_all_tools().await;
        let listed = listed.map_err(|error| format!("it does not list its tools: {error}"))?;
        let tools = remote_tools(self, listed);
        *self.tools.lock().unwrap_or_else(PoisonError::into_inner) = tools;
        Ok(link)
    }

    /// Until it ends; why it did.
    async fn serve(&self, link: Link, stop: &CancellationToken) -> String {
        tracing::info!(server = self.settings.alias, "an MCP server is connected");
        self.state.send_replace(State::Connected(link.service.peer().clone()));
        link.until(stop).await;
        "it ended by itself".into()
    }
}
