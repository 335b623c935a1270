//! Every REST operation. Addresses of pages are not among them: those are for browsers.

use serde_json::{Value, json};

use super::{
    super::{auth, files, history, logs, look, messages, sessions, sharing, stream, words},
    Operation, Schemas,
};
use crate::protocol::{
    Accepted, Actor, ApprovalRule, ChangeList, CreateSession, Decide, ErrorCode as Code, EventPage, FileList,
    FilePreview, FolderList, ForkSession, ModelInfo, ModelOffer, OnConflict, QueuedMessage, Session, SessionList,
    SessionQuery, Sharing, ToolInfo, TurnPage, UndoAnswer, UndoRequest, UpdateSession, UploadAnswer, UploadedFile,
};

type Made = Vec<Operation>;

pub fn all(schemas: &mut Schemas) -> Made {
    let mut all = about_the_server(schemas);
    all.extend(signing_in(schemas));
    all.extend(of_sessions(schemas));
    all.extend(commands(schemas));
    all.extend(forms(schemas));
    all.extend(queue(schemas));
    all.extend(reading(schemas));
    all.extend(of_files(schemas));
    all.extend(uploads(schemas));
    all
}

fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, summary)
}

fn post(path: &'static str, summary: &'static str) -> Operation {
    Operation::new("POST", path, summary)
}

fn about_the_server(s: &mut Schemas) -> Made {
    let text = json!({"type": "string"});
    let health = json!({"type": "object", "required": ["status", "ready", "version"],
        "properties": {"status": text, "ready": {"type": "boolean"}, "version": text}});
    vec![
        get("/health", "Whether the server is there and ready").shape(200, health.clone()),
        get("/health/live", "The same; whether the process answers").shape(200, health.clone()),
        get("/health/ready", "The same; 503 while it takes no work").shape(200, health.clone()).shape(503, health),
        get("/health/probe", "A WebSocket that writes three frames, for whoever sets a proxy up").empty(101),
        get("/models", "The configured models, and which can be reached").answer::<Vec<ModelInfo>>(200, s),
        get("/models/offers", "Model servers of this machine that could be configured")
            .answer::<Vec<ModelOffer>>(200, s),
        get("/tools", "The tools of the agent").answer::<Vec<ToolInfo>>(200, s),
        get("/config", "The configuration without secrets").shape(200, json!({"type": "object"})),
        get("/openapi.json", "This document").shape(200, json!({"type": "object"})),
        get("/cowork/workspaces", "Folders that a session may be created on")
            .query::<sessions::FoldersQuery>(s)
            .answer::<FolderList>(200, s),
        post("/cowork/look", "How this browser's pages look").body::<look::WantedLook>(s).empty(303),
    ]
}

fn signing_in(s: &mut Schemas) -> Made {
    let link = json!({"type": "object", "required": ["path", "expires_in"],
        "properties": {"path": {"type": "string"}, "expires_in": {"type": "integer", "description": "Seconds"}}});
    vec![
        get("/me", "Who is asking").answer::<Actor>(200, s),
        post("/launch", "A link that signs one browser in, once").shape(201, link).errors(&[Code::NotAllowed]),
        get("/launch/{token}", "Signs a browser in by its link").empty(303).errors(&[Code::NotAllowed]),
        get("/sign-in", "The page to sign in").bytes(200, "text/html"),
        post("/sign-in", "Signs a browser in by name and password")
            .body::<auth::Credentials>(s)
            .empty(303)
            .errors(&[Code::NotSignedIn, Code::TooManyAttempts]),
        post("/sign-out", "The browser forgets who it was").empty(303),
    ]
}

fn of_sessions(s: &mut Schemas) -> Made {
    const ONE: &str = "/cowork/sessions/{id}";
    vec![
        get("/cowork/sessions", "Sessions, newest activity first")
            .query::<SessionQuery>(s)
            .answer::<SessionList>(200, s),
        post("/cowork/sessions", "Make a session").body::<CreateSession>(s).answer::<Session>(201, s).errors(&[
            Code::WorkspaceNotFound,
            Code::WorkspaceNotAllowed,
            Code::UnknownModel,
            Code::ModeNotAllowed,
        ]),
        get(ONE, "A session").answer::<Session>(200, s).errors(&[Code::NotFound]),
        Operation::new("PATCH", ONE, "Change title, model, mode, archive or pin")
            .body::<UpdateSession>(s)
            .answer::<Session>(200, s)
            .errors(&[Code::NotFound, Code::UnknownModel, Code::ModeNotAllowed]),
        Operation::new("DELETE", ONE, "Delete a session; its files stay").empty(204).errors(&[Code::NotFound]),
        post("/cowork/sessions/{id}/restore", "Bring a deleted session back, within 30 s")
            .answer::<Session>(200, s)
            .errors(&[Code::NotFound, Code::NotRestorable]),
        post("/cowork/sessions/{id}/fork", "Make a session that goes on from a turn of this one")
            .body::<ForkSession>(s)
            .answer::<Session>(201, s)
            .errors(&[Code::NotFound, Code::ModeNotAllowed, Code::TurnRunning]),
        get("/cowork/sessions/{id}/sharing", "With whom it is shared").answer::<Sharing>(200, s),
        post("/cowork/sessions/{id}/sharing", "Share it, or take that back")
            .body::<sharing::ShareFields>(s)
            .answer::<Sharing>(200, s),
    ]
}

