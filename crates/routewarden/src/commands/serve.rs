//! `serve`: watch the feeds that the configuration names.

use std::io::{self, IsTerminal};

use anyhow::Result;
use tracing_subscriber::filter::LevelFilter;

use super::config::load;
use crate::Exit;
use crate::cli::ConfigArgs;
use crate::config::{Checked, Log, LogFormat, LogLevel};

/// Runs until it is told to end.
pub(crate) fn run(args: &ConfigArgs) -> Result<Exit> {
    let Checked { config, warnings } = load(args)?;
    say(&config.log);
    for warning in &warnings {
        tracing::warn!(line = warning.line, key = warning.key, "{}", warning.message);
    }
    crate::serve::run(&config)?;
    Ok(Exit::Done)
}

/// Messages go to standard error.
fn say(log: &Log) {
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let messages = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let said = match log.format {
        LogFormat::Text => messages.try_init(),
        LogFormat::Json => messages.json().try_init(),
    };
    if let Err(error) = said {
        tracing::warn!(error, "messages are written by another");
    }
}
