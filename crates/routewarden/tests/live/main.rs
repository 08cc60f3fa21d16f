//! Live: the real program among real routers, in network namespaces with no way out.
//!
//! [`lab`] makes ten ASes out of BIRD, FRR, `GoBGP`, `OpenBGPD` and `ExaBGP`, with an RPKI cache,
//! and plays incidents whose truth is known; [`collector`] is the place where the program under
//! test is started and read. Needs root and the packages that `make setup-test` installs; without
//! them the tests say that they were skipped, and fail when `CI=true`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::format_push_string,
    clippy::format_collect,
    clippy::string_slice,
    clippy::struct_field_names,
    clippy::implicit_clone,
    clippy::cmp_owned,
    reason = "test code: a panic is a failed test, what was measured is told on standard error, and configurations are text that is written once"
)]

mod collector;
mod daemons;
mod incidents;
mod lab;
mod namespaces;
mod process;
mod requirements;
mod topology;
mod truth;
mod waiting;
