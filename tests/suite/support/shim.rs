//! Faults of disk and clock for a process of its own: `tests/faults/shim.c`, compiled once.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The compiled shim. The C compiler is what SQLite is compiled with.
///
/// # Panics
/// Where it can't be compiled: a fault that can't be made must not pass for one that was survived.
pub fn path() -> &'static Path {
    static SHIM: OnceLock<(PathBuf, tempfile::TempDir)> = OnceLock::new();
    let (path, _) = SHIM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).arg(&source).arg("-ldl").output();
        let compiled = compiled.expect("the faults need the C compiler `cc`");
        assert!(compiled.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&compiled.stderr));
        (path, folder)
    });
    path
}
