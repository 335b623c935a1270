//! What waits for a person, over the store port: approvals and rules, questions, steering, the plan, recall.

use serde_json::json;

use super::testing::{Scene, agent, call, message};
use crate::{
    agent::ports::store::{
        AcceptOutcome, NewApproval, NewMessage, NewQuestion, QuestionState, Recall, Resolution, Steering, Store,
        StoreError,
    },
    protocol::{
        Actor, ApprovalId, Asked, CallId, Decision, Pending, Question, QuestionId, QuestionKind, Risk, Role, RuleId,
        SessionId, SteeringId, Task, TaskStatus,
    },
};

fn approval(id: &str, tool: &str, scope: Option<&str>) -> NewApproval {
    NewApproval {
        approval_id: ApprovalId::new(id),
        turn: 1,
        tool_call_id: CallId::new(format!("call-{id}")),
        name: tool.into(),
        args: json!({"path": "a.txt"}),
        preview: "a.txt".into(),
        risk: Risk::Edit,
        scope: scope.map(Into::into),
    }
}

fn question(id: &str) -> NewQuestion {
    NewQuestion {
        question_id: QuestionId::new(id),
        turn: 1,
        tool_call_id: CallId::new(format!("call-{id}")),
        question: Question {
            question: "Which?".into(),
            kind: QuestionKind::FreeText,
            options: vec![],
            allow_custom: true,
        },
    }
}

async fn running() -> (Scene, SessionId) {
    let scene = Scene::new();
    let id = scene.create('a', "Waits").await;
    scene.start(&id, "Write it.").await;
    (scene, id)
}

async fn request(scene: &Scene, id: &SessionId, new: NewApproval) {
    scene.store.request_approval(&agent(), id, new).await.unwrap();
}

async fn decide(scene: &Scene, id: &SessionId, approval: &str, decision: Decision) -> Resolution {
    let (approval, rule) = (ApprovalId::new(approval), RuleId::new(format!("rule-{approval}")));
    scene.store.decide(&Actor::local(), id, &approval, decision, rule).await.unwrap()
}

async fn decision(scene: &Scene, id: &SessionId, approval: &str) -> Option<Decision> {
    let call = CallId::new(format!("call-{approval}"));
    scene.store.decided(id, &call).await.unwrap().map(|decided| decided.decision)
}

#[tokio::test]
async fn the_first_word_on_a_call_counts_and_a_second_is_told_whose_it_was() {
    let (scene, id) = running().await;
    request(&scene, &id, approval("1", "write_file", None)).await;
    request(&scene, &id, approval("1", "write_file", None)).await;
    let session = scene.session(&id).await;
    let [Pending::ApprovalRequested { seq, approval }] = session.pending.as_slice() else {
        panic!("{:?}", session.pending)
    };
    assert_eq!((*seq, &approval.args), (session.head_seq, &json!({"path": "a.txt"})));
    assert_eq!(decision(&scene, &id, "1").await, None);

    assert_eq!(decide(&scene, &id, "1", Decision::Deny).await, Resolution::Done);
    let second = decide(&scene, &id, "1", Decision::Approve).await;
    assert!(matches!(second, Resolution::Already { by, word, .. } if by == Actor::local() && word == "deny"));
    assert_eq!(decision(&scene, &id, "1").await, Some(Decision::Deny));
    assert!(scene.session(&id).await.pending.is_empty());
    assert_eq!(scene.event_types(&id).await[3..], ["approval_requested", "approval_resolved"]);
    let (person, unknown) = (Actor::local(), ApprovalId::new("x"));
    let unknown = scene.store.decide(&person, &id, &unknown, Decision::Approve, RuleId::new("r")).await;
    assert!(matches!(unknown, Err(StoreError::NoApproval)));
}

