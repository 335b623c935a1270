//! The XML of Office files as a row of events, with names without their prefix.

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};

pub enum Node {
    /// Name and attributes.
    Open(String, Vec<(String, String)>),
    Close(String),
    Text(String),
}

/// Calls `seen` for each node, in order. Tags that close themselves come as both.
pub fn read(xml: &str, mut seen: impl FnMut(Node)) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    let broken = |error: &dyn std::fmt::Display| format!("its XML is damaged: {error}");
    loop {
        match reader.read_event().map_err(|error| broken(&error))? {
            Event::Start(tag) => seen(open(&tag)),
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                seen(open(&tag));
                seen(Node::Close(name));
            }
            Event::End(tag) => seen(Node::Close(tag.local_name().as_ref().to_owned())),
            Event::Text(text) => seen(Node::Text(text.to_string())),
            Event::CData(text) => seen(Node::Text(text.to_string())),
            // `&amp;` and its like; others are not defined by anyone.
            Event::GeneralRef(reference) => seen(Node::Text(entity(&reference).unwrap_or_default())),
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(String::from);
    }
    let text = match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => return None,
    };
    Some(text.into())
}

fn open(tag: &BytesStart<'_>) -> Node {
    let attributes = tag.attributes().flatten().map(|attribute| {
        // With the prefix: `id` and `r:id` are two things.
        (attribute.key.as_ref().to_owned(), attribute.value.into_owned())
    });
    Node::Open(tag.local_name().as_ref().to_owned(), attributes.collect())
}

pub fn attribute<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(key, _)| key == name || key.rsplit(':').next() == Some(name))
        .map(|(_, value)| value.as_str())
}
