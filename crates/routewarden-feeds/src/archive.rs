//! The public archives of `RouteViews` and RIPE RIS, with a local cache.

mod error;

pub use error::ArchiveError;
