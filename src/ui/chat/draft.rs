//! The text that is being written: kept over a reload, sent once, and former ones at hand.

use leptos::{html, prelude::*, task::spawn_local};
use serde_json::{Value, json};

use super::command;
use crate::ui::{browser, session_view::SessionView};

#[derive(Clone, Copy)]
pub struct Draft {
    pub view: SessionView,
    pub base: StoredValue<String>,
    pub field: NodeRef<html::Textarea>,
    pub text: RwSignal<String>,
    pub sending: RwSignal<bool>,
    /// Kept for a second try of the same text: the server takes it once.
    client_id: StoredValue<Option<String>>,
    /// How far back the text was taken from what was said before; 0 is one's own.
    back: StoredValue<usize>,
}

impl Draft {
    pub fn new(view: SessionView, base: String) -> Self {
        let draft = Self {
            view,
            base: StoredValue::new(base),
            field: NodeRef::new(),
            text: RwSignal::new(String::new()),
            sending: RwSignal::new(false),
            client_id: StoredValue::new(None),
            back: StoredValue::new(0),
        };
        Effect::new(move |_| {
            // Written before the page was live, or before the last reload.
            let typed = draft.field.get_untracked().map(|field| field.value()).filter(|text| !text.is_empty());
            if let Some(text) = typed.or_else(|| browser::load_draft(&draft.key())) {
                draft.text.set(text);
            }
        });
        Effect::new(move |_| {
            draft.text.track();
            browser::fit_height(draft.field);
        });
        Effect::new(move |_| {
            if let Some(text) = view.compose.get() {
                view.compose.set(None);
                draft.put(text);
            }
        });
        Effect::new(move |_| {
            if let Some(path) = view.mention.get() {
                view.mention.set(None);
                let before = draft.text.get_untracked();
                let blank = if before.is_empty() || before.ends_with(char::is_whitespace) { "" } else { " " };
                draft.put([&before, blank, "@", &path, " "].concat());
            }
        });
        draft
    }

    fn key(&self) -> String {
        self.base.with_value(|base| ["draft:", base].concat())
    }

    pub fn edit(&self, text: String) {
        if !text.is_empty() {
            self.view.typed.update(|count| *count += 1);
        }
        browser::save_draft(&self.key(), &text);
        self.client_id.set_value(None);
        self.back.set_value(0);
        self.text.set(text);
    }

    /// Takes a text as if it had been typed, and goes on behind it.
    pub fn put(&self, text: String) {
        browser::set_caret(self.field, &text);
        self.edit(text);
    }

    /// Shows what was said `by` messages earlier; whether it did. One's own text is never lost for it.
    pub fn recall(&self, by: isize) -> bool {
        let back = self.back.get_value();
        if back == 0 && !self.text.with_untracked(String::is_empty) {
            return false;
        }
        let Some(wanted) = back.checked_add_signed(by) else { return false };
        let said = self.view.turns.with_untracked(|turns| {
            let mut users = turns
                .iter()
                .rev()
                .filter_map(|turn| turn.user.with_untracked(|said| Some(said.as_ref()?.text.clone())));
            wanted.checked_sub(1).map_or(Some(String::new()), |index| users.nth(index))
        });
        said.is_some_and(|text| {
            self.put(text);
            self.back.set_value(wanted);
            true
        })
    }

    /// `to`: as a message, or as a word into the running turn.
    pub fn send(&self, to: &'static str) {
        let message = self.text.get_untracked();
        if message.trim().is_empty() || self.sending.get_untracked() {
            return;
        }
        if command::run(self, &message) {
            return self.edit(String::new());
        }
        let draft = *self;
        let mut body = json!({"message": message});
        if to == "/messages" {
            let client_id = self.client_id.get_value().unwrap_or_else(browser::new_client_id);
            body["client_id"] = Value::String(client_id.clone());
            self.client_id.set_value(Some(client_id));
        }
        self.sending.set(true);
        self.view.said.update(|count| *count += 1);
        self.view.problem.set(None);
        let path = self.base.with_value(|base| [base, to].concat());
        let key = self.key();
        spawn_local(async move {
            let sent = browser::post(&path, body).await;
            if draft.sending.try_set(false).is_some() {
                // The page was left meanwhile: what was taken is no draft any more.
                if sent.is_ok() {
                    browser::save_draft(&key, "");
                }
                return;
            }
            match sent {
                // What was typed meanwhile is the next message.
                Ok(_) if draft.text.get_untracked() == message => draft.edit(String::new()),
                Ok(_) => draft.client_id.set_value(None),
                Err(error) => draft.view.problem.set(Some(error.detail)),
            }
        });
    }
}
