//! Row 72: what the program is built from is pinned to its content, and may be shipped.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// What the licences of dependencies may be. MPL-2.0 binds its own files alone, which stay as they are.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_dependency_is_pinned_to_its_content() {
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let others = packages.iter().filter(|package| package["name"].as_str() != Some("cowork"));
    let registry = |package: &toml::Value| {
        package.get("source").and_then(|source| source.as_str()).is_some_and(|source| source.starts_with("registry+"))
            && package.get("checksum").is_some()
    };
    let loose: Vec<_> = others.filter(|package| !registry(package)).map(|package| &package["name"]).collect();
    assert!(loose.is_empty() && packages.len() > 100, "{loose:?}");

    let lock: Value = serde_json::from_str(&read("end2end/package-lock.json")).unwrap();
    let packages = lock["packages"].as_object().unwrap();
    let loose: Vec<_> = packages
        .iter()
        .filter(|(name, _)| !name.is_empty())
        .filter(|(_, package)| !package["integrity"].as_str().is_some_and(|hash| hash.starts_with("sha512-")))
        .map(|(name, _)| name)
        .collect();
    assert!(loose.is_empty() && packages.len() > 10, "{loose:?}");
}

/// An SPDX expression without brackets within brackets, as packages have them; `/` is an old word for OR.
fn may_ship(expression: &str) -> bool {
    let known = |licence: &str| LICENCES.contains(&licence.trim());
    let any = |part: &str| part.trim_matches(['(', ')']).replace('/', " OR ").split(" OR ").any(known);
    expression.split(" AND ").all(|part| any(part.trim()))
}

#[test]
fn every_licence_lets_the_program_be_shipped() {
    assert!(may_ship("(MIT OR GPL-3.0) AND Unicode-3.0") && may_ship("Unlicense/MIT"));
    assert!(!may_ship("GPL-3.0-or-later") && !may_ship("MIT AND GPL-3.0") && !may_ship(""));
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", host])
        .args(["--features", "ssr,otel"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let others: Vec<_> = packages
        .iter()
        .filter(|package| !may_ship(package["license"].as_str().unwrap_or_default()))
        .map(|package| (package["name"].as_str(), package["license"].as_str()))
        .collect();
    assert!(others.is_empty() && packages.len() > 100, "{others:?}");
}