fn commands(s: &mut Schemas) -> Made {
    vec![
        post("/cowork/sessions/{id}/messages", "Give the agent something to do")
            .body::<messages::NewMessage>(s)
            .answer::<Accepted>(202, s)
            .errors(&[
                Code::NotFound,
                Code::ClientIdReused,
                Code::QueueFull,
                Code::MessageTooLarge,
                Code::AttachmentNotFound,
                Code::PathOutsideWorkspace,
            ]),
        post("/cowork/sessions/{id}/stop", "Stop the running turn").empty(202).errors(&[Code::NotRunning]),
        post("/cowork/sessions/{id}/steer", "A word into the running turn")
            .body::<words::Steering>(s)
            .empty(202)
            .errors(&[Code::NotRunning]),
        post("/cowork/sessions/{id}/approvals/{approval}", "Decide about a call that waits")
            .body::<Decide>(s)
            .answer::<Session>(200, s)
            .errors(&[Code::NotFound, Code::AlreadyResolved, Code::NoAlways]),
        get("/cowork/sessions/{id}/approval-rules", "What needs no word here").answer::<Vec<ApprovalRule>>(200, s),
        Operation::new("DELETE", "/cowork/sessions/{id}/approval-rules/{rule}", "Take a rule back")
            .empty(204)
            .errors(&[Code::NotFound]),
        post("/cowork/sessions/{id}/questions/{question}", "Answer a question of the agent")
            .body::<words::AnswerFields>(s)
            .answer::<Session>(200, s)
            .errors(&[Code::NotFound, Code::AlreadyResolved, Code::InvalidAnswer]),
        post("/cowork/sessions/{id}/turns/{turn}/undo", "Take back what a turn did to files")
            .body::<UndoRequest>(s)
            .answer::<UndoAnswer>(200, s)
            .errors(&[Code::NotFound, Code::TurnRunning]),
    ]
}

/// What forms use where JSON has another method.
fn forms(s: &mut Schemas) -> Made {
    vec![
        post("/cowork/sessions/{id}/update", "PATCH, for forms").body::<UpdateSession>(s).answer::<Session>(200, s),
        post("/cowork/sessions/{id}/delete", "DELETE, for forms").empty(204),
        post("/cowork/sessions/{id}/approvals/deny-all", "Deny all calls that wait").answer::<Session>(200, s),
        post("/cowork/sessions/{id}/approval-rules/{rule}/revoke", "DELETE, for forms").empty(204),
        post("/cowork/sessions/{id}/queue/{message}/edit", "PATCH, for forms")
            .body::<messages::EditedMessage>(s)
            .answer::<Vec<QueuedMessage>>(200, s),
        post("/cowork/sessions/{id}/queue/{message}/remove", "DELETE, for forms").empty(204),
    ]
}

fn queue(s: &mut Schemas) -> Made {
    const ONE: &str = "/cowork/sessions/{id}/queue/{message}";
    vec![
        get("/cowork/sessions/{id}/queue", "Messages that wait").answer::<Vec<QueuedMessage>>(200, s),
        Operation::new("PATCH", ONE, "Change a message that waits")
            .body::<messages::EditedMessage>(s)
            .answer::<Vec<QueuedMessage>>(200, s)
            .errors(&[Code::NotFound]),
        Operation::new("DELETE", ONE, "Remove a message that waits").empty(204).errors(&[Code::NotFound]),
        post("/cowork/sessions/{id}/queue/{message}/send", "Make a waiting message the next")
            .empty(202)
            .errors(&[Code::NotFound]),
    ]
}

fn reading(s: &mut Schemas) -> Made {
    let earlier = json!({"type": "object", "required": ["turns", "earlier"], "properties": {
        "turns": {"type": "array", "description": "Drawn for the page"}, "earlier": {"type": ["integer", "null"]}}});
    vec![
        get("/cowork/sessions/{id}/turns", "The conversation, chronological")
            .query::<sessions::TurnsQuery>(s)
            .answer::<TurnPage>(200, s),
        get("/cowork/sessions/{id}/earlier", "Whole turns before a row, drawn for the page")
            .query::<history::EarlierQuery>(s)
            .shape(200, earlier),
        get("/cowork/sessions/{id}/export", "The whole conversation as a file")
            .query::<history::ExportQuery>(s)
            .bytes(200, "text/markdown"),
        get("/cowork/sessions/{id}/logs", "The log, ascending; one event a line as application/x-ndjson")
            .query::<logs::LogQuery>(s)
            .answer::<EventPage>(200, s),
        get("/cowork/sessions/{id}/turns/{turn}/calls/{call}/output", "All that a call has put out")
            .bytes(200, "text/plain")
            .errors(&[Code::NotFound]),
        get("/cowork/sessions/{id}/turns/{turn}/changes", "What a turn did to files").answer::<ChangeList>(200, s),
        get("/cowork/sessions/{id}/stream", "The live stream, a WebSocket: docs/api.md")
            .query::<stream::StreamQuery>(s)
            .empty(101)
            .errors(&[Code::NotFound, Code::ForeignOrigin]),
    ]
}

