//! Calls that wait for a person's word, and the rules that spare it.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{events, failure::unreadable, loggable::Loggable, loom, sessions, writer::Change};
use crate::{
    agent::ports::{
        clock::rfc3339,
        store::{Decided, NewApproval, Resolution, StoreError, StoreResult},
    },
    protocol::{
        Actor, Approval, ApprovalId, ApprovalRule, CallId, Decision, EventBody, Mode, Pending, RuleId, Seq, SessionId,
    },
};

const COLUMNS: &str = "turn, approval_id, tool_call_id, name, args, preview, risk, scope, seq";

/// The event of a call that waits.
pub(super) fn requested(new: &NewApproval) -> EventBody {
    EventBody::ApprovalRequested(approval(new.clone()))
}

fn approval(new: NewApproval) -> Approval {
    let NewApproval { approval_id, turn, tool_call_id, name, args, preview, risk, scope } = new;
    Approval { turn, approval_id, tool_call_id, name, args, preview, risk, scope }
}

pub(super) fn request(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    new: NewApproval,
    requested: Loggable,
) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let known = "SELECT EXISTS(SELECT 1 FROM cowork_web_approvals WHERE session_id = ?1 AND tool_call_id = ?2)";
    let places = [id.as_str(), new.tool_call_id.as_str()];
    if change.connection.prepare_cached(known)?.query_row(places, |row| row.get(0))? {
        return Ok(());
    }
    let approval = approval(new);
    let text = whole_text(&requested.body, &approval)?;
    events::append_with_text(change, id, actor, requested, text)?;
    let sql = "INSERT INTO cowork_web_approvals (approval_id, session_id, turn, seq, tool_call_id, name, args, preview,
                   risk, scope) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    change.connection.prepare_cached(sql)?.execute(params![
        approval.approval_id.as_str(),
        id.as_str(),
        approval.turn,
        events::head(change.connection, id)? as i64,
        approval.tool_call_id.as_str(),
        approval.name,
        loom::json(&approval.args)?,
        approval.preview,
        word(&approval.risk)?,
        approval.scope,
    ])?;
    Ok(())
}

