//! Why a file of an upload is not taken, in words for a person: fact, effect, next step.

use std::io;

use rustix::io::Errno;

use super::super::{WorkspaceError, WorkspacePath, names::NameError};
use crate::protocol::{ApiError, ErrorCode};

const NOT_TAKEN: &str = "It was not uploaded.";

pub(super) fn name(error: &NameError) -> ApiError {
    let code = if error.leads_out() { ErrorCode::PathOutsideWorkspace } else { ErrorCode::BadName };
    ApiError::new(code, format!("The name can't be used: {error}. {NOT_TAKEN} Rename it and upload it again."))
}

/// For the folder that all files of a request go to.
pub(super) fn target(error: &NameError) -> ApiError {
    let code = if error.leads_out() { ErrorCode::PathOutsideWorkspace } else { ErrorCode::BadName };
    ApiError::new(
        code,
        format!("`target_dir` can't be used: {error}. Nothing was uploaded. Name a folder of the workspace."),
    )
}

pub(super) fn workspace(error: WorkspaceError) -> ApiError {
    let code = match &error {
        WorkspaceError::Outside(_) | WorkspaceError::Loop(_) | WorkspaceError::Dangling(_) | WorkspaceError::Root => {
            ErrorCode::PathOutsideWorkspace
        }
        WorkspaceError::Git(_) | WorkspaceError::Own(_) | WorkspaceError::Reserved(_) | WorkspaceError::Name { .. } => {
            ErrorCode::BadName
        }
        WorkspaceError::NotAFolder(_) => ErrorCode::NotAFolder,
        WorkspaceError::NotAFile(_) | WorkspaceError::Special(_) => ErrorCode::NotAFile,
        WorkspaceError::Exists(_) | WorkspaceError::NotEmpty(_) | WorkspaceError::Changed(_) => {
            ErrorCode::AlreadyExists
        }
        WorkspaceError::Denied(_) => ErrorCode::ReadOnly,
        WorkspaceError::Closed(_) => ErrorCode::WorkspaceNotFound,
        WorkspaceError::NotFound(_) => ErrorCode::NotFound,
        WorkspaceError::Failed { path, source } | WorkspaceError::NotChanged { path, source } => {
            return system(path, source);
        }
        WorkspaceError::IntoItself(_) => ErrorCode::Internal,
    };
    ApiError::new(code, format!("{error} {NOT_TAKEN}"))
}

pub(super) fn system(path: &WorkspacePath, error: &io::Error) -> ApiError {
    let (code, words) = match Errno::from_io_error(error) {
        Some(Errno::NOSPC | Errno::DQUOT) => (ErrorCode::NoSpace, "The disk is full."),
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            (ErrorCode::ReadOnly, "Cowork may not write into this folder.")
        }
        Some(Errno::FBIG) => (ErrorCode::FileTooLarge, "The disk's file system does not take files of this size."),
        Some(Errno::NAMETOOLONG) => (ErrorCode::BadName, "The name is longer than the disk's file system takes."),
        _ => {
            tracing::error!(%path, %error, "an uploaded file could not be written");
            (ErrorCode::Internal, "The server could not write it; its log says why.")
        }
    };
    ApiError::new(code, format!("{words} {NOT_TAKEN}"))
}

/// The file has its name and its content; what the disk knows of the name, nobody knows.
pub(super) fn not_confirmed() -> ApiError {
    let detail = "It stands under its name, but the disk did not confirm that it keeps it there: a power cut may take it \
                  away. The server's log says why. Look whether it is there, and upload it again.";
    ApiError::new(ErrorCode::Internal, detail)
}

pub(super) fn too_large(limit: u64) -> ApiError {
    let detail = format!(
        "It is larger than {limit} bytes, which is the limit for one file. {NOT_TAKEN} Ask whoever runs this server to raise `max_upload_file_bytes`, or split it."
    );
    ApiError::new(ErrorCode::FileTooLarge, detail)
}

pub(super) fn exists() -> ApiError {
    let detail = format!(
        "A file or folder of this name is there already, and was left as it is. {NOT_TAKEN} Choose to keep both or to replace it."
    );
    ApiError::new(ErrorCode::AlreadyExists, detail)
}

pub(super) fn no_number_free() -> ApiError {
    let detail = format!("Too many files of this name are there already. {NOT_TAKEN} Rename it.");
    ApiError::new(ErrorCode::AlreadyExists, detail)
}

pub(super) fn is_folder() -> ApiError {
    let detail =
        format!("A folder of this name is there, and a file can't take its place. {NOT_TAKEN} Rename the file.");
    ApiError::new(ErrorCode::NotAFile, detail)
}

pub(super) fn is_special() -> ApiError {
    let detail =
        format!("A pipe, socket or device of this name is there, and is not replaced. {NOT_TAKEN} Rename the file.");
    ApiError::new(ErrorCode::NotAFile, detail)
}

pub(super) fn is_read_only() -> ApiError {
    let detail = format!(
        "The file of this name is read-only, and was left as it is. {NOT_TAKEN} Make it writable, or choose to keep both."
    );
    ApiError::new(ErrorCode::ReadOnly, detail)
}

pub fn no_space(floor: u64) -> ApiError {
    let detail = format!(
        "The disk would have less than {floor} bytes left, which the server keeps free. {NOT_TAKEN} Free some space and try again."
    );
    ApiError::new(ErrorCode::NoSpace, detail)
}

pub(super) fn full(limit: u64) -> ApiError {
    let detail = format!(
        "The workspace would hold more than {limit} bytes, which is its limit. {NOT_TAKEN} Remove what is not needed any more."
    );
    ApiError::new(ErrorCode::QuotaExceeded, detail)
}

pub fn cut_off() -> ApiError {
    let detail = format!(
        "It did not arrive whole: the connection broke, or the server was stopped. {NOT_TAKEN} Upload it again."
    );
    ApiError::new(ErrorCode::UploadInterrupted, detail)
}

pub(super) fn too_many(limit: u32) -> ApiError {
    let detail = format!("One upload takes {limit} files at most. {NOT_TAKEN} Upload the rest in another one.");
    ApiError::new(ErrorCode::TooManyFiles, detail)
}
