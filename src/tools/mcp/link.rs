//! The way to a server: a program with pipes, in a process group of its own and without this program's secrets; or an
//! address.

use std::{pin::pin, process::Stdio, sync::Arc, time::Duration};

use process_wrap::tokio::{CommandWrap, ProcessGroup};
use reqwest::{
    Client, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use rmcp::{
    RoleClient, ServiceExt,
    service::RunningService,
    transport::{
        StreamableHttpClientTransport, TokioChildProcess, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{ChildStderr, Command},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Hidden, McpLink},
    tools::web_fetch::{Checked, SystemNames, check_url, plain_client},
};

pub type Service = RunningService<RoleClient, ()>;

/// A connection, and the process group of a server that was started for it.
pub struct Link {
    pub service: Service,
    group: Option<Pid>,
}

impl Link {
    /// Resolves when the server has ended by itself or was told to, and all that it started is gone.
    pub async fn until(self, stop: &CancellationToken) {
        let end = self.service.cancellation_token();
        let mut ended = pin!(self.service.waiting());
        tokio::select! {
            _ = &mut ended => {}
            () = stop.cancelled() => {
                end.cancel();
                let _ = timeout(LAST_WAIT, ended).await;
            }
        }
        if let Some(group) = self.group {
            // Mostly they are gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// A server that is told to end by the end of its input has so long.
const LAST_WAIT: Duration = Duration::from_millis(300);

/// What a server's program gets of this program's environment: where programs and the home folder are, and how text is
/// written. A key that it needs stands in its configuration.
const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];
/// A line of what a server says beside its protocol, in bytes.
const MAX_LOG_LINE: u64 = 4096;
/// One message of a remote server, in bytes.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

pub async fn connect(alias: &str, link: &McpLink) -> Result<Link, String> {
    match link {
        McpLink::Program { command, args, env, cwd } => {
            let mut program = Command::new(command);
            program.args(args).env_clear();
            let inherited = std::env::vars_os().filter(|(name, _)| {
                name.to_str().is_some_and(|name| INHERITED.contains(&name) || name.starts_with("LC_"))
            });
            program.envs(inherited).envs(env.iter().map(|(name, value)| (name, value.reveal())));
            if let Some(cwd) = cwd {
                program.current_dir(cwd);
            }
            let mut wrapped = CommandWrap::from(program);
            wrapped.wrap(ProcessGroup::leader());
            let started = TokioChildProcess::builder(wrapped).stderr(Stdio::piped()).spawn();
            let (transport, said) = started.map_err(|error| format!("`{command}` can't be started: {error}"))?;
            if let Some(said) = said {
                tokio::spawn(listen(alias.to_owned(), said));
            }
            let group = transport.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            let service = ().serve(transport).await.map_err(|error| error.to_string())?;
            Ok(Link { service, group })
        }
        McpLink::Address { url, headers, private } => {
            let config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                .max_json_response_size(MAX_MESSAGE)
                .max_sse_event_size(MAX_MESSAGE);
            let transport = StreamableHttpClientTransport::with_client(client(url, headers, *private)?, config);
            let service = ().serve(transport).await.map_err(|error| error.to_string())?;
            Ok(Link { service, group: None })
        }
    }
}

fn client(url: &Url, headers: &[(String, Hidden)], private: bool) -> Result<Client, String> {
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        let unusable = |_| format!("the header `{name}` can't be sent");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable(()))?;
        let mut value = HeaderValue::from_str(value.reveal()).map_err(|_| unusable(()))?;
        value.set_sensitive(true);
        sent.insert(name, value);
    }
    // Redirections could carry the headers elsewhere.
    let builder = plain_client().default_headers(sent);
    // One without TLS works on a machine without certificates.
    let builder = if url.scheme() == "http" { builder.tls_certs_only([]) } else { builder };
    let builder = if private {
        builder
    } else {
        check_url(url)?;
        builder.dns_resolver(Arc::new(Checked(Arc::new(SystemNames))))
    };
    builder.build().map_err(|error| error.to_string())
}

/// Takes what a program says beside the protocol, so that it never waits for a reader.
async fn listen(alias: String, said: ChildStderr) {
    let mut said = BufReader::new(said);
    loop {
        let mut line = Vec::new();
        match (&mut said).take(MAX_LOG_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let line = String::from_utf8_lossy(&line);
                tracing::debug!(server = alias, line = line.trim_end(), "an MCP server says");
            }
        }
    }
}
