//! A parsed block as HTML: the tree is walked without recursion, so depth costs no stack.

use std::borrow::Cow;

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{ListType, Node, NodeLink, NodeList, NodeMath, NodeValue, TableAlignment};

use super::chunk::GUARD;
use super::links::Target;
use super::sanitise::{LANGUAGE_CLASS, is_language};
use super::{highlight, invisible};

/// Nodes inside each other that still get tags; deeper ones are only text. HTML parsers take time and memory per open tag.
const MAX_DEPTH: usize = 200;

/// Headings begin at this level: the page has its own above it.
const FIRST_HEADING_LEVEL: u8 = 3;

/// The HTML of one top-level block, before sanitising.
pub(super) fn html(block: Node<'_>) -> String {
    let mut writer = Writer::default();
    for edge in block.traverse() {
        match edge {
            NodeEdge::Start(node) => writer.enter(node),
            NodeEdge::End(_) => writer.leave(),
        }
    }
    writer.html
}

/// `text` as HTML text, hidden characters shown by their number.
pub(super) fn escaped(text: &str) -> String {
    let mut writer = Writer::default();
    writer.text(text);
    writer.html
}

#[derive(Default)]
struct Writer {
    html: String,
    /// What ends each node that is being written, outermost first.
    ends: Vec<Cow<'static, str>>,
    /// The character before the next one, for joiners.
    previous: Option<char>,
    /// Depth of the link being written; links stand in no other link.
    link: Option<usize>,
    /// Depth of the image being written; everything in it is only text.
    image: Option<usize>,
    /// Alignment of each column of the table being written.
    alignments: Vec<TableAlignment>,
    column: usize,
}

impl Writer {
    fn enter(&mut self, node: Node<'_>) {
        let value = &node.data().value;
        let end = if self.image.is_some() || self.ends.len() >= MAX_DEPTH {
            self.text_of(value);
            "".into()
        } else {
            self.begin(node, value)
        };
        self.ends.push(end);
    }

    fn leave(&mut self) {
        let end = self.ends.pop().unwrap_or_default();
        self.html.push_str(&end);
        let depth = self.ends.len();
        self.link = self.link.filter(|link| *link < depth);
        self.image = self.image.filter(|image| *image < depth);
    }

