//! End to end: the real program on files, in one test binary.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code: a panic is a failed test, and a skip is told on standard error"
)]

mod access;
mod archive;
mod cli;
mod config;
mod constituency;
mod flaps;
mod lab;
mod looking_glass;
mod mrt_threads;
mod package;
mod program;
mod readiness;
mod real_archive;
mod relations;
mod replay;
mod scenarios;
mod schema;
mod schemathesis;
mod serve;
