//! The tutorial, step by step, as somebody follows it: the real program, its sample files, the built-in model.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{
    process::{Home, Process},
    server::is_end,
};

/// What the page tells the reader to do, or what they should find then.
#[derive(Debug)]
enum Step {
    Say(String),
    /// Lines that the answer holds.
    Answer(Vec<String>),
    Allow,
    Deny,
    /// A file, and lines that it holds.
    File(String, Vec<String>),
}

fn steps(text: &str) -> Vec<Step> {
    let mut found = Vec::new();
    // Between fences stands prose, then a block, in turn.
    for (at, part) in text.split("```").enumerate() {
        if at % 2 == 0 {
            for (words, step) in [("**Allow once**", Step::Allow), ("**Deny**", Step::Deny)] {
                if part.contains(words) {
                    found.push(step);
                }
            }
            continue;
        }
        let (info, body) = part.split_once('\n').unwrap();
        let lines = || body.lines().map(str::to_owned).collect();
        match info.split_once(' ').unwrap_or((info, "")) {
            ("you", _) => found.push(Step::Say(body.trim().to_owned())),
            ("agent", _) => found.push(Step::Answer(lines())),
            ("file", name) => found.push(Step::File(name.to_owned(), lines())),
            ("sh", _) => {}
            other => panic!("a block that nobody checks: {other:?}"),
        }
    }
    found
}

/// Sends a message; the words that the reader must give come next in the steps.
async fn say(process: &Process, id: &str, message: &str, word: Option<&str>) -> Vec<Value> {
    let mut socket = process.socket(id, "").await;
    socket.wait("synced").await;
    process.api.send(id, message).await;
    let next = socket.wait_for(|frame| is_end(frame) || frame["type"] == "approval_requested").await;
    let asks = next["type"] == "approval_requested";
    assert_eq!(asks, word.is_some(), "{message}: the page says whether it asks; {next}");
    if let Some(word) = word {
        let path = format!("/cowork/sessions/{id}/approvals/{}", next["approval_id"].as_str().unwrap());
        process.api.post(&path, json!({"decision": word})).await.expect(200);
        socket.wait_for(is_end).await;
    }
    let end = socket.frames.last().unwrap();
    assert_eq!(end["type"], "turn_completed", "{message}: {end}");
    socket.cut()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_tutorial_goes_as_it_says() {
    let mut home = Home::new();
    let made = home.run(&["demo", "museum"]).await;
    assert!(made.code == Some(0) && made.out.contains("cowork --workspace museum"), "{made:?}");
    home.workspace = home.path().join("museum");
    let process = home.start().await;
    let id = process.api.create(json!({})).await;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md")).unwrap();
    let steps = steps(&text);
    let (mut answer, mut checked) = (String::new(), 0);
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Say(message) => {
                let word = match steps.get(at + 1) {
                    Some(Step::Allow) => Some("approve"),
                    Some(Step::Deny) => Some("deny"),
                    _ => None,
                };
                let frames = say(&process, &id, message, word).await;
                let texts = frames.iter().filter(|frame| frame["type"] == "message_completed");
                answer = texts.map(|frame| frame["text"].as_str().unwrap()).collect::<Vec<_>>().join("\n");
            }
            Step::Answer(lines) => {
                checked += 1;
                for line in lines {
                    assert!(answer.contains(line), "{line} in {answer}");
                }
            }
            Step::File(name, lines) => {
                checked += 1;
                let file = fs::read_to_string(home.workspace.join(name)).unwrap();
                for line in lines {
                    assert!(file.contains(line), "{line} in {file}");
                }
            }
            // Done with the message before it.
            Step::Allow | Step::Deny => assert!(matches!(steps[at - 1], Step::Say(_)), "{step:?}"),
        }
    }
    assert!(checked >= 8, "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_something_in_it_is_left_alone() {
    let home = Home::new();
    fs::write(home.workspace.join("mine.txt"), "mine").unwrap();
    let refused = home.run(&["demo", "work"]).await;
    assert!(refused.code == Some(1) && refused.err.contains("was left as it is"), "{refused:?}");
    assert_eq!(fs::read_dir(&home.workspace).unwrap().count(), 1);
}