    /// Writes the beginning of a node and gives its end.
    fn begin(&mut self, node: Node<'_>, value: &NodeValue) -> Cow<'static, str> {
        match value {
            NodeValue::Paragraph if is_in_tight_list(node) => "".into(),
            NodeValue::Paragraph => self.tag("<p>", "</p>"),
            NodeValue::Heading(heading) => {
                let level = heading.level.saturating_add(FIRST_HEADING_LEVEL - 1).min(6);
                self.html.push_str(&format!("<h{level}>"));
                format!("</h{level}>").into()
            }
            NodeValue::BlockQuote => self.tag("<blockquote>", "</blockquote>"),
            NodeValue::List(list) => self.list(list),
            NodeValue::Item(_) => self.tag("<li>", "</li>"),
            NodeValue::TaskItem(task) => self.tag(task_start(task.symbol.is_some()), "</li>"),
            NodeValue::CodeBlock(block) => self.code_block(&block.info, &block.literal),
            NodeValue::ThematicBreak => self.tag("<hr>", ""),
            NodeValue::Table(_) | NodeValue::TableRow(_) | NodeValue::TableCell => self.table_part(node, value),
            NodeValue::Emph => self.tag("<em>", "</em>"),
            NodeValue::Strong => self.tag("<strong>", "</strong>"),
            NodeValue::Strikethrough => self.tag("<del>", "</del>"),
            NodeValue::LineBreak => self.tag("<br>", ""),
            NodeValue::Code(_) => self.around_text("<code>", value, "</code>"),
            NodeValue::Math(_) => self.around_text("<span class=\"math\">", value, "</span>"),
            NodeValue::Link(link) => self.link(node, link),
            NodeValue::Image(image) => self.image(node, image),
            _ => {
                self.text_of(value);
                "".into()
            }
        }
    }

    fn tag(&mut self, start: &str, end: &'static str) -> Cow<'static, str> {
        self.html.push_str(start);
        end.into()
    }

    fn around_text(&mut self, start: &str, value: &NodeValue, end: &'static str) -> Cow<'static, str> {
        self.html.push_str(start);
        self.text_of(value);
        end.into()
    }

    /// Writes the text that a node itself holds. Raw HTML is such text.
    fn text_of(&mut self, value: &NodeValue) {
        match value {
            NodeValue::Text(text) => self.text(text),
            NodeValue::HtmlInline(text) => self.text(text),
            NodeValue::HtmlBlock(block) => self.text(&block.literal),
            NodeValue::CodeBlock(block) => self.text(&block.literal),
            NodeValue::Code(code) => self.text(&code.literal),
            NodeValue::Math(math) => self.math(math),
            NodeValue::SoftBreak | NodeValue::LineBreak => self.text("\n"),
            _ => {}
        }
    }

    fn math(&mut self, math: &NodeMath) {
        let delimiter = if math.display_math { "$$" } else { "$" };
        self.text(delimiter);
        self.text(&math.literal);
        self.text(delimiter);
    }

    fn text(&mut self, text: &str) {
        for c in text.chars().filter(|c| *c != GUARD) {
            if invisible::is_hidden_in_prose(c, self.previous) {
                self.html.push_str("<span class=\"invisible\">");
                self.html.push_str(&invisible::label(c));
                self.html.push_str("</span>");
            } else {
                self.escape(c);
            }
            self.previous = Some(c);
        }
    }

    fn escape(&mut self, c: char) {
        match c {
            '&' => self.html.push_str("&amp;"),
            '<' => self.html.push_str("&lt;"),
            '>' => self.html.push_str("&gt;"),
            '"' => self.html.push_str("&quot;"),
            _ => self.html.push(c),
        }
    }

    fn list(&mut self, list: &NodeList) -> Cow<'static, str> {
        match (list.list_type, list.start) {
            (ListType::Bullet, _) => self.tag("<ul>", "</ul>"),
            (ListType::Ordered, 1) => self.tag("<ol>", "</ol>"),
            (ListType::Ordered, start) => self.tag(&format!("<ol start=\"{start}\">"), "</ol>"),
        }
    }

    fn code_block(&mut self, info: &str, literal: &str) -> Cow<'static, str> {
        let language = info.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        self.html.push_str("<pre><code");
        if is_language(&language) {
            self.html.push_str(&format!(" class=\"{LANGUAGE_CLASS}{language}\""));
        }
        self.html.push('>');
        for (kind, piece) in highlight::pieces(&language, literal) {
            match kind.class() {
                None => self.text(piece),
                Some(class) => {
                    self.html.push_str(&format!("<span class=\"{class}\">"));
                    self.text(piece);
                    self.html.push_str("</span>");
                }
            }
        }
        "</code></pre>".into()
    }

    fn table_part(&mut self, node: Node<'_>, value: &NodeValue) -> Cow<'static, str> {
        match value {
            NodeValue::Table(table) => {
                self.alignments.clone_from(&table.alignments);
                let start = "<div class=\"table-scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\"><table>";
                self.tag(start, "</table></div>")
            }
            NodeValue::TableRow(is_header) => {
                self.column = 0;
                let (start, end) = row_tags(node, *is_header);
                self.tag(start, end)
            }
            _ => self.cell(is_in_header(node)),
        }
    }

    fn cell(&mut self, is_header: bool) -> Cow<'static, str> {
        let class = match self.alignments.get(self.column) {
            Some(TableAlignment::Left) => " class=\"align-left\"",
            Some(TableAlignment::Center) => " class=\"align-center\"",
            Some(TableAlignment::Right) => " class=\"align-right\"",
            Some(TableAlignment::None) | None => "",
        };
        self.column += 1;
        let (name, end) = if is_header { ("th", "</th>") } else { ("td", "</td>") };
        self.tag(&format!("<{name}{class}>"), end)
    }

    fn link(&mut self, node: Node<'_>, link: &NodeLink) -> Cow<'static, str> {
        let target = Target::parse(&link.url).or_else(|| Target::of_file(&link.url)).filter(|_| self.link.is_none());
        let Some(target) = target else { return "".into() };
        self.link = Some(self.ends.len());
        self.html.push_str("<a href=\"");
        self.attribute(&target.href);
        self.html.push_str("\">");
        let text = own_text(node);
        if text.trim().is_empty() {
            self.text(&target.place);
            return "</a>".into();
        }
        if target.is_told_by(&text) { "</a>".into() } else { format!("</a>{}", place_html(&target)).into() }
    }

    /// An image is a link to it: showing it would tell its server who reads what, and when.
    fn image(&mut self, node: Node<'_>, image: &NodeLink) -> Cow<'static, str> {
        self.image = Some(self.ends.len());
        let target = Target::parse(&image.url);
        let end = match &target {
            Some(target) if self.link.is_none() => {
                self.html.push_str("<a class=\"image-link\" href=\"");
                self.attribute(&target.href);
                self.html.push_str("\">");
                format!("</a>{}", place_html(target))
            }
            Some(target) => {
                self.html.push_str("<span class=\"image-link\">");
                format!(" ({})</span>", escaped(&target.place))
            }
            None => {
                self.html.push_str("<span class=\"image-link\">");
                "</span>".to_owned()
            }
        };
        self.text(if own_text(node).trim().is_empty() { "image" } else { "image: " });
        end.into()
    }

    fn attribute(&mut self, value: &str) {
        value.chars().for_each(|c| self.escape(c));
    }
}

/// The text of a node and its children, as the parser reads it.
fn own_text(node: Node<'_>) -> String {
    node.collect_text().replace(GUARD, "")
}

fn place_html(target: &Target) -> String {
    format!(" <span class=\"link-host\">({})</span>", escaped(&target.place))
}

fn task_start(is_done: bool) -> &'static str {
    if is_done {
        "<li class=\"task\"><input type=\"checkbox\" disabled checked aria-label=\"Done\"> "
    } else {
        "<li class=\"task\"><input type=\"checkbox\" disabled aria-label=\"To do\"> "
    }
}

fn row_tags(row: Node<'_>, is_header: bool) -> (&'static str, &'static str) {
    let is_first = row.previous_sibling().is_none_or(|before| matches!(before.data().value, NodeValue::TableRow(true)));
    match (is_header, is_first, row.next_sibling().is_none()) {
        (true, _, _) => ("<thead><tr>", "</tr></thead>"),
        (false, true, true) => ("<tbody><tr>", "</tr></tbody>"),
        (false, true, false) => ("<tbody><tr>", "</tr>"),
        (false, false, true) => ("<tr>", "</tr></tbody>"),
        (false, false, false) => ("<tr>", "</tr>"),
    }
}

fn is_in_header(cell: Node<'_>) -> bool {
    cell.parent().is_some_and(|row| matches!(row.data().value, NodeValue::TableRow(true)))
}

fn is_in_tight_list(paragraph: Node<'_>) -> bool {
    let list = paragraph.parent().and_then(|item| item.parent());
    list.is_some_and(|list| matches!(&list.data().value, NodeValue::List(list) if list.tight))
}
