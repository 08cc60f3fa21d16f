//! Sections of the configuration that are about the program itself.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{AddressRange, Period, PublicUrl};

/// Where the HTTP server listens unless told otherwise.
pub const HTTP_LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// Connections the HTTP server takes at one time unless told otherwise.
pub const HTTP_CONNECTIONS_DEFAULT: u32 = 256;
/// Most connections that may be allowed.
pub const HTTP_CONNECTIONS_MAX: u32 = 10_000;
/// Requests to the API that an address may make in a second unless told otherwise.
pub const HTTP_REQUESTS_DEFAULT: u32 = 50;
/// Most requests in a second that may be allowed.
pub const HTTP_REQUESTS_MAX: u32 = 1_000_000;
/// Most reverse proxies that may be named.
pub const PROXIES_MAX: usize = 64;
/// Milliseconds between two looks at what is to be reported, unless told otherwise.
pub const REPORT_EVERY_MS_DEFAULT: u32 = 250;
/// Least milliseconds between two looks at what is to be reported.
pub const REPORT_EVERY_MS_MIN: u32 = 100;
/// Most milliseconds between two looks at what is to be reported.
pub const REPORT_EVERY_MS_MAX: u32 = 60_000;
/// Most witness ASes that may be asked for.
pub const QUORUM_MAX: u32 = 1_000;
/// How long an incident that ended stays in memory, unless told otherwise.
pub const ENDED_KEPT_DEFAULT: Period = Period::days(1);
/// Least confidence of an incident that is reported, unless told otherwise.
pub const REPORT_CONFIDENCE_DEFAULT: u8 = routewarden_detect::CONFIDENCE_MEDIUM_MIN;
/// Least time in which the state to start from comes in.
pub const WARM_UP_DEFAULT: Period = Period::secs(60);
/// Longest time in which the state to start from comes in.
pub const WARM_UP_MAX_DEFAULT: Period = Period::minutes(10);
/// Days for which incidents are kept unless told otherwise.
pub const RETENTION_DAYS_DEFAULT: u32 = 400;
/// Most days for which incidents may be kept.
pub const RETENTION_DAYS_MAX: u32 = 36_600;
/// Time between two snapshots of the table unless told otherwise.
pub const SNAPSHOT_EVERY_DEFAULT: Period = Period::minutes(5);
/// Time between two backups unless told otherwise.
pub const BACKUP_EVERY_DEFAULT: Period = Period::days(1);

/// The HTTP server: health, status, metrics, the API.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Address and port to listen on. It speaks no TLS: for others than this machine put a reverse
    /// proxy before it
    #[schemars(with = "String", extend("format" = "socket-address"))]
    pub listen: SocketAddr,
    /// Connections taken at one time; further ones wait
    #[schemars(range(min = 1, max = HTTP_CONNECTIONS_MAX))]
    pub connections_max: u32,
    /// Requests to `/api/v1` that one address may make in a second, in the long run; four seconds'
    /// worth may come at once. Further ones get 429. IPv6 clients count by their network of 64 bits;
    /// behind a proxy that `[access] proxies` does not name all count as one
    #[schemars(range(min = 1, max = HTTP_REQUESTS_MAX))]
    pub requests_per_second_max: u32,
    /// Where users reach it, if that is not where it listens: scheme and host, as
    /// `https://routewarden.csirt.example`. With `https`, the cookie is only sent over TLS
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<PublicUrl>,
    /// Whether `/status` and `/metrics` are open to all who reach it; else they need a login or a
    /// token
    pub open_metrics: bool,
}

impl Default for Http {
    fn default() -> Self {
        Http {
            listen: HTTP_LISTEN_DEFAULT,
            connections_max: HTTP_CONNECTIONS_DEFAULT,
            requests_per_second_max: HTTP_REQUESTS_DEFAULT,
            public_url: None,
            open_metrics: false,
        }
    }
}

/// Who may use the program.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// `users`: who logs in, and tokens. `off`: everybody who reaches it may do everything; only
    /// where it listens for this machine alone
    pub mode: AccessMode,
    /// Reverse proxies whose `X-Forwarded-For` is believed: addresses and ranges
    #[schemars(length(max = PROXIES_MAX))]
    pub proxies: Vec<AddressRange>,
}

/// Whether there are users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessMode {
    /// Who logs in, and tokens
    #[default]
    Users,
    /// Everybody on this machine may do everything
    Off,
}

/// Detection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Detect {
    /// Least number of distinct peer ASes that must have seen it. Without it 2, and 1 where fewer
    /// than 8 peer ASes are heard
    #[schemars(range(min = 1, max = QUORUM_MAX))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// Whether bogon prefixes and ASNs are looked for; `false` for labs in documentation space
    pub bogons: bool,
    /// Whether bad practice is told of everyone, not of constituents only
    pub hygiene: bool,
    /// Milliseconds between two looks at what is to be reported
    #[schemars(range(min = REPORT_EVERY_MS_MIN, max = REPORT_EVERY_MS_MAX))]
    pub report_every_ms: u32,
    /// How long an incident that ended stays in memory: what comes again in that time continues it
    pub ended_kept: Period,
    /// Least confidence of an incident that is reported, 0 to 100; all are recorded
    #[schemars(range(max = 100))]
    pub report_confidence: u8,
    /// Without a table to start from: what comes in this time after the first event is the state
    /// to start from, not news; it lasts as long as sessions are sending their tables
    pub warm_up: Period,
    /// Longest time that the state to start from may take
    pub warm_up_max: Period,
}

impl Default for Detect {
    fn default() -> Self {
        Detect {
            quorum: None,
            bogons: true,
            hygiene: false,
            report_every_ms: REPORT_EVERY_MS_DEFAULT,
            ended_kept: ENDED_KEPT_DEFAULT,
            report_confidence: REPORT_CONFIDENCE_DEFAULT,
            warm_up: WARM_UP_DEFAULT,
            warm_up_max: WARM_UP_MAX_DEFAULT,
        }
    }
}

/// What is remembered on disk, below `data_dir`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Days for which incidents are kept after their end
    #[schemars(range(min = 1, max = RETENTION_DAYS_MAX))]
    pub retention_days: u32,
    /// Time between two snapshots of the routing table, from which a restart resumes
    pub snapshot_every: Period,
    /// Folder to which backups are written; without it, none are
    #[schemars(with = "Option<String>", extend("format" = "path"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_dir: Option<PathBuf>,
    /// Time between two backups
    pub backup_every: Period,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            retention_days: RETENTION_DAYS_DEFAULT,
            snapshot_every: SNAPSHOT_EVERY_DEFAULT,
            backup_dir: None,
            backup_every: BACKUP_EVERY_DEFAULT,
        }
    }
}

/// The program's own messages, on standard error.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// Least level that is written
    pub level: LogLevel,
    /// How a message is written
    pub format: LogFormat,
}

/// Level of a message.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Work was not done
    Error,
    /// Somebody should look
    Warn,
    /// What happens, in few lines
    #[default]
    Info,
    /// For a look at one part
    Debug,
    /// Everything
    Trace,
}

/// Form of a message.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For reading
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Health of the feeds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Whether gaps of feeds that have an archive are filled from it
    pub backfill: bool,
}

impl Default for Health {
    fn default() -> Self {
        Health { backfill: true }
    }
}
