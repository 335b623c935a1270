//! Uploads as the session knows them: started, and what became of each file. Their bytes are the web's and the
//! workspace's.

use std::{borrow::Cow, collections::HashSet, path::PathBuf};

use jiff::Timestamp;

use super::{
    Agent, blocking,
    idle::Seat,
    ports::{
        clock::rfc3339,
        store::{NewUpload, StoreError, StoredUpload},
    },
    session::Command,
    store_failed,
};
use crate::protocol::{Actor, ApiError, ErrorCode, EventBody, SessionId, UploadId, UploadStatus, UploadedFile};

const NAMES_A_SECRET: &str = "The name of the file or folder holds a secret of this server. Nothing was uploaded. Take it out of \
    the name, and tell whoever runs this server that it is known.";

const CUT_OFF: &str = "The server was stopped while this upload ran. Files that had not arrived whole are not there. \
    Upload them again.";

const CANCELLED: &str = "The upload was cancelled. The file is not there.";
const EXPIRED: &str = "The upload waited too long to go on, and what had arrived was removed. Upload the file again.";

/// In the data folder, beside the sessions' own.
const PARTIALS: &str = "uploads";

impl Agent {
    /// The folder of a session, if it may be used now.
    pub async fn folder(&self, id: &SessionId) -> Result<PathBuf, ApiError> {
        let session = self.session(id).await?;
        self.parts.check_workspace(session.workspace.clone()).await?;
        Ok(session.workspace.into())
    }

    pub async fn begin_upload(&self, actor: &Actor, id: &SessionId, new: NewUpload) -> Result<(), ApiError> {
        // It would stand in the database as long as the upload does.
        let own = self.parts.redaction.own();
        let names = new.resumable.iter().map(|resumable| &resumable.name).chain([&new.target_dir]);
        if names.into_iter().any(|name| matches!(own.clean(name), Cow::Owned(_))) {
            return Err(ApiError::new(ErrorCode::BadName, NAMES_A_SECRET));
        }
        self.parts.store.begin_upload(actor, id, new).await.map_err(store_failed)
    }

    /// Records what became of the files of an upload. What was uploaded, a running turn tells its model.
    pub async fn end_upload(
        &self,
        actor: &Actor,
        id: &SessionId,
        upload: &UploadId,
        files: &[UploadedFile],
    ) -> Result<(), ApiError> {
        let events = files.iter().map(|file| event(upload, file)).collect();
        self.parts.store.end_upload(actor, id, upload, events, None).await.map_err(store_failed)?;
        if files.iter().any(|file| file.status == UploadStatus::Uploaded) {
            self.tell_turn(id).await;
        }
        Ok(())
    }

    /// Where the pieces of resumable uploads stand until they are whole.
    pub fn partial_uploads(&self) -> PathBuf {
        self.parts.data.join(PARTIALS)
    }

    pub async fn resumable(&self, id: &SessionId, upload: &UploadId) -> Result<StoredUpload, ApiError> {
        let stored = self.parts.store.upload(id, upload).await.map_err(store_failed)?;
        // Another kind of upload can't be gone on with, and so is none here.
        if stored.name.is_none() { Err(store_failed(StoreError::NoUpload)) } else { Ok(stored) }
    }

    /// So many bytes are on the disk; the upload can go on until `expires`.
    pub async fn keep_received(
        &self,
        id: &SessionId,
        upload: &UploadId,
        received: u64,
        expires: Timestamp,
    ) -> Result<(), ApiError> {
        self.parts.store.keep_received(id, upload, received, expires).await.map_err(store_failed)
    }

    /// A resumable upload is over; whoever lost the answer finds it until the upload expires.
    pub async fn end_resumable(&self, upload: &StoredUpload, result: &UploadedFile) -> Result<(), ApiError> {
        let (id, store) = (&upload.session_id, &self.parts.store);
        let events = vec![event(&upload.upload_id, result)];
        let ended = store.end_upload(&upload.actor, id, &upload.upload_id, events, Some(result.clone())).await;
        ended.map_err(store_failed)?;
        if result.status == UploadStatus::Uploaded {
            self.tell_turn(id).await;
        }
        Ok(())
    }

    /// A resumable upload that is not wanted any more. Its pieces are the caller's to remove.
    pub async fn cancel_resumable(&self, actor: &Actor, upload: &StoredUpload) -> Result<(), ApiError> {
        self.give_up(actor, upload, ErrorCode::UploadCancelled, CANCELLED).await
    }

