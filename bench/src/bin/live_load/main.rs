//! `routewarden serve` under load: starts it and the replayer, watches both, and prints one summary
//! as JSON: sent against counted, queues, memory, latency from marker to report, restarts.

mod cache;
mod configuration;
mod disk;
mod profile;
mod reports;
mod run;
mod watch;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use profile::Profile;

/// Puts `routewarden serve` under load and measures what becomes of it.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is sent, and what goes wrong.
    #[arg(long, value_enum)]
    profile: Profile,
    /// The program.
    #[arg(long, default_value = "target/release/routewarden")]
    program: PathBuf,
    /// Updates a second, in place of the profile's.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds, in place of the profile's.
    #[arg(long)]
    seconds: Option<u64>,
    /// Updates of the recordings that are kept in memory.
    #[arg(long, default_value_t = 300_000)]
    updates_max: usize,
    /// Folder of the shared data.
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Where the program's log and reports are kept.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let setup = run::Setup {
        profile: arguments.profile,
        binary: arguments.program,
        rate: arguments.rate.unwrap_or(arguments.profile.rate()),
        duration: arguments.seconds.map(Duration::from_secs),
        files: run::recordings(&arguments.data)?,
        updates_max: arguments.updates_max,
        keep: arguments.keep,
    };
    let summary = run::run(&setup)?;
    writeln!(std::io::stdout(), "{summary:#}")?;
    Ok(())
}
