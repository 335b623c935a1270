//! A conversation that is longer than the model's window: what is left out is listed, and can be brought back.

use serde_json::{Value, json};

use crate::support::{
    model::{call, say},
    server::Setup,
};

/// In tokens: room for the tools and some of the turns below, not for all.
const WINDOW: u64 = 24_000;
const FACT: &str = "4711-Delta";

fn holds(messages: &[Value], text: &str) -> bool {
    messages.iter().any(|message| message.to_string().contains(text))
}

#[tokio::test]
async fn turns_that_no_longer_fit_are_listed_and_recalled() {
    let server = Setup { context_tokens: WINDOW, ..Setup::default() }.start().await;
    let id = server.session().await;
    server.model.play([say("Noted.")]);
    server.turn(&id, &format!("Please remember this.\nThe safe opens with {FACT}.")).await;
    let long = "A line of an old report that fills the window.\n".repeat(300);
    for part in 1..=6 {
        server.model.play([say("Read.")]);
        server.turn(&id, &format!("Part {part} of the report.\n{long}")).await;
    }
    assert!(!holds(&server.model.last_messages(), FACT), "the fact still fits; nothing is shown by this test");

    let recall = call("r", "conversation_recall", &json!({"query": "safe opens"}));
    server.model.play([recall, say(&format!("It is {FACT}."))]);
    server.turn(&id, "How do I get in?").await;
    let requests = server.model.requests();
    let [before, after] =
        [requests.len() - 2, requests.len() - 1].map(|at| requests[at]["messages"].as_array().unwrap());
    assert!(!holds(before, FACT));
    let index = before[1]["content"].as_str().unwrap();
    assert!(index.contains("Turns 1 to ") && index.contains("conversation_recall"), "{index}");
    assert!(index.contains("- turn 1: Please remember this."), "{index}");
    // The newest turns are there in full, the oldest are not.
    assert!(holds(before, "Part 6 of the report.\\nA line") && !holds(before, "Part 1 of the report.\\nA line"));
    let result = after.last().unwrap();
    assert_eq!(result["role"], "tool");
    assert!(result["content"].as_str().unwrap().contains(FACT), "{result}");
    for request in &requests {
        let tokens = request.to_string().len() as u64 / 4;
        assert!(tokens < WINDOW, "{tokens} tokens were sent into a window of {WINDOW}");
    }
}
