//! `cowork link`: asks the running server for a link that lets one browser in, once.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::Context;
use clap::Args;
use cowork::{access, protocol::BasePath};
use serde_json::Value;

use super::Place;

/// A server on this machine answers at once, or is not there.
const PATIENCE: Duration = Duration::from_secs(5);
/// In the data folder: where the server that has the database listens.
const ADDRESS_FILE: &str = "address";

#[derive(Args)]
pub struct LinkArgs {
    #[command(flatten)]
    place: Place,
}

pub async fn run(args: &LinkArgs) -> anyhow::Result<()> {
    let (_, database) = args.place.load()?;
    let data = database.data_folder();
    let nobody = || {
        format!(
            "No Cowork runs on {}. Start it; it prints a link. If it runs with --database or --config, say the same here",
            database.path.display()
        )
    };
    let base = fs::read_to_string(data.join(ADDRESS_FILE)).with_context(nobody)?;
    let base = base.trim();
    let asked = client()?.post(format!("{base}/launch")).bearer_auth(access::token(&data)?);
    let answer = asked.send().await.with_context(nobody)?.error_for_status()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let path = answer.get("path").and_then(Value::as_str).with_context(nobody)?;
    // The path is the whole one.
    println!("{}", reqwest::Url::parse(base)?.join(path)?);
    Ok(())
}

/// Where the server of this data folder answers; `None` where none does.
pub async fn running_server(data: &Path) -> Option<String> {
    let base = fs::read_to_string(data.join(ADDRESS_FILE)).ok()?.trim().to_owned();
    let answer = client().ok()?.get(format!("{base}/health")).send().await.ok()?;
    answer.status().is_success().then_some(base)
}

fn client() -> reqwest::Result<reqwest::Client> {
    // It speaks to this machine alone, without TLS, but is not made without a way to do it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build()
}

/// Tells later calls where this server listens. One that listens everywhere is found on this machine, too.
pub fn tell_address(data: &Path, address: SocketAddr, base: &BasePath) -> anyhow::Result<()> {
    let mut near = address;
    if address.ip().is_unspecified() {
        near.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    access::write_private(&data.join(ADDRESS_FILE), &format!("http://{near}{}\n", base.as_str()))
        .with_context(|| format!("The folder {} can't be written", data.display()))
}
