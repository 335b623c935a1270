//! Texts made to take forever: each must come to an end, live as well as at once.

use std::sync::mpsc;
use std::time::Duration;

use super::*;

/// Far above what any of these takes, far below what quadratic work on them would.
const LONGEST: Duration = Duration::from_secs(20);

const KIB: usize = 1024;

fn ends_in_time(name: &str, text: String) {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || {
        let whole = render(&text);
        let mut stream = Stream::new();
        let mut characters = text.chars().peekable();
        while characters.peek().is_some() {
            stream.push(&characters.by_ref().take(text.len() / 12 + 1).collect::<String>());
            stream.blocks();
        }
        stream.finish();
        // The other side has given up when sending fails.
        let _ = done.send(whole.concat().len());
    });
    let length = result.recv_timeout(LONGEST).unwrap_or_else(|_| panic!("{name} takes too long"));
    assert!(length > 0, "{name} shows nothing");
}

macro_rules! bombs {
    ($($name:ident: $text:expr;)*) => { $(
        #[test]
        fn $name() {
            ends_in_time(stringify!($name), $text);
        }
    )* };
}

bombs! {
    quotes_in_quotes: ">".repeat(10_000);
    quotes_on_many_lines: format!("{}a\n", ">".repeat(500)).repeat(300);
    lists_in_lists: "- ".repeat(10_000) + "a" + &"\n".repeat(50_000);
    lists_by_indentation: (0..600).map(|depth| format!("{}- a\n", "  ".repeat(depth))).collect();
    blank_lines_in_a_list: format!("{}a{}b", "- ".repeat(60), "\n".repeat(100_000));
    numbers_in_numbers: "1. ".repeat(10_000);
    open_brackets: "[".repeat(50_000);
    open_images: "![".repeat(50_000);
    bracket_pairs: "[a](".repeat(30_000);
    nested_links: format!("{}a{}", "[".repeat(20_000), "](b)".repeat(20_000));
    nested_images: format!("{}a{}", "![".repeat(20_000), "](http://b)".repeat(20_000));
    emphasis_never_closed: "*a ".repeat(50_000);
    emphasis_mixed: "*a **a ".repeat(20_000);
    emphasis_underscores: "_a __a ".repeat(20_000);
    emphasis_nested: format!("{}a{}", "*".repeat(50_000), "*".repeat(50_000));
    emphasis_alternating: format!("{}a{}", "*_".repeat(20_000), "_*".repeat(20_000));
    strikethrough: "~~a ".repeat(30_000);
    backticks_of_all_lengths: (1..400).map(|count| "`".repeat(count) + "a").collect();
    angle_brackets: "<".repeat(50_000);
    comments: "<!-- ".repeat(30_000);
    declarations: "<!A ".repeat(30_000);
    instructions: "<?".repeat(50_000);
    data_sections: "<![CDATA[".repeat(20_000);
    open_tags: "<a href=\"".repeat(20_000);
    entities: "&amp;&#x202E;&unknown;".repeat(4_000);
    dollars: "$a \\$".repeat(30_000);
    dollar_pairs: "$$ $".repeat(30_000);
    backslashes: "\\".repeat(100_000);
    autolinks: "http://a.b/(".repeat(10_000);
    autolinks_in_parentheses: "(http://a.b ".repeat(5_000) + &")".repeat(20_000);
    mail_addresses: "a@b.c".repeat(20_000);
    words_like_www: "www.".repeat(30_000);
    definitions: "[a]: b\n".repeat(20_000);
    definition_labels: format!("[{}]: a\n", "a\\]".repeat(20_000));
    table_of_columns: format!("{}\n{}\n{}", "|a".repeat(3_000), "|-".repeat(3_000), "|\n".repeat(1_000));
    table_of_pipes: "|".repeat(50_000) + "\n" + &"|-".repeat(25_000);
    setext_candidates: "a\n".repeat(30_000) + "===";
    headings: "# a\n".repeat(5_000);
    rules: "***\n".repeat(5_000);
    fences: "```\n".repeat(10_001);
    fences_in_items: "- ```\n".repeat(5_000);
    one_fence: "```\n".to_owned() + &"a < b\n".repeat(512 * KIB / 7);
    one_line: "a b ".repeat(128 * KIB);
    one_list: "- a *b*\n".repeat(8_000);
    cuts_that_the_parser_refuses: "10. a\n  ```\n".to_owned() + &"a\n\n".repeat(10_000);
    hidden_characters: "\u{202E}".repeat(20_000);
    beyond_every_limit: format!("{}\n\n> b\n", "word ".repeat(40)).repeat(1024 * KIB / 208);
}