    async fn give_up(
        &self,
        actor: &Actor,
        upload: &StoredUpload,
        code: ErrorCode,
        detail: &str,
    ) -> Result<(), ApiError> {
        let failed = upload.result.is_none().then(|| EventBody::UploadFailed {
            upload_id: upload.upload_id.clone(),
            name: upload.name.clone(),
            path: None,
            code: code.as_str().into(),
            detail: detail.into(),
        });
        let events = failed.into_iter().collect();
        let ended = self.parts.store.end_upload(actor, &upload.session_id, &upload.upload_id, events, None).await;
        match ended {
            // A session that was deleted has no log to tell it in.
            Err(StoreError::NoSession) => self.parts.store.forget_upload(&upload.upload_id).await,
            ended => ended,
        }
        .map_err(store_failed)
    }

    /// Bytes that the disk of the pieces has free, less what open uploads may still bring.
    pub async fn upload_space(&self) -> Result<u64, ApiError> {
        let store = &self.parts.store;
        let open = store.uploads().await.map_err(store_failed)?.into_iter().filter(|upload| upload.result.is_none());
        let awaited: u64 = open.map(|upload| upload.length.saturating_sub(upload.received)).sum();
        Ok(store.free_bytes().await.map_err(store_failed)?.saturating_sub(awaited))
    }

    /// Gives up resumable uploads that have waited too long, and removes pieces that belong to none.
    pub async fn expire_uploads(&self) -> Result<(), ApiError> {
        let now = rfc3339(Timestamp::now());
        let mut kept = HashSet::new();
        for upload in self.parts.store.uploads().await.map_err(store_failed)? {
            // Both are RFC 3339 in UTC with fixed digits, which sort as text.
            match upload.expires_at.as_ref().filter(|expires| **expires < now) {
                Some(_) => self.give_up(&Actor::system(), &upload, ErrorCode::UploadExpired, EXPIRED).await?,
                None => drop(kept.insert(upload.upload_id.0)),
            }
        }
        let folder = self.partial_uploads();
        blocking(move || {
            // Without a folder nothing was kept yet.
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            for entry in entries.filter(|entry| !kept.contains(entry.file_name().to_string_lossy().as_ref())) {
                if let Err(error) = std::fs::remove_file(entry.path()) {
                    tracing::warn!(%error, "the pieces of an upload that is over could not be removed");
                }
            }
            Ok(())
        })
        .await
    }

    pub(super) async fn tell_turn(&self, id: &SessionId) {
        let mailbox = self.actors().get(id).map(Seat::mailbox);
        if let Some(mailbox) = mailbox {
            // An actor that has just ended has no turn to tell.
            let _ = mailbox.send(Command::News.into()).await;
        }
    }

    /// Ends uploads that a former process was killed in.
    pub(super) async fn recover_uploads(&self) -> Result<(), ApiError> {
        for left in self.parts.store.uploads().await.map_err(store_failed)? {
            if left.name.is_some() {
                continue;
            }
            if let Ok(session) = self.session(&left.session_id).await {
                let (workspaces, target) = (self.parts.workspaces.clone(), left.target_dir.clone());
                blocking(move || {
                    workspaces.sweep_uploads(session.workspace.as_ref(), &target);
                    Ok(())
                })
                .await?;
            }
            let failed = EventBody::UploadFailed {
                upload_id: left.upload_id.clone(),
                name: None,
                path: None,
                code: ErrorCode::UploadInterrupted.as_str().into(),
                detail: CUT_OFF.into(),
            };
            let (id, system) = (&left.session_id, Actor::system());
            if let Err(error) = self.parts.store.end_upload(&system, id, &left.upload_id, vec![failed], None).await {
                // A session that was deleted; its rows go with it.
                tracing::debug!(session = %id, %error, "an upload that was cut off is not recorded");
            }
        }
        self.expire_uploads().await
    }
}

fn event(upload: &UploadId, file: &UploadedFile) -> EventBody {
    let (upload_id, name) = (upload.clone(), file.name.clone());
    match &file.error {
        None => EventBody::UploadCompleted {
            upload_id,
            name,
            status: file.status,
            path: file.path.clone().unwrap_or_default(),
            size: file.size,
            sha256: file.sha256.clone(),
        },
        Some(error) => EventBody::UploadFailed {
            upload_id,
            name: Some(name),
            path: file.path.clone(),
            code: error.code.as_str().into(),
            detail: error.detail.clone(),
        },
    }
}
