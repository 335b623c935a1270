//! Brings the newest turn into the room that it has. What the model has worked with already gives way first, what it is to
//! answer now last. Calls and their results stay together, and arguments stay JSON.

use serde_json::{Value, json};

use super::{
    ports::model::ChatMessage,
    prompt::{CHARS_PER_TOKEN, estimate_tokens, message_tokens},
};
use crate::protocol::ToolCall;

/// Bytes that a model's server wants back beside a message of the running turn; see
/// [`Model::carried_bytes`](super::ports::model::Model::carried_bytes).
pub type Carried<'a> = &'a dyn Fn(&str, &[ToolCall]) -> usize;

/// Of a text that the model itself wrote in an earlier step, in bytes.
const OLD_TEXT_BYTES: usize = 400;
/// A longer value of a call's arguments gives way, in bytes.
const VALUE_BYTES: usize = 200;
/// Arguments that are longer without their long values are left out whole, in bytes.
const ARGUMENTS_BYTES: usize = 2_000;
/// What is left of a new result before people's words give way, and of those before the result gives way altogether.
const FLOOR_BYTES: usize = 2_000;
/// What is left of people's words at last.
const LEAST_BYTES: usize = 400;

pub(super) const RESULT_LEFT_OUT: &str =
    "[This result is left out here for lack of room. Run the call again if it is needed.]";
const PICTURE_LEFT_OUT: &str =
    "A picture that was shown here is left out for lack of room. Read it again if it is needed.";
const STEPS_LEFT_OUT: &str = "The first steps of this turn are left out here for lack of room.";
const TEXT_CUT: &str = "[… left out here for lack of room …]";

/// What gives way, in this order, until the turn fits.
const ORDER: [fn(&mut Shrinking); 10] = [
    Shrinking::leave_out_old_results,
    Shrinking::shorten_old_arguments,
    Shrinking::shorten_old_texts,
    Shrinking::leave_out_old_steps,
    Shrinking::shorten_new_arguments,
    |turn| turn.cut_new_results(FLOOR_BYTES),
    |turn| turn.cut_words(FLOOR_BYTES),
    Shrinking::shorten_new_text,
    |turn| turn.cut_new_results(0),
    |turn| turn.cut_words(LEAST_BYTES),
];

struct Piece {
    message: ChatMessage,
    carried: usize,
}

struct Shrinking {
    pieces: Vec<Piece>,
    used: u64,
    budget: u64,
}

/// The turn in `budget` tokens, as far as that can be done, and the tokens that it takes.
pub fn shrink(turn: &[ChatMessage], budget: u64, carried: Carried<'_>) -> (Vec<ChatMessage>, u64) {
    let pieces: Vec<Piece> = turn
        .iter()
        .map(|message| {
            let carried = match message {
                ChatMessage::Assistant { text, calls } => carried(text, calls),
                _ => 0,
            };
            Piece { message: message.clone(), carried }
        })
        .collect();
    let used = pieces.iter().map(Piece::tokens).sum();
    let mut turn = Shrinking { pieces, used, budget };
    for give_way in ORDER {
        if turn.fits() {
            break;
        }
        give_way(&mut turn);
    }
    (turn.pieces.into_iter().map(|piece| piece.message).collect(), turn.used)
}

impl Piece {
    fn tokens(&self) -> u64 {
        message_tokens(&self.message) + estimate_tokens(self.carried)
    }

    fn is_assistant(&self) -> bool {
        matches!(self.message, ChatMessage::Assistant { .. })
    }

    fn shorten_arguments(&mut self) {
        if let ChatMessage::Assistant { calls, .. } = &mut self.message {
            calls.iter_mut().for_each(|call| shorten_arguments(&mut call.arguments));
        }
    }

    /// The text of the model, and with it what its server would want back: that belongs to the text as it was.
    fn shorten_text(&mut self) {
        let ChatMessage::Assistant { text, .. } = &mut self.message else { return };
        if text.len() > OLD_TEXT_BYTES {
            cut_middle(text, OLD_TEXT_BYTES, TEXT_CUT);
        } else if self.carried > 0 {
            text.push_str(TEXT_CUT);
        }
        self.carried = 0;
    }
}

impl Shrinking {
    fn fits(&self) -> bool {
        self.used <= self.budget
    }

    /// Where the model's newest step begins: what is before has been worked with.
    fn newest(&self) -> usize {
        self.pieces.iter().rposition(Piece::is_assistant).unwrap_or(0)
    }

    fn change(&mut self, index: usize, change: impl FnOnce(&mut Piece)) {
        let piece = &mut self.pieces[index];
        self.used -= piece.tokens();
        change(piece);
        self.used += piece.tokens();
    }

    /// Changes one after another of the older pieces until the turn fits.
    fn change_old(&mut self, change: impl Fn(&mut Piece)) {
        for index in 0..self.newest() {
            if self.fits() {
                return;
            }
            self.change(index, &change);
        }
    }

    fn leave_out_old_results(&mut self) {
        self.change_old(|piece| match &mut piece.message {
            ChatMessage::Tool { content, .. } if content.len() > RESULT_LEFT_OUT.len() => {
                *content = RESULT_LEFT_OUT.into();
            }
            ChatMessage::Pictures(_) => piece.message = ChatMessage::Note(PICTURE_LEFT_OUT.into()),
            _ => {}
        });
    }

    fn shorten_old_arguments(&mut self) {
        self.change_old(Piece::shorten_arguments);
    }

    fn shorten_old_texts(&mut self) {
        self.change_old(Piece::shorten_text);
    }

