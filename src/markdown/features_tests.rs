//! The HTML of each thing that Markdown can say.

use super::*;

const LINK: &str = "target=\"_blank\" rel=\"noopener noreferrer nofollow\"";

fn html(text: &str) -> String {
    render(text).concat()
}

fn expect(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(html(text), expected.replace("LINK", LINK), "{text:?}");
    }
}

#[test]
fn paragraphs_and_emphasis() {
    expect(&[
        ("", ""),
        (" \n\n ", ""),
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb\\\nc", "<p>a<br>b<br>c</p>"),
        ("*a* **b** ***c*** ~~d~~", "<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <del>d</del></p>"),
        ("\"a\" -- 'b'...", "<p>\"a\" -- 'b'...</p>"),
        ("a \\*b\\* &lt; &copy;", "<p>a *b* &lt; ©</p>"),
        ("> a\n> > b", "<blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote>"),
        ("a\n***", "<p>a</p><hr>"),
    ]);
}

#[test]
fn each_top_level_block_is_one_string() {
    let blocks = render("# a\nb\n- c\n- d\n\n---\n> e\n\n```\nf\n```\n");
    assert_eq!(
        blocks,
        [
            "<h3>a</h3>",
            "<p>b</p>",
            "<ul><li>c</li><li>d</li></ul>",
            "<hr>",
            "<blockquote><p>e</p></blockquote>",
            "<pre><code>f\n</code></pre>",
        ]
    );
}

#[test]
fn headings_start_below_those_of_the_page() {
    expect(&[("# a", "<h3>a</h3>"), ("## a", "<h4>a</h4>"), ("#### a", "<h6>a</h6>"), ("###### a #", "<h6>a</h6>")]);
    expect(&[("a\n=", "<h3>a</h3>"), ("a\n-", "<h4>a</h4>"), ("#a", "<p>#a</p>")]);
}

#[test]
fn lists_tight_loose_ordered_and_of_tasks() {
    expect(&[
        ("- a\n  - b", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
        ("- a\n\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("7) a", "<ol start=\"7\"><li>a</li></ol>"),
        (
            "- [ ] a\n- [x] b",
            "<ul><li class=\"task\"><input type=\"checkbox\" disabled=\"\" aria-label=\"To do\"> a</li>\
             <li class=\"task\"><input type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\"> b</li></ul>",
        ),
    ]);
}

#[test]
fn code_keeps_its_text_and_a_harmless_language() {
    expect(&[
        ("`a < b`", "<p><code>a &lt; b</code></p>"),
        ("```rust\n\na<b>\n```", "<pre><code class=\"language-rust\">\na&lt;b&gt;\n</code></pre>"),
        ("```C++ title=x\n```", "<pre><code class=\"language-c++\"></code></pre>"),
        ("```a\"b\nc\n```", "<pre><code>c\n</code></pre>"),
        ("```\nnever closed", "<pre><code>never closed\n</code></pre>"),
        ("    a\n\n    b", "<pre><code>a\n\nb\n</code></pre>"),
        ("    [a]: b\n    <c>", "<pre><code>[a]: b\n&lt;c&gt;\n</code></pre>"),
    ]);
    let longest = format!("```{}\n```", "a".repeat(32));
    assert!(html(&longest).contains("language-"));
    assert!(!html(&longest.replacen('a', "aa", 1)).contains("language-"));
}

#[test]
fn tables_scroll_and_align_by_class() {
    expect(&[(
        "| a | b | c | d |\n|---|:--|:-:|--:|\n| 1 | 2 | 3 | *4* |\n| 5 |",
        "<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table><thead><tr><th>a</th>\
         <th class=\"align-left\">b</th><th class=\"align-center\">c</th><th class=\"align-right\">d</th></tr></thead><tbody><tr>\
         <td>1</td><td class=\"align-left\">2</td><td class=\"align-center\">3</td><td class=\"align-right\"><em>4</em></td></tr>\
         <tr><td>5</td><td class=\"align-left\"></td><td class=\"align-center\"></td><td class=\"align-right\"></td></tr></tbody>\
         </table></div>",
    )]);
    assert!(html("|a|\n|-|").ends_with("<table><thead><tr><th>a</th></tr></thead></table></div>"));
}

