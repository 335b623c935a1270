//! What security.md says of every answer's headers, against the answers.

use std::collections::BTreeMap;

use reqwest::header::HeaderMap;

use crate::{
    docs_reference::{codes, page, rows},
    guards::{all_kinds, all_kinds_of_files},
    support::server::Server,
};

/// Headers that say what an answer is, and guard nothing.
const DESCRIBING: [&str; 12] = [
    "accept-ranges",
    "allow",
    "connection",
    "content-disposition",
    "content-length",
    "content-type",
    "date",
    "etag",
    "location",
    "transfer-encoding",
    "vary",
    "x-request-id",
];

/// The table: header, and its values.
fn documented() -> BTreeMap<String, Vec<String>> {
    let text = page("security.md");
    let part = text.split("\n## ").find(|part| part.starts_with("What every answer says")).unwrap();
    rows(part).into_iter().map(|(name, cells)| (codes(&name)[0].to_lowercase(), codes(&cells[0]))).collect()
}

/// The value as the page writes it: without the nonce, which is another one each time.
fn stated(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    let mut pieces = value.split("'nonce-");
    let first = pieces.next().unwrap().to_owned();
    pieces.fold(first, |told, piece| format!("{told}'nonce-…'{}", piece.split_once('\'').unwrap().1))
}

/// Whether an answer has all guarding headers, each as the page says it, and none that lets other sites in.
#[track_caller]
pub fn is_guarded(what: &str, headers: &HeaderMap) {
    for (name, values) in documented() {
        let value = stated(headers, &name);
        let is_kept = name == "cache-control" && value.contains("immutable");
        assert!(values.contains(&value) || is_kept, "{what}: {name}: {value:?}");
    }
    let inviting = headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(inviting, None, "{what}");
}

#[tokio::test]
async fn every_header_on_the_page_is_in_every_answer_and_no_other_guards() {
    let documented = documented();
    assert_eq!(documented.len(), 8, "{documented:?}");
    let server = Server::start().await;
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    for (kind, answer) in all_kinds(&server).await {
        for (name, values) in &documented {
            let value = stated(&answer.headers, name);
            assert!(values.contains(&value), "{kind}: {name}: {value}");
            // The page's own files may be kept; what people's files have is for them alone.
            let is_usual = value == values[0] || (name == "cache-control" && kind.starts_with("a file"));
            assert!(is_usual, "{kind}: {name}: {value}");
            *seen.entry((name.clone(), value)).or_default() += 1;
        }
        for name in answer.headers.keys().map(|name| name.as_str()) {
            assert!(documented.contains_key(name) || DESCRIBING.contains(&name), "{kind}: {name} is not on the page");
        }
    }
    for (kind, answer) in all_kinds_of_files(&server).await {
        is_guarded(kind, &answer.headers);
        for (name, values) in &documented {
            let value = stated(&answer.headers, name);
            // Bytes of a file, whole or in part.
            let is_file = name == "content-security-policy" && matches!(kind, "a download" | "a part of one");
            assert_eq!(value, values[usize::from(is_file)], "{kind}: {name}");
            *seen.entry((name.clone(), value)).or_default() += 1;
        }
    }
    for (name, value) in documented.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value))) {
        // The page's own files may not be built yet.
        let is_sent = seen.contains_key(&(name.clone(), value.clone())) || name == "cache-control";
        assert!(is_sent, "{name}: {value} is on the page, and no answer has it");
    }
}