#[tokio::test]
async fn always_makes_a_rule_and_covers_what_waits_and_is_like_it() {
    let (scene, id) = running().await;
    request(&scene, &id, approval("1", "write_file", Some("src"))).await;
    request(&scene, &id, approval("2", "write_file", Some("src"))).await;
    request(&scene, &id, approval("3", "write_file", Some("docs"))).await;
    request(&scene, &id, approval("4", "delete_file", Some("src"))).await;
    request(&scene, &id, approval("5", "write_file", Some("src/deep"))).await;
    request(&scene, &id, approval("6", "write_file", None)).await;
    decide(&scene, &id, "1", Decision::ApproveAlways).await;
    assert_eq!(decision(&scene, &id, "1").await, Some(Decision::ApproveAlways));
    assert_eq!(decision(&scene, &id, "2").await, Some(Decision::Approve));
    assert_eq!(decision(&scene, &id, "3").await, None);
    assert_eq!(decision(&scene, &id, "4").await, None);
    assert_eq!(decision(&scene, &id, "5").await, Some(Decision::Approve), "below the folder");
    assert_eq!(decision(&scene, &id, "6").await, None);

    let (person, sixth) = (Actor::local(), ApprovalId::new("6"));
    let refused = scene.store.decide(&person, &id, &sixth, Decision::ApproveAlways, RuleId::new("r")).await;
    assert!(matches!(refused, Err(StoreError::NoScope)));
    assert_eq!(decision(&scene, &id, "6").await, None, "it still waits");
    let rules = scene.store.rules(&id).await.unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!((rules[0].tool.as_str(), rules[0].scope.as_str()), ("write_file", "src"));
    scene.store.remove_rule(&Actor::local(), &id, &rules[0].rule_id).await.unwrap();
    assert!(scene.store.rules(&id).await.unwrap().is_empty());
    let again = scene.store.remove_rule(&Actor::local(), &id, &rules[0].rule_id).await;
    assert!(matches!(again, Err(StoreError::NoRule)));
    let types = scene.event_types(&id).await;
    assert!(types.contains(&"approval_rule_added") && types.contains(&"approval_rule_removed"), "{types:?}");
}

#[tokio::test]
async fn a_message_answers_a_question_once_and_its_client_id_is_used() {
    let (scene, id) = running().await;
    scene.store.ask(&agent(), &id, question("q")).await.unwrap();
    scene.store.ask(&agent(), &id, question("q")).await.unwrap();
    let session = scene.session(&id).await;
    let [Pending::AwaitingUserInput { asked, .. }] = session.pending.as_slice() else {
        panic!("{:?}", session.pending)
    };
    let answer = NewMessage { client_id: Some("c".into()), ..message("The blue one", None) };
    let send = |asked: Asked, answer: NewMessage| {
        let (scene, id) = (&scene, &id);
        async move { scene.store.answer_with_message(&Actor::local(), id, &asked, answer).await }
    };
    let first = send(asked.clone(), answer.clone()).await.unwrap();
    assert!(matches!(&first, AcceptOutcome::Accepted(accepted) if accepted.turn == Some(1) && !accepted.queued));
    let AcceptOutcome::Repeated(repeated) = send(asked.clone(), answer).await.unwrap() else { panic!("taken twice") };
    assert_eq!(AcceptOutcome::Accepted(repeated), first);
    assert!(matches!(send(asked.clone(), message("late", None)).await, Err(StoreError::NoQuestion)));

    let state = scene.store.question(&id, &asked.tool_call_id).await.unwrap();
    assert_eq!(state, QuestionState::Answered { words: "The blue one".into(), by: Actor::local() });
    let late = scene.store.answer(&Actor::local(), &id, &asked.question_id, "red".into()).await.unwrap();
    assert!(matches!(late, Resolution::Already { .. }));
    let records = scene.store.records(&id, 0, 100).await.unwrap();
    let answered = records.last().unwrap();
    assert_eq!(
        (answered.event.body.event_type(), answered.text.as_deref()),
        ("user_input_received", Some("The blue one"))
    );
    let log =
        scene.sql().query_row("SELECT group_concat(payload) FROM cowork_events", [], |row| row.get::<_, String>(0));
    assert!(!log.unwrap().contains("blue"), "the answer stands in the conversation, not in the log");
}

