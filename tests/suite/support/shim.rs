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
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        // Cargo's folder, since nothing tells a process that its last test has ended.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (path, part) = (folder.join("shim.so"), folder.join(format!("shim.{}.so", std::process::id())));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let compiled =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&part).arg(&source).arg("-ldl").output();
        let compiled = compiled.expect("the faults need the C compiler `cc`");
        assert!(compiled.status.success(), "{}: {}", source.display(), String::from_utf8_lossy(&compiled.stderr));
        // Another run may have it loaded.
        std::fs::rename(part, &path).unwrap();
        path
    })
}
