//! What `shell_execute` and `git_command` have in common: a run in the sandbox, and its end in words.

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{process::Command, sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    command_changes::{After, Before},
    wording::{cut_line, printable, respond},
};
use crate::{
    agent::ports::tool::{ToolContext, ToolError, ToolOutput},
    sandbox::{End, Ended, Job, LONGEST_TIME_LIMIT, Sandbox, SandboxError},
};

/// What the server's own Git gets to know of its surroundings, where the person's settings are.
const WHERE_SETTINGS_ARE: &[&str] = &["PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"];
/// Git reads two small files. On a machine that is busy to its limit even that takes seconds; longer than this, and the
/// home folder is out of reach.
const SETTINGS_TIME_LIMIT: Duration = Duration::from_secs(15);
/// The line of a card, in characters.
const SUMMARY_CHARS: usize = 60;

/// What programs say when they meet the walls, and what a model should know then.
const HINTS: &[(&[&str], &str)] = &[
    (
        &["could not write config file", "could not lock config file"],
        "commands can't change .git/config or hooks here; ask the person to do it",
    ),
    (
        &["fatal: not a git repository: "],
        "the repository itself is outside the workspace and can't be reached from here",
    ),
    (
        &["Please tell me who you are", "no email was given", "no name was given"],
        "Git knows no name for the person; whoever runs this server sets it with `git config --global user.name` \
         and `user.email`",
    ),
    (&["Read-only file system"], "commands can write in the workspace and in /tmp only"),
];
const OFFLINE_HINTS: &[&str] = &[
    "Could not resolve host",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "getaddrinfo EAI_AGAIN",
    "dns error",
];

pub struct Run {
    pub argv: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub writes: bool,
    pub network: bool,
    pub time_limit: Duration,
}

/// A run with all that it needs, which a call that is dropped leaves to end and to be recorded by itself.
struct Course {
    sandbox: Arc<Sandbox>,
    run: Run,
    /// Canonical.
    workspace: PathBuf,
    data: PathBuf,
    cancel: CancellationToken,
}

/// Runs a program in the workspace of the call, its output live. What it changes is found by a look at the files
/// before and after.
pub async fn run(sandbox: &Arc<Sandbox>, context: ToolContext<'_>, run: Run) -> Result<ToolOutput, ToolError> {
    // The folder itself, whatever links lead to it.
    let workspace = context.workspace.canonicalize();
    let workspace = workspace.map_err(|error| respond(format!("The workspace can't be opened: {error}.")))?;
    let cancel = context.cancel.child_token();
    let _ends_with_call = cancel.clone().drop_guard();
    let offline = !(sandbox.network() && run.network);
    let time_limit = run.time_limit;
    let course = Course { sandbox: sandbox.clone(), run, workspace, data: context.data.to_path_buf(), cancel };
    let (output, mut heard) = mpsc::unbounded_channel();
    // A task of its own: what a command changed is recorded also where nobody waits for its end.
    let task = tokio::spawn(course.follow(output));
    while let Some(text) = heard.recv().await {
        context.host.output(&text);
    }
    let (ended, after) = task.await.map_err(|error| {
        tracing::error!(%error, "a command's run crashed");
        ToolError::Fatal("The command failed because of a mistake of the server, whose log says more.".into())
    })??;
    Ok(after.told(answer(ended, time_limit, offline)))
}

impl Course {
    async fn follow(self, output: mpsc::UnboundedSender<String>) -> Result<(Ended, After), ToolError> {
        let Self { sandbox, run, workspace, data, cancel } = self;
        let before = match run.writes {
            true => Some(Before::look(&workspace, &data, &cancel).await?),
            false => None,
        };
        let job = Job {
            workspace: &workspace,
            argv: run.argv,
            variables: run.variables,
            home_files: vec![(".gitconfig".into(), git_settings().await)],
            writes: run.writes,
            network: run.network,
            time_limit: run.time_limit,
        };
        // An error means that nobody listens any more.
        let ended = sandbox.run(&job, &cancel, &|text| drop(output.send(text.to_owned()))).await;
        let after = match before {
            Some(before) => before.compare().await,
            None => After::default(),
        };
        Ok((ended.map_err(refusal)?, after))
    }
}

fn refusal(error: SandboxError) -> ToolError {
    respond(match error {
        SandboxError::Unavailable(reason) => format!(
            "Commands can't be run here: {reason}. Nothing was run. Go on without them, or ask the person to tell \
             whoever runs this server."
        ),
        SandboxError::NotStarted(reason) => format!("The command was not run: {reason}."),
        SandboxError::Lost => format!("The command ended in an unknown way: {error}."),
    })
}

fn answer(ended: Ended, time_limit: Duration, offline: bool) -> ToolOutput {
    let mut text = ended.output.trim_end().to_owned();
    let error = match ended.how {
        End::Exited(0) => None,
        End::Exited(code) => Some(format!("The command ended with exit code {code}.")),
        End::Killed(signal) => Some(format!("The command was killed by signal {signal}{}.", name(signal))),
        End::TimeUp => Some(format!(
            "The command was ended after {} seconds. If it needs longer, call again with timeout_seconds, at most {}.",
            time_limit.as_secs(),
            LONGEST_TIME_LIMIT.as_secs()
        )),
        End::Stopped => Some("Stopped by the person before it ended.".into()),
    };
    let mut notes: Vec<String> = Vec::new();
    if error.is_some() {
        notes.extend(hints(&text, offline));
    }
    for path in &ended.removed {
        notes.push(format!("{} was removed or put back: Git or Cowork would run programs by it", printable(path)));
    }
    let summary = match (&ended.how, first_line(&text)) {
        (End::Exited(0), Some(line)) => cut_line(line, SUMMARY_CHARS).into_owned(),
        (End::Exited(0), None) => "no output".into(),
        (End::Exited(code), _) => format!("exit code {code}"),
        (End::Killed(signal), _) => format!("killed by signal {signal}"),
        (End::TimeUp, _) => format!("ended after {} s", time_limit.as_secs()),
        (End::Stopped, _) => "stopped".into(),
    };
    if text.is_empty() {
        text.push_str("(no output)");
    }
    for note in notes {
        text.push_str(&format!("\n[{note}]"));
    }
    let (code, signal) = match ended.how {
        End::Exited(code) => (Some(code), None),
        End::Killed(signal) => (None, Some(signal)),
        End::TimeUp | End::Stopped => (None, None),
    };
    let data = json!({ "exit_code": code, "signal": signal, "timed_out": ended.how == End::TimeUp });
    ToolOutput { text, summary, error, data: Some(data), ..ToolOutput::default() }
}

