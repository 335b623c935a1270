//! Uploads to the disk: one large file beside a copy of it, and many small ones beside a loop that writes and renames.
//! Both sides sync what they wrote before they count it as done.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
};

use anyhow::{Context, ensure};

use super::{
    model::now,
    report::MIB,
    stats::Series,
    subject::{Side, Stage, Subject},
};

const LARGE_MIB: usize = 512;
const SMALL_FILES: usize = 10_000;
const SMALL_BYTES: usize = 4096;
/// A mebibyte.
const PIECE_BYTES: usize = 1024 * 1024;
const BOUNDARY: &str = "----bench";

#[derive(Default)]
pub struct Uploads {
    /// Mebibytes a second.
    pub large_cowork: Series,
    pub large_bare: Series,
    /// Files a second.
    pub small_cowork: Series,
    pub small_bare: Series,
    /// What the server holds more after a large file than before it, in MiB.
    pub growth: Series,
}

pub fn compare(stage: &Stage, repeats: usize) -> anyhow::Result<Uploads> {
    let (large, small) = (stage.part_of(LARGE_MIB), stage.part_of(SMALL_FILES));
    let source = stage.folder.join("large.bin");
    write_noise(&source, large)?;
    let cowork = stage.cowork("uploads.db")?;
    let (workspace, bare) = (stage.folder.join("workspace"), stage.folder.join("bare"));
    fs::create_dir_all(&bare)?;
    let session = session(&cowork)?;
    // Both in the caches of the system, and the server as it is after its first upload.
    upload_large(&cowork, &session, &source, large)?;
    let mut uploads = Uploads::default();
    for repeat in 1..=repeats {
        eprintln!("bench: uploads, {repeat} of {repeats}");
        for side in Side::ORDER {
            clear(&workspace)?;
            clear(&bare)?;
            match side {
                Side::Cowork => {
                    let before = cowork.memory()?.rss;
                    let seconds = timed(|| upload_large(&cowork, &session, &source, large))?;
                    uploads.large_cowork.push(large as f64 / seconds);
                    uploads.growth.push((cowork.memory()?.rss as f64 - before as f64).max(0.0) / MIB);
                    let seconds = timed(|| upload_small(&cowork, &session, small))?;
                    uploads.small_cowork.push(small as f64 / seconds);
                }
                Side::Bare => {
                    let seconds = timed(|| copy(&source, &bare.join("large.bin")))?;
                    uploads.large_bare.push(large as f64 / seconds);
                    let seconds = timed(|| write_and_rename(&bare, small))?;
                    uploads.small_bare.push(small as f64 / seconds);
                }
            }
        }
    }
    Ok(uploads)
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let from = now();
    work()?;
    Ok((now() - from) as f64 / 1e9)
}

/// What no file system can make smaller.
fn write_noise(path: &Path, mebibytes: usize) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut state = 88_172_645_463_325_252_u64;
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    for _ in 0..mebibytes {
        piece.clear();
        while piece.len() < PIECE_BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            piece.extend_from_slice(&state.to_le_bytes());
        }
        file.write_all(&piece)?;
    }
    file.sync_all()
}

/// By way of this process, as `cp` does where the kernel can't share blocks.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(to.sync_all()?),
            read => to.write_all(&piece[..read])?,
        }
    }
}

fn write_and_rename(folder: &Path, files: usize) -> anyhow::Result<()> {
    let content = [7; SMALL_BYTES];
    let unfinished = folder.join(".unfinished");
    for number in 0..files {
        fs::write(&unfinished, content)?;
        fs::rename(&unfinished, folder.join(number.to_string()))?;
    }
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    // What was removed is no work for the next measurement.
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

fn session(cowork: &Subject) -> anyhow::Result<String> {
    let head = "POST /cowork/sessions HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n";
    let answer = exchange(cowork, head, |socket| socket.write_all(b"{}"))?;
    let body: serde_json::Value = serde_json::from_str(&answer)?;
    Ok(body.get("id").and_then(serde_json::Value::as_str).context("a session without id")?.to_owned())
}

fn part(name: &str) -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

fn upload_large(cowork: &Subject, session: &str, source: &Path, mebibytes: usize) -> anyhow::Result<()> {
    let (before, after) = (part("large.bin"), format!("\r\n--{BOUNDARY}--\r\n"));
    upload(cowork, session, (before.len() + mebibytes * PIECE_BYTES + after.len()) as u64, 1, |socket| {
        socket.write_all(before.as_bytes())?;
        io::copy(&mut BufReader::with_capacity(PIECE_BYTES, File::open(source)?), socket)?;
        socket.write_all(after.as_bytes())
    })
}

fn upload_small(cowork: &Subject, session: &str, files: usize) -> anyhow::Result<()> {
    let mut body = Vec::with_capacity(files * (SMALL_BYTES + 200));
    for number in 0..files {
        body.extend_from_slice(part(&format!("small/{number}")).as_bytes());
        body.extend_from_slice(&[7; SMALL_BYTES]);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    upload(cowork, session, body.len() as u64, files, |socket| socket.write_all(&body))
}

fn upload(
    cowork: &Subject,
    session: &str,
    length: u64,
    files: usize,
    send: impl FnOnce(&mut TcpStream) -> io::Result<()>,
) -> anyhow::Result<()> {
    let head = format!(
        "POST /cowork/sessions/{session}/uploads HTTP/1.1\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n"
    );
    let answer = exchange(cowork, &head, send)?;
    ensure!(answer.ends_with(&format!("\"uploaded\":{files},\"failed\":0}}")), "files were not uploaded");
    Ok(())
}

/// The body of an answer of 200 or 201.
fn exchange(
    cowork: &Subject,
    head: &str,
    send: impl FnOnce(&mut TcpStream) -> io::Result<()>,
) -> anyhow::Result<String> {
    let address = cowork.base.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(
        format!("{head}Host: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n", cowork.token)
            .as_bytes(),
    )?;
    send(&mut socket)?;
    let mut response = String::new();
    socket.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").context("an answer without end of its headers")?;
    ensure!(head.starts_with("HTTP/1.1 20"), "the answer is {head} {body}");
    Ok(body.to_owned())
}
