//! Arguments of `config`.

use std::path::PathBuf;
use std::str::FromStr;

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

/// Arguments of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Instead of hearing what the configuration names, play MRT files (updates, and a table to
    /// start from), folders of them, or the folder of a scenario, as if they happened now. The
    /// program's clock is then that of the archive; it goes on after the end. Wants an empty
    /// `data_dir`. Without a configuration, the defaults hold
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub replay: Vec<PathBuf>,
    /// With --replay: so many times as fast as it was, or max
    #[arg(long, value_name = "N", default_value = "1", requires = "replay")]
    pub speed: Speed,
    /// With --replay: keep data in a temporary folder, which goes with the program
    #[arg(long, requires = "replay")]
    pub ephemeral: bool,
}

/// Most times as fast as it was.
pub const SPEED_MAX: f64 = 100_000.0;

/// How fast to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many times as fast as it was.
    Times(f64),
    /// As fast as it can be taken.
    Max,
}

impl FromStr for Speed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let times = |times: &f64| *times > 0.0 && *times <= SPEED_MAX;
        match text {
            "max" => Ok(Speed::Max),
            _ => {
                text.parse().ok().filter(times).map(Speed::Times).ok_or_else(|| {
                    format!("expected a number above 0, at most {SPEED_MAX}, or max")
                })
            }
        }
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
