//! The weight of a first visit: a real browser asks, `benches/page.mjs` counts.

use std::process::Command;

use anyhow::{Context, ensure};
use serde::Deserialize;

use super::{host, subject::Subject};

#[derive(Deserialize)]
pub struct Visit {
    pub requests: Vec<Request>,
}

#[derive(Deserialize)]
pub struct Request {
    pub path: String,
    pub encoding: String,
    /// As they came over the wire, headers included.
    pub bytes: u64,
}

impl Visit {
    pub fn bytes(&self) -> u64 {
        self.requests.iter().map(|request| request.bytes).sum()
    }
}

pub fn visit(subject: &Subject, path: &str) -> anyhow::Result<Visit> {
    let output = Command::new("node")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/page.mjs"))
        .args([&format!("{}{path}", subject.base), &subject.token])
        .env("COWORK_CHROMIUM", host::chromium())
        .output()
        .context("node does not start")?;
    ensure!(output.status.success(), "the browser failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
