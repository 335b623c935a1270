//! Identifiers. Each is a newtype, so that a message id can't be passed where a session id is meant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// A session: 32 lower-case hex digits, as Loom writes them.
    SessionId
}
id! {
    /// A person's message, from the moment it is accepted: 32 lower-case hex digits.
    MessageId
}
id! {
    /// A call that waits, or waited, for a person's word: 32 lower-case hex digits.
    ApprovalId
}
id! {
    /// An "always" of a person: 32 lower-case hex digits.
    RuleId
}
id! {
    /// A question of the agent: 32 lower-case hex digits.
    QuestionId
}
id! {
    /// A person's word into a running turn: 32 lower-case hex digits.
    SteeringId
}
id! {
    /// An upload, of one or many files: 32 lower-case hex digits.
    UploadId
}
id! {
    /// One tool call, unique in its session.
    CallId
}

impl SessionId {
    /// The id in a URL, or `None` where it does not have the form of a session id.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == 32 && text.bytes().all(hex)).then(|| Self(text.to_owned()))
    }
}

/// The session's event number: from 1, dense, given by the store in the transaction of the change. 0 stands for "no event yet".
pub type Seq = u64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_32_lower_case_hex_digits() {
        assert!(SessionId::parse("e8ed1efe842c4738a018b44e64919c00").is_some());
        for wrong in [
            "",
            "e8ed1efe",
            "E8ED1EFE842C4738A018B44E64919C00",
            "../../../../etc/passwd0000000000",
            "g8ed1efe842c4738a018b44e64919c00",
        ] {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }
}
