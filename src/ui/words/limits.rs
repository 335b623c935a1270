//! Limits that an operator set, in words for whoever reached one. `{0}` is the time until another try.

use super::{Plural, fill};
use crate::protocol::ErrorCode;

pub struct LimitWords {
    pub sessions: &'static str,
    pub turns: &'static str,
    pub sockets: &'static str,
    pub requests: &'static str,
    pub tokens: &'static str,
    pub busy: &'static str,
    pub disk: &'static str,
    pub seconds: Plural,
    pub minutes: Plural,
    pub hours: Plural,
}

pub const ENGLISH: LimitWords = LimitWords {
    sessions: "You have as many sessions as one person may have here. None was made. Delete one that you don't need any more.",
    turns: "As many of your sessions work as may at one moment. The message was not sent. Wait until one is done, or stop one.",
    sockets: "You have as many live connections as one person may have here, so this page shows nothing new by itself. Close Cowork in another tab; then it goes on by itself.",
    requests: "That were too many requests within a minute. This one was not carried out. Try again in {0}.",
    tokens: "Your tokens of today are used up. The message was not sent. There are new ones in {0}.",
    busy: "The server works on as many sessions as it may. The message was not sent. Try again in {0}.",
    disk: "The disk of the server is almost full, so it takes no new work. Nothing was sent or made. Whoever runs the server must free some space.",
    seconds: Plural { one: "one second", many: "{0} seconds" },
    minutes: Plural { one: "one minute", many: "{0} minutes" },
    hours: Plural { one: "one hour", many: "{0} hours" },
};

pub const GERMAN: LimitWords = LimitWords {
    sessions: "Sie haben so viele Sitzungen, wie eine Person hier haben darf. Es wurde keine angelegt. Löschen Sie eine, die Sie nicht mehr brauchen.",
    turns: "So viele Ihrer Sitzungen arbeiten, wie es gleichzeitig dürfen. Die Nachricht wurde nicht gesendet. Warten Sie, bis eine fertig ist, oder halten Sie eine an.",
    sockets: "Sie haben so viele offene Verbindungen, wie eine Person hier haben darf; diese Seite zeigt deshalb von selbst nichts Neues. Schließen Sie Cowork in einem anderen Tab, dann geht es von selbst weiter.",
    requests: "Das waren zu viele Anfragen in einer Minute. Diese wurde nicht ausgeführt. Versuchen Sie es in {0} noch einmal.",
    tokens: "Ihre Tokens für heute sind aufgebraucht. Die Nachricht wurde nicht gesendet. Neue gibt es in {0}.",
    busy: "Der Server arbeitet an so vielen Sitzungen, wie er darf. Die Nachricht wurde nicht gesendet. Versuchen Sie es in {0} noch einmal.",
    disk: "Die Festplatte des Servers ist fast voll; er nimmt deshalb nichts Neues an. Es wurde nichts gesendet oder angelegt. Wer den Server betreibt, muss Platz schaffen.",
    seconds: Plural { one: "einer Sekunde", many: "{0} Sekunden" },
    minutes: Plural { one: "einer Minute", many: "{0} Minuten" },
    hours: Plural { one: "einer Stunde", many: "{0} Stunden" },
};

impl LimitWords {
    /// Of an error that is a limit's; `None` for every other. `wait` is in seconds.
    pub fn told(&self, code: ErrorCode, wait: u64) -> Option<String> {
        let text = match code {
            ErrorCode::TooManySessions => self.sessions,
            ErrorCode::TooManyTurns => self.turns,
            ErrorCode::TooManySockets => self.sockets,
            ErrorCode::TooManyRequests => self.requests,
            ErrorCode::TokensUsedUp => self.tokens,
            ErrorCode::ServerBusy => self.busy,
            ErrorCode::DiskLow => self.disk,
            _ => return None,
        };
        Some(fill(text, &[&self.time(wait)]))
    }

    /// Rounded up: nobody is told to come too early.
    fn time(&self, seconds: u64) -> String {
        match seconds {
            0..=90 => self.seconds.of(seconds.max(1)),
            91..=5400 => self.minutes.of(seconds.div_ceil(60)),
            _ => self.hours.of(seconds.div_ceil(3600)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_with_its_time_and_nothing_else_is() {
        let told = |wait| ENGLISH.told(ErrorCode::ServerBusy, wait).unwrap();
        for (wait, time) in [
            (0, "one second"),
            (1, "one second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (3600, "60 minutes"),
            (86_399, "24 hours"),
        ] {
            assert!(told(wait).ends_with(&format!("in {time}.")), "{}", told(wait));
        }
        assert!(GERMAN.told(ErrorCode::TokensUsedUp, 7200).unwrap().ends_with("in 2 Stunden."));
        let limits = |words: &LimitWords| ErrorCode::ALL.iter().filter(|code| words.told(**code, 1).is_some()).count();
        assert_eq!((limits(&ENGLISH), limits(&GERMAN)), (7, 7));
        assert_eq!(ENGLISH.told(ErrorCode::QueueFull, 1), None);
    }
}