fn first_line(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !line.is_empty())
}

fn hints(output: &str, offline: bool) -> impl Iterator<Item = String> {
    let offline = offline && OFFLINE_HINTS.iter().any(|words| output.contains(words));
    let met = HINTS.iter().filter(|(words, _)| words.iter().any(|words| output.contains(words)));
    let met: Vec<String> = met.map(|(_, hint)| (*hint).to_owned()).collect();
    met.into_iter().chain(offline.then(|| "there is no network here".to_owned()))
}

/// The name of a signal that programs end with by themselves.
fn name(signal: i32) -> &'static str {
    match signal {
        4 => " (illegal instruction)",
        6 => " (it aborted)",
        7 | 10 => " (bad memory access)",
        8 => " (arithmetic error)",
        9 => " (killed, perhaps because memory ran out)",
        11 => " (bad memory access)",
        25 => " (it wrote a file larger than 4 GiB)",
        _ => "",
    }
}

/// Git's settings in the private home: the person's name, as commits need it, and nothing that could hold a key.
async fn git_settings() -> String {
    let mut command = Command::new("git");
    command.args(["config", "--global", "--null", "--get-regexp", r"^(user\.(name|email)|init\.defaultbranch)$"]);
    // A folder that is no repository and names no programs.
    command.current_dir("/").env_clear().stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.envs(WHERE_SETTINGS_ARE.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    let found = match timeout(SETTINGS_TIME_LIMIT, command.output()).await {
        Ok(Ok(output)) => output.stdout,
        Ok(Err(error)) => {
            tracing::debug!(%error, "there is no Git on this machine, so commands don't know the person's name");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("Git did not tell the person's name in time, so a commit may fail for want of it");
            Vec::new()
        }
    };
    settings_text(&String::from_utf8_lossy(&found))
}

/// `found` is what Git tells with `--null`: the key, a line break, the value, and a zero byte behind each.
fn settings_text(found: &str) -> String {
    let mut text = String::from(
        "[safe]\n\tdirectory = *\n[user]\n\tuseConfigOnly = true\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n",
    );
    for (key, value) in found.split('\0').filter_map(|entry| entry.split_once('\n')) {
        let Some((section, name)) = key.split_once('.') else { continue };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
        text.push_str(&format!("[{section}]\n\t{name} = \"{value}\"\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(how: End, output: &str) -> ToolOutput {
        let ended = Ended { how, output: output.into(), removed: Vec::new() };
        answer(ended, Duration::from_secs(120), true)
    }

    #[test]
    fn ends_are_told_in_words_and_in_figures() {
        let good = ended(End::Exited(0), "\n  first\nsecond\n");
        assert_eq!((good.text.as_str(), good.summary.as_str(), good.error), ("\n  first\nsecond", "first", None));
        assert_eq!(good.data, Some(json!({ "exit_code": 0, "signal": null, "timed_out": false })));
        assert_eq!(ended(End::Exited(0), "").text, "(no output)");

        let failed = ended(End::Exited(2), "no such file\n");
        assert_eq!(failed.error.as_deref(), Some("The command ended with exit code 2."));
        assert_eq!((failed.text.as_str(), failed.summary.as_str()), ("no such file", "exit code 2"));

        let killed = ended(End::Killed(9), "");
        assert!(killed.error.unwrap().starts_with("The command was killed by signal 9 (killed"));
        let late = ended(End::TimeUp, "half");
        assert!(late.error.unwrap().contains("after 120 seconds") && late.text == "half");
        assert_eq!(late.data.unwrap()["timed_out"], true);
    }

    #[test]
    fn walls_are_explained_where_they_were_met() {
        let failed = ended(End::Exited(6), "curl: (6) Could not resolve host: example.org\n");
        assert!(failed.text.ends_with("\n[there is no network here]"), "{}", failed.text);
        let failed = ended(End::Exited(4), "error: could not write config file .git/config: Device or resource busy");
        assert!(failed.text.contains("[commands can't change .git/config"), "{}", failed.text);
        let fine = ended(End::Exited(0), "grep: Read-only file system");
        assert!(!fine.text.contains('['), "{}", fine.text);
    }

    #[test]
    fn git_settings_hold_the_name_whatever_is_in_it() {
        let text =
            settings_text("user.name\nAnna \"A\" \\o/\nx\0user.email\nanna@example.org\0init.defaultbranch\nmain\0");
        assert!(text.contains("[user]\n\tname = \"Anna \\\"A\\\" \\\\o/ x\"\n"), "{text}");
        assert!(text.contains("\temail = \"anna@example.org\"\n[init]\n\tdefaultbranch = \"main\"\n"), "{text}");
    }
}
