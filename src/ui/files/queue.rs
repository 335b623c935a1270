//! What is on its way into the workspace, and what became of it.

use leptos::prelude::*;

use super::{
    sizes::size,
    state::{Files, State, Upload},
};
use crate::ui::{
    browser,
    words::{fill, words},
};

#[component]
pub fn UploadQueue(files: Files) -> impl IntoView {
    let any = move || files.uploads.with(|uploads| !uploads.is_empty());
    view! {
        <Show when=any fallback=|| ()>
            <section class="uploads" aria-label=words().files.uploads>
                <ul>
                    <For each=move || files.uploads.get() key=|upload| upload.id let:upload>
                        <UploadRow files upload/>
                    </For>
                </ul>
            </section>
        </Show>
    }
}

#[component]
fn UploadRow(files: Files, upload: Upload) -> impl IntoView {
    let name = upload.name.get_value();
    let tone = move || match upload.state.get() {
        State::Failed(_) => "failed",
        State::Exists | State::Away(_) => "waiting",
        State::Added(_) => "done",
        State::Waiting | State::Sending { .. } | State::Verifying | State::Skipped | State::Cancelled => "plain",
    };
    let part = move || match upload.state.get() {
        State::Sending { sent, .. } | State::Away(sent) if upload.size > 0 => Some(sent as f64 / upload.size as f64),
        _ => None,
    };
    view! {
        <li class="upload" data-tone=tone>
            <p class="upload-line"><span class="file-name">{name.clone()}</span><span class="upload-state" role="status">{move || told(upload)}</span></p>
            {move || part().map(|part| view! { <progress max="1" prop:value=part aria-label=name.clone()></progress> })}
            <Choices files upload/>
        </li>
    }
}

fn told(upload: Upload) -> String {
    let w = &words().files;
    let size = |bytes| size(bytes, browser::language());
    match upload.state.get() {
        State::Waiting => w.waiting.to_owned(),
        State::Sending { sent, speed } => {
            let how_much = fill(w.sending, &[&size(sent), &size(upload.size)]);
            match speed {
                Some(speed) => {
                    let left = upload.size.saturating_sub(sent).div_ceil(speed.max(1)).to_string();
                    [&how_much, " · ", &fill(w.speed, &[&size(speed)]), " · ", &fill(w.seconds_left, &[&left])].concat()
                }
                None => how_much,
            }
        }
        State::Away(sent) => fill(w.away, &[&size(sent), &size(upload.size)]),
        State::Verifying => w.verifying.to_owned(),
        State::Added(path) => match path.rsplit('/').next() {
            // Another of its name was kept.
            Some(name) if !upload.name.with_value(|wanted| wanted.ends_with(name)) => fill(w.added_as, &[name]),
            _ => w.added.to_owned(),
        },
        State::Skipped => w.skipped.to_owned(),
        State::Exists => fill(w.exists, &[&upload.name.get_value()]),
        State::Failed(why) => fill(w.not_added, &[&upload.name.get_value(), &why]),
        State::Cancelled => w.cancelled.to_owned(),
    }
}

#[component]
fn Choices(files: Files, upload: Upload) -> impl IntoView {
    let w = &words().files;
    let button = move |label: &'static str, act: Box<dyn Fn() + Send>| {
        view! { <button type="button" class="button quiet" on:click=move |_| act()>{label}</button> }
    };
    let again = move |rule| Box::new(move || files.again(upload, rule)) as Box<dyn Fn() + Send>;
    let forget = move || button(w.dismiss, Box::new(move || files.forget(upload.id)));
    let choices = move || match upload.state.get() {
        State::Waiting | State::Sending { .. } | State::Away(_) | State::Verifying => {
            vec![button(w.cancel, Box::new(move || files.cancel(upload)))]
        }
        State::Exists => {
            vec![
                button(w.keep_both, again("keep_both")),
                button(w.replace, again("replace")),
                button(w.skip, again("skip")),
            ]
        }
        State::Failed(_) | State::Cancelled => vec![button(w.retry, again(upload.rule.get_untracked())), forget()],
        State::Added(path) => {
            let shown = path.clone();
            vec![
                button(w.open, Box::new(move || files.shown.set(Some(shown.clone())))),
                button(w.mention, Box::new(move || files.view.mention.set(Some(path.clone())))),
                forget(),
            ]
        }
        State::Skipped => vec![forget()],
    };
    view! { <div class="upload-choices">{choices}</div> }
}
