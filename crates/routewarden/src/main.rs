//! The edge: parses the command line, runs, and turns the outcome into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    routewarden::run(std::env::args_os())
}
