use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A home with toolchains and secrets, a workspace, and programs elsewhere.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new(folders: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        for inside in folders {
            fs::create_dir_all(folder.path().join(inside)).unwrap();
        }
        Self { folder }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    fn surroundings(&self, path: &[&str]) -> Surroundings {
        let path: Vec<_> = path.iter().map(|folder| self.at(folder)).collect();
        Surroundings {
            workspace: self.at("home/files"),
            home: Some(self.at("home")),
            path: std::env::join_paths(path).unwrap().into_string().unwrap(),
            hidden: vec![],
            network: false,
            is_root: false,
        }
    }

    /// What is visible of this machine, without the system's own.
    fn visible(&self, path: &[&str]) -> Vec<String> {
        let view = view(&self.surroundings(path)).unwrap();
        let root = self.at("");
        let inside = view.visible.iter().filter_map(|path| path.strip_prefix(&root).ok());
        let mut visible: Vec<String> = inside.map(|path| path.display().to_string()).collect();
        visible.sort();
        visible
    }
}

#[test]
fn the_home_folder_is_not_there_but_for_toolchains_on_path() {
    let machine = Machine::new(&[
        "home/files",
        "home/.ssh",
        "home/.config/tool/bin",
        "home/.cargo/bin",
        "home/.cargo/registry",
        "home/.rustup/toolchains",
        "home/.pyenv/shims",
        "home/.local/share/keyrings",
        "home/.local/bin",
        "home/bin",
        "home/documents",
    ]);
    fs::write(machine.at("home/.cargo/credentials.toml"), "secret").unwrap();
    assert_eq!(machine.visible(&[]), Vec::<String>::new());
    let all = ["home/.cargo/bin", "home/.pyenv/shims", "home/.local/bin", "home/bin", "home/.config/tool/bin", "home"];
    assert_eq!(
        machine.visible(&all),
        [
            "home/.cargo/bin",
            "home/.cargo/registry",
            "home/.local/bin",
            "home/.pyenv",
            "home/.rustup/toolchains",
            "home/bin"
        ]
    );
    let links = view(&machine.surroundings(&all)).unwrap().links;
    assert!(links.contains(&("/tmp/home/.pyenv".into(), machine.at("home/.pyenv"))), "{links:?}");
}

#[test]
fn programs_elsewhere_come_with_their_libraries() {
    let machine =
        Machine::new(&["home/files", "srv/tool/bin", "srv/tool/lib", "srv/tool/data", "home/env/bin", "home/env/lib"]);
    fs::write(machine.at("home/env/pyvenv.cfg"), "").unwrap();
    symlink(machine.at("srv/tool/bin"), machine.at("srv/link")).unwrap();
    assert_eq!(machine.visible(&["srv/tool/bin", "home/env/bin"]), ["home/env", "srv/tool/bin", "srv/tool/lib"]);
    let view = view(&machine.surroundings(&["srv/link"])).unwrap();
    assert!(view.links.contains(&(machine.at("srv/link"), machine.at("srv/tool/bin"))), "{:?}", view.links);
}

#[test]
fn the_servers_own_files_are_closed_wherever_they_are() {
    let machine = Machine::new(&["home/files/data", "srv/bin", "srv/elsewhere"]);
    for file in ["home/files/loom.toml", "srv/bin/cowork.db", "srv/elsewhere/loom.toml"] {
        fs::write(machine.at(file), "").unwrap();
    }
    let mut surroundings = machine.surroundings(&["srv/bin"]);
    surroundings.hidden =
        ["home/files/loom.toml", "home/files/data", "srv/bin/cowork.db", "srv/elsewhere/loom.toml", "gone"]
            .map(|path| machine.at(path))
            .into();
    let expected = ["home/files/data", "home/files/loom.toml", "srv/bin/cowork.db"].map(|path| machine.at(path));
    assert_eq!(view(&surroundings).unwrap().hidden, expected);
}

#[test]
fn what_only_root_may_read_is_found() {
    let machine = Machine::new(&["etc/open", "etc/private"]);
    for (path, mode) in [("etc/private", 0o700), ("etc/open/shadow", 0o640), ("etc/open/passwd", 0o644)] {
        let path = machine.at(path);
        if !path.exists() {
            fs::write(&path, "").unwrap();
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut closed = not_for_everyone(&machine.at("etc"));
    closed.sort();
    assert_eq!(closed, [machine.at("etc/open/shadow"), machine.at("etc/private")]);
}

#[test]
fn a_workspace_that_holds_more_than_files_of_work_is_refused() {
    let machine = Machine::new(&["home/files"]);
    let home = Some(machine.at("home"));
    for (workspace, home, word) in [
        (machine.at("home"), home.clone(), "home folder"),
        (machine.at(""), home, "home folder"),
        ("/".into(), None, "/usr"),
        ("/etc".into(), None, "/etc"),
        ("/tmp".into(), None, "/tmp"),
    ] {
        let surroundings = Surroundings { workspace: workspace.clone(), home, ..machine.surroundings(&[]) };
        let refusal = view(&surroundings).unwrap_err();
        assert!(refusal.contains(word), "{}: {refusal}", workspace.display());
    }
}
