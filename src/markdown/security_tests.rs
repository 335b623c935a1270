//! No text of [`payloads`], whole or cut anywhere, gives HTML that the inspector complains about.

use proptest::prelude::*;

use super::inspection::complaint;
use super::*;

/// Applies a change and inspects what it brought.
fn apply(change: Change, blocks: &mut Vec<String>, source: &str) {
    for block in &change.blocks {
        assert_eq!(complaint(block), None, "\nsource: {source:?}\nblock: {block}");
    }
    blocks.truncate(change.from);
    blocks.extend(change.blocks);
}

fn cuts(text: &str) -> impl Iterator<Item = usize> {
    text.char_indices().map(|(at, _)| at).skip(1)
}

#[test]
fn the_corpus_is_large_and_free_of_repetition() {
    let mut texts: Vec<&str> = payloads::all().collect();
    assert!(texts.len() >= 300, "{}", texts.len());
    texts.sort_unstable();
    assert!(texts.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn no_payload_gives_anything_off_the_whitelist() {
    for payload in payloads::all() {
        apply(Change { from: 0, blocks: render(payload), open: false }, &mut Vec::new(), payload);
    }
}

#[test]
fn no_payload_cut_in_two_gives_anything_off_the_whitelist() {
    for payload in payloads::all() {
        let whole = render(payload);
        for cut in cuts(payload) {
            let (mut stream, mut blocks) = (Stream::new(), Vec::new());
            stream.push(&payload[..cut]);
            apply(stream.blocks(), &mut blocks, &payload[..cut]);
            stream.push(&payload[cut..]);
            apply(stream.finish(), &mut blocks, payload);
            assert_eq!(blocks, whole, "{payload:?} cut at {cut}");
        }
    }
}

#[test]
fn no_payload_written_character_by_character_gives_anything_off_the_whitelist() {
    for payload in payloads::all() {
        let (mut stream, mut blocks) = (Stream::new(), Vec::new());
        for c in payload.chars() {
            stream.push(c.encode_utf8(&mut [0; 4]));
            apply(stream.blocks(), &mut blocks, payload);
        }
        apply(stream.finish(), &mut blocks, payload);
        assert_eq!(blocks, render(payload), "{payload:?}");
    }
}

#[test]
fn nothing_that_fetches_or_runs_begins_in_any_payloads_html() {
    for payload in payloads::all() {
        let html = render(payload).concat().to_ascii_lowercase();
        for forbidden in ["<img", "<script", "<iframe", "<link", "<style", "<svg", "<object", "<!--", "<form"] {
            assert!(!html.contains(forbidden), "{payload:?}: {html}");
        }
    }
}

proptest! {
    #[test]
    fn payloads_glued_together_stay_harmless(texts in prop::collection::vec(prop::sample::select(payloads::all().collect::<Vec<_>>()), 2..5),
                                             glue in prop::sample::select(vec!["", " ", "\n", "\n\n", "\n> ", "\n- ", "`", "|", "[", "](", "<", "\""])) {
        let text = texts.join(glue);
        for block in render(&text) {
            prop_assert_eq!(complaint(&block), None);
        }
    }

    #[test]
    fn any_text_stays_harmless(text in any::<String>()) {
        for block in render(&text) {
            prop_assert_eq!(complaint(&block), None);
        }
    }

    #[test]
    fn any_soup_of_markup_stays_harmless(text in "[\\[\\]()!<>*_`~|#\\-=:&;\"'$\\\\ \n\tahtp:/.@x0-9]{0,120}") {
        for block in render(&text) {
            prop_assert_eq!(complaint(&block), None);
        }
    }
}
