//! VRPs and ASPAs as they change, from a cache over RTR: RFC 6810 (version 0), RFC 8210 (version 1)
//! and draft-ietf-sidrops-8210bis (version 2, with ASPAs in both layouts that are in use).
//!
//! ```text
//! TCP ─► pdu (decode) ─► exchange (who may say what when) ─► records ─► tables at End of Data
//! ```
//!
//! [`run`] keeps one cache. What a response says counts as a whole at its End of Data, never in part.
//! A fault ends the session, is reported to the cache where the RFC says so, and leaves the data held
//! as it is; the next session asks for everything. Unlike a router, we keep data beyond its expire
//! interval, and beyond a new session ID until the new data is complete: without it every route would
//! look as if nobody had spoken for it. [`RtrStatus::is_stale`] says so.

mod client;
mod error;
mod exchange;
pub mod fuzz;
pub mod pdu;
mod records;
mod status;

use std::sync::Arc;
use std::time::Duration;

use routewarden_core::Timestamp;
use routewarden_core::facts::{AspaTable, Sourced, VrpTable};
use serde::Deserialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ASPA_PROVIDERS_MAX;
use crate::live::Clock;

pub use client::run;
pub use error::RtrError;
pub use records::{ASPAS_MAX, PROVIDERS_MAX, VRPS_MAX};
pub use status::{RtrHandle, RtrStatus};

/// Refresh interval when the cache says none, in seconds (RFC 8210 §6).
pub const REFRESH_DEFAULT: u32 = 3600;
/// Longest refresh interval kept when the configuration says nothing else: a dead connection is
/// noticed by a query that is not answered.
pub const REFRESH_SECS_MAX: u32 = 600;
/// Retry interval when the cache says none, in seconds (RFC 8210 §6).
pub const RETRY_DEFAULT: u32 = 600;
/// Longest retry interval kept, in seconds (RFC 8210 §6).
pub const RETRY_MAX: u32 = 7200;
/// Expire interval when the cache says none, in seconds (RFC 8210 §6).
pub const EXPIRE_DEFAULT: u32 = 7200;
/// Shortest expire interval kept, in seconds (RFC 8210 §6).
pub const EXPIRE_MIN: u32 = 600;
/// Longest expire interval kept, in seconds (RFC 8210 §6).
pub const EXPIRE_MAX: u32 = 172_800;
/// How long a cache may say nothing while an answer is awaited, in seconds, when the configuration
/// says nothing else.
pub const SILENCE_SECS: u32 = 60;
/// Longest time a response may take: octet by octet it could otherwise take forever.
pub const RESPONSE_TIME_MAX: Duration = Duration::from_mins(10);
/// Longest wait for a connection.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// First wait before a new session.
pub const RETRY_WAIT_MIN: Duration = Duration::from_secs(1);
/// Longest wait before a new session.
pub const RETRY_WAIT_MAX: Duration = Duration::from_mins(1);

/// One cache: `[[rpki.rtr]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RtrCache {
    /// Name, for status and citations.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Highest version asked for, 0 to 2. Default 2.
    #[serde(default = "version_max")]
    pub version_max: u8,
    /// Longest time between queries, in seconds. Default [`REFRESH_SECS_MAX`].
    #[serde(default = "refresh_secs_max")]
    pub refresh_secs_max: u32,
    /// How long the cache may say nothing while an answer is awaited, in seconds. Default
    /// [`SILENCE_SECS`].
    #[serde(default = "silence_secs")]
    pub silence_secs: u32,
}

const fn version_max() -> u8 {
    pdu::VERSION_MAX
}

const fn refresh_secs_max() -> u32 {
    REFRESH_SECS_MAX
}

const fn silence_secs() -> u32 {
    SILENCE_SECS
}

impl RtrCache {
    /// A cache with the defaults.
    pub fn new(name: &str, address: &str) -> Self {
        RtrCache {
            name: name.to_owned(),
            address: address.to_owned(),
            version_max: version_max(),
            refresh_secs_max: refresh_secs_max(),
            silence_secs: silence_secs(),
        }
    }
}

/// The data of a cache as of one End of Data.
#[derive(Clone, Debug)]
pub struct RtrTables {
    /// VRPs; no trust anchors, and no expiry: RTR does not carry them.
    pub vrps: Sourced<VrpTable>,
    /// ASPAs; `None` below version 2, in which a cache cannot say any.
    pub aspas: Option<Sourced<AspaTable>>,
    /// Session ID.
    pub session: u16,
    /// Serial number.
    pub serial: u32,
    /// Version of the protocol.
    pub version: u8,
    /// When the response was complete.
    pub at: Timestamp,
}

/// What an RTR client gets.
#[derive(Clone)]
pub struct RtrContext {
    /// Where it tells of itself.
    pub status: RtrHandle,
    /// Where new tables go. A reader that is slow sees the newest only.
    pub tables: watch::Sender<Option<Arc<RtrTables>>>,
    /// Time of receipt.
    pub clock: Arc<dyn Clock>,
    /// When cancelled, the session is closed and [`run`] returns.
    pub cancel: CancellationToken,
}
