//! `routewarden config`.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::Exit;
use crate::cli::{ConfigArgs, ConfigCheckArgs, ConfigCommand, DocumentFormat};
use crate::config::{self, Checked, ConfigError, Finding, Weight};
use crate::exit::UsageError;

/// The document of `config check --format json`.
#[derive(Serialize)]
struct Document<'a> {
    file: &'a Path,
    /// Whether the configuration is taken.
    ok: bool,
    findings: &'a [Finding],
    /// Findings beyond those that are told.
    untold: usize,
}

pub(super) fn run(command: &ConfigCommand) -> Result<Exit> {
    match command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Show(args) => show(args),
        ConfigCommand::Example => print(config::EXAMPLE),
        ConfigCommand::Schema => {
            print(&format!("{}\n", serde_json::to_string_pretty(&config::schema())?))
        }
    }
}

fn print(text: &str) -> Result<Exit> {
    io::stdout().write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

/// The configuration that the command line names. What is wrong with it is told as wrong usage.
pub(crate) fn load(args: &ConfigArgs) -> Result<Checked> {
    let mut checked = config::load(&args.config).map_err(usage)?;
    checked.config.apply(args.overrides());
    Ok(checked)
}

fn usage(error: ConfigError) -> anyhow::Error {
    match error {
        ConfigError::Refused(refused) => UsageError(refused.to_string()).into(),
        error @ ConfigError::Read { .. } => {
            let text = error.to_string();
            anyhow::Error::new(error).context(UsageError(text))
        }
    }
}

fn check(args: &ConfigCheckArgs) -> Result<Exit> {
    let (findings, untold) = match config::load(&args.config) {
        Ok(checked) => {
            let faults = crate::serve::source_faults(&checked.config);
            let faults = faults.into_iter().map(of_source);
            (checked.warnings.into_iter().chain(faults).collect(), 0)
        }
        Err(ConfigError::Refused(refused)) => (refused.findings, refused.untold),
        Err(error) => return Err(usage(error)),
    };
    let errors = findings.iter().filter(|finding| finding.weight == Weight::Error).count();
    let document = Document { file: &args.config, ok: errors == 0, findings: &findings, untold };
    let mut out = io::stdout().lock();
    match args.format {
        DocumentFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?,
        DocumentFormat::Table => {
            for finding in &findings {
                writeln!(out, "{}", finding.line_for(&args.config))?;
            }
            let (errors, warnings) = (errors + untold, findings.len() - errors);
            let verdict = if document.ok { "right" } else { "refused" };
            let file = args.config.display();
            writeln!(out, "{file}: {verdict}, {errors} errors, {warnings} warnings")?;
        }
    }
    Ok(if document.ok { Exit::Done } else { Exit::Usage })
}

/// What a source cannot work with, as a finding. It is about the whole of its section.
fn of_source(message: String) -> Finding {
    let (weight, kind) = (Weight::Error, "source_refused");
    Finding { line: 1, column: 1, weight, kind, key: String::new(), message }
}

fn show(args: &ConfigArgs) -> Result<Exit> {
    let checked = load(args)?;
    let text = toml::to_string(&checked.config).context("cannot write the configuration")?;
    print(&text)
}
