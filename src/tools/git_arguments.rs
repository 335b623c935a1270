//! The arguments of a Git call: which there are, which only look, which take something away for good, and which need
//! the network.

/// What the tool runs. Others either only make sense for a person (`config`, `gc`) or can be had from the shell.
const SUBCOMMANDS: &[&str] = &[
    "add",
    "blame",
    "branch",
    "checkout",
    "cherry-pick",
    "clean",
    "commit",
    "diff",
    "fetch",
    "init",
    "log",
    "ls-files",
    "merge",
    "mv",
    "pull",
    "push",
    "rebase",
    "remote",
    "reset",
    "restore",
    "rev-parse",
    "revert",
    "rm",
    "show",
    "stash",
    "status",
    "switch",
    "tag",
];
/// These look, as long as no option makes them write or run something.
const LOOK: &[&str] = &["blame", "diff", "log", "ls-files", "rev-parse", "show", "status"];
/// Calls that list, written out. Their other forms change something.
const LISTS: &[&[&str]] = &[
    &["branch"],
    &["branch", "-a"],
    &["branch", "-r"],
    &["branch", "-v"],
    &["branch", "-vv"],
    &["branch", "-av"],
    &["branch", "--all"],
    &["branch", "--list"],
    &["branch", "--show-current"],
    &["remote"],
    &["remote", "-v"],
    &["stash", "list"],
    &["tag"],
    &["tag", "-l"],
    &["tag", "--list"],
];
/// Options that neither write nor run anything, whole.
const HARMLESS: &str = "\
    -- -a -b -C -c -G -i -L -M -m -n -o -p -q -S -s -sb -t -u -v -w -z --abbrev-commit --abbrev-ref --all \
    --author --branch --branches --cached --cc --check --color-words --combined-all-paths --date-order \
    --decorate --deleted --exclude-standard --exit-code --find-renames --first-parent --follow --full-history \
    --full-index --git-dir --graph --histogram --ignored --ignore-all-space --ignore-blank-lines \
    --ignore-space-at-eol --ignore-space-change --is-inside-work-tree --left-right --line-porcelain --long \
    --merge-base --merges --minimal --modified --name-only --name-status --no-abbrev-commit --no-color \
    --no-decorate --no-merges --no-patch --no-renames --numstat --oneline --others --patch --patch-with-stat \
    --patience --porcelain --quiet --raw --regexp-ignore-case --relative --remotes --reverse --root --short \
    --shortstat --show-prefix --show-stash --show-toplevel --stage --staged --stat --summary \
    --symbolic-full-name --tags --topo-order --unmerged --untracked --untracked-files --verify --word-diff";
/// The same with a value behind them.
const HARMLESS_WITH_VALUE: &str = "\
    --abbrev= --abbrev-ref= --after= --author= --before= --branches= --color= --committer= --date= --decorate= \
    --diff-algorithm= --diff-filter= --find-renames= --format= --grep= --ignored= --inter-hunk-context= \
    --max-count= --min-parents= --porcelain= --pretty= --remotes= --short= --since= --skip= --stat= --tags= \
    --unified= --until= --untracked-files= --word-diff= -G -L -S -U -u";
/// What each of these takes away can't be had back: a subcommand, and a long option or the letter of a short one.
const DRASTIC: &[(&str, &str, char)] = &[
    ("branch", "--force", 'f'),
    ("branch", "--delete", 'D'),
    ("branch", "--move", 'M'),
    ("branch", "--copy", 'C'),
    ("checkout", "--force", 'f'),
    ("checkout", "--", 'B'),
    ("push", "--force", 'f'),
    ("push", "--force-with-lease", 'f'),
    ("push", "--delete", 'd'),
    ("push", "--mirror", 'f'),
    ("push", "--prune", 'f'),
    ("rebase", "--exec", 'x'),
    ("reset", "--hard", '\0'),
    ("reset", "--merge", '\0'),
    ("rm", "--force", 'f'),
    ("switch", "--discard-changes", 'f'),
    ("switch", "--force", 'C'),
    ("tag", "--delete", 'd'),
    ("tag", "--force", 'f'),
];
/// Drastic whatever the options are.
const ALWAYS_DRASTIC: &[&str] = &["clean", "restore"];
const NETWORK: &[&str] = &["fetch", "pull", "push"];
/// A long option may be written shorter; with so few letters behind its dashes it is some other one.
const LEAST_LETTERS: usize = 3;

