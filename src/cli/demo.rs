//! `cowork demo`: a folder with the files of a small museum, to try everything on.

use std::{fs, os::unix::fs::DirBuilderExt, path::PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

/// Each file by its path in the folder.
const FILES: &[(&str, &str)] = &[
    ("visitors.csv", include_str!("demo/visitors.csv")),
    ("opening-hours.md", include_str!("demo/opening-hours.md")),
    ("minutes-2026-03-04.md", include_str!("demo/minutes-2026-03-04.md")),
    ("ideas.txt", include_str!("demo/ideas.txt")),
    ("letters/acme-offer.txt", include_str!("demo/letters/acme-offer.txt")),
    ("letters/school-miller-street.txt", include_str!("demo/letters/school-miller-street.txt")),
];

#[derive(Args)]
pub struct DemoArgs {
    /// The folder to make; it must not be there yet, or be empty.
    #[arg(default_value = "cowork-demo")]
    dir: PathBuf,
}

pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let dir = &args.dir;
    let is_free = !dir.exists() || fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    ensure!(is_free, "{} holds something already and was left as it is. Name another folder", dir.display());
    for (path, text) in FILES {
        let path = dir.join(path);
        let folder = path.parent().unwrap_or(dir);
        let failed = || format!("{} can't be written", path.display());
        fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).with_context(failed)?;
        fs::write(&path, text).with_context(failed)?;
    }
    println!("{} holds {} sample files. Next:", dir.display(), FILES.len());
    println!();
    println!("    cowork --workspace {}", shell_word(&dir.display().to_string()));
    println!();
    println!("Then open the link that it prints, and follow the tutorial there: /docs/tutorial");
    Ok(())
}

/// A path as it can be typed into a shell.
fn shell_word(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c));
    if plain && !text.is_empty() { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
