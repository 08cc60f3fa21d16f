//! One module a verb.

mod access;
mod config;
mod constituency;
mod data;
mod detect;
mod explain;
mod mrt;
mod readiness;
mod relations;
mod rpki;
pub(crate) mod scenario;
mod serve;
mod validate;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
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
        Command::Readiness(args) => readiness::run(&args),
        Command::Compare(args) => readiness::compare::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Constituency(command) => constituency::run(&command),
        Command::Rpki(command) => rpki::run(&command),
        Command::Scenario(command) => scenario::run(&command),
        Command::Config(command) => config::run(&command),
        Command::Serve(args) => serve::run(&args),
        Command::Data(command) => data::run(&command),
        Command::User(command) => access::run_user(&command),
        Command::Token(command) => access::run_token(&command),
        Command::Audit(command) => access::run_audit(&command),
        Command::Completions { shell } => completions(shell),
        Command::Man { dir: None } => man(),
        Command::Man { dir: Some(dir) } => man_pages(&dir),
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
    for (_, page) in pages() {
        page.render(&mut text)?;
    }
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}

/// The same, a file a page.
fn man_pages(dir: &Path) -> Result<Exit> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for (name, page) in pages() {
        let mut text = Vec::new();
        page.render(&mut text)?;
        let path = dir.join(format!("{name}.1"));
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Exit::Done)
}

fn pages() -> Vec<(String, clap_mangen::Man)> {
    let command = Cli::command();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let verbs = verbs.map(|verb| {
        let name = format!("routewarden-{}", verb.get_name());
        (name.clone(), clap_mangen::Man::new(verb.clone().name(name)))
    });
    let program = ("routewarden".to_owned(), clap_mangen::Man::new(command.clone()));
    std::iter::once(program).chain(verbs).collect()
}
