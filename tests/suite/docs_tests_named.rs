//! The tests that the docs name as proof: each is there, under that name.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::docs_reference::{codes, page};

/// Pages with tables whose last column says which tests show what the others promise.
const PAGES: [&str; 4] = ["security.md", "guarantees.md", "uploads.md", "agent.md"];
/// What that column is called.
const PROOFS: [&str; 5] = ["shown by", "held by", "failed", "tests", "test"];
/// What else stands there in the form of a test's name.
const NO_TESTS: [&str; 3] = ["https", "log_max_days", "subtle"];
/// Where a path may begin.
const ROOTS: [&str; 5] = ["", "tests/suite/", "src/", "src/workspace/", "end2end/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the tree that hold tests, and what their functions are called, by the name of the file.
struct Tree {
    files: BTreeSet<String>,
    functions: BTreeMap<String, BTreeSet<String>>,
}

impl Tree {
    fn read() -> Self {
        let mut tree = Self { files: BTreeSet::new(), functions: BTreeMap::new() };
        for folder in ["src", "tests", "benches", "end2end", "scripts", "deploy"] {
            tree.take(&root().join(folder));
        }
        tree
    }

    fn take(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let path: PathBuf = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                // What npm and Playwright leave there is not ours.
                if !matches!(name.as_str(), "node_modules" | "test-results") {
                    self.take(&path);
                }
                continue;
            }
            self.files.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            if let Some(stem) = name.strip_suffix(".rs") {
                let source = fs::read_to_string(&path).unwrap();
                let stem = if stem == "mod" { folder.file_name().unwrap().to_str().unwrap() } else { stem };
                self.functions.entry(stem.to_owned()).or_default().extend(functions(&source));
            }
        }
    }

    /// Whether there is a file of this path, or of this name.
    fn has_file(&self, path: &str) -> bool {
        let fits = |pattern: &str, file: &str| match pattern.split_once('*') {
            Some((begin, end)) => file.starts_with(begin) && file.ends_with(end),
            None => file == pattern,
        };
        let whole = |path: &str| {
            let at = |root: &str| self.files.iter().any(|file| fits(&format!("{root}{path}"), file));
            ROOTS.into_iter().any(at)
                || (!path.contains('/') && self.files.iter().any(|file| file.ends_with(&format!("/{path}"))))
        };
        ["", ".rs", ".spec.ts"].into_iter().any(|end| whole(&format!("{path}{end}"))) || root().join(path).is_dir()
    }

    /// Whether a module has such a function; its tests may stand beside it.
    fn has_function(&self, module: &str, name: &str) -> bool {
        let modules = [module.to_owned(), format!("{module}_tests")];
        let mut known = modules.iter().filter_map(|module| self.functions.get(module)).flatten();
        match name.strip_suffix('…') {
            Some(begin) => known.any(|known| known.starts_with(begin)),
            None => known.any(|known| known == name),
        }
    }

    /// Whether what a page names is there.
    fn has(&self, named: &str) -> bool {
        // A command, or a path with a scope.
        let named = named.split(' ').next().unwrap_or_default();
        // It goes on like the name before it.
        let (continued, named) = match named.strip_prefix('…') {
            Some(rest) => (true, rest),
            None => (false, named),
        };
        let Some((path, last)) = named.rsplit_once("::") else {
            let is_function = |part: &str| self.functions.values().flatten().any(|known| known.contains(part));
            return if continued {
                is_function(named.trim_end_matches('…')) || self.functions.contains_key(named)
            } else {
                self.functions.contains_key(named)
                    || self.has_file(named)
                    || self.functions.values().flatten().any(|known| known == named)
            };
        };
        let path = path.strip_suffix("::tests").unwrap_or(path);
        if path.contains('/') && !self.has_file(path) {
            return false;
        }
        let module = path.rsplit(['/', ':']).next().unwrap_or_default();
        let module = module.strip_suffix(".rs").unwrap_or(module);
        self.functions.contains_key(last) || self.has_function(module, last)
    }
}

fn functions(source: &str) -> Vec<String> {
    let names = source.split("fn ").skip(1);
    let names =
        names.map(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether this can be the name of a test, of its file, or of a script.
fn can_be_a_test(code: &str) -> bool {
    let first = code.split(' ').next().unwrap_or_default();
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_path = first.contains('/') || first.contains("::") || first.ends_with(".rs") || first.starts_with('…');
    is_path || (is_word(code) && !NO_TESTS.contains(&code))
}

/// What the last cells of the tables with proofs name.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_proof = false;
    let lines: Vec<&str> = text.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with('|')) {
        let last = line.trim_matches('|').rsplit('|').next().unwrap_or_default();
        if lines.get(at + 1).is_some_and(|next| next.starts_with("|---")) {
            is_proof = PROOFS.contains(&last.trim());
        } else if is_proof {
            found.extend(codes(last).into_iter().filter(|code| can_be_a_test(code)));
        }
    }
    found
}

#[test]
fn every_test_that_the_docs_name_is_there() {
    let tree = Tree::read();
    for name in PAGES {
        let named = named(&page(name));
        assert!(named.len() >= 25, "{name} names tests: {named:?}");
        let missing: Vec<&String> = named.iter().filter(|named| !tree.has(named)).collect();
        assert!(missing.is_empty(), "{name} names what is not there: {missing:#?}");
    }
}

#[test]
fn a_name_that_is_not_there_is_noticed() {
    let tree = Tree::read();
    for there in [
        "guards::a_foreign_host_reaches_nothing",
        "guards::a_foreign_host…",
        "src/access/secret.rs::secrets_are_long_and_never_the_same",
        "s::uploads_fault",
        "stream_joins",
        "…a_message_of_a_hundred_thousand_empty_pieces…",
        "tests/faults/run network",
        "end2end/safe_text.spec.ts",
    ] {
        assert!(tree.has(there), "{there}");
    }
    for gone in [
        "guards::a_foreign_host_reaches",
        "guards::every_route_is_listed_and_no_other",
        "src/access/secrets.rs::secrets_are_long_and_never_the_same",
        "s::upload_faults",
        "streams_join",
        "…a_message_of_a_million_pieces…",
        "tests/faults/walk network",
        "end2end/safe_texts.spec.ts",
    ] {
        assert!(!tree.has(gone), "{gone}");
    }
}
