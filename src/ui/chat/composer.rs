//! The field to say something. It is a form that works without scripts; with them the text stays until the server
//! has it, and survives a reload.

use leptos::{ev::KeyboardEvent, html, prelude::*, task::spawn_local};
use serde_json::json;

use crate::{
    protocol::ErrorCode,
    ui::{
        browser,
        session_view::{Link, SessionView},
        widgets::{Glyph, Icon, Notice},
    },
};

const STOP_FORM: &str = "stop";
/// What a browser calls the key of an input method that is still composing.
const COMPOSING_KEY_CODE: u32 = 229;

#[component]
pub fn Composer(view: SessionView, blocked: Option<String>) -> impl IntoView {
    if let Some(reason) = blocked {
        return view! { <div class="composer-area"><Notice kind="waiting">{reason}</Notice></div> }.into_any();
    }
    let id = view.session.with_untracked(|session| session.id.to_string());
    let draft = Draft::new(id.clone());
    let action = format!("/cowork/sessions/{id}/messages");
    let on_submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        draft.send();
    };
    // A composer that grows takes room from the transcript, which then follows to its end again.
    Effect::new(move |_| {
        draft.text.track();
        draft.error.track();
        view.written.update(|count| *count += 1);
    });
    let placeholder = move || if view.is_running() { "Add something; it is sent next" } else { "Ask for something" };
    view! {
        <div class="composer-area">
            {move || draft.error.get().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
            <form class="composer" method="post" action=action on:submit=on_submit>
                <textarea
                    class="composer-text" name="message" rows="1" required node_ref=draft.field aria-label="Message"
                    placeholder=placeholder prop:value=move || draft.text.get()
                    on:input:target=move |event| draft.edit(event.target().value())
                    on:keydown=move |event| if sends(&event) { event.prevent_default(); draft.send() }
                ></textarea>
                <div class="composer-bar">
                    <span class="chip" title="What the agent may do">"Reads only"</span>
                    <span class="chip">{move || view.session.with(|session| session.model.clone())}</span>
                    <span class="spacer"></span>
                    <StopButton view/>
                    <button class="button primary send" type="submit" aria-label="Send" disabled=move || draft.sending.get()><Icon glyph=Glyph::Send/></button>
                </div>
            </form>
            <StopForm id=id.clone()/>
        </div>
    }
    .into_any()
}

/// Enter sends, Shift+Enter makes a line; an input method's own Enter does neither.
fn sends(event: &KeyboardEvent) -> bool {
    event.key() == "Enter" && !event.shift_key() && !event.is_composing() && event.key_code() != COMPOSING_KEY_CODE
}

/// The form of [`StopButton`]; a form can't stand inside the composer's.
#[component]
fn StopForm(id: String) -> impl IntoView {
    let action = format!("/cowork/sessions/{id}/stop");
    let problem = RwSignal::new(None::<String>);
    let on_submit = {
        let action = action.clone();
        move |event: leptos::ev::SubmitEvent| {
            event.prevent_default();
            problem.set(None);
            let action = action.clone();
            spawn_local(async move {
                let stopped = browser::post(&action, json!({})).await;
                // A turn that has just ended by itself is what was wanted.
                let failed = stopped.err().filter(|error| error.code != ErrorCode::NotRunning);
                problem.try_set(failed.map(|error| error.detail));
            });
        }
    };
    view! {
        <form id=STOP_FORM method="post" action=action on:submit=on_submit>
            {move || problem.get().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
        </form>
    }
}

/// Stands among the composer's buttons, where it moves nothing when it comes and goes, and submits the form beside it.
#[component]
fn StopButton(view: SessionView) -> impl IntoView {
    let offline = move || !matches!(view.link.get(), Link::Live | Link::Connecting | Link::CatchingUp { .. });
    view! {
        <Show when=move || view.is_running() fallback=|| ()>
            <button class="button" type="submit" form=STOP_FORM disabled=offline><Icon glyph=Glyph::Stop/>"Stop"</button>
        </Show>
    }
}

/// The text that is being written, its id once it is on its way, and what went wrong.
#[derive(Clone, Copy)]
struct Draft {
    session: StoredValue<String>,
    field: NodeRef<html::Textarea>,
    text: RwSignal<String>,
    sending: RwSignal<bool>,
    error: RwSignal<Option<String>>,
    /// Kept for a second try of the same text: the server takes it once.
    client_id: StoredValue<Option<String>>,
}

impl Draft {
    fn new(session: String) -> Self {
        let draft = Self {
            session: StoredValue::new(session),
            field: NodeRef::new(),
            text: RwSignal::new(String::new()),
            sending: RwSignal::new(false),
            error: RwSignal::new(None),
            client_id: StoredValue::new(None),
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
        draft
    }

    fn key(&self) -> String {
        format!("draft:{}", self.session.get_value())
    }

    fn edit(&self, text: String) {
        browser::save_draft(&self.key(), &text);
        self.client_id.set_value(None);
        self.text.set(text);
    }

    fn send(&self) {
        let message = self.text.get_untracked();
        if message.trim().is_empty() || self.sending.get_untracked() {
            return;
        }
        let draft = *self;
        let client_id = self.client_id.get_value().unwrap_or_else(browser::new_client_id);
        self.client_id.set_value(Some(client_id.clone()));
        self.sending.set(true);
        self.error.set(None);
        let path = format!("/cowork/sessions/{}/messages", self.session.get_value());
        let key = self.key();
        spawn_local(async move {
            let sent = browser::post(&path, json!({"message": message, "client_id": client_id})).await;
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
                Err(error) => draft.error.set(Some(error.detail)),
            }
        });
    }
}
