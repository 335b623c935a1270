//! Whether work can begin here: the model is asked, the folder was looked at; each says pass or what to do. And what
//! everybody wants to know who brings files.

use leptos::{prelude::*, task::spawn_local};

use crate::{
    protocol::{ModelInfo, ModelOffer},
    ui::{
        browser,
        widgets::{Glyph, Icon},
        words::{fill, words},
    },
};

/// Models of one server that are shown: a person looks for the form of the lines.
const OFFERED: usize = 5;

/// `folder`: whether the chosen one can be written, if one is chosen.
#[component]
pub fn Checks(folder: Option<bool>, built_in: bool) -> impl IntoView {
    let w = &words().home;
    let model = RwSignal::new(built_in.then(|| (true, w.model_built_in.to_owned())));
    Effect::new(move |_| {
        if !built_in {
            spawn_local(async move {
                let told = browser::get::<Vec<ModelInfo>>(&browser::at("/models"))
                    .await
                    .map_or_else(|error| (false, error.detail), tell);
                model.try_set(Some(told));
            });
        }
    });
    let writable = match folder {
        Some(true) => (Some(true), w.folder_ok),
        Some(false) => (Some(false), w.folder_bad),
        None => (None, w.folder_none),
    };
    let model = move || match model.get() {
        Some((ok, text)) => check(Some(ok), text),
        None => check(None, w.checking.to_owned()),
    };
    view! {
        <section class="checks">
            <h2>{w.checks}</h2>
            <ul>{check(writable.0, writable.1.to_owned())}{model}</ul>
            {built_in.then(|| view! { <Offers/> })}
            <div inner_html=browser::still().facts></div>
        </section>
    }
}

/// Model servers of this computer, with the lines of the configuration that take them up. None is used unasked.
#[component]
fn Offers() -> impl IntoView {
    let offers = RwSignal::new(Vec::<ModelOffer>::new());
    Effect::new(move |_| {
        spawn_local(async move {
            // Where nobody can be asked there is nothing to offer.
            if let Ok(found) = browser::get(&browser::at("/models/offers")).await {
                offers.try_set(found);
            }
        });
    });
    let lines = |offer: ModelOffer| {
        let models = offer.models.into_iter().take(OFFERED).map(|model| view! { <pre tabindex="0">{model.toml}</pre> });
        view! {
            <details class="offer"><summary>{fill(words().home.offer, &[&offer.name])}</summary>{models.collect_view()}</details>
        }
    };
    move || offers.get().into_iter().map(lines).collect_view()
}

/// Of the model that new sessions take.
fn tell(models: Vec<ModelInfo>) -> (bool, String) {
    let w = &words().home;
    let Some(model) = models.into_iter().find(|model| model.default) else { return (false, w.fail.to_owned()) };
    match model.detail {
        None => (true, fill(w.model_ok, &[&model.name])),
        Some(why) => (false, fill(w.model_bad, &[&model.name, &why])),
    }
}

fn check(ok: Option<bool>, text: String) -> impl IntoView {
    let w = &words().home;
    let (glyph, state) = match ok {
        Some(true) => (Glyph::Check, w.pass),
        Some(false) => (Glyph::Cross, w.fail),
        None => (Glyph::Clock, ""),
    };
    view! {
        <li class="check" data-ok=ok.map(|ok| ok.to_string())>
            <Icon glyph/><span class="visually-hidden">{state}</span><span>{text}</span>
        </li>
    }
}
