//! A presentation: its slides in their order, each with the texts on it and its notes.

use std::collections::HashMap;

use super::{
    archive::Archive,
    xml::{Node, attribute, read},
};

/// Slides that are read; longer presentations are cut there, and it is said.
const MAX_SLIDES: usize = 500;

pub fn text(bytes: &[u8]) -> Result<String, String> {
    let mut archive = Archive::open(bytes)?;
    let index = archive.part("ppt/presentation.xml")?.ok_or("it has no slides part")?;
    let relations = archive.part("ppt/_rels/presentation.xml.rels")?.unwrap_or_default();
    let slides = slides(&index, &relations)?;
    let total = slides.len();
    let mut text = String::new();
    for (at, slide) in slides.iter().take(MAX_SLIDES).enumerate() {
        let number = at + 1;
        text.push_str(&format!("## Slide {number} of {total}\n"));
        let Some(xml) = archive.part(&format!("ppt/{slide}"))? else { continue };
        text.push_str(&lines(&xml)?);
        let name = slide.rsplit('/').next().unwrap_or_default();
        let relations = archive.part(&format!("ppt/slides/_rels/{name}.rels"))?.unwrap_or_default();
        if let Some(notes) = notes(&relations)?
            && let Some(xml) = archive.part(&format!("ppt/{notes}"))?
        {
            let notes = lines(&xml)?;
            // The number of the slide alone is no note.
            if notes.lines().any(|line| line.trim().parse::<u32>().is_err()) {
                text.push_str(&format!("Notes:\n{notes}"));
            }
        }
        text.push('\n');
    }
    if total > MAX_SLIDES {
        text.push_str(&format!("[the other {} slides are left out]\n", total - MAX_SLIDES));
    }
    Ok(text)
}

/// The parts of the slides, in their order.
fn slides(index: &str, relations: &str) -> Result<Vec<String>, String> {
    let targets: HashMap<String, String> =
        targets(relations)?.into_iter().map(|(id, _, target)| (id, target)).collect();
    let mut slides = Vec::new();
    read(index, |node| {
        if let Node::Open(name, attributes) = node
            && name == "sldId"
            && let Some((_, id)) = attributes.iter().find(|(key, _)| key.ends_with(":id"))
            && let Some(target) = targets.get(id)
        {
            slides.push(target.trim_start_matches("/ppt/").to_owned());
        }
    })?;
    Ok(slides)
}

fn notes(relations: &str) -> Result<Option<String>, String> {
    let found = targets(relations)?.into_iter().find(|(_, kind, _)| kind.ends_with("/notesSlide"));
    Ok(found.map(|(_, _, target)| target.trim_start_matches("../").trim_start_matches("/ppt/").to_owned()))
}

/// Id, kind and target of each relation.
fn targets(relations: &str) -> Result<Vec<(String, String, String)>, String> {
    let mut found = Vec::new();
    read(relations, |node| {
        if let Node::Open(name, attributes) = node
            && name == "Relationship"
        {
            let value = |name: &str| attribute(&attributes, name).unwrap_or_default().to_owned();
            found.push((value("Id"), value("Type"), value("Target")));
        }
    })?;
    Ok(found)
}

/// Paragraphs as lines.
fn lines(xml: &str) -> Result<String, String> {
    let (mut text, mut line, mut in_text) = (String::new(), String::new(), false);
    read(xml, |node| match node {
        Node::Open(name, _) => match name.as_str() {
            "t" => in_text = true,
            "br" => line.push('\n'),
            "tab" => line.push('\t'),
            _ => {}
        },
        Node::Text(piece) if in_text => line.push_str(&piece),
        Node::Text(_) => {}
        Node::Close(name) => match name.as_str() {
            "t" => in_text = false,
            "p" => {
                let done = std::mem::take(&mut line);
                if !done.trim().is_empty() {
                    text.push_str(done.trim_end());
                    text.push('\n');
                }
            }
            _ => {}
        },
    })?;
    Ok(text)
}
