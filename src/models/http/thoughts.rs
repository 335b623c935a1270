//! Thoughts that a server leaves in the text, between `<think>` and `</think>`.
//!
//! Only where they open the answer: further on the same tag is as likely part of what the model was asked to write.

use std::{collections::VecDeque, mem};

use crate::agent::ports::model::ModelEvent;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Parts the text of one answer, piece by piece.
#[derive(Debug, Default)]
pub struct Thoughts {
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing decides yet: white space, or the beginning of the tag.
    Start(String),
    /// Inside; holds what may be the beginning of the closing tag.
    Inside(String),
    /// Behind the thoughts: the empty lines before the answer are left out.
    Behind,
    Text,
}

impl Default for State {
    fn default() -> Self {
        Self::Start(String::new())
    }
}

impl Thoughts {
    pub fn push(&mut self, piece: &str, ready: &mut VecDeque<ModelEvent>) {
        match &mut self.state {
            State::Text => text(piece, ready),
            State::Start(held) => {
                held.push_str(piece);
                let said = held.trim_start();
                if let Some(inside) = said.strip_prefix(OPEN) {
                    let inside = inside.to_owned();
                    self.state = State::Inside(String::new());
                    self.push(&inside, ready);
                } else if !OPEN.starts_with(said) {
                    text(&mem::take(held), ready);
                    self.state = State::Text;
                }
            }
            State::Inside(held) => {
                held.push_str(piece);
                if let Some((thought, behind)) = held.split_once(CLOSE) {
                    let behind = behind.to_owned();
                    thinking(thought, ready);
                    self.state = State::Behind;
                    return self.push(&behind, ready);
                }
                let rest = held.split_off(held.len() - beginning_of_close(held));
                thinking(&mem::replace(held, rest), ready);
            }
            State::Behind => {
                let answer = piece.trim_start();
                if !answer.is_empty() {
                    text(answer, ready);
                    self.state = State::Text;
                }
            }
        }
    }

    /// The answer is over: what was held back is what it looks like.
    pub fn finish(&mut self, ready: &mut VecDeque<ModelEvent>) {
        match mem::replace(&mut self.state, State::Text) {
            State::Start(held) => text(&held, ready),
            State::Inside(held) => thinking(&held, ready),
            State::Behind | State::Text => {}
        }
    }
}

/// How many bytes at the end of `held` may go on to be the closing tag.
fn beginning_of_close(held: &str) -> usize {
    (1..CLOSE.len()).rev().find(|length| held.ends_with(&CLOSE[..*length])).unwrap_or(0)
}

fn text(said: &str, ready: &mut VecDeque<ModelEvent>) {
    if !said.is_empty() {
        ready.push_back(ModelEvent::Text(said.to_owned()));
    }
}

fn thinking(said: &str, ready: &mut VecDeque<ModelEvent>) {
    if !said.is_empty() {
        ready.push_back(ModelEvent::Thinking(said.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thoughts and the text of an answer that comes in `pieces`.
    fn parted<'a>(pieces: impl IntoIterator<Item = &'a str>) -> (String, String) {
        let (mut thoughts, mut ready) = (Thoughts::default(), VecDeque::new());
        pieces.into_iter().for_each(|piece| thoughts.push(piece, &mut ready));
        thoughts.finish(&mut ready);
        let (mut thought, mut answer) = (String::new(), String::new());
        for event in ready {
            match event {
                ModelEvent::Thinking(text) => thought.push_str(&text),
                ModelEvent::Text(text) => answer.push_str(&text),
                other => panic!("{other:?}"),
            }
        }
        (thought, answer)
    }

    const CASES: [(&str, &str, &str); 10] = [
        ("<think>Hm, ä.</think>\n\nYes", "Hm, ä.", "Yes"),
        ("\n <think>a < b </ b</think>c", "a < b </ b", "c"),
        ("<think></think>c", "", "c"),
        ("<think>never closed </thin", "never closed </thin", ""),
        ("<thi", "", "<thi"),
        ("<thinner> text", "", "<thinner> text"),
        ("Write <think>like this</think>.", "", "Write <think>like this</think>."),
        ("<think>a</think> b <think>c</think>", "a", "b <think>c</think>"),
        ("  indented", "", "  indented"),
        ("", "", ""),
    ];

    #[test]
    fn thoughts_that_open_the_answer_are_parted_from_it() {
        for (said, thought, answer) in CASES {
            assert_eq!(parted([said]), (thought.into(), answer.into()), "{said}");
        }
    }

    #[test]
    fn a_cut_anywhere_changes_nothing() {
        for (said, thought, answer) in CASES {
            for at in (0..=said.len()).filter(|at| said.is_char_boundary(*at)) {
                let (left, right) = said.split_at(at);
                assert_eq!(parted([left, right]), (thought.into(), answer.into()), "{said} cut at {at}");
            }
            let letters = said.split_inclusive(|_: char| true);
            assert_eq!(parted(letters), (thought.into(), answer.into()), "{said}");
        }
    }

    #[test]
    fn ordinary_text_is_not_held_back() {
        let (mut thoughts, mut ready) = (Thoughts::default(), VecDeque::new());
        thoughts.push("Hello", &mut ready);
        assert_eq!(ready, [ModelEvent::Text("Hello".into())]);
        thoughts.push(" <", &mut ready);
        assert_eq!(ready.len(), 2);
    }
}
