//! Random model scripts through the whole product. The scripted model refuses what no provider would take: a call
//! without exactly one result right behind it, or results out of order. Here the budget is checked on top.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde_json::{Value, json};

use crate::support::{
    model::{Script, Step},
    server::Setup,
};

/// Window of the model: small, so that long results and many turns don't fit.
const WINDOW: u64 = 12_000;
/// Random conversations of one run; each is a server of its own.
const CASES: u32 = 16;

#[derive(Clone, Debug)]
enum Saying {
    Text(String),
    Call { id: u8, call: Call },
    Fail,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    List,
    ReadLong,
    ReadNothing,
    Write(u8),
    Plan,
    Unknown,
    Malformed,
    Recall,
}

fn sayings() -> impl Strategy<Value = Vec<Saying>> {
    let call = prop_oneof![
        Just(Call::List),
        Just(Call::ReadLong),
        Just(Call::ReadNothing),
        (0..3u8).prop_map(Call::Write),
        Just(Call::Plan),
        Just(Call::Unknown),
        Just(Call::Malformed),
        Just(Call::Recall),
    ];
    let saying = prop_oneof![
        3 => "[a-zäß \n]{0,80}".prop_map(Saying::Text),
        // Few ids, so that they repeat within a message, a turn and a session.
        5 => (0..4u8, call).prop_map(|(id, call)| Saying::Call { id, call }),
        1 => Just(Saying::Fail),
    ];
    prop::collection::vec(saying, 0..5)
}

fn script(sayings: Vec<Saying>) -> Script {
    Script::Answer(sayings.into_iter().map(step).collect())
}

fn step(saying: Saying) -> Step {
    match saying {
        Saying::Text(text) => Step::Text(text),
        Saying::Fail => Step::Fail(json!({"message": "overloaded", "type": "invalid_request_error"})),
        Saying::Call { id, call } => {
            let (name, arguments) = match call {
                Call::List => ("list_directory", "{}".into()),
                Call::ReadLong => ("read_file", json!({"path": "long.txt"}).to_string()),
                Call::ReadNothing => ("read_file", json!({"path": "nothing.txt"}).to_string()),
                Call::Write(number) => {
                    ("write_file", json!({"path": format!("{number}.txt"), "content": "x"}).to_string())
                }
                Call::Plan => ("task_tracker", json!({"tasks": [{"content": "a", "status": "pending"}]}).to_string()),
                Call::Unknown => ("fly_away", "{}".into()),
                Call::Malformed => ("read_file", "{\"path\": ".into()),
                Call::Recall => ("conversation_recall", json!({"query": "long line"}).to_string()),
            };
            Step::Call { id: format!("call_{id}"), name: name.into(), arguments }
        }
    }
}

/// What Cowork estimates: a quarter of the characters.
fn tokens(request: &Value) -> u64 {
    let texts = request["messages"].as_array().unwrap().iter().map(|message| {
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        let arguments = calls.iter().map(|call| call["function"]["arguments"].as_str().unwrap_or_default().len());
        message["content"].as_str().unwrap_or_default().len() + arguments.sum::<usize>()
    });
    (texts.sum::<usize>() + request["tools"].to_string().len()) as u64 / 4
}

async fn play(turns: Vec<Vec<Vec<Saying>>>) {
    let server = Setup { context_tokens: WINDOW, ..Setup::default() }.start().await;
    server.write_file("long.txt", &"A long line of a long file, number and all.\n".repeat(700));
    let id = server.api.create(json!({"mode": "accept_edits"})).await;
    for (number, answers) in turns.into_iter().enumerate() {
        server.model.forget();
        server.model.play(answers.into_iter().map(script));
        // However the script goes on, it comes to an end.
        server.model.play((0..60).map(|_| Script::Answer(vec![Step::Text("Done.".into())])));
        server.turn(&id, &format!("Message {number}: {}", "words ".repeat(200))).await;
    }
    for request in server.model.requests() {
        let used = tokens(&request);
        assert!(used <= WINDOW, "{used} tokens were sent into a window of {WINDOW}");
        let first = &request["messages"][0];
        assert_eq!(first["role"], "system", "the system prompt is always first: {first}");
    }
    server.stop().await;
}

#[test]
fn every_request_of_a_random_conversation_is_one_that_a_provider_takes() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let turns = prop::collection::vec(prop::collection::vec(sayings(), 0..4), 1..5);
    runner
        .run(&turns, |turns| {
            runtime.block_on(play(turns));
            Ok(())
        })
        .unwrap();
}
