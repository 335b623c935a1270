//! Which database file is used. We never create the file that Loom would create: it refuses one that holds only
//! our tables.

use std::path::{Path, PathBuf};

/// Our own file, in the folder of Loom's.
const OWN_FILE: &str = "cowork.db";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseChoice {
    pub path: PathBuf,
    pub kind: DatabaseKind,
    /// For start-up and the page, where the choice may surprise.
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// Named on the command line.
    Given,
    /// Made by Loom; its sessions are there, too.
    Loom,
    Own,
}

impl DatabaseChoice {
    /// The folder for what belongs to the database's sessions and is no row: before-images, deleted files.
    pub fn data_folder(&self) -> PathBuf {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".files");
        self.path.with_file_name(name)
    }

    /// All that belongs to the database: the file, what SQLite and Cowork keep beside it, and the data folder.
    pub fn files(&self) -> Vec<PathBuf> {
        let beside = ["-wal", "-shm", "-journal", "-cowork.lock"].map(|ending| {
            let mut name = self.path.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        });
        [self.path.clone(), self.data_folder()].into_iter().chain(beside).collect()
    }
}

/// Our own file beside the one that Loom makes.
pub fn own_file(configured: &Path) -> PathBuf {
    configured.with_file_name(OWN_FILE)
}

/// `configured` is `[memory] database_path`; `holds_sessions` is asked only of a file that exists.
pub fn database_file(
    cli: Option<&Path>,
    configured: &Path,
    holds_sessions: impl Fn(&Path) -> bool,
    exists: impl Fn(&Path) -> bool,
) -> DatabaseChoice {
    if let Some(path) = cli {
        return DatabaseChoice { path: path.into(), kind: DatabaseKind::Given, note: None };
    }
    let own = own_file(configured);
    if own == configured || !exists(configured) {
        return DatabaseChoice { path: own, kind: DatabaseKind::Own, note: None };
    }
    if exists(&own) && holds_sessions(&own) {
        let loom = configured.file_name().unwrap_or_default().display();
        let note = format!(
            "Loom's {loom} is there now, but {OWN_FILE} beside it already holds sessions: sessions stay in {OWN_FILE}, \
             and those of Loom are not shown."
        );
        return DatabaseChoice { path: own, kind: DatabaseKind::Own, note: Some(note) };
    }
    DatabaseChoice { path: configured.into(), kind: DatabaseKind::Loom, note: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_databases_of_one_folder_have_data_folders_of_their_own() {
        let choice = database_file(Some(Path::new("/d/a.db")), Path::new("/d/loom.db"), |_| false, |_| false);
        assert_eq!(choice.data_folder(), Path::new("/d/a.db.files"));
    }

    #[test]
    fn the_command_line_wins_then_looms_file_then_our_own() {
        const LOOM: &str = "/d/loom.db";
        const OWN: &str = "/d/cowork.db";
        for (given, there, with_sessions, path, kind) in [
            (Some("/x.db"), &[LOOM, OWN][..], &[OWN][..], "/x.db", DatabaseKind::Given),
            (None, &[], &[], OWN, DatabaseKind::Own),
            (None, &[OWN], &[OWN], OWN, DatabaseKind::Own),
            (None, &[LOOM], &[LOOM], LOOM, DatabaseKind::Loom),
            (None, &[LOOM, OWN], &[LOOM], LOOM, DatabaseKind::Loom),
            (None, &[LOOM, OWN], &[OWN], OWN, DatabaseKind::Own),
            (None, &[LOOM, OWN], &[LOOM, OWN], OWN, DatabaseKind::Own),
        ] {
            let is_in = |files: &[&str], path: &Path| files.iter().any(|file| Path::new(file) == path);
            let choice = database_file(
                given.map(Path::new),
                Path::new(LOOM),
                |path| is_in(with_sessions, path),
                |path| is_in(there, path),
            );
            assert_eq!(
                (choice.path.as_path(), choice.kind),
                (Path::new(path), kind),
                "{given:?} {there:?} {with_sessions:?}"
            );
            let surprising = kind == DatabaseKind::Own && there.contains(&LOOM);
            assert_eq!(choice.note.is_some_and(|note| note.contains("sessions stay in cowork.db")), surprising);
        }
    }

    #[test]
    fn a_configured_file_of_our_name_is_our_own() {
        let choice = database_file(None, Path::new("/d/cowork.db"), |_| true, |_| true);
        assert_eq!(choice, DatabaseChoice { path: "/d/cowork.db".into(), kind: DatabaseKind::Own, note: None });
    }
}
