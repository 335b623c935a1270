//! The error that people and scripts see: a stable code and a text for a person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `code` is what programs match on; `detail` says fact, effect and next step, and never holds a secret, a
/// cause from inside, or a path outside the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, JsonSchema)]
#[error("{detail}")]
pub struct ApiError {
    pub code: ErrorCode,
    pub detail: String,
    /// Seconds until it is worth another try, where that is known or as good as.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:literal $text:literal $title:literal;)*) => {
        /// Stable error codes. `docs/errors.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
            /// The HTTP status it is answered with.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

codes! {
    BadJson = 400 "bad_json" "Not valid JSON";
    InvalidRequest = 422 "invalid_request" "Invalid request";
    NotFound = 404 "not_found" "Not found";
    MethodNotAllowed = 405 "method_not_allowed" "Method not allowed";
    UnsupportedMediaType = 415 "unsupported_media_type" "Unsupported content type";
    ForeignHost = 421 "foreign_host" "Unknown host name";
    NotSignedIn = 401 "not_signed_in" "Not signed in";
    NotAllowed = 403 "not_allowed" "Not allowed";
    TooManyAttempts = 429 "too_many_attempts" "Too many attempts";
    ForeignOrigin = 403 "foreign_origin" "Request from another site";
    WorkspaceNotFound = 422 "workspace_not_found" "Folder not found";
    WorkspaceNotAllowed = 422 "workspace_not_allowed" "Folder not allowed";
    UnknownModel = 422 "unknown_model" "Unknown model";
    MessageTooLarge = 422 "message_too_large" "Message too long";
    QueueFull = 429 "queue_full" "Too many waiting messages";
    AlreadyResolved = 409 "already_resolved" "Already decided";
    NoAlways = 422 "no_always" "Can only be allowed once";
    TurnRunning = 409 "turn_running" "The turn still runs";
    InvalidAnswer = 422 "invalid_answer" "The answer does not fit";
    ModeNotAllowed = 422 "mode_not_allowed" "Mode not allowed";
    ClientIdReused = 409 "client_id_reused" "Message id used before";
    NotRunning = 409 "not_running" "Nothing is running";
    NotRestorable = 409 "not_restorable" "Can't be restored";
    RequestIncomplete = 408 "request_incomplete" "Request not complete";
    HeadersTooLarge = 431 "headers_too_large" "Headers too large";
    RequestTooLarge = 413 "request_too_large" "Request too large";
    BadMultipart = 400 "bad_multipart" "Malformed upload";
    PathOutsideWorkspace = 422 "path_outside_workspace" "Outside the workspace";
    BadName = 422 "bad_name" "Name not allowed";
    FileTooLarge = 413 "file_too_large" "File too large";
    TooManyFiles = 413 "too_many_files" "Too many files";
    AttachmentNotFound = 422 "attachment_not_found" "Attachment not found";
    AlreadyExists = 422 "already_exists" "Name is taken";
    NotAFile = 422 "not_a_file" "Not a file";
    NotAFolder = 422 "not_a_folder" "Not a folder";
    ReadOnly = 422 "read_only" "Not writable";
    NotReadable = 403 "not_readable" "Not readable";
    RangeNotSatisfiable = 416 "range_not_satisfiable" "No such range";
    NoSpace = 507 "no_space" "Not enough space";
    QuotaExceeded = 507 "quota_exceeded" "Workspace is full";
    TusVersion = 412 "tus_version" "Version not spoken";
    OffsetMismatch = 409 "offset_mismatch" "Upload stands elsewhere";
    ChecksumMismatch = 460 "checksum_mismatch" "Checksum does not fit";
    UploadCancelled = 410 "upload_cancelled" "Upload was cancelled";
    UploadExpired = 410 "upload_expired" "Upload waited too long";
    UploadInterrupted = 408 "upload_interrupted" "Upload was cut off";
    UnknownFrame = 422 "unknown_frame" "Unknown frame";
    TooManySessions = 429 "too_many_sessions" "Too many sessions";
    TooManyTurns = 429 "too_many_turns" "Too many turns at once";
    TooManySockets = 429 "too_many_sockets" "Too many live connections";
    TooManyRequests = 429 "too_many_requests" "Too many requests";
    TokensUsedUp = 429 "tokens_used_up" "Tokens of the day are used up";
    ServerBusy = 503 "server_busy" "Server is busy";
    DiskLow = 503 "disk_low" "Disk is almost full";
    Unavailable = 503 "unavailable" "Not available";
    Internal = 500 "internal" "Internal error";
}

impl ApiError {
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }

    /// A limit that somebody set, and that there may be room below again.
    pub fn limited(code: ErrorCode, detail: impl Into<String>, retry_after: u64) -> Self {
        Self { code, detail: detail.into(), retry_after: Some(retry_after) }
    }

    pub fn session_not_found() -> Self {
        Self::new(
            ErrorCode::NotFound,
            "There is no such session. It may have been deleted; the list shows those that are there.",
        )
    }

    /// The answer for a fault of ours. The cause belongs in the process log, not here.
    pub fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "The server could not do this. Nothing was changed. Try again; if it happens again, the server's log says why.",
        )
    }
}
