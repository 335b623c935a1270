//! The page's files. They are inside the binary; a debug build reads them from the build's folder instead. Their
//! address holds a hash of them all, so a browser may keep them for ever.

use std::sync::OnceLock;

use axum::{
    body::Bytes,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use super::error::Problem;
use crate::protocol::ErrorCode;

#[derive(RustEmbed)]
#[folder = "target/site"]
#[allow_missing = true]
struct SiteFiles;

const FOREVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Twelve hex digits that change with any of the page's files.
pub fn build_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    ID.get_or_init(|| {
        let mut names: Vec<_> = SiteFiles::iter().filter(|name| name.starts_with("pkg/")).collect();
        names.sort();
        let mut hash = Sha256::new();
        for file in names.iter().filter_map(|name| SiteFiles::get(name)) {
            hash.update(file.metadata.sha256_hash());
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    })
}

/// `/pkg/{build}/{file}`: scripts, styles, WASM.
pub async fn package(Path((build, file)): Path<(String, String)>, headers: HeaderMap) -> Response {
    // A debug build's files change under a running server.
    let keep = if build == build_id() && !cfg!(debug_assertions) { FOREVER } else { ASK_AGAIN };
    // Without cargo-leptos' environment leptos names the file as wasm-bindgen does.
    let file = if file == "cowork_bg.wasm" { "cowork.wasm".to_owned() } else { file };
    serve(&format!("pkg/{file}"), keep, &headers)
}

/// A file of `public/`, such as the icon.
pub async fn public(name: &str, headers: &HeaderMap) -> Response {
    serve(name, ASK_AGAIN, headers)
}

fn serve(name: &str, keep: &'static str, headers: &HeaderMap) -> Response {
    let Some((file, encoding)) = choose(name, headers) else {
        return Problem::new(
            ErrorCode::NotFound,
            "There is no such file in this version of the page. Reload the page.",
        )
        .into_response();
    };
    let tag: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let answer = [(header::ETAG, tag.as_str()), (header::CACHE_CONTROL, keep), (header::VARY, "accept-encoding")];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|seen| seen.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, answer).into_response();
    }
    let body = match file.data {
        std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = (answer, [(header::CONTENT_TYPE, content_type(name))], body).into_response();
    if let Some(encoding) = encoding {
        response.headers_mut().insert(header::CONTENT_ENCODING, header::HeaderValue::from_static(encoding));
    }
    response
}

/// The best form of a file that the browser takes; compressed ones are made at build.
fn choose(name: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Browsers list what they take; `;q=0` says what they don't.
    let takes = |coding: &str| {
        accepted.split(',').any(|offer| offer.split(';').next().is_some_and(|name| name.trim() == coding))
    };
    let compressed = [("br", "br"), ("gz", "gzip")].into_iter().filter(|(_, coding)| takes(coding));
    compressed
        .filter_map(|(ending, coding)| Some((SiteFiles::get(&format!("{name}.{ending}"))?, Some(coding))))
        .next()
        .or_else(|| Some((SiteFiles::get(name)?, None)))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
