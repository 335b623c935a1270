//! A fault of our own, in each place where one can happen: it ends what it happened in, and nothing else. Row 71.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use cowork::agent::{
    Allowed,
    ports::{
        clock::{Clock, SystemClock},
        model::ToolSpec,
        tool::{Tool, ToolContext, ToolError, ToolOutput},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, call, say},
    server::{Setup, wait_for_end},
};

/// A tool with a fault.
struct Falls;

#[async_trait]
impl Tool for Falls {
    fn spec(&self) -> ToolSpec {
        ToolSpec { name: "fall".into(), description: "Falls.".into(), parameters: json!({"type": "object"}) }
    }

    fn preview(&self, _args: &Value) -> String {
        String::new()
    }

    async fn run(&self, _args: Value, _context: ToolContext<'_>) -> Result<ToolOutput, ToolError> {
        panic!("a fault in a tool")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_panics_ends_its_turn_once_and_nothing_else() {
    let gate = Gate::new();
    let server = Setup { more_tools: vec![Arc::new(Falls)], ..Setup::default() }.start().await;
    server.model.play_for("The other", [say("Still ").wait(&gate).then("here.")]);
    server.model.play_for("Please fall", [call("c", "fall", &json!({})), say("As new.")]);
    let (id, other) = (server.session().await, server.session().await);
    let mut beside = server.socket(&other, "").await;
    server.api.send(&other, "The other").await;
    beside.wait("text_delta").await;
    let frames = server.turn(&id, "Please fall").await;
    let end = frames.iter().find(|frame| frame["type"] == "turn_interrupted").unwrap();
    assert_eq!(end["reason"], "error");
    assert!(!end.to_string().contains("a fault in a tool"), "what went wrong inside is for the log alone: {end}");
    let ends = server.api.event_types(&id).await;
    assert_eq!(ends.iter().filter(|kind| matches!(kind.as_str(), "turn_completed" | "turn_interrupted")).count(), 1);
    let rows = server.api.rows(&id).await;
    assert!(
        rows.iter().any(|row| row["tool_call_id"] == "c" && row["role"] == "tool"),
        "the call has a result: {rows:#?}"
    );
    server.turn(&id, "And again").await;
    assert_eq!(server.api.rows(&id).await.last().unwrap()["content"], "As new.");
    gate.open();
    assert_eq!(wait_for_end(&mut beside).await["type"], "turn_completed");
}

/// A clock that somebody can break.
#[derive(Default)]
struct Breaks(AtomicBool);

impl Clock for Breaks {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn elapsed(&self) -> Duration {
        assert!(!self.0.load(Ordering::SeqCst), "a fault in a clock");
        SystemClock.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_panics_is_one_answer_without_a_cause() {
    let clock = Arc::new(Breaks::default());
    // Who counts requests asks for the time.
    let allowed = Allowed { requests_per_minute: Some(1_000_000), ..Allowed::default() };
    let server = Setup { clock: clock.clone(), allowed, ..Setup::default() }.start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    socket.wait("synced").await;
    clock.0.store(true, Ordering::SeqCst);
    let detail = server.api.get(&format!("/cowork/sessions/{id}")).await.expect_problem(500, "internal");
    assert!(!detail.contains("clock"), "{detail}");
    clock.0.store(false, Ordering::SeqCst);
    assert_eq!(server.api.session(&id).await["status"], "idle");
    socket.send(json!({"type": "ping"})).await;
    socket.wait("pong").await;
}
