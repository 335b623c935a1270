//! `cowork token`: the secret that scripts show, and its replacement.

use anyhow::Context;
use clap::Args;
use cowork::access;

use super::Place;

#[derive(Args)]
pub struct TokenArgs {
    #[command(flatten)]
    place: Place,
    /// Replace the token: every browser and script that came in by it is signed out at once.
    #[arg(long)]
    rotate: bool,
}

pub fn run(args: &TokenArgs) -> anyhow::Result<()> {
    let (_, database) = args.place.load()?;
    let data = database.data_folder();
    let token = if args.rotate { access::rotate_token(&data) } else { access::token(&data) };
    println!("{}", token.with_context(|| format!("The token in {} can't be read or written", data.display()))?);
    Ok(())
}