#[tokio::test]
async fn a_turn_that_only_waits_goes_on_waiting_after_a_restart() {
    for waits_for in ["approval", "question"] {
        let (scene, id) = running().await;
        scene.say(&id, 1, 0, "", vec![call("call-1"), call("call-2")]).await;
        if waits_for == "approval" {
            request(&scene, &id, approval("1", "write_file", None)).await;
        } else {
            scene.call_started(&id, 1, "call-1").await;
            scene.store.ask(&agent(), &id, question("1")).await.unwrap();
        }
        let scene = scene.killed();
        let recovered = scene.store.recover().await.unwrap();
        assert_eq!((recovered.ended.len(), recovered.waiting), (0, vec![id.clone()]), "{waits_for}");
        assert_eq!(scene.session(&id).await.pending.len(), 1);
        assert_eq!(scene.session(&id).await.running_turn, Some(1));
    }
}

#[tokio::test]
async fn a_turn_that_ran_a_tool_beside_the_wait_is_interrupted_and_nothing_waits_any_more() {
    let (scene, id) = running().await;
    scene.say(&id, 1, 0, "", vec![call("call-1"), call("call-2")]).await;
    request(&scene, &id, approval("2", "write_file", None)).await;
    scene.call_started(&id, 1, "call-1").await;
    let scene = scene.killed();
    let recovered = scene.store.recover().await.unwrap();
    assert_eq!((recovered.ended, recovered.waiting.len()), (vec![id.clone()], 0));
    assert!(scene.session(&id).await.pending.is_empty());
    assert_eq!(decision(&scene, &id, "2").await, Some(Decision::Deny));
    let types = scene.event_types(&id).await;
    assert_eq!(types.last(), Some(&"turn_interrupted"));
}

#[tokio::test]
async fn steering_waits_in_order_and_becomes_a_row_when_it_is_taken() {
    let (scene, id) = running().await;
    for (steering, text) in [("s1", "Shorter, please."), ("s2", "And in French.")] {
        let steering = Steering { steering_id: SteeringId::new(steering), text: text.into() };
        scene.store.steer(&Actor::local(), &id, 1, steering).await.unwrap();
    }
    assert_eq!(scene.rows(&id).await.len(), 1, "the model has not got it yet");
    let scene = scene.killed();
    let taken = scene.store.take_steering(&id, 1).await.unwrap();
    assert_eq!(
        taken.iter().map(|steering| steering.text.as_str()).collect::<Vec<_>>(),
        ["Shorter, please.", "And in French."]
    );
    assert!(scene.store.take_steering(&id, 1).await.unwrap().is_empty());
    let rows = scene.rows(&id).await;
    assert_eq!(
        (rows[1].role, rows[1].content.as_str()),
        (Role::System, "Steering instruction from user: Shorter, please.")
    );
    let records = scene.store.records(&id, 3, 10).await.unwrap();
    assert_eq!(records[0].text.as_deref(), Some("Shorter, please."));
}

async fn steer(scene: &Scene, id: &SessionId, text: &str) -> Result<(), StoreError> {
    let steering = Steering { steering_id: SteeringId::new(format!("s-{text}")), text: text.into() };
    scene.store.steer(&Actor::local(), id, 1, steering).await
}

#[tokio::test]
async fn what_the_model_did_not_get_is_the_next_message_and_nothing_can_be_said_into_an_ended_turn() {
    for end in ["completed", "interrupted", "killed"] {
        let (scene, id) = running().await;
        steer(&scene, &id, "taken").await.unwrap();
        scene.store.take_steering(&id, 1).await.unwrap();
        scene.queue(&id, "queued").await;
        steer(&scene, &id, "first").await.unwrap();
        steer(&scene, &id, "second").await.unwrap();
        let scene = match end {
            "killed" => {
                let scene = scene.killed();
                scene.store.recover().await.unwrap();
                scene
            }
            "completed" => {
                scene.complete(&id, 1).await;
                scene
            }
            _ => {
                scene.interrupt(&id, 1).await;
                scene
            }
        };
        let queue = scene.store.queue(&id).await.unwrap();
        let texts: Vec<_> = queue.iter().map(|waiting| waiting.message.as_str()).collect();
        assert_eq!(texts, ["first", "second", "queued"], "{end}");
        assert_eq!(scene.session(&id).await.queue_held, end != "completed", "{end}");
        assert!(matches!(steer(&scene, &id, "late").await, Err(StoreError::NotRunning)), "{end}");
        let started = scene.store.start_queued(&id, None, "m").await.unwrap().unwrap();
        assert_eq!((started.turn, started.message_id.as_str()), (Some(2), "s-first"), "{end}");
        assert!(matches!(steer(&scene, &id, "later").await, Err(StoreError::NotRunning)), "another turn runs: {end}");
    }
}

