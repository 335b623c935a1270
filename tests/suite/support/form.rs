//! Forms with files, as browsers and scripts send them.

use serde_json::Value;

use super::http::{Answer, Api};

/// The boundary of all forms here.
pub const BOUNDARY: &str = "----cowork-test-7MA4YWxkTrZu0gW";

/// A multipart body in the making.
#[derive(Clone, Default)]
pub struct Form {
    body: Vec<u8>,
}

impl Form {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("Content-Disposition: form-data; name=\"{name}\""), value)
    }

    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        let header = format!(
            "Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: application/octet-stream"
        );
        self.part(&header, content)
    }

    /// A part with a header of any kind.
    pub fn part(mut self, header: &str, content: impl AsRef<[u8]>) -> Self {
        self.body.extend_from_slice(format!("--{BOUNDARY}\r\n{header}\r\n\r\n").as_bytes());
        self.body.extend_from_slice(content.as_ref());
        self.body.extend_from_slice(b"\r\n");
        self
    }

    /// Bytes as they are, in place of a part.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body.extend_from_slice(bytes.as_ref());
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        [self.body.as_slice(), format!("--{BOUNDARY}--\r\n").as_bytes()].concat()
    }

    /// A whole request that does not tell its length.
    pub fn chunked(&self, session: &str, api: &Api) -> Vec<u8> {
        let head = Self::head(session, api, "Transfer-Encoding: chunked\r\nConnection: close\r\n");
        let mut request = head.into_bytes();
        for piece in self.bytes().chunks(50_000) {
            request.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            request.extend_from_slice(piece);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"0\r\n\r\n");
        request
    }

    /// The head of a request that brings this form.
    pub fn head(session: &str, api: &Api, more: &str) -> String {
        format!(
            "POST /cowork/sessions/{session}/uploads HTTP/1.1\r\n{}\
             Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{more}\r\n",
            api.signed_head()
        )
    }
}

impl Api {
    pub async fn upload(&self, session: &str, form: Form) -> Answer {
        self.upload_as(session, form, &[]).await
    }

    pub async fn upload_as(&self, session: &str, form: Form, headers: &[(&str, &str)]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        let all: Vec<_> =
            [("content-type", content_type.as_str())].into_iter().chain(headers.iter().copied()).collect();
        self.send_bytes("POST", &format!("/cowork/sessions/{session}/uploads"), &all, form.bytes()).await
    }

    /// The events of uploads, in their order.
    pub async fn upload_events(&self, session: &str) -> Vec<Value> {
        let events = self.events(session).await;
        events.into_iter().filter(|event| event["event_type"].as_str().unwrap().starts_with("upload_")).collect()
    }
}
