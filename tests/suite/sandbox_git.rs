//! Programs in the sandbox try to make the person's own Git run something, and use Git themselves.

use std::{fs, path::Path, process::Command};

use cowork::sandbox::End;

use crate::support::jail::{Jail, assert_available, confined, snapshot, unconfined};

/// Git in the open, as the person has it.
fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=Anna", "-c", "user.email=anna@example.org", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn repository(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    git(folder, &["init", "-q", "-b", "main"]);
    git(folder, &["commit", "-q", "--allow-empty", "-m", "first"]);
    fs::write(folder.join(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n").unwrap();
}

/// A workspace that is a repository, with another one inside, a submodule and a worktree.
fn jail() -> Jail {
    let jail = Jail::new();
    repository(&jail.workspace);
    repository(&jail.workspace.join("deep/down/inner"));
    repository(&jail.outside.join("module"));
    let module = jail.outside.join("module").display().to_string();
    git(&jail.workspace, &["submodule", "--quiet", "add", &module, "module"]);
    git(&jail.workspace, &["worktree", "add", "-q", "tree", "-b", "tree"]);
    jail
}

/// All that makes Git run something, of every repository.
fn settings(jail: &Jail) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    let repositories = [".git", "deep/down/inner/.git", ".git/modules/module", ".git/worktrees/tree"];
    for repository in repositories.map(|repository| jail.workspace.join(repository)) {
        let hooks = repository.join("hooks");
        found.extend(if hooks.exists() { snapshot(&hooks) } else { Vec::new() });
        for file in ["config", "config.worktree", "commondir"] {
            let path = repository.join(file);
            let text = fs::read_to_string(&path).unwrap_or_else(|error| error.to_string());
            found.push((path, text));
        }
    }
    for file in ["module/.git", "tree/.git"] {
        let path = jail.workspace.join(file);
        found.push((path.clone(), fs::read_to_string(&path).unwrap_or_else(|error| error.to_string())));
    }
    found
}

#[tokio::test]
async fn hooks_and_settings_of_repositories_stay_as_they_are() {
    let confined = confined();
    assert_available(&confined).await;
    for script in [
        "echo evil > .git/hooks/pre-commit",
        "echo evil > .git/hooks/post-checkout",
        "rm .git/hooks/pre-commit",
        "echo evil > new && mv new .git/hooks/pre-commit",
        "mv .git/hooks away && mkdir .git/hooks && echo evil > .git/hooks/pre-commit",
        "mv .git away && mkdir -p .git/hooks && cp -r away/. .git && echo evil > .git/hooks/pre-commit",
        "rm -rf .git && git init -q && echo evil > .git/hooks/pre-commit",
        "rm -rf .git/hooks && ln -s ../evil .git/hooks",
        "chmod 777 .git/hooks && echo evil > .git/hooks/pre-commit",
        "ln .git/hooks/pre-commit here && echo evil > here",
        "ln -s .git/hooks way && echo evil > way/pre-commit",
        "echo evil >> .git/config",
        "git config core.hooksPath /tmp/evil",
        "git config core.fsmonitor evil",
        "echo evil > new && mv -f new .git/config",
        "rm -f .git/config && echo evil > .git/config",
        "ln -f own.txt .git/config",
        "echo evil > deep/down/inner/.git/hooks/pre-commit",
        "git -C deep/down/inner config core.fsmonitor evil",
        "mv deep away && mkdir -p deep/down/inner/.git/hooks && echo evil > deep/down/inner/.git/hooks/pre-commit",
        "mv deep/down/inner away && mkdir -p deep/down/inner/.git && echo evil > deep/down/inner/.git/config",
        "mv deep/down/inner/.git away && mkdir -p deep/down/inner/.git && echo evil > deep/down/inner/.git/config",
        "echo evil >> .git/modules/module/config",
        "echo evil > .git/modules/module/hooks/pre-commit",
        "mv .git/modules/module away && mkdir -p .git/modules/module && echo evil > .git/modules/module/config",
        "mv .git/modules away && mkdir -p .git/modules/module && echo evil > .git/modules/module/config",
        "echo 'gitdir: /tmp/evil' > module/.git",
        "rm -f module/.git && mkdir module/.git && echo evil > module/.git/config",
        "mv module away && mkdir module && echo 'gitdir: ../evil' > module/.git",
        "echo 'gitdir: /tmp/evil' > tree/.git",
        "echo ../../../evil > .git/worktrees/tree/commondir",
        "mv .git/worktrees/tree away && mkdir .git/worktrees/tree && echo ../evil > .git/worktrees/tree/commondir",
    ] {
        let jail = jail();
        let before = settings(&jail);
        let ended = jail.run_in(&confined, script).await;
        assert_ne!(ended.how, End::Exited(0), "`{script}` got through: {}", ended.output);
        assert_eq!(settings(&jail), before, "{script}");
        // Without the sandbox it works, so that its failure shows something.
        let ended = jail.run_in(&unconfined(), script).await;
        assert!(ended.how == End::Exited(0) && settings(&jail) != before, "`{script}` does nothing: {}", ended.output);
    }
}

#[tokio::test]
async fn what_could_not_be_closed_is_gone_at_the_end() {
    for (script, removed) in [
        ("mkdir evil && echo ../evil > .git/commondir", ".git/commondir"),
        ("echo evil > .git/config.worktree", ".git/config.worktree"),
        ("mkdir .git/commondir; chmod 555 .git", ".git/commondir"),
        ("echo ../evil > .git/commondir; chmod 555 .git", ".git/commondir"),
        ("ln -s ../evil .git/commondir", ".git/commondir"),
        ("(setsid bash -c 'while :; do echo ../evil > .git/commondir; done' &) ; sleep 0.2", ".git/commondir"),
    ] {
        let jail = jail();
        let before = settings(&jail);
        let ended = jail.run(script).await;
        assert_eq!(ended.how, End::Exited(0), "{script}: {}", ended.output);
        assert_eq!(ended.removed, [jail.workspace.join(removed).display().to_string()], "{script}");
        assert_eq!(settings(&jail), before, "{script}");
    }
    // Links can't be closed either; they are put back.
    let jail = jail();
    let hooks = jail.workspace.join(".git/hooks");
    fs::rename(&hooks, jail.workspace.join("shared-hooks")).unwrap();
    std::os::unix::fs::symlink("../shared-hooks", &hooks).unwrap();
    let ended = jail.run("rm .git/hooks && mkdir .git/hooks && echo evil > .git/hooks/pre-commit").await;
    assert_eq!(ended.removed, [hooks.display().to_string()]);
    assert_eq!(fs::read_link(&hooks).unwrap(), Path::new("../shared-hooks"));
    jail.refused("echo evil > shared-hooks/pre-commit").await;
}

#[tokio::test]
async fn git_works_in_the_sandbox() {
    let jail = Jail::new();
    let made = jail
        .output(
            "git init -q -b main && git add own.txt && \
             git -c user.name=Anna -c user.email=a@b commit -qm First && git log --format=%s && git status --short",
        )
        .await;
    assert_eq!(made, "First\n");
    let went_on = jail
        .output(
            "export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@b; \
             git checkout -qb side && echo more >> own.txt && git commit -qam Second && git checkout -q main && \
             git merge -q side && git stash list && git tag v1 && git branch -d side && git gc -q && \
             git log --format=%s && git fsck",
        )
        .await;
    assert!(went_on.contains("Second\nFirst\n"), "{went_on}");
    git(&jail.workspace, &["fsck", "--strict"]);
}
