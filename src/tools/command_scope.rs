//! The beginning of a command line by which a person can allow all of its kind: the program and, for those that are
//! many in one, what it is to do. Where a beginning says too little of the rest there is none.

use super::git_arguments::GitCall;

/// With any of these a command line may be several, or go somewhere else than it says.
const OPERATORS: &[char] = &[';', '&', '|', '<', '>', '(', ')', '{', '}', '$', '`', '\\', '!', '\n', '\r'];
/// Programs that run what they are told.
const RUN_OTHERS: &[&str] = &[
    ".", "ash", "awk", "bash", "builtin", "command", "dash", "doas", "env", "eval", "exec", "fd", "find", "fish",
    "flock", "gawk", "ionice", "ksh", "mawk", "nice", "nohup", "parallel", "screen", "script", "setsid", "sh",
    "source", "ssh", "stdbuf", "strace", "su", "sudo", "time", "timeout", "tmux", "trap", "unshare", "watch", "xargs",
    "zsh",
];
/// Programs whose every call deserves a look, since what they take away is gone.
const TAKE_AWAY: &[&str] =
    &["chmod", "chown", "dd", "kill", "killall", "mv", "pkill", "rm", "rmdir", "shred", "truncate"];
/// Programs that are many in one.
const MANY_IN_ONE: &[&str] = &[
    "apt",
    "apt-get",
    "brew",
    "bun",
    "bundle",
    "cargo",
    "composer",
    "conda",
    "deno",
    "docker",
    "dotnet",
    "gem",
    "gh",
    "go",
    "gradle",
    "helm",
    "just",
    "kubectl",
    "make",
    "mise",
    "mix",
    "mvn",
    "npm",
    "npx",
    "pip",
    "pip3",
    "pipx",
    "pnpm",
    "podman",
    "poetry",
    "rake",
    "rustup",
    "systemctl",
    "terraform",
    "uv",
    "uvx",
    "yarn",
];
/// What runs a program of the project or of the net; which one stands behind it.
const RUN_WORDS: &[&str] = &["dlx", "exec", "run", "run-script", "task", "tool", "x"];
/// Programs that run a script.
const INTERPRETERS: &[&str] = &["java", "lua", "node", "perl", "php", "python", "python3", "ruby", "Rscript"];

pub fn scope(command: &str) -> Option<String> {
    if command.trim().contains(OPERATORS) {
        return None;
    }
    let words: Vec<&str> = command.split_whitespace().collect();
    let program = *words.first().filter(|word| is_plain(word))?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if RUN_OTHERS.contains(&name) || TAKE_AWAY.contains(&name) {
        return None;
    }
    if name == "git" {
        let rest: Vec<String> = words[1..].iter().map(|word| (*word).to_owned()).collect();
        return GitCall::read(&rest).ok()?.scope();
    }
    let so_many = if MANY_IN_ONE.contains(&name) {
        match words.get(1) {
            Some(word) if RUN_WORDS.contains(word) && name != "cargo" => 3,
            Some(_) => 2,
            None => 1,
        }
    } else if INTERPRETERS.contains(&name) {
        // A module of Python is named like a program.
        if words.get(1) == Some(&"-m") { 3 } else { 2 }
    } else {
        1
    };
    let beginning = words.get(..so_many)?;
    let module = |at: usize, word: &str| at == 1 && word == "-m" && so_many == 3;
    let plain = beginning.iter().enumerate().all(|(at, word)| is_plain(word) || module(at, word));
    plain.then(|| beginning.join(" "))
}

/// A name as it stands: no option, no quotes, no assignment, no pattern.
fn is_plain(word: &str) -> bool {
    !word.starts_with('-') && word.chars().all(|c| c.is_alphanumeric() || "._+-/:@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_names_the_program_and_what_it_does() {
        for (command, expected) in [
            ("ls -la invoices", "ls"),
            ("ls", "ls"),
            ("  wc -l \"two words.txt\" ", "wc"),
            ("/usr/bin/sort -u x.csv", "/usr/bin/sort"),
            ("./build.sh --fast", "./build.sh"),
            ("cargo test --workspace", "cargo test"),
            ("cargo run", "cargo run"),
            ("npm run build -- --watch", "npm run build"),
            ("npm install", "npm install"),
            ("make", "make"),
            ("make test", "make test"),
            ("python3 report.py --month 3", "python3 report.py"),
            ("python3 -m pytest -q", "python3 -m pytest"),
            ("git commit -m \"push --force\"", "git commit"),
            ("git push origin main", "git push"),
        ] {
            assert_eq!(scope(command).as_deref(), Some(expected), "{command}");
        }
    }

    #[test]
    fn nothing_is_allowed_for_good_that_could_be_something_else() {
        for command in [
            "",
            "ls; rm -rf .",
            "ls && rm x",
            "ls | sh",
            "ls > x",
            "ls & rm x",
            "ls\nrm x",
            "ls $(rm x)",
            "ls `rm x`",
            "ls ${x}",
            "ls <(rm x)",
            "ls \\; rm",
            "{ rm x; }",
            "FOO=1 ls",
            "'ls' -l",
            "l*",
            "bash -c ls",
            "sudo ls",
            "env ls",
            "xargs rm",
            "find . -delete",
            "timeout 5 rm x",
            "rm -rf build",
            "/bin/rm x",
            "mv a b",
            "python3 -c 'import os'",
            "python3",
            "python3 -m",
            "node -e 1",
            "npm run",
            "npm --prefix x test",
            "uv run",
            "cargo --config x test",
            "git -c alias.x=!rm x",
            "git push --force",
            "git push origin +main",
            "git reset --hard",
            "git branch -D main",
            "git clean -fdx",
            "git config user.name x",
        ] {
            assert_eq!(scope(command), None, "{command}");
        }
    }
}
