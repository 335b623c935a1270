//! Who must agree before a call runs.

use super::ports::tool::Action;
use crate::protocol::{ApprovalRule, Mode, Risk, covers};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Free,
    Ask {
        risk: Risk,
        scope: Option<String>,
    },
    /// Not even a person's word would help; the text is for the model.
    Refused(String),
}

/// The mode that a session of mode `mode` really has: the one that never asks is `ask` where the operator does not
/// allow it, also if it was allowed once.
pub fn permitted(mode: Mode, full_mode: bool) -> Mode {
    if mode == Mode::Full && !full_mode { Mode::Ask } else { mode }
}

/// Judges a call of `tool` by the session's mode and the person's rules. What changes nothing and stays on the
/// machine is always free.
pub fn judge(mode: Mode, rules: &[ApprovalRule], tool: &str, action: Action) -> Verdict {
    let Action { risk: Some(risk), scope, .. } = action else { return Verdict::Free };
    if mode == Mode::ReadOnly {
        return Verdict::Refused(format!(
            "`{tool}` was not run: this session is read-only. Answer without it, and tell the person that the mode of the \
             session can be changed."
        ));
    }
    let free = mode.spares(risk) || is_spared(rules, tool, risk, scope.as_deref());
    if free { Verdict::Free } else { Verdict::Ask { risk, scope } }
}

fn is_spared(rules: &[ApprovalRule], tool: &str, risk: Risk, scope: Option<&str>) -> bool {
    scope.is_some_and(|scope| rules.iter().any(|rule| rule.tool == tool && covers(&rule.scope, risk, scope)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Actor, RuleId};

    fn rule(tool: &str, scope: &str) -> ApprovalRule {
        ApprovalRule {
            rule_id: RuleId::new("r"),
            tool: tool.into(),
            scope: scope.into(),
            actor: Actor::local(),
            created_at: String::new(),
        }
    }

    fn risky(risk: Risk, scope: Option<&str>) -> Action {
        Action::risky(risk, scope.map(Into::into))
    }

    fn is_free(mode: Mode, risk: Risk) -> bool {
        judge(mode, &[], "t", risky(risk, None)) == Verdict::Free
    }

    #[test]
    fn each_mode_spares_what_it_says() {
        for mode in [Mode::Ask, Mode::AcceptEdits, Mode::ReadOnly, Mode::Full] {
            assert_eq!(judge(mode, &[], "t", Action::READ), Verdict::Free, "{mode:?}");
        }
        for risk in [Risk::Edit, Risk::Delete, Risk::Run, Risk::Network] {
            assert!(!is_free(Mode::Ask, risk));
            assert_eq!(is_free(Mode::AcceptEdits, risk), risk == Risk::Edit);
            assert!(is_free(Mode::Full, risk));
            assert!(matches!(judge(Mode::ReadOnly, &[], "t", risky(risk, None)), Verdict::Refused(_)));
        }
    }

    #[test]
    fn a_rule_spares_its_tool_within_its_scope() {
        let rules = [rule("shell_execute", "cargo test"), rule("shell_execute", "tools"), rule("write_file", "src")];
        let is_free = |tool: &str, risk, scope| judge(Mode::Ask, &rules, tool, risky(risk, scope)) == Verdict::Free;
        for (tool, risk, scope, expected) in [
            ("shell_execute", Risk::Run, Some("cargo test"), true),
            ("shell_execute", Risk::Run, Some("cargo"), false),
            ("shell_execute", Risk::Run, Some("tools/clean"), false),
            ("shell_execute", Risk::Run, None, false),
            ("git_command", Risk::Run, None, false),
            ("write_file", Risk::Edit, Some("src"), true),
            ("write_file", Risk::Edit, Some("src/deep/er"), true),
            ("write_file", Risk::Edit, Some("src2"), false),
            ("write_file", Risk::Edit, Some("."), false),
            ("write_file", Risk::Edit, None, false),
            ("delete_file", Risk::Delete, Some("src"), false),
        ] {
            assert_eq!(is_free(tool, risk, scope), expected, "{tool} {scope:?}");
        }
        let top = [rule("write_file", ".")];
        let is_free = |scope| judge(Mode::Ask, &top, "write_file", risky(Risk::Edit, Some(scope))) == Verdict::Free;
        assert!(is_free(".") && !is_free("src"), "the files directly in the folder, and no others");
    }

    #[test]
    fn no_rule_opens_a_read_only_session() {
        let verdict = judge(Mode::ReadOnly, &[rule("t", "a")], "t", risky(Risk::Edit, Some("a")));
        assert!(matches!(verdict, Verdict::Refused(_)));
    }
}
