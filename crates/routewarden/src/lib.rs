//! Routewarden, the program: command line, pipeline, output. Only this crate prints, exits,
//! and reads the environment.

pub mod access;
mod archives;
pub mod cli;
mod commands;
pub mod config;
mod exit;
mod facts;
pub mod http;
mod incidents;
pub mod logging;
pub mod metrics;
pub mod notify_systemd;
mod output;
mod pipeline;
mod progress;
pub mod readiness;
mod serve;
mod shards;
pub mod status;
mod summary;
mod tables;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

pub use exit::Exit;

/// Runs the program with these arguments, the program's name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match cli::Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output and are no errors.
            let usage = error.use_stderr();
            return if error.print().is_ok() && !usage { Exit::Done } else { Exit::Usage }.into();
        }
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            let exit =
                error.downcast_ref::<exit::UsageError>().map_or(Exit::Error, |_| Exit::Usage);
            // Standard error is gone too: nobody is left to tell.
            let _told = writeln!(io::stderr(), "routewarden: error: {error:#}").is_ok();
            exit.into()
        }
    }
}

/// What detection makes of a scenario: the very same that `routewarden scenario` shows, for those
/// who measure it.
///
/// # Errors
/// When the members of its constituency make none.
pub fn detect_scenario(
    scenario: &routewarden_lab::Scenario,
) -> anyhow::Result<routewarden_detect::Report> {
    commands::scenario::detect(scenario)
}

/// The reader of our output went away (`| head`): not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
