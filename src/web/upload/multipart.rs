//! `multipart/form-data` from a stream, piece by piece. Everything that is not a part's content has a byte limit:
//! what stands before the first part, and the header of each.

use std::future::poll_fn;

use axum::body::Bytes;
use bytes::BytesMut;
use futures::Stream;
use memchr::memmem::Finder;

use super::disposition::{Value, is_token};

/// Bytes before the first part, and of a part's header; browsers send none and some 200.
const HEAD_BYTES: usize = 16 * 1024;
const HEADER_LINES: usize = 32;
/// RFC 2046.
const BOUNDARY_BYTES: usize = 70;

#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what multipart/form-data is; why, in words.
    Malformed(&'static str),
    /// More bytes than a request may have.
    TooLarge,
    /// The connection ended, or stood still too long.
    Broken,
}

pub struct Multipart<S> {
    body: S,
    buffer: BytesMut,
    /// Line break, two dashes and the boundary.
    delimiter: Finder<'static>,
    read: u64,
    limit: u64,
    place: Place,
    ended: bool,
    /// More came than may.
    over: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first boundary.
    Preamble,
    /// In a part's content.
    Content,
    /// Right behind a boundary.
    Boundary,
    /// Behind the last one.
    End,
}

/// A part's header.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub name: String,
    pub file_name: Option<String>,
}

/// The boundary that a `Content-Type` names; `None` where it is not multipart/form-data at all.
pub fn boundary(content_type: &str) -> Option<Result<String, Fault>> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    Some(Value::parse(content_type).map_err(Fault::Malformed).and_then(|value| {
        let boundary = value.get("boundary").ok_or(Fault::Malformed("its boundary is not named"))?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
        let fits = (1..=BOUNDARY_BYTES).contains(&boundary.len()) && !boundary.ends_with(' ');
        if !fits || !boundary.bytes().all(allowed) {
            return Err(Fault::Malformed("its boundary is malformed"));
        }
        Ok(boundary.to_owned())
    }))
}

