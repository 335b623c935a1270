//! `shell_execute` and `git_command` as a session runs them: what works, what a model reads, what is refused.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use cowork::{
    agent::ports::tool::{ToolError, ToolOutput},
    sandbox::{Availability, Sandbox, SandboxError, Settings},
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use serde_json::{Value, json};

use crate::support::{
    host::{Calls, Host, call, for_everyone, launcher, this_program, tools},
    jail::{Jail, assert_available, confined, sandbox, unconfined},
    model::{self, ScriptedModel, say},
    process::Home,
};

async fn shell(jail: &Jail, command: &str) -> Result<ToolOutput, ToolError> {
    call(&tools(confined()), &jail.workspace, "shell_execute", json!({ "command": command })).await
}

async fn git(jail: &Jail, args: &[&str]) -> Result<ToolOutput, ToolError> {
    call(&tools(confined()), &jail.workspace, "git_command", json!({ "args": args })).await
}

fn refusal(result: Result<ToolOutput, ToolError>) -> String {
    match result {
        Err(ToolError::RespondToModel(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn usual_work_is_done() {
    let jail = Jail::new();
    for (command, expected) in [
        ("pwd", format!("{}\n", jail.workspace.display())),
        ("cat own.txt", "ours".into()),
        ("mkdir -p a/b && echo text > a/b/c && mv a/b/c d && cat d && rm -r a d", "text\n".into()),
        ("printf '3\\n1\\n2\\n' | sort | head -n 1", "1\n".into()),
        ("diff <(echo a) <(echo a) && cat <<< here", "here\n".into()),
        ("t=$(mktemp) && echo temporary > $t && cat $t && ls /tmp | wc -l > /dev/null", "temporary\n".into()),
        ("(sleep 0.05; echo late) & echo soon; wait", "soon\nlate\n".into()),
        ("find . -name '*.txt' -exec basename {} \\;", "own.txt\n".into()),
        ("tar czf x.tgz own.txt && tar tzf x.tgz && rm x.tgz", "own.txt\n".into()),
        ("perl -e 'print 6 * 7'", "42".into()),
        ("awk 'BEGIN { print 1.5 + 1 }' < /dev/null", "2.5\n".into()),
        ("echo to > /dev/stderr; echo /dev/null; : > /dev/null", "to\n/dev/null\n".into()),
        ("id -u", format!("{}\n", rustix::process::geteuid().as_raw())),
        ("echo $TERM $PAGER; tty; ps | wc -l > /dev/null", "dumb cat\nnot a tty\n".into()),
    ] {
        let output = shell(&jail, command).await.unwrap();
        assert_eq!((output.text.as_str(), output.error), (expected.trim_end(), None), "{command}");
    }
    // Python comes with most machines.
    if Path::new("/usr/bin/python3").exists() {
        let output = shell(
            &jail,
            "/usr/bin/python3 -c 'import json, tempfile, subprocess; \
             print(json.dumps(subprocess.run([\"echo\", \"hi\"], capture_output=True, text=True).stdout))'",
        );
        assert_eq!(output.await.unwrap().text, "\"hi\\n\"");
    }
    assert_eq!(shell(&jail, "ls -A").await.unwrap().text, "own.txt", "nothing is left of it");
    assert_eq!(shell(&jail, "ls /tmp").await.unwrap().text, "home", "also in the private folder");
}

#[tokio::test]
async fn a_failed_command_tells_its_output_and_its_code() {
    let jail = Jail::new();
    let output = shell(&jail, "echo first; echo wrong >&2; exit 3").await.unwrap();
    assert_eq!(output.text, "first\nwrong");
    assert_eq!(output.error.as_deref(), Some("The command ended with exit code 3."));
    assert_eq!(output.summary, "exit code 3");
    assert_eq!(output.data, Some(json!({ "exit_code": 3, "signal": null, "timed_out": false })));

    let output = shell(&jail, "kill -SEGV $$").await.unwrap();
    assert_eq!(output.error.as_deref(), Some("The command was killed by signal 11 (bad memory access)."));
    assert_eq!(output.data.unwrap()["signal"], 11);

    let output = shell(&jail, "no-such-program --x").await.unwrap();
    assert!(output.text.contains("no-such-program") && output.data.unwrap()["exit_code"] == 127);
    let output = shell(&jail, "touch /usr/x").await.unwrap();
    assert!(output.text.ends_with("[commands can write in the workspace and in /tmp only]"), "{}", output.text);

    let late = json!({ "command": "echo half; sleep 30", "timeout_seconds": 1 });
    let output = call(&tools(confined()), &jail.workspace, "shell_execute", late).await.unwrap();
    assert!(output.text == "half" && output.error.unwrap().contains("timeout_seconds"));

    for (args, expected) in [
        (json!({}), "`command` is missing."),
        (json!({ "command": " " }), "`command` is empty."),
        (json!({ "command": "ls", "timeout_seconds": 3601 }), "a whole number from 1 to 3600"),
        (json!({ "command": "x".repeat(200_000) }), "write_file"),
    ] {
        let said = refusal(call(&tools(confined()), &jail.workspace, "shell_execute", args).await);
        assert!(said.contains(expected), "{said}");
    }
    let gone = call(&tools(confined()), &jail.outside.join("gone"), "shell_execute", json!({ "command": "ls" })).await;
    assert!(refusal(gone).starts_with("The workspace can't be opened"));
}

#[tokio::test]
async fn git_looks_and_changes_and_is_refused_what_it_cannot_do() {
    let jail = Jail::new();
    assert_eq!(git(&jail, &["init", "-b", "main"]).await.unwrap().error, None);
    assert_eq!(git(&jail, &["add", "own.txt"]).await.unwrap().text, "(no output)");
    assert_eq!(git(&jail, &["status", "--short"]).await.unwrap().text, "A  own.txt");
    let before = fs::read(jail.workspace.join(".git/index")).unwrap();
    fs::write(jail.workspace.join(".git/hooks/pre-commit"), "#!/bin/sh\ntouch hooked\nexit 1\n").unwrap();
    fs::set_permissions(jail.workspace.join(".git/hooks/pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
    // What only looks can't write: here an option that isn't on the list of harmless ones would.
    for args in [&["status"] as &[&str], &["diff", "--cached", "--stat"], &["ls-files"]] {
        assert_eq!(git(&jail, args).await.unwrap().error, None);
    }
    assert_eq!(fs::read(jail.workspace.join(".git/index")).unwrap(), before);

    let offline = git(&jail, &["push", "origin", "main"]).await;
    assert!(refusal(offline).contains("has no network here"));
    assert!(refusal(git(&jail, &["config", "user.name", "x"]).await).contains("is not run by this tool"));
    assert!(refusal(git(&jail, &["-c", "core.pager=x", "log"]).await).contains("Begin with the subcommand"));
    let said = refusal(call(&tools(confined()), &jail.workspace, "git_command", json!({ "args": "log" })).await);
    assert_eq!(said, "`args` must be a list, not \"log\".");

    let output = git(&jail, &["remote", "add", "origin", "https://example.org/x"]).await.unwrap();
    assert!(
        output.text.ends_with("[commands can't change .git/config or hooks here; ask the person to do it]"),
        "{output:?}"
    );
    let output = git(&jail, &["log", "--oneline"]).await.unwrap();
    assert!(output.error.is_some() && output.text.contains("does not have any commits"), "{output:?}");
}

/// With a home of its own, as the person's is: their name is known, their keys and the server's are not.
#[tokio::test]
async fn the_persons_name_is_known_and_no_key_is() {
    let jail = Jail::new();
    let home = jail.path().join("home");
    for (file, text) in [
        (
            ".gitconfig",
            "[user]\nname = \"Anna \\\"A\\\" Example\"\nemail = anna@example.org\n[http]\nextraHeader = secret-in-config\n",
        ),
        (".ssh/id_ed25519", "secret-in-ssh"),
        (".aws/credentials", "secret-in-aws"),
        (".cargo/bin/tool", "#!/bin/sh\necho a tool of the person\n"),
        (".cargo/credentials.toml", "secret-in-cargo"),
        (".cargo/registry/index", "a registry"),
        ("notes.txt", "secret-in-notes"),
    ] {
        let file = home.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let host_id = "$PPID";
    let shell = |command: &str| ("shell_execute".to_owned(), json!({ "command": command }));
    let git = |args: &[&str]| ("git_command".to_owned(), json!({ "args": args }));
    let calls = Calls {
        launcher: launcher(),
        workspace: jail.workspace.clone(),
        network: false,
        calls: vec![
            git(&["init", "-q", "-b", "main"]),
            git(&["add", "."]),
            git(&["commit", "-q", "-m", "First"]),
            git(&["log", "--format=%an <%ae>"]),
            shell("tool; cat ~/.cargo/registry/index"),
            shell("env; set; cat /proc/*/environ | tr '\\0' '\\n'"),
            shell(&format!(
                "cat {0}/.ssh/* {0}/.aws/* {0}/notes.txt {0}/.gitconfig {0}/.cargo/credentials.toml",
                home.display()
            )),
            shell("cat ~/.ssh/* ~/.aws/* ~/notes.txt ~/.cargo/credentials.toml ~/.gitconfig"),
            shell(&format!("echo x > {}/.cargo/bin/new", home.display())),
            // Where temporary files are, as here, the command may have a folder of its own by that name.
            shell(&format!("echo x > {}/.bashrc; true", home.display())),
            shell(&format!("cat /proc/{host_id}/environ; ls {}", home.display())),
        ],
    };
    let environment = BTreeMap::from([
        ("HOME", home.display().to_string()),
        ("COWORK_API_KEY_MAIN", "secret-in-environment".to_owned()),
        ("OPENAI_API_KEY", "secret-in-environment".to_owned()),
    ]);
    let path = format!("{}/.cargo/bin:{}", home.display(), std::env::var("PATH").unwrap());
    let before = ["env".to_owned(), format!("PATH={path}")];
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    let mut host = Host::start(&before, &environment, &this_program(), &calls);
    let results: Vec<Value> = calls.calls.iter().map(|_| host.result()).collect();
    for result in &results {
        assert!(!result["text"].as_str().unwrap().contains("secret"), "{result}");
    }
    assert_eq!(results[3], json!({ "text": "Anna \"A\" Example <anna@example.org>", "error": null }));
    assert_eq!(results[4], json!({ "text": "a tool of the person\na registry", "error": null }));
    for failed in &results[6..9] {
        assert!(failed["error"].is_string(), "{failed}");
    }
    assert!(!home.join(".bashrc").exists() && !home.join(".cargo/bin/new").exists());
}

/// The server usually is no root; where the tests are, they become somebody else.
#[tokio::test]
async fn a_server_without_rights_confines_as_well() {
    let jail = Jail::new();
    let everyone = fs::Permissions::from_mode(0o777);
    for folder in [jail.path(), &jail.workspace] {
        fs::set_permissions(folder, everyone.clone()).unwrap();
    }
    let (program, launcher) = (for_everyone(&this_program(), jail.path()), for_everyone(&launcher(), jail.path()));
    let scripts = [
        ("id -u; grep -E '^Cap(Eff|Bnd|Amb)' /proc/self/status | grep -v 0000000000000000", false),
        ("echo ours > made.txt && cat made.txt", true),
        ("echo x > $OLDPWD/x || echo x > ../outside/new", false),
        ("cat ../outside/file", false),
        ("exec 3<>/dev/udp/127.0.0.1/9", false),
        ("unshare -Ur true", false),
        ("git init -q . && git add . && git status --short", true),
        ("echo evil > .git/hooks/pre-commit", false),
        ("mv .git away", false),
        (
            "perl -e '$n = 0; while ($n < 5000) { my $p = fork; last unless defined $p; if (!$p) { sleep 60; exit } $n++ } exit($n < 1100)'",
            false,
        ),
    ];
    let calls = Calls {
        launcher,
        workspace: jail.workspace.clone(),
        network: false,
        calls: scripts.iter().map(|(script, _)| ("shell_execute".to_owned(), json!({ "command": script }))).collect(),
    };
    let before: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"],
        false => &[],
    };
    let environment = BTreeMap::from([("HOME", jail.path().join("nowhere").display().to_string())]);
    let mut host = Host::start(before, &environment, &program, &calls);
    for (at, (script, works)) in scripts.iter().enumerate() {
        let result = host.result();
        assert_eq!(result["error"].is_null(), *works, "{script}: {result}");
        if at == 0 && rustix::process::geteuid().is_root() {
            assert_eq!(result["text"], "12345");
        }
    }
    assert!(!jail.outside.join("new").exists());
}

/// Runs on a thread to which the kernel refuses a call, as one without it does.
fn where_the_kernel_lacks(call: i64, error: i32, test: impl AsyncFnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let refusal = SeccompAction::Errno(error.unsigned_abs());
        let architecture = TargetArch::try_from(std::env::consts::ARCH).unwrap();
        let calls = [(call, vec![])].into();
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, refusal, architecture).unwrap();
        apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    });
    thread.join().unwrap();
}

#[test]
fn where_programs_cannot_be_confined_none_is_run() {
    for (call_number, error, word) in [
        (libc::SYS_landlock_create_ruleset, libc::ENOSYS, "Landlock"),
        (libc::SYS_landlock_create_ruleset, libc::EOPNOTSUPP, "Landlock"),
        (libc::SYS_landlock_restrict_self, libc::EPERM, "Landlock"),
        (libc::SYS_unshare, libc::EPERM, "namespaces"),
        (libc::SYS_mount, libc::EPERM, "file trees"),
        (libc::SYS_pivot_root, libc::EPERM, "root folder"),
        (libc::SYS_seccomp, libc::EINVAL, "system calls"),
        (libc::SYS_capset, libc::EPERM, "rights"),
    ] {
        where_the_kernel_lacks(call_number, error, async move || {
            let jail = Jail::new();
            let sandbox = confined();
            let Availability::Unavailable(reason) = sandbox.availability().await else {
                panic!("{word}: it is available")
            };
            assert!(reason.contains(word), "{word}: {reason}");
            let tried = jail.try_run_in(&sandbox, "touch ran").await;
            assert!(matches!(tried, Err(SandboxError::Unavailable(_))), "{word}: {tried:?}");
            let said = refusal(
                call(&tools(sandbox), &jail.workspace, "shell_execute", json!({ "command": "touch ran" })).await,
            );
            assert!(said.starts_with(&format!("Commands can't be run here: {reason}.")), "{said}");
            assert!(!jail.workspace.join("ran").exists(), "{word}");
            // The operator may choose to run without.
            assert_eq!(unconfined().availability().await, Availability::Unconfined);
        });
    }
}

/// The whole program on such a machine: the call fails, and person and model read why.
#[test]
fn where_programs_cannot_be_confined_a_session_says_why() {
    where_the_kernel_lacks(libc::SYS_landlock_create_ruleset, libc::ENOSYS, async || {
        let model = ScriptedModel::start().await;
        let home = Home::with(&model);
        model.play([model::call("s", "shell_execute", &json!({"command": "touch ran"})), say("Then not.")]);
        let process = home.start().await;
        let id = process.api.create(json!({})).await;
        let mut socket = process.socket(&id, "").await;
        process.api.send(&id, "Do it").await;
        let asked = socket.wait("approval_requested").await;
        let path = format!("/cowork/sessions/{id}/approvals/{}", asked["approval_id"].as_str().unwrap());
        process.api.post(&path, json!({"decision": "approve"})).await.expect(200);
        let done = socket.wait("tool_call_completed").await;
        let why = done["error"].as_str().unwrap();
        assert!(why.starts_with("Commands can't be run here: ") && why.contains("Landlock"), "{why}");
        assert!(why.contains("ask the person to tell whoever runs this server"), "{why}");
        socket.wait("turn_completed").await;
        assert!(!home.workspace.join("ran").exists());
        let told = model.last_messages().pop().unwrap()["content"].as_str().unwrap().to_owned();
        assert_eq!(told, format!("Error: {why}"));
        let page = process.api.page(&format!("/sessions/{id}")).await.text;
        let shown = why.split_once("run here: ").unwrap().1.split(['\'', '"', '<', '&']).next().unwrap();
        assert!(shown.len() > 10 && page.contains(shown), "{shown:?} is not on the page");
    });
}

/// A server without commands is a server; whoever looks after it is told.
#[test]
fn where_programs_cannot_be_confined_the_doctor_says_so_and_calls_it_no_failure() {
    where_the_kernel_lacks(libc::SYS_landlock_create_ruleset, libc::ENOSYS, async || {
        let home = Home::new();
        let told = home.run(&["doctor", "--database", home.database.to_str().unwrap()]).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        let line =
            told.out.lines().find(|line| line.starts_with("look  sandbox: ")).unwrap_or_else(|| panic!("{told:?}"));
        assert!(line.contains("Landlock") && line.ends_with("The agent runs no commands here"), "{line}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_container_whose_proc_is_half_read_only_programs_are_confined_as_well() {
    let home = Home::new();
    let told = home.run_in_container(&["doctor", "--database", home.database.to_str().unwrap()]).await;
    assert!(told.out.contains("ok    sandbox: commands run confined"), "{told:?}");
}

#[tokio::test]
async fn a_launcher_that_is_not_there_is_no_permission() {
    let jail = Jail::new();
    let sandbox = Sandbox::new(jail.path().join("cowork"), Settings::default());
    let Availability::Unavailable(reason) = sandbox.availability().await else { panic!() };
    assert!(reason.contains("the launcher can't be started"), "{reason}");
    // A program that answers nothing is none either.
    let sandbox = Sandbox::new("/bin/true", Settings::default());
    assert!(matches!(sandbox.availability().await, Availability::Unavailable(_)));
}

#[tokio::test]
async fn a_network_is_given_where_the_operator_allows_it_but_not_to_the_servers_own_port() {
    let jail = Jail::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let online = sandbox(Settings { network: true, ..Settings::default() });
    assert_available(&online).await;
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{port}");
    let ended = jail.run_in(&online, &connect).await;
    assert!(ended.output.contains("Permission denied"), "{ended:?}");
    // Refused by nobody there, not by the sandbox.
    let ended = jail.run_in(&online, "exec 3<>/dev/tcp/127.0.0.1/9418").await;
    assert!(ended.output.contains("Connection refused"), "{ended:?}");
    assert_eq!(jail.run_in(&online, "echo x > /dev/udp/127.0.0.1/9 && echo sent").await.output, "sent\n");
    for script in [
        "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0) or exit 1'",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0) && bind(S, pack_sockaddr_in(0, INADDR_ANY)) or exit 1'",
        "perl -MSocket -e 'socket(S, 16, SOCK_RAW, 15) or exit 1'",
        "cat ../outside/file",
        "echo x > ../outside/new",
    ] {
        let ended = jail.run_in(&online, script).await;
        assert_ne!(ended.how, cowork::sandbox::End::Exited(0), "`{script}` got through: {}", ended.output);
    }
    // Its own port stays closed even where it is one of those that are open.
    let own = sandbox(Settings { network: true, port: Some(9418), ..Settings::default() });
    let ended = jail.run_in(&own, "exec 3<>/dev/tcp/127.0.0.1/9418").await;
    assert!(ended.output.contains("Permission denied"), "{ended:?}");
}
