//! A collector: takes OTLP over HTTP and reads its protobuf, as far as spans go.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use tokio::net::TcpListener;

pub struct Collector {
    pub url: String,
    requests: Requests,
}

type Requests = Arc<Mutex<Vec<Request>>>;

#[derive(Clone, Debug)]
pub struct Request {
    pub authorization: String,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Span {
    pub trace: Vec<u8>,
    pub id: Vec<u8>,
    pub parent: Vec<u8>,
    pub name: String,
    pub start: u64,
    pub end: u64,
    pub attributes: BTreeMap<String, String>,
    pub events: usize,
    pub failed: bool,
}

impl Span {
    /// An attribute; nothing where it has none of this name.
    pub fn text(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or_default()
    }
}

impl Collector {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let router = Router::new().route("/v1/traces", post(take)).with_state(requests.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.requests();
        let resource_spans = requests.iter().flat_map(|request| parts(&request.body, 1));
        let scope_spans = resource_spans.flat_map(|part| parts(part, 2));
        scope_spans.flat_map(|part| parts(part, 2)).map(span).collect()
    }

    /// What the last request says of its sender.
    pub fn resource(&self) -> BTreeMap<String, String> {
        let requests = self.requests();
        let last = requests.last().expect("something was sent");
        let resource = parts(&last.body, 1).into_iter().flat_map(|part| parts(part, 1)).next().unwrap();
        attributes(resource, 1)
    }
}

async fn take(State(requests): State<Requests>, headers: HeaderMap, body: Bytes) {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let authorization = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let request = Request { authorization: authorization.unwrap_or_default(), body: body.to_vec() };
    requests.lock().unwrap().push(request);
}

/// Fields by the numbers of opentelemetry/proto/trace/v1/trace.proto.
fn span(bytes: &[u8]) -> Span {
    let one = |number| parts(bytes, number).into_iter().next().unwrap_or_default().to_vec();
    let status = one(15);
    Span {
        trace: one(1),
        id: one(2),
        parent: one(4),
        name: String::from_utf8(one(5)).unwrap(),
        start: numbers(bytes, 7)[0],
        end: numbers(bytes, 8)[0],
        attributes: attributes(bytes, 9),
        events: parts(bytes, 11).len(),
        failed: numbers(&status, 3) == [2],
    }
}

/// Key and value; a text, a truth or a whole number.
fn attributes(bytes: &[u8], number: u64) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let read = |pair: &[u8]| {
        let value = parts(pair, 2)[0].to_vec();
        let shown = match (parts(&value, 1).first(), numbers(&value, 2).first(), numbers(&value, 3).first()) {
            (Some(value), ..) => text(value),
            (_, Some(truth), _) => (*truth == 1).to_string(),
            (.., Some(number)) => (*number as i64).to_string(),
            _ => panic!("{value:?}"),
        };
        (text(parts(pair, 1)[0]), shown)
    };
    parts(bytes, number).into_iter().map(read).collect()
}

enum Field<'a> {
    Number(u64),
    Part(&'a [u8]),
}

fn parts(bytes: &[u8], number: u64) -> Vec<&[u8]> {
    let part = |(known, field)| match field {
        Field::Part(part) if known == number => Some(part),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(part).collect()
}

fn numbers(bytes: &[u8], number: u64) -> Vec<u64> {
    let value = |(known, field)| match field {
        Field::Number(value) if known == number => Some(value),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(value).collect()
}

/// The fields of a message, with their numbers.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(u64::from_le_bytes(take_bytes(&mut bytes, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut bytes) as usize;
                Field::Part(take_bytes(&mut bytes, length))
            }
            5 => Field::Number(u32::from_le_bytes(take_bytes(&mut bytes, 4).try_into().unwrap()).into()),
            kind => panic!("no kind of field: {kind}"),
        };
        found.push((tag >> 3, field));
    }
    found
}

fn take_bytes<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = take_bytes(bytes, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return value;
        }
    }
}
