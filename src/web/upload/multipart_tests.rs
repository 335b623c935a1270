use std::convert::Infallible;

use futures::{executor::block_on, stream};
use proptest::prelude::*;

use super::*;

type Read = Vec<(String, Option<String>, Vec<u8>)>;

/// Reads a body that comes in pieces of `size` bytes.
fn read(body: &[u8], size: usize, limit: u64) -> Result<Read, Fault> {
    let pieces: Vec<Result<Bytes, Infallible>> =
        body.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let mut multipart = Multipart::new(stream::iter(pieces), "b", limit);
    block_on(async {
        let mut parts = Vec::new();
        while let Some(part) = multipart.next_part().await? {
            let mut content = Vec::new();
            while let Some(piece) = multipart.next_piece().await? {
                assert!(!piece.is_empty());
                content.extend_from_slice(&piece);
            }
            parts.push((part.name, part.file_name, content));
        }
        Ok(parts)
    })
}

fn part(header: &str, content: &str) -> String {
    format!("--b\r\n{header}\r\n\r\n{content}\r\n")
}

const FIELD: &str = "Content-Disposition: form-data; name=\"x\"";

fn malformed(body: &str) -> &'static str {
    match read(body.as_bytes(), 7, u64::MAX) {
        Err(Fault::Malformed(why)) => why,
        other => panic!("{other:?} {body:?}"),
    }
}

#[test]
fn parts_are_read_whatever_pieces_they_come_in() {
    let file = "Content-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\nContent-Type: text/plain";
    let body = format!("{}{}{}--b--\r\n", part(FIELD, "1"), part(file, "a\r\n--\r\n-b\r\n--c"), part(FIELD, ""));
    let whole = read(body.as_bytes(), body.len(), u64::MAX).unwrap();
    assert_eq!(whole[1], ("files".into(), Some("a.txt".into()), b"a\r\n--\r\n-b\r\n--c".to_vec()));
    assert_eq!((whole.len(), whole[2].2.len()), (3, 0));
    for size in 1..body.len() {
        assert_eq!(read(body.as_bytes(), size, u64::MAX).unwrap(), whole, "{size}");
    }
}

/// Assurance row 44.
#[test]
fn forms_that_are_no_multipart_are_refused_and_harmless_oddities_are_not() {
    for body in [
        "",
        "--b",
        "--b\r\n",
        "no boundary at all",
        &format!("--b\n{FIELD}\n\n1\n--b--\n"),
        &part(FIELD, "1"),
        &format!("--b\r\n{FIELD}\r\n\r\n1"),
        &format!("--b\r\n\r\n1\r\n--b--{}", ""),
        &format!("--bx\r\n{FIELD}\r\n\r\n1\r\n--b--"),
        &format!("{}--b--", part("Content-Disposition: attachment; name=x", "1")),
        &format!("{}--b--", part("Content-Disposition: form-data; filename=x", "1")),
        &format!("{}--b--", part("Content-Type: text/plain", "1")),
        &format!("{}--b--", part(&format!("{FIELD}\r\n{FIELD}"), "1")),
        &format!("{}--b--", part(&format!("{FIELD}\r\n folded: x"), "1")),
        &format!("{}--b--", part(&format!("{FIELD}\r\nContent-Transfer-Encoding: base64"), "1")),
    ] {
        malformed(body);
    }
    for body in [
        format!("junk before\r\n{}--b--", part(FIELD, "1")),
        format!("{}--b--\r\njunk behind", part(FIELD, "1")),
        format!("{}--b--", part(&format!("{FIELD}\r\nX-Own: y\r\nContent-Transfer-Encoding: BINARY"), "1")),
        format!("--b \t\r\n{FIELD}\r\n\r\n1\r\n--b--"),
    ] {
        assert_eq!(read(body.as_bytes(), 5, u64::MAX).unwrap(), [("x".into(), None, b"1".to_vec())], "{body:?}");
    }
    assert_eq!(read(b"--b--", 2, u64::MAX).unwrap(), []);
}

/// Assurance row 46, trap T5: what has no end is not kept.
#[test]
fn what_stands_before_a_content_has_a_limit() {
    let endless = "x".repeat(HEAD_BYTES + 100);
    malformed(&format!("{endless}\r\n{}--b--", part(FIELD, "1")));
    malformed(&endless.repeat(10));
    malformed(&format!("--b{}\r\n{FIELD}\r\n\r\n1\r\n--b--", " ".repeat(HEAD_BYTES + 100)));
    malformed(&part(&format!("{FIELD}\r\nX: {endless}"), "1"));
    malformed(&format!("--b\r\n{FIELD}\r\nX: {}", endless.repeat(10)));
    malformed(&part(&format!("{FIELD}{}", "\r\nX: y".repeat(HEADER_LINES)), "1"));
    let fits = format!("{FIELD}{}", "\r\nX: y".repeat(HEADER_LINES - 1));
    assert!(read(format!("{}--b--", part(&fits, "1")).as_bytes(), 100, u64::MAX).is_ok());
}

#[test]
fn a_reader_keeps_no_more_than_a_header_of_an_endless_body() {
    let pieces = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 1000])));
    let mut multipart = Multipart::new(pieces, "b", u64::MAX);
    assert!(matches!(block_on(multipart.next_part()), Err(Fault::Malformed(_))));
    assert!(multipart.read < 2 * HEAD_BYTES as u64);
}

/// Assurance row 38: the limit of a request is exact.
#[test]
fn a_request_may_have_as_many_bytes_as_its_limit() {
    let body = format!("{}--b--", part(FIELD, "12345"));
    for size in [1, 10, 1000] {
        assert!(read(body.as_bytes(), size, body.len() as u64).is_ok());
        assert_eq!(read(body.as_bytes(), size, body.len() as u64 - 1), Err(Fault::TooLarge));
    }
}

#[test]
fn the_boundary_is_read_from_the_content_type() {
    let named = |text: &str| boundary(text).unwrap();
    assert_eq!(named("multipart/form-data; boundary=abc"), Ok("abc".into()));
    assert_eq!(named("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), Ok("a b".into()));
    let long = format!(";boundary={}", "a".repeat(71));
    for bad in ["", ";boundary=", ";boundary=\"a \"", ";boundary=\"ä\"", long.as_str()] {
        assert!(named(&format!("multipart/form-data{bad}")).is_err(), "{bad}");
    }
    assert!(boundary("application/json").is_none() && boundary("multipart/mixed; boundary=a").is_none());
}

proptest! {
    /// Whatever the files hold, also pieces of the boundary, they come out as they went in.
    #[test]
    fn contents_come_out_as_they_went_in(
        contents in prop::collection::vec("[\r\n\\-a]{0,40}", 0..4),
        size in 1usize..60,
    ) {
        // The boundary of a real form does not stand in its content.
        prop_assume!(contents.iter().all(|content| !content.contains("--b")));
        let body: String = contents.iter().map(|content| part(FIELD, content)).collect();
        let parts = read(format!("{body}--b--").as_bytes(), size, u64::MAX).unwrap();
        let read: Vec<_> = parts.into_iter().map(|(_, _, content)| String::from_utf8(content).unwrap()).collect();
        prop_assert_eq!(read, contents);
    }

    #[test]
    fn no_body_breaks_the_reader(body in prop::collection::vec("--b|\r\n|--|[:; =\"]|form-data|Content-Disposition|name|[^a]", 0..40), size in 1usize..20) {
        let _ = read(body.concat().as_bytes(), size, 1000);
    }
}
