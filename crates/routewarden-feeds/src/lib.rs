//! From files, archives and directories to one time-ordered stream of route events.
//!
//! ```text
//! archive ─► cache ┐
//! paths, globs, - ─┴► sources ─► transport ─► decode (wire) ─► stream (merge) ─► the caller
//! ```
//!
//! [`sources`] finds the files and names their collectors; [`transport`] opens one file, whatever
//! its compression, under limits; [`stream`] decodes on its own threads and merges by (time,
//! collector, sequence). What was wrong on the way stands in the [`report`], never in a log.
//! [`facts`] reads reference data. [`live`] hears sessions as they happen, [`health`] whether they
//! still speak. Nothing here prints, exits or looks at a clock.

pub mod archive;
pub mod error;
pub mod facts;
pub mod health;
pub mod live;
pub mod report;
pub mod sources;
pub mod stream;
pub mod transport;
mod update_events;

pub use error::Error;
pub use report::{FileReport, Report};
pub use sources::InputFile;
pub use stream::{
    MergedStream, Run, StreamOptions, load_rib, open_tables, open_updates, tables_at,
};
