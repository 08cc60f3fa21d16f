//! One module a verb.

mod constituency;
mod detect;
mod explain;
mod mrt;
mod relations;
mod rpki;
pub(crate) mod scenario;
mod validate;

use std::io::{self, Write};

use anyhow::Result;
use clap::CommandFactory;

use crate::Exit;
use crate::cli::{Cli, Command};

/// Runs the verb.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    match cli.command {
        Command::Detect(args) => detect::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Mrt(args) => mrt::run(&args),
        Command::Relations(args) => relations::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Constituency(command) => constituency::run(&command),
        Command::Rpki(command) => rpki::run(&command),
        Command::Scenario(command) => scenario::run(&command),
        Command::Completions { shell } => completions(shell),
        Command::Man => man(),
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "routewarden", &mut text);
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}

/// The program's page, then one for each verb.
fn man() -> Result<Exit> {
    let mut text = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        let name = format!("routewarden-{}", verb.get_name());
        clap_mangen::Man::new(verb.clone().name(name)).render(&mut text)?;
    }
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}
