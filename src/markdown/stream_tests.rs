//! However a text arrives, what its reader sees is the same.

use proptest::prelude::*;

use super::*;

/// A list of blocks that follows a stream, and what it was told.
#[derive(Default)]
struct Reader {
    blocks: Vec<String>,
}

impl Reader {
    fn apply(&mut self, change: &Change) {
        assert!(change.from <= self.blocks.len(), "a change leaves a hole");
        self.blocks.truncate(change.from);
        self.blocks.extend(change.blocks.iter().cloned());
    }
}

/// What a reader sees who comes in now.
fn view(text: &str) -> (Vec<String>, bool) {
    let mut stream = Stream::new();
    stream.push(text);
    let change = stream.blocks();
    (change.blocks, change.open)
}

fn unchanged(from: usize, open: bool) -> Change {
    Change { from, blocks: Vec::new(), open }
}

#[test]
fn a_growing_paragraph_is_sent_anew_and_finished_ones_are_not() {
    let mut stream = Stream::new();
    assert_eq!(stream.blocks(), unchanged(0, false));
    stream.push("one\n\ntw");
    let blocks = vec!["<p>one</p>".to_owned(), "<p>tw</p>".to_owned()];
    assert_eq!(stream.blocks(), Change { from: 0, blocks, open: true });
    assert_eq!(stream.blocks(), unchanged(2, true));
    stream.push("o\n");
    assert_eq!(stream.blocks(), Change { from: 1, blocks: vec!["<p>two</p>".to_owned()], open: true });
    stream.push("\n");
    assert_eq!(stream.blocks(), unchanged(2, false));
    assert_eq!(stream.finish(), unchanged(2, false));
}

#[test]
fn a_line_that_turns_a_paragraph_into_a_heading_replaces_it() {
    let mut stream = Stream::new();
    stream.push("Title\n");
    assert_eq!(stream.blocks().blocks, ["<p>Title</p>"]);
    stream.push("===\n");
    assert_eq!(stream.finish(), Change { from: 0, blocks: vec!["<h3>Title</h3>".to_owned()], open: false });
}

#[test]
fn a_list_that_becomes_loose_is_replaced_whole() {
    let mut stream = Stream::new();
    stream.push("- a\n- b\n");
    assert_eq!(stream.blocks().blocks, ["<ul><li>a</li><li>b</li></ul>"]);
    stream.push("\n- c");
    let loose = "<ul><li><p>a</p></li><li><p>b</p></li><li><p>c</p></li></ul>".to_owned();
    assert_eq!(stream.finish(), Change { from: 0, blocks: vec![loose], open: false });
}

#[test]
fn text_after_the_end_begins_a_new_block() {
    let mut stream = Stream::new();
    stream.push("a");
    stream.finish();
    stream.push("b");
    assert_eq!(stream.finish(), Change { from: 1, blocks: vec!["<p>b</p>".to_owned()], open: false });
}

#[test]
fn line_ends_of_every_kind_are_one_also_when_cut_in_the_middle() {
    let expected = render("a\n\nb\nc\n\nd");
    assert_eq!(render("a\r\n\r\nb\rc\r\rd"), expected);
    let (mut stream, mut reader) = (Stream::new(), Reader::default());
    for piece in ["a\r", "\n\r", "", "\nb\r", "c\r", "\rd"] {
        stream.push(piece);
        reader.apply(&stream.blocks());
    }
    reader.apply(&stream.finish());
    assert_eq!(reader.blocks, expected);
}

#[test]
fn a_long_open_fence_costs_the_same_at_any_length() {
    let (mut stream, mut reader) = (Stream::new(), Reader::default());
    stream.push("```rust\n");
    let line = "let a = b < c; // é\n";
    let mut settled = 0;
    for _ in 0..200 {
        stream.push(&line.repeat(100));
        let change = stream.blocks();
        let is_long = reader.blocks.len() > 1;
        assert!(!is_long || change.blocks.concat().len() < 32 * 1024, "one step sends more than its share");
        assert!(change.from >= settled, "pieces that were sent are sent again");
        settled = if is_long { change.from } else { 0 };
        reader.apply(&change);
    }
    assert!(reader.blocks.len() > 30);
    assert!(reader.blocks.iter().all(|block| block.starts_with("<pre class=\"plain\"><code>")));
    stream.push("```\n");
    let change = stream.blocks();
    assert_eq!((change.from, change.blocks.len(), change.open), (0, 1, false));
    // Too long for colours, and whole.
    assert!(change.blocks[0].starts_with("<pre><code class=\"language-rust\">let a = b &lt; c;"));
}

#[test]
fn one_long_open_block_after_another_shows_its_own_text() {
    let (mut stream, mut reader, mut text) = (Stream::new(), Reader::default(), String::new());
    for piece in [
        "```\n".to_owned() + &"first\n".repeat(9_000),
        "```\n~~~\n".to_owned() + &"second\n".repeat(9_000),
        "~~~\n".to_owned() + &" ".repeat(50_000),
        "\n".to_owned() + &"third ".repeat(9_000),
    ] {
        stream.push(&piece);
        text.push_str(&piece);
        reader.apply(&stream.blocks());
        assert_eq!(reader.blocks, view(&text).0);
    }
    reader.apply(&stream.finish());
    assert_eq!(reader.blocks, render(&text));
    assert_eq!(reader.blocks.len(), 3);
}

