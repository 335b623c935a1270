//! JSON as the browser parses it.

use js_sys::{Array, JSON, Object, Reflect};
use leptos::prelude::document;
use wasm_bindgen::{JsCast, JsValue};

use crate::protocol::{
    Opened,
    read::{self, Json, Read},
};

/// The element that holds what the page was opened with; `ui::shell` writes it.
const OPENED: &str = "opened";

impl Json for JsValue {
    fn field(&self, name: &str) -> Self {
        let found = self.is_object().then(|| Reflect::get(self, &name.into()).ok());
        found.flatten().unwrap_or(Self::NULL)
    }
    fn items(&self) -> Vec<Self> {
        self.dyn_ref::<Array>().map(Array::to_vec).unwrap_or_default()
    }
    fn entries(&self) -> Vec<(String, Self)> {
        let Some(object) = self.dyn_ref::<Object>() else { return Vec::new() };
        let entry = |pair: Self| {
            let pair: Array = pair.unchecked_into();
            (pair.get(0).as_string().unwrap_or_default(), pair.get(1))
        };
        Object::entries(object).iter().map(entry).collect()
    }
    fn text(&self) -> Option<String> {
        self.as_string()
    }
    fn number(&self) -> Option<f64> {
        self.as_f64()
    }
    fn truth(&self) -> Option<bool> {
        self.as_bool()
    }
    fn is_null(&self) -> bool {
        Self::is_null(self) || self.is_undefined()
    }
    fn is_list(&self) -> bool {
        Array::is_array(self)
    }
}

/// `None` where the text is no JSON, or not what is read.
pub fn read<T: Read>(text: &str) -> Option<T> {
    read::read(&JSON::parse(text).ok()?)
}

/// The first of the events in an answer, as the server wrote it.
pub fn first_event(answer: &str) -> Option<String> {
    let event = JSON::parse(answer).ok()?.field("events").items().into_iter().next()?;
    JSON::stringify(&event).ok()?.as_string()
}

/// What the page was opened with comes with the document; a page that was opened otherwise has nothing to show.
pub fn opened() -> Opened {
    let element = document().get_element_by_id(OPENED);
    element.and_then(|element| read(&element.text_content()?)).unwrap_or_default()
}
