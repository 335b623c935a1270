//! Commands of the docs that can be run anywhere are run, in their order, in a home of their own beside a real server.

use std::{fs, path::Path, process::Command};

use crate::support::process::Home;

/// Pages whose commands are run; a block is marked by the word `run` behind its language.
const PAGES: &[(&str, usize)] =
    &[("README.md", 1), ("docs/operators.md", 2), ("docs/events.md", 1), ("docs/tutorial.md", 1)];
const MARK: &str = "```sh run\n";
/// The address in the docs.
const USUAL: &str = "http://127.0.0.1:9000";

fn read(page: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap()
}

fn blocks(text: &str) -> Vec<&str> {
    text.split(MARK).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_that_is_marked_runs() {
    for (page, expected) in PAGES {
        let text = read(page);
        let blocks = blocks(&text);
        assert_eq!(blocks.len(), *expected, "{page}");
        let home = Home::new();
        fs::create_dir(home.path().join("projects")).unwrap();
        let process = home.start_plain().await;
        let program = Path::new(env!("CARGO_BIN_EXE_cowork")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        for block in blocks {
            let script = block.replace(USUAL, &format!("http://{}", process.address));
            let mut shell = Command::new("sh");
            shell
                .args(["-euc", &script])
                .current_dir(home.path())
                .env_clear()
                .env("HOME", home.path())
                .env("PATH", &path);
            let ended = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
            let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
            assert!(ended.status.success(), "{page}:\n{script}\n{out}\n{err}");
            // `curl -s` succeeds with every answer of a server that is there.
            assert!(!out.contains("about:blank"), "{page}:\n{script}\n{out}");
        }
    }
}

#[test]
fn no_page_has_marked_commands_that_nobody_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    for page in pages.chain(["README.md".into(), "ARCHITECTURE.md".into()]) {
        let is_known = PAGES.iter().any(|(known, _)| *known == page);
        assert!(is_known || !read(&page).contains(MARK), "{page}");
    }
}
