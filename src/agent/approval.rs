//! Who must agree before a call runs.

use super::ports::tool::Action;
use crate::protocol::{ApprovalRule, Mode, Risk};

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

/// Judges a call of `tool` by the session's mode and the person's rules. What changes nothing and stays on the
/// machine is always free.
pub fn judge(mode: Mode, rules: &[ApprovalRule], tool: &str, action: Action) -> Verdict {
    let Action { risk: Some(risk), scope, .. } = action else { return Verdict::Free };
    let free = match mode {
        Mode::ReadOnly => {
            return Verdict::Refused(format!(
                "`{tool}` was not run: this session is read-only. Answer without it, and tell the person that the mode \
                 of the session can be changed."
            ));
        }
        Mode::Full => true,
        Mode::AcceptEdits => risk == Risk::Edit || is_spared(rules, tool, scope.as_ref()),
        Mode::Ask => is_spared(rules, tool, scope.as_ref()),
    };
    if free { Verdict::Free } else { Verdict::Ask { risk, scope } }
}

fn is_spared(rules: &[ApprovalRule], tool: &str, scope: Option<&String>) -> bool {
    rules.iter().any(|rule| rule.tool == tool && (rule.scope.is_none() || rule.scope.as_ref() == scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Actor, RuleId};

    fn rule(tool: &str, scope: Option<&str>) -> ApprovalRule {
        ApprovalRule {
            rule_id: RuleId::new("r"),
            tool: tool.into(),
            scope: scope.map(Into::into),
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
        let rules = [rule("shell_execute", Some("cargo test")), rule("write_file", None)];
        let verdict = |tool: &str, scope| judge(Mode::Ask, &rules, tool, risky(Risk::Run, scope));
        assert_eq!(verdict("shell_execute", Some("cargo test")), Verdict::Free);
        assert_eq!(verdict("write_file", Some("src")), Verdict::Free);
        for (tool, scope) in [("shell_execute", Some("cargo")), ("shell_execute", None), ("git_command", None)] {
            assert!(matches!(verdict(tool, scope), Verdict::Ask { .. }), "{tool} {scope:?}");
        }
    }

    #[test]
    fn no_rule_opens_a_read_only_session() {
        let verdict = judge(Mode::ReadOnly, &[rule("t", None)], "t", risky(Risk::Edit, None));
        assert!(matches!(verdict, Verdict::Refused(_)));
    }
}
