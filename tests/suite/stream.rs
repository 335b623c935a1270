//! The live stream: what a connection is told, in which order, and from where.

use std::time::Duration;

use cowork::state::Timing;
use serde_json::{Value, json};

use crate::support::{
    model::{Gate, Script, call, say},
    replica::Replica,
    server::{Server, Setup, wait_for_end},
    socket::Socket,
};

/// The frames in short: type, and the seq of those that have one.
fn line(frame: &Value) -> String {
    let name = frame["event_type"].as_str().or(frame["type"].as_str()).unwrap();
    frame["seq"].as_u64().map_or_else(|| name.to_owned(), |seq| format!("{name} {seq}"))
}

/// A turn of two messages and one call, with multi-byte text.
fn busy_turn() -> [Script; 2] {
    let ask = call("a", "list_directory", &json!({}));
    let Script::Answer(mut steps) = say("Grüß ").then("Gott – ") else { panic!() };
    let Script::Answer(calls) = ask else { panic!() };
    steps.extend(calls);
    [Script::Answer(steps), say("𝄞 und ").then("Ende.")]
}

#[tokio::test]
async fn every_connection_begins_with_hello_then_what_was_missed_then_synced() {
    let server = Server::playing(busy_turn()).await;
    let id = server.session().await;
    server.turn(&id, "Los").await;
    let head = server.api.session(&id).await["head_seq"].as_u64().unwrap();
    let mut socket = server.socket(&id, "cursor=0").await;
    socket.wait("synced").await;
    let expected = "hello, session_started 1, message_accepted 2, user_message_received 2, turn_started 3, turn_started 3, \
        model_call 4, message_completed 5, message_completed 5, tool_call_started 6, tool_call_started 6, \
        tool_call_completed 7, tool_call_completed 7, model_call 8, message_completed 9, message_completed 9, \
        turn_completed 10, turn_completed 10, synced 10";
    assert_eq!(socket.frames.iter().map(line).collect::<Vec<_>>().join(", "), expected);
    let hello = &socket.frames[0];
    assert_eq!((&hello["head_seq"], &hello["in_flight"]), (&json!(head), &Value::Null));
    assert_eq!((&hello["session"]["id"], &hello["session"]["head_seq"]), (&json!(id), &json!(head)));
    assert_eq!(hello["boot_id"], server.agent.boot_id());
}

#[tokio::test]
async fn a_cursor_is_served_with_exactly_what_lies_behind_it() {
    let server = Server::playing(busy_turn()).await;
    let id = server.session().await;
    server.turn(&id, "Los").await;
    let whole = server.api.events(&id).await;
    for cursor in 0..=whole.len() {
        let mut socket = server.socket(&id, &format!("cursor={cursor}")).await;
        socket.wait("synced").await;
        let rows: Vec<_> = socket.all("log_event").iter().map(|row| row["seq"].as_u64().unwrap()).collect();
        assert_eq!(rows, (cursor as u64 + 1..=whole.len() as u64).collect::<Vec<_>>(), "cursor {cursor}");
    }
    let mut none = server.socket(&id, "").await;
    none.wait("synced").await;
    assert_eq!(none.frames.iter().map(line).collect::<Vec<_>>(), ["hello", &format!("synced {}", whole.len())]);
}

#[tokio::test]
async fn replayed_frames_are_the_live_ones_and_the_rows_are_the_log() {
    let server = Server::playing(busy_turn()).await;
    let id = server.session().await;
    let mut live = server.socket(&id, "cursor=0").await;
    server.api.send(&id, "Los").await;
    wait_for_end(&mut live).await;
    let mut again = server.socket(&id, "cursor=0").await;
    again.wait("synced").await;
    let events = |socket: &Socket| -> Vec<Value> {
        let kept = socket.frames.iter().filter(|frame| frame["seq"].is_u64() && frame["type"] != "synced");
        kept.cloned().collect()
    };
    assert_eq!(events(&live), events(&again));
    let mut rows: Vec<Value> = live.all("log_event").into_iter().cloned().collect();
    for row in &mut rows {
        row.as_object_mut().unwrap().remove("type");
    }
    assert_eq!(rows, server.api.events(&id).await);
}

