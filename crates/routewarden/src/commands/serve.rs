//! `serve`: watch the feeds that the configuration names.

use std::path::Path;

use anyhow::{Context, Result};

use super::config::load;
use crate::Exit;
use crate::cli::ServeArgs;
use crate::config::{Checked, Config, PATH_DEFAULT};
use crate::exit::UsageError;
use crate::logging;
use crate::serve::Replay;

/// Runs until it is told to end.
pub(crate) fn run(args: &ServeArgs) -> Result<Exit> {
    let Checked { mut config, warnings } = configuration(args)?;
    let faults = crate::serve::source_faults(&config);
    if !faults.is_empty() {
        let text = format!("{}: {}", args.config.config.display(), faults.join("; "));
        return Err(UsageError(text).into());
    }
    logging::start(&config.log)?;
    for warning in &warnings {
        tracing::warn!(line = warning.line, key = warning.key, "{}", warning.message);
    }
    if args.replay.is_empty() {
        crate::serve::run(&config)?;
        return Ok(Exit::Done);
    }
    let replay = Replay { inputs: args.replay.clone(), speed: args.speed };
    // Removed when it is dropped: at the end.
    let temporary =
        args.ephemeral.then(|| tempfile::Builder::new().prefix("routewarden-").tempdir());
    let temporary = temporary.transpose().context("cannot make a temporary folder")?;
    if let Some(folder) = &temporary {
        folder.path().clone_into(&mut config.data_dir);
    }
    crate::serve::play(&config, &replay)?;
    Ok(Exit::Done)
}

/// The configuration; the defaults for a replay without one.
fn configuration(args: &ServeArgs) -> Result<Checked> {
    let path = &args.config.config;
    if !args.replay.is_empty() && path == Path::new(PATH_DEFAULT) && !path.exists() {
        let mut config = Config::default();
        config.apply(args.config.overrides());
        return Ok(Checked { config, warnings: Vec::new() });
    }
    load(&args.config)
}
