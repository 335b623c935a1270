use super::*;

fn call(line: &str) -> GitCall {
    let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    GitCall::read(&args).unwrap_or_else(|refusal| panic!("{line}: {refusal}"))
}

#[test]
fn calls_that_look_are_told_from_calls_that_could_do_more() {
    for line in [
        "status",
        "status --short --branch",
        "status --porcelain=v2 -z",
        "diff",
        "diff --stat HEAD~2 -- src",
        "diff main..dev",
        "log --oneline -20",
        "log -n 5 --author=Anna --since=2.weeks --format=%h%x09%s",
        "log -p -U1 -S needle -- a.txt",
        "show HEAD:a.txt",
        "blame -L 1,20 a.txt",
        "ls-files --others --exclude-standard",
        "rev-parse --abbrev-ref HEAD",
        "branch",
        "branch -vv",
        "remote -v",
        "stash list",
        "tag -l",
    ] {
        assert!(call(line).looks(), "{line}");
    }
    for line in [
        "diff --output=x",
        "diff --outpu=x",
        "diff --ext-diff",
        "log --textconv",
        "show --show-signature",
        "diff --no-index a b",
        "diff /etc/passwd a",
        "diff ../a b",
        "show HEAD:../a",
        "log -O/tmp/order",
        "blame --contents /etc/passwd a",
        "ls-files -X/etc/passwd",
        "rev-parse --parseopt",
        "branch new",
        "branch -d old",
        "tag v1",
        "stash",
        "remote add x y",
        "remote show origin",
        "commit -m x",
        "add .",
        "init",
    ] {
        assert!(!call(line).looks(), "{line}");
    }
}

#[test]
fn what_cannot_be_had_back_has_no_scope() {
    for line in [
        "push -f",
        "push --force origin main",
        "push --forc",
        "push --force-with-lease=main",
        "push origin +main",
        "push origin :old",
        "push -vf",
        "push --delete origin x",
        "reset --hard",
        "reset --har HEAD~1",
        "branch -D x",
        "branch -fD x",
        "branch --delete --force x",
        "clean -fd",
        "clean",
        "restore .",
        "checkout .",
        "checkout -- a.txt",
        "checkout -f main",
        "stash drop",
        "tag -d v1",
        "rebase -x true main",
        "rm -rf src",
        "remote set-url origin x",
    ] {
        assert_eq!(call(line).scope(), None, "{line}");
    }
    for (line, expected) in [
        ("commit -m x", "git commit"),
        ("commit --amend --no-edit", "git commit"),
        ("push origin main", "git push"),
        ("push -u origin main", "git push"),
        ("branch -d merged", "git branch"),
        ("reset HEAD a.txt", "git reset"),
        ("checkout -b new", "git checkout"),
        ("stash push", "git stash"),
    ] {
        assert_eq!(call(line).scope().as_deref(), Some(expected), "{line}");
    }
    let message = ["commit", "-m", "push --force is a bad idea"].map(String::from);
    assert_eq!(GitCall::read(&message).unwrap().scope().as_deref(), Some("git commit"));
}

#[test]
fn the_network_is_needed_by_few() {
    for line in ["fetch", "pull --rebase", "push origin main", "remote update", "remote show origin"] {
        assert!(call(line).needs_network(), "{line}");
    }
    for line in ["remote -v", "remote add origin x", "status", "merge origin/main"] {
        assert!(!call(line).needs_network(), "{line}");
    }
}

#[test]
fn refusals_say_what_to_do() {
    let refused = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        GitCall::read(&args).unwrap_err()
    };
    assert!(refused(&[]).contains("[\"status\", \"--short\"]"));
    assert!(refused(&["-C", "/", "status"]).contains("Begin with the subcommand"));
    assert!(refused(&["config", "user.name", "x"]).starts_with("`git config` is not run by this tool, which has add,"));
    assert!(refused(&["add", "a\0b"]).contains("zero byte"));
}

#[test]
fn the_program_gets_settings_that_run_nothing() {
    let argv = call("log -1").argv();
    assert_eq!(argv[..4], ["git", "--no-pager", "-c", "core.hooksPath=/dev/null"]);
    assert_eq!(argv[argv.len() - 4..], ["log", "--no-ext-diff", "--no-textconv", "-1"]);
}
