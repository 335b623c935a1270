//! What the composer offers while one writes: files behind `@`, commands behind `/`.

use leptos::{ev::KeyboardEvent, prelude::*, task::spawn_local};

use super::{command, draft::Draft};
use crate::{
    protocol::FileList,
    ui::{browser, words::words},
};

/// Files that are offered at once: a list that is seen without scrolling.
const MOST_FILES: usize = 8;
/// Between a key and the question to the server, in ms.
const PAUSE_MS: u32 = 90;

#[derive(Clone, PartialEq)]
struct Offer {
    /// What takes the place of the word that is being written.
    text: String,
    note: &'static str,
}

#[derive(Clone, Copy)]
pub struct Suggest {
    draft: Draft,
    offers: RwSignal<Vec<Offer>>,
    chosen: RwSignal<usize>,
    /// Counts the keys, so that a late answer is known as one.
    asked: StoredValue<u32>,
}

impl Suggest {
    pub fn new(draft: Draft) -> Self {
        Self { draft, offers: RwSignal::default(), chosen: RwSignal::default(), asked: StoredValue::new(0) }
    }

    pub fn close(self) {
        self.asked.update_value(|asked| *asked += 1);
        self.offers.set(Vec::new());
    }

    fn offer(self, offers: Vec<Offer>) {
        self.chosen.set(0);
        self.offers.set(offers);
    }

    /// Looks at the word that is being written.
    pub fn look(self) {
        self.close();
        let (before, _) = browser::around_caret(self.draft.field);
        let word = last_word(&before).to_owned();
        if word.starts_with('/') && word.len() == before.len() {
            let commands = command::NAMES.into_iter().zip(words().chat.commands);
            let fitting = commands.filter(|(name, _)| name.starts_with(&word));
            self.offer(fitting.map(|(name, note)| Offer { text: [name, " "].concat(), note }).collect());
        } else if let Some(wanted) = word.strip_prefix('@') {
            self.find(wanted.to_owned());
        }
    }

    fn find(self, wanted: String) {
        let asked = self.asked.get_value();
        spawn_local(async move {
            browser::sleep(PAUSE_MS).await;
            if self.asked.try_get_value() != Some(asked) {
                return;
            }
            let path = self
                .draft
                .base
                .with_value(|base| [base, "/files/search?limit=8&q=", &browser::encode(&wanted)].concat());
            let found = browser::get::<FileList>(&path).await;
            if let (Ok(found), Some(now)) = (found, self.asked.try_get_value())
                && now == asked
            {
                let files = found.entries.into_iter().take(MOST_FILES);
                self.offer(files.map(|file| Offer { text: ["@", &file.path, " "].concat(), note: "" }).collect());
            }
        });
    }

    /// Whether the key is for the list.
    pub fn takes(self, event: &KeyboardEvent) -> bool {
        let count = self.offers.with_untracked(Vec::len);
        if count == 0 {
            return false;
        }
        match event.key().as_str() {
            "ArrowDown" => self.chosen.update(|chosen| *chosen = (*chosen + 1) % count),
            "ArrowUp" => self.chosen.update(|chosen| *chosen = (*chosen + count - 1) % count),
            "Enter" | "Tab" if !event.shift_key() => self.take(self.chosen.get_untracked()),
            "Escape" => self.close(),
            _ => return false,
        }
        event.prevent_default();
        true
    }

    fn take(self, index: usize) {
        let Some(offer) = self.offers.with_untracked(|offers| offers.get(index).cloned()) else { return };
        let (before, after) = browser::around_caret(self.draft.field);
        let kept = &before[..before.len() - last_word(&before).len()];
        let before = [kept, &offer.text].concat();
        self.draft.edit([&before, after.as_str()].concat());
        browser::set_caret(self.draft.field, &before);
        self.close();
    }

    /// The offer that Enter would take, for those who hear the page.
    pub fn active(self) -> Option<String> {
        self.offers.with(|offers| !offers.is_empty()).then(|| ["suggestion-", &self.chosen.get().to_string()].concat())
    }
}

fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

#[component]
pub fn SuggestList(suggest: Suggest) -> impl IntoView {
    let row = move |(index, offer): (usize, Offer)| {
        view! {
            <li id=["suggestion-", &index.to_string()].concat() role="option" aria-selected=move || (suggest.chosen.get() == index).to_string()
                // Before the field loses the focus, which closes the list.
                on:mousedown=move |event| { event.prevent_default(); suggest.take(index) }>
                <code>{offer.text}</code>" "<span class="muted">{offer.note}</span>
            </li>
        }
    };
    view! {
        <ul class="suggestions card" id="suggestions" role="listbox" aria-label=words().chat.suggestions hidden=move || suggest.offers.with(Vec::is_empty)>
            {move || suggest.offers.get().into_iter().enumerate().map(row).collect_view()}
        </ul>
    }
}