impl<S, E> Multipart<S>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    pub fn new(body: S, boundary: &str, limit: u64) -> Self {
        Self {
            body,
            // The first boundary may stand at the very beginning.
            buffer: BytesMut::from(&b"\r\n"[..]),
            delimiter: Finder::new(&format!("\r\n--{boundary}")).into_owned(),
            read: 0,
            limit,
            place: Place::Preamble,
            ended: false,
            over: false,
        }
    }

    /// The next part; what is left of the current one is passed over.
    pub async fn next_part(&mut self) -> Result<Option<Part>, Fault> {
        match self.place {
            Place::Preamble => self.skip_preamble().await?,
            Place::Content => while self.next_piece().await?.is_some() {},
            Place::Boundary => {}
            Place::End => return Ok(None),
        }
        self.leave_boundary().await?;
        if self.place == Place::End {
            return Ok(None);
        }
        let head = self.head().await?;
        parse_head(&head).map(Some)
    }

    /// The next bytes of the current part; `None` at its end.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Fault> {
        if self.place != Place::Content {
            return Ok(None);
        }
        loop {
            if let Some(at) = self.delimiter.find(&self.buffer) {
                if at > 0 {
                    return Ok(Some(self.buffer.split_to(at).freeze()));
                }
                let _ = self.buffer.split_to(self.delimiter.needle().len());
                self.place = Place::Boundary;
                return Ok(None);
            }
            // The end of the buffer may be the beginning of a boundary.
            let safe = self.buffer.len().saturating_sub(self.delimiter.needle().len() - 1);
            if safe > 0 {
                return Ok(Some(self.buffer.split_to(safe).freeze()));
            }
            self.need_more().await?;
        }
    }

    /// What is left of the body, for one who only wants it gone.
    pub fn into_body(self) -> S {
        self.body
    }

    async fn skip_preamble(&mut self) -> Result<(), Fault> {
        loop {
            if let Some(at) = self.delimiter.find(&self.buffer) {
                if at > HEAD_BYTES {
                    return Err(Fault::Malformed("too much stands before its first part"));
                }
                let _ = self.buffer.split_to(at + self.delimiter.needle().len());
                return Ok(());
            }
            if self.buffer.len() > HEAD_BYTES {
                return Err(Fault::Malformed("too much stands before its first part"));
            }
            self.need_more().await?;
        }
    }

    /// Behind a boundary: two dashes end the body, a line break begins a part.
    async fn leave_boundary(&mut self) -> Result<(), Fault> {
        loop {
            let blanks = self.buffer.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if blanks > HEAD_BYTES {
                return Err(Fault::Malformed("a boundary has no end"));
            }
            match &self.buffer[blanks..] {
                [b'-', b'-', ..] if blanks == 0 => {
                    self.place = Place::End;
                    return Ok(());
                }
                [b'\r', b'\n', ..] => {
                    // The line break stays: a header that is empty is one more.
                    let _ = self.buffer.split_to(blanks);
                    return Ok(());
                }
                [] | [b'-' | b'\r'] => self.need_more().await?,
                _ => return Err(Fault::Malformed("something stands behind a boundary")),
            }
        }
    }

    /// The header of a part, from the line break before it to the blank line, without both.
    async fn head(&mut self) -> Result<Bytes, Fault> {
        loop {
            if let Some(at) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                if at > HEAD_BYTES {
                    return Err(Fault::Malformed("the header of a part is too long"));
                }
                let head = self.buffer.split_to(at + 4).freeze();
                self.place = Place::Content;
                return Ok(head.slice(2.min(at)..at));
            }
            if self.buffer.len() > HEAD_BYTES {
                return Err(Fault::Malformed("the header of a part is too long"));
            }
            self.need_more().await?;
        }
    }

    async fn need_more(&mut self) -> Result<(), Fault> {
        if self.fill().await? { Ok(()) } else { Err(Fault::Malformed("its last boundary is missing")) }
    }

    /// Reads on; `false` at the end of the body.
    async fn fill(&mut self) -> Result<bool, Fault> {
        if self.over {
            return Err(Fault::TooLarge);
        }
        if self.ended {
            return Ok(false);
        }
        match poll_fn(|context| std::pin::Pin::new(&mut self.body).poll_next(context)).await {
            Some(Ok(bytes)) => {
                // What still fits may be the end of a file.
                let fits = bytes.len().min(usize::try_from(self.limit - self.read).unwrap_or(usize::MAX));
                self.read += fits as u64;
                self.over = fits < bytes.len();
                self.buffer.extend_from_slice(&bytes[..fits]);
                Ok(true)
            }
            Some(Err(_)) => Err(Fault::Broken),
            None => {
                self.ended = true;
                Ok(false)
            }
        }
    }
}

fn parse_head(head: &[u8]) -> Result<Part, Fault> {
    let text = std::str::from_utf8(head).map_err(|_| Fault::Malformed("the header of a part is not UTF-8"))?;
    let mut disposition = None;
    for (count, line) in text.split("\r\n").enumerate() {
        if count >= HEADER_LINES {
            return Err(Fault::Malformed("the header of a part has too many lines"));
        }
        if line.contains(['\r', '\n']) {
            return Err(Fault::Malformed("a line in the header of a part is malformed"));
        }
        let (name, value) = line.split_once(':').ok_or(Fault::Malformed("the header of a part is malformed"))?;
        if !is_token(name) {
            return Err(Fault::Malformed("the header of a part is malformed"));
        }
        if name.eq_ignore_ascii_case("content-disposition") {
            if disposition.is_some() {
                return Err(Fault::Malformed("a part has two Content-Disposition headers"));
            }
            disposition = Some(Value::parse(value).map_err(Fault::Malformed)?);
        }
        let plain = ["7bit", "8bit", "binary"].iter().any(|plain| value.trim().eq_ignore_ascii_case(plain));
        if name.eq_ignore_ascii_case("content-transfer-encoding") && !plain {
            return Err(Fault::Malformed("a part is encoded, which forms are not"));
        }
    }
    let disposition = disposition.filter(|disposition| disposition.value == "form-data");
    let disposition = disposition.ok_or(Fault::Malformed("a part has no Content-Disposition: form-data"))?;
    let name = disposition.name().ok_or(Fault::Malformed("a part has no name"))?;
    Ok(Part { name, file_name: disposition.file_name().map_err(Fault::Malformed)? })
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
