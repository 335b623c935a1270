//! What the figures depend on besides the programs: machine, disk, load, versions.

use std::{
    fs::File,
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::stats::{Latencies, number};

const SYNCS: usize = 200;
const PAGE: [u8; 4096] = [7; 4096];

/// Lines of a Markdown list.
pub fn describe(program: &Path, folder: &Path) -> anyhow::Result<String> {
    let (p50, p99) = sync_times(folder)?;
    let cores = std::thread::available_parallelism()?;
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into());
    let kernel = output("uname", &["-sr"]);
    Ok(format!(
        "- machine: {cores} cores, {processor}, {kernel}; one fdatasync of 4 KiB takes {p50} ms (p99 {p99} ms)\n\
         - versions: {cowork}{debug}; {rustc}; SQLite {sqlite}; {chromium}\n",
        cowork = output(&program.to_string_lossy(), &["--version"]),
        debug = if program.components().any(|part| part.as_os_str() == "debug") { " (a debug build!)" } else { "" },
        rustc = output("rustc", &["--version"]),
        sqlite = rusqlite::version(),
        chromium = output(&chromium(), &["--version"]),
    ))
}

pub fn chromium() -> String {
    std::env::var("COWORK_CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into())
}

/// The mean number of programs that wanted a processor: over one, five and fifteen minutes.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// What the disk under the databases allows: no message is accepted faster than one of these.
fn sync_times(folder: &Path) -> anyhow::Result<(String, String)> {
    let mut file = File::create(folder.join("sync"))?;
    let mut times = Latencies::default();
    for _ in 0..SYNCS {
        let before = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.extend([before.elapsed().as_nanos() as u64]);
        // A disk that is never left alone queues.
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok((number(times.percentile_ms(50)), number(times.percentile_ms(99))))
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { format!("no {program}") } else { text }
}
