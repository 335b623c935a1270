use crate::{
    agent::ports::store::{NewUpload, Resumable, Store, StoreError},
    protocol::{Actor, Attached, EventBody, OnConflict, Role, SessionId, UploadId, UploadStatus, UploadedFile},
    store::testing::{ALL, Scene, message},
};

fn upload(name: &str, resumable: bool) -> NewUpload {
    let expires = "2026-07-02T10:00:00Z".parse().unwrap();
    let resumable = resumable.then(|| Resumable { name: "big.bin".into(), length: 10, expires });
    NewUpload {
        upload_id: UploadId::new(name),
        target_dir: ".".into(),
        on_conflict: OnConflict::Skip,
        bytes: Some(7),
        resumable,
    }
}

fn file(path: &str, status: UploadStatus) -> EventBody {
    let (name, path) = (path.to_owned(), path.to_owned());
    EventBody::UploadCompleted { upload_id: UploadId::new("u"), name, status, path, size: 1, sha256: None }
}

async fn uploaded(scene: &Scene, id: &SessionId, files: Vec<EventBody>) {
    scene.store.begin_upload(&Actor::local(), id, upload("u", false)).await.unwrap();
    scene.store.end_upload(&Actor::local(), id, &UploadId::new("u"), files, None).await.unwrap();
}

async fn notes(scene: &Scene, id: &SessionId) -> Vec<String> {
    let rows = scene.store.turns(id, ALL).await.unwrap().turns;
    rows.into_iter().filter(|row| row.role == Role::System).map(|row| row.content).collect()
}

#[tokio::test]
async fn an_upload_has_a_row_until_its_last_event() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    scene.store.begin_upload(&Actor::local(), &id, upload("u", false)).await.unwrap();
    let left = scene.store.uploads().await.unwrap();
    assert_eq!((left.len(), left[0].on_conflict, left[0].name.as_deref()), (1, OnConflict::Skip, None));
    let files = vec![file("a", UploadStatus::Uploaded), file("b", UploadStatus::Skipped)];
    scene.store.end_upload(&Actor::local(), &id, &UploadId::new("u"), files, None).await.unwrap();
    assert!(scene.store.uploads().await.unwrap().is_empty());
    let events = scene.store.events(&id, 0, 100, &[]).await.unwrap().events;
    let kinds: Vec<_> = events.iter().map(|event| event.body.event_type()).collect();
    assert_eq!(kinds, ["session_started", "upload_started", "upload_completed", "upload_completed"]);
    assert_eq!(scene.published.sequences(&id), [1, 2, 3, 4], "and watchers got them");
}

#[tokio::test]
async fn a_resumable_upload_remembers_where_it_stands_and_how_it_ended() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let upload_id = UploadId::new("r");
    scene.store.begin_upload(&Actor::local(), &id, upload("r", true)).await.unwrap();
    scene.store.keep_received(&id, &upload_id, 4, "2026-07-03T10:00:00Z".parse().unwrap()).await.unwrap();
    let stored = scene.store.upload(&id, &upload_id).await.unwrap();
    assert_eq!((stored.received, stored.length, stored.name.as_deref()), (4, 10, Some("big.bin")));
    assert_eq!(stored.expires_at.as_deref(), Some("2026-07-03T10:00:00.000Z"));
    let result = UploadedFile {
        name: "big.bin".into(),
        status: UploadStatus::Uploaded,
        path: Some("big.bin".into()),
        size: 10,
        sha256: None,
        error: None,
    };
    scene.store.end_upload(&Actor::local(), &id, &upload_id, vec![], Some(result.clone())).await.unwrap();
    assert_eq!(scene.store.upload(&id, &upload_id).await.unwrap().result, Some(result));
    let other = scene.create('b', "Other").await;
    assert!(matches!(scene.store.upload(&other, &upload_id).await, Err(StoreError::NoUpload)), "another's is none");
    scene.store.forget_upload(&upload_id).await.unwrap();
    assert!(matches!(scene.store.upload(&id, &upload_id).await, Err(StoreError::NoUpload)));
}

#[tokio::test]
async fn the_model_is_told_once_of_what_was_uploaded_and_of_nothing_else() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    uploaded(&scene, &id, vec![file("a.txt", UploadStatus::Uploaded), file("b.txt", UploadStatus::Skipped)]).await;
    scene.start(&id, "Look").await;
    let told = notes(&scene, &id).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("`a.txt`") && !told[0].contains("b.txt"), "{told:?}");
    assert_eq!(scene.store.tell_uploads(&id).await.unwrap(), None);
    uploaded(&scene, &id, vec![file("c.txt", UploadStatus::Uploaded)]).await;
    assert!(scene.store.tell_uploads(&id).await.unwrap().unwrap().contains("`c.txt`"));
    assert_eq!(notes(&scene, &id).await.len(), 2);
}

#[tokio::test]
async fn the_note_to_the_model_is_short_however_many_files_came() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let files = (0..500).map(|number| file(&format!("f{number}"), UploadStatus::Uploaded)).collect();
    uploaded(&scene, &id, files).await;
    let note = scene.store.tell_uploads(&id).await.unwrap().unwrap();
    assert!(note.len() < 500 && note.contains("`f499`") && note.contains("480 more"), "{note}");
}

#[tokio::test]
async fn what_a_message_names_stands_in_its_row_also_when_it_waited() {
    let scene = Scene::new();
    let id = scene.create('a', "Notes").await;
    let attached = Attached { files: vec!["a.txt".into()], directories: vec!["docs".into()] };
    scene.start(&id, "One").await;
    let mut new = message("Two", None);
    new.attached = attached.clone();
    scene.accept(&id, new).await;
    assert_eq!(scene.store.queue(&id).await.unwrap()[0].attachments, ["a.txt", "docs"]);
    scene.store.end_left_turn(&id).await.unwrap();
    scene.store.start_queued(&id, None, "primary").await.unwrap();
    let rows = scene.store.turns(&id, ALL).await.unwrap().turns;
    let row = rows.iter().find(|row| row.content == "Two").unwrap();
    assert_eq!(Attached::from_metadata(row.metadata.as_ref()), attached);
    assert_eq!(row.metadata.as_ref().unwrap()["workspace_files"][0], "a.txt");
}
