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

/// Window of the model: small, so that long results, arguments, texts and messages and many turns don't fit.
const WINDOW: u64 = 12_000;
/// What a request may have of it; the rest is for the answer.
const BUDGET: u64 = WINDOW * 3 / 4;
/// What the wire's wording adds to a message, such as "Error: ", in tokens.
const WORDING: u64 = 12;
/// Random conversations of one run; each is a server of its own.
const CASES: u32 = 16;

#[derive(Clone, Debug)]
enum Saying {
    Text(String),
    LongText,
    Call { id: u8, call: Call },
    Fail,
}

#[derive(Clone, Copy, Debug)]
enum Call {
    List,
    ReadLong,
    ReadNothing,
    Write(u8),
    WriteLong,
    EditLong,
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
        Just(Call::WriteLong),
        Just(Call::EditLong),
        Just(Call::Plan),
        Just(Call::Unknown),
        Just(Call::Malformed),
        Just(Call::Recall),
    ];
    let saying = prop_oneof![
        3 => "[a-zäß \n]{0,80}".prop_map(Saying::Text),
        1 => Just(Saying::LongText),
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
        Saying::LongText => Step::Text("I think about it at length. ".repeat(1_500)),
        Saying::Fail => Step::Fail(json!({"message": "overloaded", "type": "invalid_request_error"})),
        Saying::Call { id, call } => {
            let (name, arguments) = match call {
                Call::List => ("list_directory", "{}".into()),
                Call::ReadLong => ("read_file", json!({"path": "long.txt"}).to_string()),
                Call::ReadNothing => ("read_file", json!({"path": "nothing.txt"}).to_string()),
                Call::Write(number) => {
                    ("write_file", json!({"path": format!("{number}.txt"), "content": "x"}).to_string())
                }
                Call::WriteLong => ("write_file", json!({"path": "l.txt", "content": long_text()}).to_string()),
                Call::EditLong => {
                    let edit = json!({"old_str": long_text(), "new_str": long_text()});
                    ("edit_file", json!({"path": "l.txt", "edits": [edit]}).to_string())
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

fn long_text() -> String {
    "A line that the model wrote, one of many.\n".repeat(900)
}

/// What Cowork estimates: a quarter of the characters.
fn tokens(request: &Value) -> u64 {
    let texts = request["messages"].as_array().unwrap().iter().map(|message| {
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        let arguments = calls.iter().map(|call| call["function"]["arguments"].as_str().unwrap_or_default().len());
        message["content"].as_str().unwrap_or_default().len() + arguments.sum::<usize>()
    });
    let tools = request["tools"].as_array().unwrap().iter().map(|tool| &tool["function"]);
    let specs = tools.map(|tool| {
        let words = |field: &str| tool[field].as_str().unwrap().len();
        words("name") + words("description") + tool["parameters"].to_string().len()
    });
    (texts.sum::<usize>() + specs.sum::<usize>()) as u64 / 4
}

fn check_arguments(request: &Value) {
    for message in request["messages"].as_array().unwrap() {
        for call in message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let arguments = call["function"]["arguments"].as_str().unwrap();
            let arguments: Value = serde_json::from_str(arguments).unwrap_or_else(|_| panic!("no JSON: {arguments}"));
            assert!(arguments.is_object(), "{arguments}");
        }
    }
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
        let words = if number % 2 == 0 { 200 } else { 8_000 };
        server.turn(&id, &format!("Message {number}: {}", "words ".repeat(words))).await;
    }
    for request in server.model.requests() {
        let used = tokens(&request);
        let most = BUDGET + WORDING * request["messages"].as_array().unwrap().len() as u64;
        assert!(used <= most, "{used} tokens were sent, and {BUDGET} may be");
        check_arguments(&request);
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
