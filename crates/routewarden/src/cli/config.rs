//! Arguments of `config`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::DocumentFormat;
use crate::config::{LogFormat, LogLevel, Overrides, PATH_DEFAULT};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Say everything that is wrong with a configuration, with line and column (exit 2 when it is
    /// refused)
    Check(ConfigCheckArgs),
    /// Print the configuration as it is used: defaults filled in, paths made whole
    Show(ConfigArgs),
    /// Print an example with every key and its default
    Example,
    /// Print the JSON Schema of the configuration
    Schema,
}

/// Where the configuration is, and what goes before it.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// The configuration
    #[arg(short, long, value_name = "F", env = "ROUTEWARDEN_CONFIG", default_value = PATH_DEFAULT)]
    pub config: PathBuf,
    /// Least level of messages, before what the configuration says
    #[arg(long, value_enum, value_name = "LEVEL", env = "ROUTEWARDEN_LOG_LEVEL")]
    pub log_level: Option<LogLevel>,
    /// How messages are written, before what the configuration says
    #[arg(long, value_enum, value_name = "FORMAT", env = "ROUTEWARDEN_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
}

impl ConfigArgs {
    /// What goes before the configuration.
    pub fn overrides(&self) -> Overrides {
        Overrides { log_level: self.log_level, log_format: self.log_format }
    }
}

/// Arguments of `config check`.
#[derive(Debug, Args)]
pub struct ConfigCheckArgs {
    /// The configuration
    #[arg(short, long, value_name = "F", env = "ROUTEWARDEN_CONFIG", default_value = PATH_DEFAULT)]
    pub config: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}