    /// Whole steps, the oldest first: a message of the model with its results. What people said in between stays.
    fn leave_out_old_steps(&mut self) {
        let mut noted = false;
        while !self.fits() {
            let newest = self.newest();
            let Some(first) = self.pieces[..newest].iter().position(Piece::is_assistant) else { return };
            let after =
                self.pieces[first + 1..].iter().position(Piece::is_assistant).map_or(newest, |at| first + 1 + at);
            let mut step: Vec<Piece> = self.pieces.drain(first..after).collect();
            step.retain(|piece| matches!(&piece.message, ChatMessage::Note(text) if text != PICTURE_LEFT_OUT));
            if !noted {
                noted = true;
                step.insert(0, Piece { message: ChatMessage::Note(STEPS_LEFT_OUT.into()), carried: 0 });
            }
            self.pieces.splice(first..first, step);
            self.used = self.pieces.iter().map(Piece::tokens).sum();
        }
    }

    fn shorten_new_arguments(&mut self) {
        self.change(self.newest(), Piece::shorten_arguments);
    }

    fn shorten_new_text(&mut self) {
        self.change(self.newest(), Piece::shorten_text);
        for index in self.newest()..self.pieces.len() {
            self.change(index, |piece| {
                if matches!(piece.message, ChatMessage::Pictures(_)) {
                    piece.message = ChatMessage::Note(PICTURE_LEFT_OUT.into());
                }
            });
        }
    }

    fn cut_new_results(&mut self, floor: usize) {
        let newest = self.newest();
        self.share(newest, floor, |message| match message {
            ChatMessage::Tool { name, content, .. } => Some((content, rest_of(name))),
            _ => None,
        });
    }

    fn cut_words(&mut self, floor: usize) {
        self.share(0, floor, |message| match message {
            ChatMessage::User(text) | ChatMessage::Note(text) => Some((text, TEXT_CUT)),
            _ => None,
        });
    }

    /// Cuts the longest of some texts so far that all is in the budget, but none below `floor` bytes.
    fn share(
        &mut self,
        from: usize,
        floor: usize,
        text_of: impl Fn(&mut ChatMessage) -> Option<(&mut String, &'static str)>,
    ) {
        let texts: Vec<(usize, usize)> = (from..self.pieces.len())
            .filter_map(|index| Some((index, text_of(&mut self.pieces[index].message)?.0.len())))
            .collect();
        let theirs: u64 = texts.iter().map(|(index, _)| self.pieces[*index].tokens()).sum();
        // A piece counts in whole tokens.
        let room = self.budget.saturating_sub(self.used - theirs).saturating_sub(texts.len() as u64);
        let room = usize::try_from(room * CHARS_PER_TOKEN).unwrap_or(usize::MAX);
        let limit = even_share(texts.iter().map(|(_, bytes)| *bytes).collect(), room).max(floor);
        for (index, _) in texts {
            self.change(index, |piece| {
                if let Some((text, note)) = text_of(&mut piece.message) {
                    cut_middle(text, limit, note);
                }
            });
        }
    }
}

/// The size to which the longest must be cut so that all of them are in `room`.
fn even_share(mut sizes: Vec<usize>, mut room: usize) -> usize {
    sizes.sort_unstable();
    let count = sizes.len();
    for (index, size) in sizes.into_iter().enumerate() {
        let each = room / (count - index);
        if size > each {
            return each;
        }
        room -= size;
    }
    usize::MAX
}

/// How to get what a result lacks.
fn rest_of(tool: &str) -> &'static str {
    match tool {
        "read_file" => "[… left out here for lack of room: read fewer lines at once, with line_start and line_end …]",
        "shell_execute" | "git_command" => {
            "[… left out here for lack of room: have less put out, or put it into a file and read that in parts …]"
        }
        _ => "[… left out here for lack of room: ask for a smaller part …]",
    }
}

/// Brings a text down to `limit` bytes: its beginning and its end, which holds the error of a long run, cut at line
/// borders where there are any, with the note between them.
fn cut_middle(text: &mut String, limit: usize, note: &str) {
    if text.len() <= limit || text.len() <= note.len() {
        return;
    }
    let half = limit.saturating_sub(note.len() + 2) / 2;
    let head = &text[..text.floor_char_boundary(half)];
    let head = head.rfind('\n').map_or(head, |line| &head[..line]);
    let tail = &text[text.ceil_char_boundary(text.len() - half)..];
    let tail = match tail.find('\n') {
        Some(line) if line + 1 < tail.len() => &tail[line + 1..],
        _ => tail,
    };
    let parts: Vec<&str> = [head, note, tail].into_iter().filter(|part| !part.is_empty()).collect();
    *text = parts.join("\n");
}

/// Puts a note in the place of long values.
fn shorten_arguments(arguments: &mut String) {
    if arguments.len() <= VALUE_BYTES {
        return;
    }
    let mut value = serde_json::from_str(arguments).unwrap_or(Value::Null);
    shorten_values(&mut value);
    let shorter = value.to_string();
    let is_object = value.is_object() && shorter.len() <= ARGUMENTS_BYTES;
    *arguments = if is_object { shorter } else { json!({ "left_out": left_out(arguments.len()) }).to_string() };
}

fn shorten_values(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > VALUE_BYTES => *text = left_out(text.len()),
        Value::Array(items) => items.iter_mut().for_each(shorten_values),
        Value::Object(fields) => fields.values_mut().for_each(shorten_values),
        _ => {}
    }
}

fn left_out(bytes: usize) -> String {
    format!("[{bytes} bytes that were given here are left out for lack of room]")
}

#[cfg(test)]
#[path = "shrink_tests.rs"]
mod tests;
