//! A conversation as a Markdown file that a person keeps or hands on.

use super::{Pen, call::tool_name};
use crate::{
    markdown::visible_line,
    protocol::{
        Session,
        transcript::{Call, CallState, Message, Transcript},
    },
};

impl Pen {
    pub fn markdown(&self, session: &Session, transcript: &Transcript) -> String {
        let words = self.words;
        let mut text =
            format!("# {}\n\n{}: {}\n", visible_line(&session.title), words.model, visible_line(&session.model));
        for turn in &transcript.turns {
            text.push_str(&format!("\n---\n\n## {}\n", turn.turn));
            if let Some(said) = &turn.user {
                let quoted: Vec<_> = said.text.lines().map(|line| format!("> {line}")).collect();
                text.push_str(&format!("\n{}\n\n{}\n", said.at, quoted.join("\n")));
            }
            turn.messages.iter().for_each(|message| self.message(&mut text, message));
        }
        text
    }

    fn message(&self, text: &mut String, message: &Message) {
        if !message.text.is_empty() {
            text.push_str(&format!("\n{}\n", message.text.trim_end()));
        }
        if !message.calls.is_empty() {
            text.push('\n');
        }
        for call in &message.calls {
            text.push_str(&format!("- {}\n", self.step(call)));
        }
    }

    fn step(&self, call: &Call) -> String {
        let tool = self.words.tool(&call.name);
        let object = if call.preview.is_empty() { tool_name(&call.name) } else { visible_line(&call.preview) };
        let state = if call.state == CallState::Failed { format!(" ({})", self.words.failed) } else { String::new() };
        let code = format!("`{}`", object.replace('`', "'"));
        match tool.done.contains("{0}") {
            true => format!("{}{state}", tool.done.replace("{0}", &code)),
            false => format!("{} {code}{state}", tool.done),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::{
            CallId, SessionId,
            transcript::{Said, Turn},
        },
        ui::words::Language,
    };

    #[test]
    fn a_conversation_reads_in_its_order() {
        let mut call = Call::new(CallId::new("c"), "read_file");
        (call.preview, call.state) = ("notes.txt".into(), CallState::Failed);
        let message = Message { text: "Done.".into(), calls: vec![call], ..Message::default() };
        let user = Some(Said {
            text: "Read\nit".into(),
            at: "2026-03-01T10:00:00.000Z".into(),
            actor: None,
            attachments: Vec::new(),
        });
        let turns = vec![Turn { turn: 1, user, messages: vec![message], ..Turn::default() }];
        let session = serde_json::json!({
            "id": "5".repeat(32), "title": "March", "workspace": "/", "model": "m", "mode": "ask", "status": "idle",
            "turn_count": 1, "total_tokens": 0, "started_at": "", "last_active_at": "", "archived": false,
            "head_seq": 0, "pending": []
        });
        let session: Session = serde_json::from_value(session).unwrap();
        let pen = Pen::new(Language::English, &SessionId("5".repeat(32)), &crate::protocol::BasePath::default());
        let text = pen.markdown(&session, &Transcript { turns, ..Transcript::default() });
        assert!(text.starts_with("# March\n"), "{text}");
        assert!(text.contains("> Read\n> it\n\nDone.\n\n- Read `notes.txt` (failed)\n"), "{text}");
    }
}
