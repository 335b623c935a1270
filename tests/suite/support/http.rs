//! A client of the REST half.

use std::{net::SocketAddr, sync::OnceLock};

use reqwest::{
    Client, Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap},
};
use serde_json::{Value, json};

use super::soon;

#[derive(Clone)]
pub struct Api {
    pub address: SocketAddr,
    /// Before every path.
    base: String,
    client: Client,
    /// Shown with every request that has no credential of its own: a header, or nothing.
    shown: Vec<(&'static str, String)>,
}

/// An answer that has arrived whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that this is the problem document of `code`, and returns its `detail`.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        let mut fields: Vec<&str> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "detail", "request_id", "status", "title", "type"], "{self:?}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{self:?}");
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{self:?}");
        assert_eq!(problem["type"], "about:blank");
        assert!(!problem["title"].as_str().unwrap().is_empty());
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.ends_with('.'), "a text for a person ends as a sentence: {detail}");
        detail.to_owned()
    }
}

fn client() -> Client {
    static CLIENT: OnceLock<()> = OnceLock::new();
    CLIENT.get_or_init(|| drop(rustls::crypto::ring::default_provider().install_default()));
    // Redirects are answers to look at, and a machine without certificates must do.
    let builder = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder.tls_certs_only([]).build().unwrap()
}

impl Api {
    pub fn new(address: SocketAddr, token: &str) -> Self {
        Self { address, base: String::new(), client: client(), shown: vec![] }.showing(token)
    }

    /// The same client of a server that begins at this path.
    pub fn below(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The same client for whoever has this token.
    pub fn showing(&self, token: &str) -> Self {
        Self { shown: vec![("authorization", format!("Bearer {token}"))], ..self.clone() }
    }

    /// The same client behind a proxy that says who is asking.
    pub fn named_by(&self, header: &'static str, name: &str) -> Self {
        let origin = format!("http://{}", self.address);
        Self { shown: vec![(header, name.to_owned()), ("origin", origin)], ..self.clone() }
    }

    /// The same client as our own page in a browser that has this cookie.
    pub fn with_cookie(&self, cookie: &str) -> Self {
        let origin = format!("http://{}", self.address);
        Self { shown: vec![("cookie", cookie.to_owned()), ("origin", origin)], ..self.clone() }
    }

    /// The same client by another way to the server.
    pub fn through(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// One who shows nothing.
    pub fn nobody(&self) -> Self {
        Self { shown: vec![], ..self.clone() }
    }

    /// The token that it shows.
    pub fn token(&self) -> &str {
        self.shown.first().and_then(|(_, value)| value.strip_prefix("Bearer ")).unwrap_or_default()
    }

    /// The lines of a request that say where it goes and who sends it.
    pub fn signed_head(&self) -> String {
        format!("Host: {}\r\nAuthorization: Bearer {}\r\n", self.address, self.token())
    }

    /// What it shows beside `headers`, which go first.
    pub fn shown(&self, headers: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let given: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let has_own = given.iter().any(|name| matches!(*name, "authorization" | "cookie"));
        let shown = self.shown.iter().filter(|(name, _)| !has_own && !given.contains(name));
        shown.cloned().collect()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.address, self.base)
    }

    pub async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<String>) -> Answer {
        self.exchange(method, path, headers, body.map(String::into_bytes)).await
    }

    pub async fn send_bytes(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        self.exchange(method, path, headers, Some(body)).await
    }

    async fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let mut request = self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in self.shown(headers) {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let what = format!("the answer to {method} {path}");
        let response = soon(&what, request.send()).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: soon(&what, response.text()).await.unwrap() }
    }

    /// An answer that may hold anything.
    pub async fn download(&self, path: &str) -> (HeaderMap, Vec<u8>) {
        let mut request = self.client.get(self.url(path));
        for (name, value) in self.shown(&[]) {
            request = request.header(name, value);
        }
        let response = soon(path, request.send()).await.unwrap();
        let headers = response.headers().clone();
        (headers, soon(path, response.bytes()).await.unwrap().to_vec())
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], None).await
    }

    pub async fn page(&self, path: &str) -> Answer {
        self.request("GET", path, &[(ACCEPT.as_str(), "text/html")], None).await
    }

    pub async fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.text(method, path, &body.to_string()).await
    }

    /// A body that claims to be JSON.
    pub async fn text(&self, method: &str, path: &str, body: &str) -> Answer {
        self.request(method, path, &[(CONTENT_TYPE.as_str(), "application/json")], Some(body.into())).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, &body).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.json("PATCH", path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, &[], None).await
    }

    /// What a browser without scripts sends.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let headers =
            [(CONTENT_TYPE.as_str(), "application/x-www-form-urlencoded"), (ACCEPT.as_str(), "text/html,*/*;q=0.8")];
        self.request("POST", path, &headers, Some(serde_urlencoded::to_string(fields).unwrap())).await
    }

    pub async fn create(&self, wanted: Value) -> String {
        let session = self.post("/cowork/sessions", wanted).await.expect(201);
        session["id"].as_str().unwrap().to_owned()
    }

    pub async fn session(&self, id: &str) -> Value {
        self.get(&format!("/cowork/sessions/{id}")).await.expect(200)
    }

    pub async fn send(&self, id: &str, message: &str) -> Value {
        self.post(&format!("/cowork/sessions/{id}/messages"), json!({"message": message})).await.expect(202)
    }

    /// All rows of the conversation.
    pub async fn rows(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("/cowork/sessions/{id}/turns?limit=1000")).await.expect(200);
        page["turns"].as_array().unwrap().clone()
    }

    /// The whole log.
    pub async fn events(&self, id: &str) -> Vec<Value> {
        let page = self.get(&format!("/cowork/sessions/{id}/logs?limit=1000")).await.expect(200);
        page["events"].as_array().unwrap().clone()
    }

    pub async fn event_types(&self, id: &str) -> Vec<String> {
        self.events(id).await.iter().map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn events_of(&self, id: &str, kind: &str) -> Vec<Value> {
        let page = self.get(&format!("/cowork/sessions/{id}/logs?limit=1000&types={kind}")).await.expect(200);
        page["events"].as_array().unwrap().clone()
    }

    pub async fn queue(&self, id: &str) -> Vec<Value> {
        self.get(&format!("/cowork/sessions/{id}/queue")).await.expect(200).as_array().unwrap().clone()
    }
}