#[tokio::test]
async fn a_cursor_ahead_of_the_head_is_reset_and_then_live() {
    let server = Server::playing([say("Hello.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=99").await;
    assert_eq!(socket.next().await.unwrap()["type"], "hello");
    let reset = socket.next().await.unwrap();
    assert_eq!((&reset["type"], &reset["first_seq"]), (&json!("reset"), &json!(1)));
    assert!(!reset["reason"].as_str().unwrap().is_empty());
    server.api.send(&id, "Hi").await;
    let next = socket.next().await.unwrap();
    assert_eq!((&next["type"], &next["seq"]), (&json!("message_accepted"), &json!(2)), "live from the head");
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn deltas_count_in_bytes_and_are_cut_at_characters() {
    let gate = Gate::new();
    let server = Server::playing([say("äöü€").wait(&gate).then("𝄞").wait(&gate).then("e\u{301}.")]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Sing").await;
    let mut offsets = Vec::new();
    for _ in 0..3 {
        let delta = socket.wait("text_delta").await;
        offsets.push((delta["offset"].as_u64().unwrap(), delta["text"].as_str().unwrap().to_owned()));
        gate.step();
    }
    assert_eq!(offsets, [(0, "äöü€".into()), (9, "𝄞".into()), (13, "e\u{301}.".into())]);
    socket.wait("turn_completed").await;
}

#[tokio::test]
async fn each_typed_frame_is_followed_by_its_row_and_each_text_comes_before_its_event() {
    let server = Server::playing(busy_turn()).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "cursor=0").await;
    server.api.send(&id, "Los").await;
    wait_for_end(&mut socket).await;
    let frames = socket.cut();
    for (index, frame) in frames.iter().enumerate() {
        if frame["seq"].is_u64() && !matches!(frame["type"].as_str(), Some("log_event" | "synced")) {
            let row = &frames[index + 1];
            assert_eq!((&row["type"], &row["seq"]), (&json!("log_event"), &frame["seq"]));
            for (field, value) in row["payload"].as_object().unwrap() {
                // The number of a message stands where the text of a person's stands.
                if !(frame["type"] == "message_accepted" && field == "message") {
                    assert_eq!(&frame[field], value, "{field} of {frame}");
                }
            }
        }
    }
    let mut replica = Replica::default();
    for frame in &frames {
        if frame["type"] == "message_completed" {
            let at = (frame["turn"].as_u64().unwrap(), frame["message"].as_u64().unwrap());
            assert_eq!(replica.texts.get(&at).map_or("", String::as_str), frame["text"], "all text came before");
        }
        replica.take(frame);
    }
    let last: Vec<_> = frames.iter().rev().take(2).map(line).collect();
    assert_eq!(last, ["turn_completed 10", "turn_completed 10"]);
}

#[tokio::test]
async fn one_who_joins_in_mid_message_gets_what_there_is_and_then_the_rest() {
    let gate = Gate::new();
    let server = Server::playing([say("Schöne ").wait(&gate).then("neue ").then("Welt")]).await;
    let id = server.session().await;
    let mut first = server.socket(&id, "").await;
    server.api.send(&id, "Sprich").await;
    first.wait("text_delta").await;
    for query in ["", "cursor=0", "cursor=2", "cursor=99"] {
        let mut late = server.socket(&id, query).await;
        let hello = late.wait("hello").await;
        let flight = &hello["in_flight"];
        assert_eq!((&flight["turn"], &flight["message"], &flight["text"]), (&json!(1), &json!(0), &json!("Schöne ")));
        assert_eq!((&flight["thinking"], &flight["calls"]), (&json!(""), &json!([])));
        assert_eq!(hello["session"]["status"], "running", "{query}");
    }
    let mut late = server.socket(&id, "cursor=0").await;
    late.wait("synced").await;
    gate.open();
    wait_for_end(&mut late).await;
    let mut replica = Replica::default();
    replica.take_all(&late.frames);
    assert_eq!(replica.texts[&(1, 0)], "Schöne neue Welt");
    assert_eq!(late.all("text_delta")[0]["offset"], "Schöne ".len());
}

#[tokio::test]
async fn fifty_tabs_see_the_same_events_in_the_same_order() {
    let server = Server::playing(busy_turn()).await;
    let id = server.session().await;
    let mut tabs = Vec::new();
    for _ in 0..50 {
        let mut tab = server.socket(&id, "cursor=0").await;
        tab.wait("synced").await;
        tabs.push(tab);
    }
    server.api.send(&id, "Los").await;
    let mut seen: Vec<(Replica, Vec<String>)> = Vec::new();
    for mut tab in tabs {
        wait_for_end(&mut tab).await;
        let mut replica = Replica::default();
        replica.take_all(&tab.frames);
        let order = tab.frames.iter().filter(|frame| frame["type"] != "text_delta").map(line).collect();
        seen.push((replica, order));
    }
    assert!(seen.iter().all(|tab| *tab == seen[0]), "{seen:#?}");
}

#[tokio::test]
async fn a_tab_that_leaves_stops_nothing() {
    let gate = Gate::new();
    let server = Server::playing([say("Still ").wait(&gate).then("here.")]).await;
    let id = server.session().await;
    let mut polite = server.socket(&id, "").await;
    let mut rude = server.socket(&id, "").await;
    polite.send(json!({"type": "user_message", "message": "Hi"})).await;
    polite.wait("text_delta").await;
    rude.wait("text_delta").await;
    polite.leave().await;
    drop(rude.cut());
    gate.open();
    let end = server.ended(&id, 1).await;
    assert_eq!(end["type"], "turn_completed");
    assert_eq!(server.api.rows(&id).await[1]["content"], "Still here.");
}

#[tokio::test]
async fn a_quiet_connection_is_told_that_it_lives() {
    let timing = Timing { heartbeat: Duration::from_millis(40), ..Timing::default() };
    let server = Setup { timing, ..Setup::default() }.start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    for _ in 0..3 {
        assert_eq!(socket.wait("heartbeat").await, json!({"type": "heartbeat", "head_seq": 1}));
    }
}

#[tokio::test]
async fn a_change_from_elsewhere_is_a_row_on_every_connection() {
    let server = Server::start().await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    socket.wait("synced").await;
    server.api.patch(&format!("/cowork/sessions/{id}"), json!({"title": "Renamed"})).await.expect(200);
    let row = socket.wait("log_event").await;
    assert_eq!((&row["event_type"], &row["payload"]["title"]), (&json!("session_updated"), &json!("Renamed")));
}

#[tokio::test]
async fn a_stopping_server_ends_turns_first_and_then_says_goodbye() {
    let gate = Gate::new();
    let server = Server::playing([say("Half").wait(&gate)]).await;
    let id = server.session().await;
    let mut socket = server.socket(&id, "").await;
    server.api.send(&id, "Hi").await;
    socket.wait("text_delta").await;
    let (goodbye, ()) = tokio::join!(socket.close_code(), server.stop());
    assert_eq!(goodbye, Some(1001));
    let last = socket.frames.last().unwrap();
    assert_eq!((&last["event_type"], &last["payload"]["reason"]), (&json!("turn_interrupted"), &json!("restart")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_reads_slows_nobody_and_is_closed_in_the_end() {
    let timing = Timing { stalled: Duration::from_secs(1), heartbeat: Duration::from_millis(500) };
    let server = Setup { timing, ..Setup::default() }.start().await;
    // In all more than the buffers of the system and ours hold.
    const TURNS: usize = 12;
    let text = "x".repeat(900_000);
    server.model.play((0..TURNS).map(|_| say(&text)));
    let id = server.session().await;
    let mut stalled = server.socket(&id, "").await;
    stalled.wait("synced").await;
    let mut quick = server.socket(&id, "").await;
    for turn in 1..=TURNS {
        server.api.send(&id, "Flood").await;
        quick.wait_for(|frame| frame["type"] == "turn_completed" && frame["turn"] == turn).await;
    }
    assert!(quick.all("message_completed").iter().all(|frame| frame["text"] == text));
    // Heartbeats are the clock: the time that a stalled one is given is over after these.
    for _ in 0..4 {
        quick.wait("heartbeat").await;
    }
    // It takes what is in the pipe, then the end.
    assert!(matches!(stalled.close_code().await, Some(1013) | None));
    assert!(stalled.all("turn_completed").len() < TURNS, "it could not have had everything");
    let mut again = server.socket(&id, &format!("cursor={}", stalled.all("log_event").pop().unwrap()["seq"])).await;
    again.wait("synced").await;
    let seen = stalled.all("turn_completed").len() + again.all("turn_completed").len();
    assert_eq!(seen, TURNS, "it may come back by its cursor");
}