#[test]
fn links_open_elsewhere_and_name_their_host() {
    expect(&[
        (
            "[a](https://e.example/b \"t\")",
            "<p><a href=\"https://e.example/b\" LINK>a</a> <span class=\"link-host\">(e.example)</span></p>",
        ),
        ("[e.example](https://e.example/b)", "<p><a href=\"https://e.example/b\" LINK>e.example</a></p>"),
        ("https://e.example/b", "<p><a href=\"https://e.example/b\" LINK>https://e.example/b</a></p>"),
        ("www.e.example", "<p><a href=\"http://www.e.example/\" LINK>www.e.example</a></p>"),
        ("<https://e.example>", "<p><a href=\"https://e.example/\" LINK>https://e.example</a></p>"),
        ("a@e.example", "<p><a href=\"mailto:a@e.example\" LINK>a@e.example</a></p>"),
        ("[](https://e.example)", "<p><a href=\"https://e.example/\" LINK>e.example</a></p>"),
        (
            "[https://good.example](https://good.example@evil.example)",
            "<p><a href=\"https://evil.example/\" LINK>https://good.example</a> <span class=\"link-host\">(evil.example)</span></p>",
        ),
        (
            "https://пример.рф",
            "<p><a href=\"https://xn--e1afmkfd.xn--p1ai/\" LINK>https://пример.рф</a> \
             <span class=\"link-host\">(xn--e1afmkfd.xn--p1ai)</span></p>",
        ),
    ]);
}

#[test]
fn links_without_a_safe_target_are_their_text() {
    expect(&[
        ("[*a*](javascript:alert(1))", "<p><em>a</em></p>"),
        ("[report](../report.md)", "<p>report</p>"),
        ("[report](report)", "<p>report</p>"),
        ("[a](//evil.example)", "<p>a</p>"),
    ]);
}

#[test]
fn links_to_files_of_the_workspace_ask_the_page_for_them() {
    expect(&[
        ("[report.md](files/report.md)", "<p><a href=\"?file=files/report.md\" LINK>report.md</a></p>"),
        (
            "[the report](<files/my report.md>)",
            "<p><a href=\"?file=files/my%20report.md\" LINK>the report</a> \
             <span class=\"link-host\">(files/my report.md)</span></p>",
        ),
    ]);
}

#[test]
fn images_are_links_and_never_fetched() {
    expect(&[
        (
            "![a *b*](https://e.example/p.png)",
            "<p><a class=\"image-link\" href=\"https://e.example/p.png\" LINK>image: a b</a> \
             <span class=\"link-host\">(e.example)</span></p>",
        ),
        ("![](p.png)", "<p><span class=\"image-link\">image</span></p>"),
        ("![a](data:image/png;base64,AA)", "<p><span class=\"image-link\">image: a</span></p>"),
        (
            "[![a](https://i.example/p)](https://e.example)",
            "<p><a href=\"https://e.example/\" LINK><span class=\"image-link\">image: a (i.example)</span></a> \
             <span class=\"link-host\">(e.example)</span></p>",
        ),
    ]);
}

#[test]
fn raw_html_is_text() {
    expect(&[
        ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>"),
        ("<div>\n*a*\n</div>", "<p>&lt;div&gt;\n<em>a</em>\n&lt;/div&gt;</p>"),
        ("<!-- a -->", "<p>&lt;!-- a --&gt;</p>"),
        ("- <p>a", "<ul><li>&lt;p&gt;a</li></ul>"),
    ]);
}

#[test]
fn reference_definitions_stay_readable() {
    expect(&[
        ("see [a][1]\n\n[1]: e", "<p>see [a][1]</p><p>[1]: e</p>"),
        ("- [1]: e\n- [1]", "<ul><li>[1]: e</li><li>[1]</li></ul>"),
        ("[x]: e", "<p>[x]: e</p>"),
        ("[^1]: e", "<p>[^1]: e</p>"),
    ]);
}

#[test]
fn mathematics_stays_as_typed() {
    expect(&[
        ("$a_1 * b_1 * c$", "<p><span class=\"math\">$a_1 * b_1 * c$</span></p>"),
        ("$$\n\\frac{a}{b} \\\\ *c*\n$$", "<p><span class=\"math\">$$\n\\frac{a}{b} \\\\ *c*\n$$</span></p>"),
        ("from $5 to $6", "<p>from $5 to $6</p>"),
    ]);
}

#[test]
fn hidden_characters_are_shown_and_emoji_stay_whole() {
    expect(&[
        ("a\u{202E}b", "<p>a<span class=\"invisible\">⟨U+202E⟩</span>b</p>"),
        ("`a\u{200B}`", "<p><code>a<span class=\"invisible\">⟨U+200B⟩</span></code></p>"),
        ("&#x1B;[31m", "<p><span class=\"invisible\">⟨U+001B⟩</span>[31m</p>"),
        ("👩\u{200D}👧 ❤\u{FE0F}", "<p>👩\u{200D}👧 ❤\u{FE0F}</p>"),
        ("a\0b", "<p>a\u{FFFD}b</p>"),
    ]);
}

#[test]
fn tags_end_where_nesting_goes_too_deep() {
    let html = html(&format!("{}a{}", "**".repeat(300), "**".repeat(300)));
    assert!((150..=200).contains(&html.matches("<strong>").count()), "{html}");
    assert_eq!(html.matches("<strong>").count(), html.matches("</strong>").count());
    assert!(html.contains(">a<"));
}
