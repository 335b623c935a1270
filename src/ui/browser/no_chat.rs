//! The server's side of the conversation's needs: there is no browser.

use leptos::{
    ev::{Event, KeyboardEvent, MouseEvent, SubmitEvent},
    html,
    prelude::*,
};

use crate::{
    protocol::{ApiError, ErrorCode},
    ui::browser::Wish,
};

pub struct LiveForm;

impl LiveForm {
    pub fn take(_event: &SubmitEvent) -> Option<Self> {
        None
    }
    pub async fn send(self) -> Result<(), ApiError> {
        Err(ApiError::new(ErrorCode::Unavailable, "There is no browser here."))
    }
}

pub fn fold(_event: &Event) {}

pub fn edit_key(_event: &KeyboardEvent) {}

pub fn form_action(_event: &SubmitEvent) -> Option<String> {
    None
}

pub fn unfolds(_event: &MouseEvent) -> bool {
    false
}

pub fn clicked(_event: &MouseEvent) -> Option<Wish> {
    None
}

pub fn keep_field(_event: &Event) {}

pub fn restore_fields(_card: NodeRef<html::Div>) {}

pub fn scroll_of(_element: NodeRef<html::Div>) -> (i32, i32, i32) {
    (0, 0, 0)
}

pub fn hold_place(_scroller: NodeRef<html::Div>, _change: impl FnOnce()) {}

pub fn tick() {}

pub fn around_caret(_field: NodeRef<html::Textarea>) -> (String, String) {
    Default::default()
}

pub fn set_caret(_field: NodeRef<html::Textarea>, _before: &str) {}

pub fn press(_selector: &str) {}

pub fn open_menu(_index: u32) {}
