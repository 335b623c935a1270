//! The field to say something. It is a form that works without scripts; with them the text stays until the server
//! has it, and survives a reload.

use leptos::{ev::KeyboardEvent, ev::SubmitEvent, prelude::*, task::spawn_local};
use serde_json::json;

use super::{
    draft::Draft,
    suggest::{Suggest, SuggestList},
    transcript::send_form,
};
use crate::{
    protocol::{ErrorCode, Pending},
    ui::{
        browser,
        session_view::{Link, SessionView},
        widgets::{Glyph, Icon, Notice},
        words::words,
    },
};

const SAY_FORM: &str = "say";
const STOP_FORM: &str = "stop";
/// The field of the files panel that takes files.
const ATTACH: &str = "#attach";
/// What a browser calls the key of an input method that is still composing.
const COMPOSING_KEY_CODE: u32 = 229;

#[component]
pub fn Composer(view: SessionView) -> impl IntoView {
    if let Some(reason) = view.blocked.get_value() {
        return view! { <div class="composer-area"><Notice kind="waiting">{reason}</Notice></div> }.into_any();
    }
    let draft = Draft::new(view, view.path(""));
    let suggest = Suggest::new(draft);
    let steer = view.path("/steer");
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        draft.send(if browser::form_action(&event).is_some() { "/steer" } else { "/messages" });
    };
    let on_key = move |event: KeyboardEvent| {
        if composes(&event) || suggest.takes(&event) {
            return;
        }
        match event.key().as_str() {
            // Fingers have no second key for a line; they have the button.
            "Enter" if !event.shift_key() && !browser::media(browser::FINGERS) => {
                event.prevent_default();
                draft.send("/messages");
            }
            "ArrowUp" if draft.recall(1) => event.prevent_default(),
            "ArrowDown" if draft.recall(-1) => event.prevent_default(),
            _ => {}
        }
    };
    let words = &words().chat;
    view! {
        <div class="composer-area">
            {move || view.problem.get().map(|text| view! { <Notice kind="failed">{text}</Notice> })}
            <SuggestList suggest/>
            <div class="composer" on:submit=move |event| send_form(view, &event)>
                <form id=SAY_FORM method="post" action=view.path("/messages") on:submit=on_submit>
                    <textarea
                        class="composer-text" name="message" rows="1" required node_ref=draft.field aria-label=words.message
                        aria-controls="suggestions" aria-activedescendant=move || suggest.active()
                        placeholder=move || placeholder(view) prop:value=move || draft.text.get()
                        on:input:target=move |event| { draft.edit(event.target().value()); suggest.look() }
                        on:keydown=on_key on:blur=move |_| suggest.close() inner_html=browser::still().draft
                    ></textarea>
                </form>
                <div class="composer-bar">
                    <button class="chip only-live" type="button" on:click=move |_| browser::press(ATTACH)><Icon glyph=Glyph::Clip/>{words.attach}</button>
                    <div class="chips" inner_html=move || view.menu.get()></div>
                    <div class="composer-acts">
                        <span inner_html=move || view.meter.get()></span>
                        <Show when=move || view.is_running() fallback=|| ()>
                            <button class="button" type="submit" form=SAY_FORM formaction=steer.clone() title=words.steer_text>{words.steer}</button>
                        </Show>
                        <StopButton view/>
                        <button class="button primary send" type="submit" form=SAY_FORM aria-label=words.send title=words.send aria-busy=move || draft.sending.get().to_string()><Icon glyph=Glyph::Send/></button>
                    </div>
                </div>
            </div>
            <StopForm view action=view.path("/stop")/>
        </div>
    }
    .into_any()
}

/// The Enter of an input method is its own, and so is everything else while it composes.
pub fn composes(event: &KeyboardEvent) -> bool {
    event.is_composing() || event.key_code() == COMPOSING_KEY_CODE
}

/// Says where a message would go.
fn placeholder(view: SessionView) -> &'static str {
    let words = &words().chat;
    view.session.with(|session| match session.pending.as_slice() {
        [] if view.is_running() => words.add_placeholder,
        [] => words.ask_placeholder,
        pending if pending.iter().any(|pending| matches!(pending, Pending::ApprovalRequested { .. })) => {
            words.approval_placeholder
        }
        _ => words.answer_placeholder,
    })
}

/// The form of [`StopButton`]; a form can't stand inside the composer's.
#[component]
fn StopForm(view: SessionView, action: String) -> impl IntoView {
    let path = action.clone();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        view.problem.set(None);
        let path = path.clone();
        spawn_local(async move {
            let stopped = browser::post(&path, json!({})).await;
            // A turn that has just ended by itself is what was wanted.
            let failed = stopped.err().filter(|error| error.code != ErrorCode::NotRunning);
            view.problem.try_set(failed.map(|error| error.detail));
        });
    };
    view! { <form id=STOP_FORM method="post" action=action on:submit=on_submit></form> }
}

/// Stands among the composer's buttons, where it moves nothing when it comes and goes, and submits the form beside it.
#[component]
fn StopButton(view: SessionView) -> impl IntoView {
    let offline = move || !matches!(view.link.get(), Link::Live | Link::Connecting | Link::CatchingUp { .. });
    view! {
        <Show when=move || view.is_running() fallback=|| ()>
            <button class="button" type="submit" form=STOP_FORM disabled=offline><Icon glyph=Glyph::Stop/>{words().chat.stop}</button>
        </Show>
    }
}