#[test]
fn finished_text_is_never_sent_again() {
    let mut stream = Stream::new();
    stream.push(&"paragraph\n\n".repeat(5_000));
    assert_eq!(stream.blocks().blocks.len(), 5_000);
    for word in ["one ", "two ", "three"] {
        stream.push(word);
        assert_eq!(stream.blocks().from, 5_000);
    }
    assert_eq!(stream.finish(), unchanged(5_001, false));
}

#[test]
fn text_behind_the_limit_is_plain_and_nothing_is_lost() {
    let paragraph = format!("*a* {}\n\n", "b".repeat(994));
    let fitting = MARKDOWN_LIMIT_BYTES / paragraph.len();
    let text = paragraph.repeat(fitting + 30);
    let blocks = render(&text);
    let (markdown, plain) = blocks.split_at(fitting);
    assert!(markdown.iter().all(|block| block.starts_with("<p><em>a</em> bbb")));
    assert!(plain.iter().all(|block| block.starts_with("<pre class=\"plain\"><code>*a* bbb")));
    assert_eq!(plain.concat().matches("*a* bbb").count(), 30);

    let (mut stream, mut reader) = (Stream::new(), Reader::default());
    for start in (0..text.len()).step_by(50_001) {
        stream.push(&text[start..text.len().min(start + 50_001)]);
        reader.apply(&stream.blocks());
    }
    reader.apply(&stream.finish());
    assert_eq!(reader.blocks, blocks);
}

#[test]
fn a_text_of_exactly_the_limit_is_markdown_to_its_end() {
    let text = "a".repeat(MARKDOWN_LIMIT_BYTES - 8) + "\n\n**bb**";
    assert_eq!(render(&text).last().unwrap(), "<p><strong>bb</strong></p>");
    assert_eq!(render(&(text + "c")).last().unwrap(), "<pre class=\"plain\"><code>**bb**c</code></pre>");
}

#[test]
fn nesting_without_end_is_plain_text() {
    let text = "> ".repeat(1_000) + "a";
    let expected = format!("<pre class=\"plain\"><code>{}\n</code></pre>", text.replace('>', "&gt;"));
    assert_eq!(render(&text), [expected]);
    assert_eq!(view(&text).0.len(), 1);
    assert_eq!(render(&(text + "\n\nb")).last().unwrap(), "<p>b</p>");
}

fn fragment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "a",
        "word ",
        "\n",
        "\n",
        "\n\n",
        "\r\n",
        "\r",
        "# ",
        "- ",
        "1. ",
        "> ",
        "    ",
        "\t",
        "```",
        "```\n",
        "~~~\n",
        "***\n",
        "---",
        "===\n",
        "| a | b |\n",
        "|---|---|\n",
        "**",
        "*",
        "_",
        "~~",
        "`",
        "[a](https://e.example)",
        "![a](b)",
        "[a]: /b\n",
        "[",
        "](",
        "<b>",
        "</b>",
        "<!-- ",
        " -->",
        "- [ ] ",
        "- [x] a\n",
        "\\",
        "&amp;",
        "é",
        "😀",
        "\u{202E}",
        "\0",
        "$a$",
        "www.e.example",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

/// A text in the pieces in which it arrives.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::collection::vec(fragment(), 0..5).prop_map(|parts| parts.concat()), 1..10)
}

proptest! {
    #[test]
    fn every_way_of_arriving_ends_in_the_same_blocks(pieces in pieces()) {
        let (mut stream, mut reader, mut text) = (Stream::new(), Reader::default(), String::new());
        for piece in &pieces {
            stream.push(piece);
            text.push_str(piece);
            let change = stream.blocks();
            reader.apply(&change);
            let (blocks, open) = view(&text);
            prop_assert_eq!(&reader.blocks, &blocks, "after {:?}", text);
            prop_assert_eq!(change.open, open);
            prop_assert_eq!(stream.blocks(), unchanged(reader.blocks.len(), open));
        }
        reader.apply(&stream.finish());
        prop_assert_eq!(&reader.blocks, &render(&text));
        prop_assert_eq!(stream.finish(), unchanged(reader.blocks.len(), false));
    }

    #[test]
    fn a_change_may_be_applied_twice(pieces in pieces()) {
        let (mut stream, mut reader) = (Stream::new(), Reader::default());
        for piece in &pieces {
            stream.push(piece);
            let change = stream.blocks();
            reader.apply(&change);
            let once = reader.blocks.clone();
            reader.apply(&change);
            prop_assert_eq!(&reader.blocks, &once);
        }
    }

    #[test]
    fn looking_seldom_or_often_makes_no_difference(pieces in pieces(), looks in prop::collection::vec(any::<bool>(), 10)) {
        let (mut stream, mut reader) = (Stream::new(), Reader::default());
        for (piece, looks) in pieces.iter().zip(looks) {
            stream.push(piece);
            if looks {
                reader.apply(&stream.blocks());
            }
        }
        reader.apply(&stream.finish());
        prop_assert_eq!(&reader.blocks, &render(&pieces.concat()));
    }
}
