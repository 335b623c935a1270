//! Cold start and memory: from exec to the first answer, and what the process holds then.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use anyhow::{Context, ensure};

use super::{
    model::now,
    stats::Series,
    subject::{Memory, Side, Stage, Subject},
};

/// Starts of each side in one repeat, half of them before and half after the other side's.
const STARTS: usize = 4;

/// Milliseconds from before the exec to the last byte of the answer.
#[derive(Default)]
pub struct Starts {
    /// With a database that does not exist yet.
    pub first_health: Series,
    /// With the database of an earlier start.
    pub later_health: Series,
    pub later_page: Series,
    pub bare: Series,
}

pub fn compare(stage: &Stage, repeats: usize) -> anyhow::Result<Starts> {
    let mut starts = Starts::default();
    // The later starts' database, and both programs in the system's cache.
    answer(&stage.cowork("later.db")?, "/")?;
    answer(&stage.bare_server()?, "/")?;
    let mut made = 0;
    for repeat in 1..=repeats {
        eprintln!("bench: cold start, {repeat} of {repeats}");
        for side in Side::ORDER {
            for _ in 0..STARTS / 2 {
                made += 1;
                match side {
                    Side::Cowork => {
                        starts.first_health.push(time(&stage.cowork(&format!("first-{made}.db"))?, "/health")?);
                        starts.later_health.push(time(&stage.cowork("later.db")?, "/health")?);
                        starts.later_page.push(time(&stage.cowork("later.db")?, "/")?);
                    }
                    Side::Bare => starts.bare.push(time(&stage.bare_server()?, "/health")?),
                }
            }
        }
    }
    Ok(starts)
}

fn time(subject: &Subject, path: &str) -> anyhow::Result<f64> {
    answer(subject, path)?;
    Ok((now() - subject.started_at) as f64 / 1e6)
}

/// Memory of a server that has just started and has served its first page, with all files of the page.
pub fn fresh_memory(stage: &Stage) -> anyhow::Result<(Memory, Memory)> {
    let cowork = stage.cowork("memory.db")?;
    let page = answer(&cowork, "/")?;
    for file in files_of(&page) {
        answer(&cowork, file)?;
    }
    let bare = stage.bare_server()?;
    answer(&bare, "/")?;
    Ok((cowork.memory()?, bare.memory()?))
}

fn files_of(page: &str) -> impl Iterator<Item = &str> {
    page.split('"').filter(|text| text.starts_with("/pkg/"))
}

/// The body of a GET that is answered with 200, as a browser asks for it.
fn answer(subject: &Subject, path: &str) -> anyhow::Result<String> {
    let address = subject.base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address)?;
    let accept = if path.starts_with("/pkg/") { "Accept-Encoding: gzip, br\r\n" } else { "" };
    let shown = format!("Authorization: Bearer {}\r\n", subject.token);
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\n{shown}{accept}Connection: close\r\n\r\n")?;
    let mut response = Vec::new();
    socket.read_to_end(&mut response)?;
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").context("an answer without end of its headers")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{path} was answered with {head}");
    Ok(body.to_owned())
}
