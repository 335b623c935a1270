//! `cowork user`: the people and services of the users file.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::Path,
};

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use cowork::access::{self, Users};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::Place;

#[derive(Args)]
pub struct UserArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Subcommand)]
enum Action {
    /// Add a person, or give one another password; it is asked for, or read from standard input.
    Add { name: String },
    /// Add a service, or replace its token; the token is printed now and never again.
    AddService { name: String },
    /// Take one out: their browsers and scripts are signed out at once.
    Remove { name: String },
    /// Who is in the file.
    List,
}

pub fn run(args: &UserArgs) -> anyhow::Result<()> {
    let (loaded, database) = args.place.load()?;
    let file = access::users_file(&database.data_folder(), &loaded.config.access);
    let mut users = Users::load(&file).with_context(|| format!("{} can't be read", file.display()))?;
    match &args.action {
        Action::Add { name } => {
            access::check_name(name).map_err(anyhow::Error::msg)?;
            users.set_password(name, &password()?)?;
            save(&users, &file, &format!("{name} may sign in with this password"))
        }
        Action::AddService { name } => {
            let token = users.set_token(name)?;
            save(&users, &file, &format!("{name} may use the token on the next line, which is kept nowhere"))?;
            println!("{token}");
            Ok(())
        }
        Action::Remove { name } => {
            ensure!(users.remove(name), "{name} is not in {}. `cowork user list` shows who is", file.display());
            save(&users, &file, &format!("{name} is signed out and can't come in any more"))
        }
        Action::List => {
            for user in users.iter() {
                println!("{}\t{}", user.name, user.kind.name());
            }
            Ok(())
        }
    }
}

fn save(users: &Users, file: &Path, done: &str) -> anyhow::Result<()> {
    users.save(file)?;
    eprintln!("{done} ({}).", file.display());
    Ok(())
}

/// Typed twice at a terminal, unseen; one line where there is none.
fn password() -> anyhow::Result<String> {
    let input = io::stdin();
    if !input.is_terminal() {
        return line();
    }
    let before = tcgetattr(&input).context("The terminal does not answer")?;
    let mut unseen = before.clone();
    unseen.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&input, OptionalActions::Flush, &unseen)?;
    let typed = ask("Password: ").and_then(|first| Ok((first, ask("Once more: ")?)));
    tcsetattr(&input, OptionalActions::Flush, &before)?;
    let (first, second) = typed?;
    ensure!(first == second, "The two are not the same. Nothing was changed");
    Ok(first)
}

fn ask(question: &str) -> anyhow::Result<String> {
    eprint!("{question}");
    io::stderr().flush()?;
    let typed = line();
    eprintln!();
    typed
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
