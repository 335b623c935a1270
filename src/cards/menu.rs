//! The composer's chips: what the agent may do, which model answers, how full its memory is.

use leptos::prelude::*;

use super::{Pen, call::tool_name, foot::thousands, html};
use crate::{
    markdown::visible_line,
    protocol::{ApprovalRule, ContextUse, Mode, Session, TOP_FOLDER},
    ui::words::{cards::ModeWords, fill},
};

/// What the chips tell.
pub struct MenuParts {
    pub session: Session,
    pub models: Vec<String>,
    pub rules: Vec<ApprovalRule>,
    /// Whether the operator allows the mode that never asks.
    pub full_mode: bool,
}

impl Pen {
    pub fn menu(&self, parts: &MenuParts) -> String {
        html(view! { {self.mode_menu(parts)}{self.model_menu(parts)} })
    }

    fn mode(&self, mode: Mode) -> &'static ModeWords {
        match mode {
            Mode::Ask => &self.words.ask,
            Mode::AcceptEdits => &self.words.accept_edits,
            Mode::ReadOnly => &self.words.read_only,
            Mode::Full => &self.words.full,
        }
    }

    fn mode_menu(&self, parts: &MenuParts) -> AnyView {
        let (words, now) = (self.words, parts.session.mode);
        let asking = [Mode::Ask, Mode::AcceptEdits, Mode::ReadOnly]
            .map(|mode| self.choice("mode", name(mode), mode == now, self.mode(mode)));
        view! {
            <details class="menu up" name="composer-menu">
                <summary class="chip" data-mode=name(now) title=words.may_do>{self.mode(now).name}</summary>
                <div class="menu-body card">
                    <h3>{words.may_do}</h3>
                    <form class="choices" method="post" action=format!("{}/update", self.base) data-live="">{asking}</form>
                    {self.full(parts)}
                    <h3>{words.rules}</h3>
                    {self.rules(&parts.rules)}
                </div>
            </details>
        }
        .into_any()
    }

    fn choice(&self, field: &'static str, value: &'static str, current: bool, words: &ModeWords) -> AnyView {
        view! {
            <button class="choice" name=field value=value aria-pressed=current.to_string()>
                <span class="option-label">{words.name}</span>
                <span class="option-text">{words.text}</span>
            </button>
        }
        .into_any()
    }

    /// The mode that never asks wants a word of its own.
    fn full(&self, parts: &MenuParts) -> AnyView {
        let words = self.words;
        let now = parts.session.mode == Mode::Full;
        if !parts.full_mode {
            return view! { <p class="choice muted"><span class="option-label">{words.full.name}</span><span class="option-text">{words.full_refused}</span></p> }
                .into_any();
        }
        let confirm = (!now)
            .then(|| view! { <label class="confirm"><input type="checkbox" required/>{words.full_confirm}</label> });
        view! {
            <form class="choices" method="post" action=format!("{}/update", self.base) data-live="">
                {self.choice("mode", name(Mode::Full), now, &words.full)}
                {confirm}
            </form>
        }
        .into_any()
    }

    fn rules(&self, rules: &[ApprovalRule]) -> AnyView {
        let words = self.words;
        if rules.is_empty() {
            return view! { <p class="muted small">{words.no_rules}</p> }.into_any();
        }
        let rows: Vec<_> = rules
            .iter()
            .map(|rule| {
                let tool = tool_name(&rule.tool);
                let text = match rule.scope.as_str() {
                    whole if whole == rule.tool => tool,
                    TOP_FOLDER => format!("{tool}: {}", words.directly_in_folder),
                    scope => format!("{tool}: {}", visible_line(scope)),
                };
                let action = format!("{}/approval-rules/{}/revoke", self.base, rule.rule_id);
                let label = format!("{}: {text}", words.take_back);
                view! {
                    <li><code>{text.clone()}</code>
                        <form method="post" action=action data-live=""><button class="button quiet" aria-label=label>{words.take_back}</button></form>
                    </li>
                }
            })
            .collect();
        view! { <ul class="rules">{rows}</ul> }.into_any()
    }

    fn model_menu(&self, parts: &MenuParts) -> AnyView {
        let (words, now) = (self.words, &parts.session.model);
        let models: Vec<_> = parts
            .models
            .iter()
            .map(|model| {
                view! { <button class="choice" name="model" value=model.clone() aria-pressed=(model == now).to_string()>{visible_line(model)}</button> }
            })
            .collect();
        view! {
            <details class="menu up" name="composer-menu">
                <summary class="chip" title=words.answers>{visible_line(now)}</summary>
                <div class="menu-body card">
                    <h3>{words.answers}</h3>
                    <form class="choices" method="post" action=format!("{}/update", self.base) data-live="">{models}</form>
                    <p class="muted small">{words.next_turn}</p>
                </div>
            </details>
        }
        .into_any()
    }

    /// Empty while nothing is known.
    pub fn meter(&self, context: ContextUse) -> String {
        if context.limit == 0 {
            return String::new();
        }
        let percent = (context.used * 100 / context.limit).min(100);
        let text = fill(self.words.context, &[&thousands(context.used), &thousands(context.limit)]);
        let label = text.clone();
        html(view! {
            <span class="meter" title=text>
                {format!("{percent}\u{202F}%")}
                <progress max="100" value=percent.to_string() aria-label=label></progress>
            </span>
        })
    }
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Ask => "ask",
        Mode::AcceptEdits => "accept_edits",
        Mode::ReadOnly => "read_only",
        Mode::Full => "full",
    }
}
