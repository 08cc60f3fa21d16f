//! `serve`: watch the feeds that the configuration names.

use anyhow::Result;

use super::config::load;
use crate::Exit;
use crate::cli::ConfigArgs;
use crate::config::Checked;
use crate::exit::UsageError;
use crate::logging;

/// Runs until it is told to end.
pub(crate) fn run(args: &ConfigArgs) -> Result<Exit> {
    let Checked { config, warnings } = load(args)?;
    let faults = crate::serve::source_faults(&config);
    if !faults.is_empty() {
        let text = format!("{}: {}", args.config.display(), faults.join("; "));
        return Err(UsageError(text).into());
    }
    logging::start(&config.log)?;
    for warning in &warnings {
        tracing::warn!(line = warning.line, key = warning.key, "{}", warning.message);
    }
    crate::serve::run(&config)?;
    Ok(Exit::Done)
}
