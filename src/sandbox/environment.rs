//! The environment of a program that the agent runs: a list of what it gets. No key of the server's own is on it.

use std::collections::BTreeMap;

/// What is taken over from the server: where programs are, and how text is written. None of them is a secret.
const INHERITED: &[&str] = &[
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "USER",
    "LOGNAME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "NVM_DIR",
    "GOROOT",
    "JAVA_HOME",
];
/// Programs that look for these find a text of their own to show, and never wait for an answer.
const FIXED: &[(&str, &str)] = &[
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    ("PAGER", "cat"),
    ("GIT_PAGER", "cat"),
    // Says yes to the text that stands there, where an editor would open.
    ("GIT_EDITOR", "true"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
    ("DEBIAN_FRONTEND", "noninteractive"),
    // Lines come as they are printed, not at the end.
    ("PYTHONUNBUFFERED", "1"),
];
/// Where the server has no PATH.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";
const LANG: &str = "C.UTF-8";

pub fn environment(inherited: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut environment: BTreeMap<String, String> = inherited
        .into_iter()
        .filter(|(name, _)| INHERITED.contains(&name.as_str()) || name.starts_with("LC_"))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    environment.entry("PATH".into()).or_insert_with(|| PATH.into());
    if !environment.contains_key("LC_ALL") {
        environment.entry("LANG".into()).or_insert_with(|| LANG.into());
    }
    environment.extend(FIXED.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    environment
}

/// The server's own, as text; what is no text is left out.
pub fn own() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(given: &[(&str, &str)]) -> BTreeMap<String, String> {
        environment(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn only_what_is_listed_is_taken_over() {
        let got = from(&[
            ("PATH", "/opt/x/bin:/bin"),
            ("LC_TIME", "de_DE.UTF-8"),
            ("TZ", "Europe/Berlin"),
            ("OPENAI_API_KEY", "sk-1"),
            ("COWORK_API_KEY_MAIN", "sk-2"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("SSH_AUTH_SOCK", "/run/agent"),
            ("LD_PRELOAD", "/tmp/x.so"),
            ("BASH_ENV", "/tmp/x"),
            ("GIT_EDITOR", "vim"),
            ("TERM", "xterm"),
            ("HOME", "/home/anna"),
        ]);
        for (name, value) in [("PATH", "/opt/x/bin:/bin"), ("LC_TIME", "de_DE.UTF-8"), ("TZ", "Europe/Berlin")] {
            assert_eq!(got.get(name).map(String::as_str), Some(value));
        }
        assert_eq!(got["TERM"], "dumb");
        assert_eq!(got["GIT_EDITOR"], "true");
        let listed = |name: &str| {
            INHERITED.contains(&name) || name.starts_with("LC_") || FIXED.iter().any(|(fixed, _)| *fixed == name)
        };
        assert_eq!(got.keys().filter(|name| !listed(name)).count(), 0, "{got:?}");
    }

    #[test]
    fn a_server_without_path_and_language_still_runs_programs() {
        let got = from(&[("PATH", "")]);
        assert_eq!(got["PATH"], PATH);
        assert_eq!(got["LANG"], "C.UTF-8");
        assert!(!from(&[("LC_ALL", "C")]).contains_key("LANG"));
    }
}