fn of_files(s: &mut Schemas) -> Made {
    vec![
        get("/cowork/sessions/{id}/files", "What is in a folder")
            .query::<files::ListQuery>(s)
            .answer::<FileList>(200, s),
        get("/cowork/sessions/{id}/files/search", "Files and folders whose path fits, the best first")
            .query::<files::SearchQuery>(s)
            .answer::<FileList>(200, s),
        get("/cowork/sessions/{id}/files/{*path}", "A file's bytes")
            .query::<files::DownloadQuery>(s)
            .header("Range", false, "One range of bytes")
            .bytes(200, "application/octet-stream")
            .bytes(206, "application/octet-stream")
            .errors(&[Code::NotFound, Code::PathOutsideWorkspace, Code::RangeNotSatisfiable]),
        get("/cowork/sessions/{id}/preview/{*path}", "A file as it can be shown").answer::<FilePreview>(200, s),
        get("/cowork/sessions/{id}/archive", "A folder as a zip")
            .query::<files::ListQuery>(s)
            .bytes(200, "application/zip"),
    ]
}

fn uploads(s: &mut Schemas) -> Made {
    const BASE: &str = "/cowork/sessions/{id}/uploads/tus";
    const ONE: &str = "/cowork/sessions/{id}/uploads/tus/{upload}";
    let form = json!({"type": "object", "required": ["files"], "properties": {
        "target_dir": {"type": "string", "default": "."},
        "on_conflict": s.read::<OnConflict>(),
        "overwrite": {"type": "boolean", "description": "`true` means `replace`"},
        "files": {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}},
    }});
    let standing = json!({"type": "object", "required": ["upload_id", "name", "length", "offset", "expires_at", "result"],
    "properties": {
        "upload_id": {"type": "string"}, "name": {"type": "string"}, "length": {"type": "integer"},
        "offset": {"type": "integer"}, "expires_at": {"type": ["string", "null"]}, "result": result(s),
    }});
    let told = [Code::TusVersion];
    vec![
        post("/cowork/sessions/{id}/uploads", "Upload files; the fields come before the first file")
            .body_of("multipart/form-data", form)
            .answer::<UploadAnswer>(200, s)
            .errors(&[
                Code::BadMultipart,
                Code::RequestTooLarge,
                Code::UnsupportedMediaType,
                Code::PathOutsideWorkspace,
                Code::NoSpace,
                Code::QuotaExceeded,
            ]),
        Operation::new("OPTIONS", BASE, "What resumable uploads can do").empty(204),
        post(BASE, "Begin a resumable upload (tus 1.0); its first bytes may be the body")
            .header("Tus-Resumable", true, "1.0.0")
            .header("Upload-Length", true, "Bytes of the file")
            .header("Upload-Metadata", true, "filename, target_dir, on_conflict, each in base64")
            .empty(201)
            .errors(&[Code::TusVersion, Code::FileTooLarge, Code::AlreadyExists, Code::BadName]),
        Operation::new("OPTIONS", ONE, "What resumable uploads can do").empty(204),
        Operation::new("HEAD", ONE, "How far it has come")
            .header("Tus-Resumable", true, "1.0.0")
            .empty(200)
            .errors(&told),
        get(ONE, "How far it has come, and how it ended").shape(200, standing),
        Operation::new("PATCH", ONE, "The next bytes")
            .header("Tus-Resumable", true, "1.0.0")
            .header("Upload-Offset", true, "Where they begin")
            .body_of("application/offset+octet-stream", json!({"type": "string"}))
            .empty(204)
            .errors(&[Code::TusVersion, Code::OffsetMismatch, Code::ChecksumMismatch]),
        post(ONE, "PATCH, HEAD or DELETE, for who can send none of them")
            .header("X-HTTP-Method-Override", true, "Which one; all else is as there")
            .header("Tus-Resumable", true, "1.0.0")
            .empty(204)
            .errors(&[Code::TusVersion, Code::OffsetMismatch, Code::ChecksumMismatch]),
        Operation::new("DELETE", ONE, "Cancel it").header("Tus-Resumable", true, "1.0.0").empty(204).errors(&told),
    ]
}

fn result(s: &mut Schemas) -> Value {
    json!({"anyOf": [s.sent::<UploadedFile>(), {"type": "null"}]})
}