#[tokio::test]
async fn the_plan_is_replaced_as_a_whole() {
    let (scene, id) = running().await;
    let task = |content: &str| Task { content: content.into(), status: TaskStatus::Pending };
    scene.store.set_tasks(&id, vec![task("one"), task("two")]).await.unwrap();
    scene.store.set_tasks(&id, vec![task("three")]).await.unwrap();
    assert_eq!(scene.session(&id).await.tasks, [task("three")]);
}

fn words(words: &str) -> Recall {
    Recall { words: Some(words.into()), turns: (1, u32::MAX), row: None, limit: 10 }
}

#[tokio::test]
async fn recall_finds_words_of_the_session_and_of_no_other() {
    let scene = Scene::new();
    let id = scene.create('a', "Here").await;
    let other = scene.create('b', "Elsewhere").await;
    scene.start(&other, "The Überweisung is elsewhere.").await;
    scene.start(&id, "Where is the Überweisung of March?").await;
    scene.say(&id, 1, 0, "In bank/march.csv, line 7.", vec![]).await;
    scene.complete(&id, 1).await;
    let found = scene.store.recall(&id, words("überweisung MARCH")).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].turn, found[0].role), (1, Role::User));
    assert!(found[0].text.contains("Überweisung"), "{found:?}");

    scene.start(&id, "Thanks.").await;
    scene.say(&id, 2, 0, "The invoice \"AND\" the receipt.", vec![]).await;
    // Words that stand nowhere together are looked for one by one, and none of them is FTS5's language.
    let found = scene.store.recall(&id, words("receipt* OR ( \"march NEAR")).await.unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(scene.store.recall(&id, words("*\"(")).await.unwrap().is_empty());
    // A result is stored as JSON and found by its words, also by the first of a line.
    scene.say(&id, 2, 1, "", vec![call("c")]).await;
    scene.call_ended(&id, 2, "c", "one\nxylophone lessons\n", None).await;
    let found = scene.store.recall(&id, words("xylophone")).await.unwrap();
    assert_eq!((found.len(), found[0].role), (1, Role::Tool));
    let row = Recall { words: None, row: Some(found[0].row), ..words("") };
    assert_eq!(scene.store.recall(&id, row).await.unwrap(), found);
    let turn = Recall { words: None, turns: (2, 2), row: None, limit: 10 };
    let found = scene.store.recall(&id, turn).await.unwrap();
    assert_eq!(found.iter().map(|row| row.turn).collect::<Vec<_>>(), [2, 2, 2]);
}

#[tokio::test]
async fn a_purged_session_leaves_no_words_in_the_index() {
    let (scene, id) = running().await;
    scene.say(&id, 1, 0, "A secret word: xylophone.", vec![]).await;
    scene.complete(&id, 1).await;
    assert_eq!(scene.store.recall(&id, words("xylophone")).await.unwrap().len(), 1);
    scene.store.delete_session(&id).await.unwrap();
    scene.clock.advance(31);
    scene.store.purge_expired().await.unwrap();
    let left = "SELECT COUNT(*) FROM cowork_web_recall WHERE cowork_web_recall MATCH 'xylophone'";
    assert_eq!(scene.number(left), 0);
    scene.sql().execute("INSERT INTO cowork_web_recall (cowork_web_recall) VALUES ('integrity-check')", []).unwrap();
}