/// A person must see what they agree to, also where the log may not hold it: arguments and preview as they are, while
/// they wait.
pub(super) fn whole(connection: &Connection, logged: &Approval) -> StoreResult<Option<String>> {
    let sql = format!("SELECT {COLUMNS} FROM cowork_web_approvals WHERE approval_id = ?1 AND decision IS NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([logged.approval_id.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    whole_text(&EventBody::ApprovalRequested(logged.clone()), &read(row)?)
}

fn whole_text(logged: &EventBody, waiting: &Approval) -> StoreResult<Option<String>> {
    let same = matches!(logged, EventBody::ApprovalRequested(logged) if logged == waiting);
    if same { Ok(None) } else { loom::json(&(&waiting.args, &waiting.preview)).map(Some) }
}

/// The word on a call; `None` while it waits.
pub(super) fn decided(connection: &Connection, id: &SessionId, call: &CallId) -> StoreResult<Option<Decided>> {
    let sql = "SELECT decision, decided_by FROM cowork_web_approvals
               WHERE session_id = ?1 AND tool_call_id = ?2 AND decision IS NOT NULL";
    let found: Option<(String, String)> = connection
        .prepare_cached(sql)?
        .query_row([id.as_str(), call.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    found.map(|(decision, by)| Ok(Decided { decision: from_word(&decision)?, by: actor(&by)? })).transpose()
}

/// One word counts. An "always" becomes a rule, and covers what else waits and is like it.
pub(super) fn decide(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    approval: &ApprovalId,
    decision: Decision,
    rule_id: RuleId,
) -> StoreResult<Resolution> {
    sessions::require_for_write(change, id)?;
    if let Some(already) = already(change.connection, id, approval)? {
        return Ok(already);
    }
    let waiting = open(change.connection, id)?;
    let (_, asked) =
        waiting.iter().find(|(_, asked)| asked.approval_id == *approval).ok_or(StoreError::NoApproval)?.clone();
    let scope = match (decision, &asked.scope) {
        (Decision::ApproveAlways, None) => return Err(StoreError::NoScope),
        (Decision::ApproveAlways, Some(scope)) => Some(scope),
        (Decision::Approve | Decision::Deny, _) => None,
    };
    set(change, actor, id, &asked, decision)?;
    if let Some(scope) = scope {
        add_rule(change, actor, id, &asked.name, scope, rule_id)?;
        let alike = |other: &Approval| {
            other.approval_id != asked.approval_id && other.name == asked.name && other.is_spared_by(scope)
        };
        for (_, other) in waiting.iter().filter(|(_, other)| alike(other)) {
            set(change, actor, id, other, Decision::Approve)?;
        }
    }
    sessions::touch(change, id)?;
    Ok(Resolution::Done)
}

fn already(connection: &Connection, id: &SessionId, approval: &ApprovalId) -> StoreResult<Option<Resolution>> {
    let sql = "SELECT decision, decided_by, decided_at FROM cowork_web_approvals
               WHERE session_id = ?1 AND approval_id = ?2 AND decision IS NOT NULL";
    let found: Option<(String, String, String)> = connection
        .prepare_cached(sql)?
        .query_row([id.as_str(), approval.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.map(|(word, by, at)| Ok(Resolution::Already { by: actor(&by)?, at, word })).transpose()
}

fn set(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    approval: &Approval,
    decision: Decision,
) -> StoreResult<()> {
    let sql = "UPDATE cowork_web_approvals SET decision = ?2, decided_by = ?3, decided_at = ?4 WHERE approval_id = ?1";
    let (word, by, at) = (word(&decision)?, loom::json(actor)?, rfc3339(change.now));
    change.connection.prepare_cached(sql)?.execute([approval.approval_id.as_str(), &word, &by, &at])?;
    forget_secrets(change, approval)?;
    let resolved = EventBody::ApprovalResolved {
        turn: approval.turn,
        approval_id: approval.approval_id.clone(),
        tool_call_id: approval.tool_call_id.clone(),
        decision,
    };
    events::append(change, id, actor, resolved)
}

/// Nobody looks at it any more, and the conversation has the call itself.
fn forget_secrets(change: &Change<'_>, approval: &Approval) -> StoreResult<()> {
    let redaction = &change.rules.redaction;
    let (mut args, preview) = (approval.args.clone(), redaction.text(&approval.preview));
    if redaction.json(&mut args) || preview != approval.preview {
        let sql = "UPDATE cowork_web_approvals SET args = ?2, preview = ?3 WHERE approval_id = ?1";
        let id = approval.approval_id.as_str();
        change.connection.prepare_cached(sql)?.execute([id, &loom::json(&args)?, &preview])?;
    }
    Ok(())
}

/// What waits is judged by the mode that its session has from now on: what that spares goes on, what it forbids is denied.
pub(super) fn judge_anew(change: &mut Change<'_>, actor: &Actor, id: &SessionId, mode: Mode) -> StoreResult<()> {
    for (_, approval) in open(change.connection, id)? {
        if mode == Mode::ReadOnly {
            set(change, actor, id, &approval, Decision::Deny)?;
        } else if mode.spares(approval.risk) {
            set(change, actor, id, &approval, Decision::Approve)?;
        }
    }
    Ok(())
}

/// Denies all that waits, since the turn is over.
pub(super) fn withdraw(change: &mut Change<'_>, actor: &Actor, id: &SessionId) -> StoreResult<()> {
    for (_, approval) in open(change.connection, id)? {
        set(change, actor, id, &approval, Decision::Deny)?;
    }
    Ok(())
}

/// What waits, oldest first, with the seq of its event.
fn open(connection: &Connection, id: &SessionId) -> StoreResult<Vec<(Seq, Approval)>> {
    let sql =
        format!("SELECT {COLUMNS} FROM cowork_web_approvals WHERE session_id = ?1 AND decision IS NULL ORDER BY seq");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([id.as_str()])?;
    let mut open = Vec::new();
    while let Some(row) = rows.next()? {
        open.push((row.get::<_, i64>(8)? as Seq, read(row)?));
    }
    Ok(open)
}

fn read(row: &Row<'_>) -> StoreResult<Approval> {
    let args: String = row.get(4)?;
    Ok(Approval {
        turn: row.get(0)?,
        approval_id: ApprovalId(row.get(1)?),
        tool_call_id: CallId(row.get(2)?),
        name: row.get(3)?,
        args: serde_json::from_str(&args).map_err(|error| unreadable("an approval", &error))?,
        preview: row.get(5)?,
        risk: from_word(&row.get::<_, String>(6)?)?,
        scope: row.get(7)?,
    })
}

pub(super) fn pending(connection: &Connection, id: &SessionId) -> StoreResult<Vec<Pending>> {
    Ok(open(connection, id)?.into_iter().map(|(seq, approval)| Pending::ApprovalRequested { seq, approval }).collect())
}

fn add_rule(
    change: &mut Change<'_>,
    actor: &Actor,
    id: &SessionId,
    tool: &str,
    scope: &str,
    rule_id: RuleId,
) -> StoreResult<()> {
    let sql = "INSERT INTO cowork_web_rules (rule_id, session_id, tool, scope, actor, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING";
    let added = change.connection.prepare_cached(sql)?.execute(params![
        rule_id.as_str(),
        id.as_str(),
        tool,
        scope,
        loom::json(actor)?,
        rfc3339(change.now),
    ])?;
    if added == 0 {
        return Ok(());
    }
    let (tool, scope) = (tool.to_owned(), Some(scope.to_owned()));
    events::append(change, id, actor, EventBody::ApprovalRuleAdded { rule_id, tool, scope })
}

/// The rules of a session, oldest first.
pub(super) fn rules(connection: &Connection, id: &SessionId) -> StoreResult<Vec<ApprovalRule>> {
    let sql = "SELECT rule_id, tool, scope, actor, created_at FROM cowork_web_rules
               WHERE session_id = ?1 ORDER BY created_at, rule_id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([id.as_str()])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        rules.push(ApprovalRule {
            rule_id: RuleId(row.get(0)?),
            tool: row.get(1)?,
            scope: row.get(2)?,
            actor: actor(&row.get::<_, String>(3)?)?,
            created_at: row.get(4)?,
        });
    }
    Ok(rules)
}

pub(super) fn remove_rule(change: &mut Change<'_>, actor: &Actor, id: &SessionId, rule: &RuleId) -> StoreResult<()> {
    sessions::require_for_write(change, id)?;
    let known = rules(change.connection, id)?.into_iter().find(|known| known.rule_id == *rule);
    let ApprovalRule { rule_id, tool, scope, .. } = known.ok_or(StoreError::NoRule)?;
    change.connection.execute("DELETE FROM cowork_web_rules WHERE rule_id = ?1", [rule_id.as_str()])?;
    events::append(change, id, actor, EventBody::ApprovalRuleRemoved { rule_id, tool, scope: Some(scope) })
}

fn actor(json: &str) -> StoreResult<Actor> {
    serde_json::from_str(json).map_err(|error| unreadable("an actor", &error))
}

/// A plain enum as the word that stands for it on the wire.
fn word(value: &impl Serialize) -> StoreResult<String> {
    let json = serde_json::to_value(value).map_err(|error| unreadable("a word", &error))?;
    Ok(json.as_str().unwrap_or_default().to_owned())
}

fn from_word<T: DeserializeOwned>(word: &str) -> StoreResult<T> {
    serde_json::from_value(word.into()).map_err(|error| unreadable("a word", &error))
}