/// Nothing of the person's own runs because of these, and nothing waits.
const SETTINGS: &[&str] = &[
    "--no-pager",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "credential.helper=",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "color.ui=never",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitCall {
    args: Vec<String>,
}

impl GitCall {
    /// The error says what to do instead.
    pub fn read(args: &[String]) -> Result<Self, String> {
        let Some(subcommand) = args.first() else {
            return Err("`args` is empty. Begin with the subcommand, such as [\"status\", \"--short\"].".into());
        };
        if subcommand.starts_with('-') {
            return Err(format!(
                "`args` begins with `{subcommand}`. Begin with the subcommand, such as [\"log\", \"--oneline\"]; the \
                 call always runs in the workspace."
            ));
        }
        if args.iter().any(|arg| arg.contains('\0')) {
            return Err("`args` holds a zero byte, which no argument can have.".into());
        }
        if !SUBCOMMANDS.contains(&subcommand.as_str()) {
            return Err(format!(
                "`git {subcommand}` is not run by this tool, which has {}. Other programs run with shell_execute.",
                SUBCOMMANDS.join(", ")
            ));
        }
        Ok(Self { args: args.to_vec() })
    }

    fn subcommand(&self) -> &str {
        &self.args[0]
    }

    /// Whether it changes nothing and leaves nothing: such a call gets a workspace that it can only read.
    pub fn looks(&self) -> bool {
        let listed = |call: &&[&str]| call.iter().copied().eq(self.args.iter().map(String::as_str));
        LISTS.iter().any(listed)
            || LOOK.contains(&self.subcommand()) && self.args[1..].iter().all(|arg| is_harmless(arg))
    }

    pub fn needs_network(&self) -> bool {
        let second = self.args.get(1).map(String::as_str);
        NETWORK.contains(&self.subcommand())
            || self.subcommand() == "remote" && matches!(second, Some("update" | "show" | "prune"))
    }

    /// What an "always" is narrowed to; none for what can't be had back.
    pub fn scope(&self) -> Option<String> {
        (!self.is_drastic()).then(|| format!("git {}", self.subcommand()))
    }

    fn is_drastic(&self) -> bool {
        let subcommand = self.subcommand();
        let rest = &self.args[1..];
        if ALWAYS_DRASTIC.contains(&subcommand) {
            return true;
        }
        // `+main` is a forced push, `:main` a deletion, `.` behind `checkout` gives up all changes.
        let by_name = match subcommand {
            "push" => rest.iter().any(|arg| arg.starts_with(['+', ':'])),
            "checkout" => rest.iter().any(|arg| arg == "." || arg.starts_with("./")),
            "stash" => matches!(rest.first().map(String::as_str), Some("drop" | "clear")),
            "remote" => matches!(rest.first().map(String::as_str), Some("remove" | "rm" | "set-url")),
            _ => false,
        };
        let options = DRASTIC.iter().filter(|(of, ..)| *of == subcommand);
        by_name || options.into_iter().any(|(_, long, short)| rest.iter().any(|arg| is_option(arg, long, *short)))
    }

    /// The program and its arguments.
    pub fn argv(&self) -> Vec<String> {
        let own = self.own_options().iter().map(|option| (*option).to_owned());
        let before = ["git"].iter().chain(SETTINGS).map(|word| (*word).to_owned());
        before.chain([self.subcommand().to_owned()]).chain(own).chain(self.args[1..].iter().cloned()).collect()
    }

    /// What keeps programs that are configured for a kind of file from being run.
    fn own_options(&self) -> &'static [&'static str] {
        match self.subcommand() {
            "diff" | "log" | "show" => &["--no-ext-diff", "--no-textconv"],
            "blame" => &["--no-textconv"],
            _ => &[],
        }
    }
}

fn is_harmless(arg: &str) -> bool {
    if !arg.starts_with('-') {
        // Two files outside of the repository are compared like any others.
        return !arg.starts_with('/') && !arg.split('/').any(|part| part == ".." || part.ends_with(":.."));
    }
    let number = arg.strip_prefix("-n").or_else(|| arg.strip_prefix('-')).unwrap_or_default();
    HARMLESS.split_whitespace().any(|option| arg == option)
        || HARMLESS_WITH_VALUE.split_whitespace().any(|option| arg.len() > option.len() && arg.starts_with(option))
        || !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

/// Whether an argument is this option: whole, cut short, with a value, or among other letters.
fn is_option(arg: &str, long: &str, short: char) -> bool {
    let name = arg.split('=').next().unwrap_or(arg);
    if name == long {
        return true;
    }
    match arg.strip_prefix("--") {
        Some(_) => name.len() >= 2 + LEAST_LETTERS && long.starts_with(name),
        None => arg.strip_prefix('-').is_some_and(|letters| letters.contains(short)),
    }
}

#[cfg(test)]
#[path = "git_arguments_tests.rs"]
mod git_arguments_tests;
