//! Sections of the configuration that say what is listened to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use routewarden_core::{Asn, Prefix};
use routewarden_feeds::archive::{RIS_URL, ROUTE_VIEWS_URL};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::{AddressRange, NameForm, Period, PrefixForm};

/// Most sources of one kind.
pub const SOURCES_MAX: usize = 64;
/// Most addresses and ranges in one list.
pub const ALLOWED_MAX: usize = 1_024;
/// Routers that one BMP station takes at one time unless told otherwise.
pub const BMP_ROUTERS_DEFAULT: u32 = 64;
/// Most routers of one BMP station.
pub const BMP_ROUTERS_MAX: u32 = 1_024;
/// Most neighbours of one BGP speaker.
pub const NEIGHBOURS_MAX: usize = 256;
/// Prefixes taken of one neighbour unless told otherwise.
pub const NEIGHBOUR_PREFIXES_DEFAULT: u32 = 4_000_000;
/// Most prefixes that one neighbour may be allowed.
pub const NEIGHBOUR_PREFIXES_MAX: u32 = 20_000_000;
/// Where RIPE's RIS Live is.
pub const RIS_LIVE_URL: &str = "wss://ris-live.ripe.net/v1/ws/";
/// How the program names itself to RIS Live unless told otherwise.
pub const RIS_LIVE_CLIENT_DEFAULT: &str = "routewarden";
/// Most route collectors named at one source.
pub const HOSTS_MAX: usize = 64;
/// Most prefixes to which a source is narrowed down.
pub const FILTER_PREFIXES_MAX: usize = 4_096;
/// Time between two looks for new files of an archive, unless told otherwise.
pub const ARCHIVE_EVERY_DEFAULT: Period = Period::minutes(1);
/// Time between two looks for new files of a folder, unless told otherwise.
pub const DIRECTORY_EVERY_DEFAULT: Period = Period::secs(10);
/// Largest ASN that may be written (RFC 7300 reserves the last).
pub const ASN_MAX: u32 = u32::MAX - 1;

/// A BMP station: routers connect to it (RFC 7854).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bmp {
    /// Name of the source; collector of its routes
    #[schemars(extend("format" = "name"))]
    #[serde(default = "bmp_name")]
    pub name: String,
    /// Address and port to listen on
    #[schemars(with = "String", extend("format" = "socket-address"))]
    pub listen: SocketAddr,
    /// Addresses and ranges of the routers; everyone else is refused
    #[schemars(length(min = 1, max = ALLOWED_MAX))]
    pub allow: Vec<AddressRange>,
    /// Which of a router's tables are heard, if it sends them
    #[schemars(length(min = 1))]
    #[serde(default = "bmp_views")]
    pub views: Vec<BmpView>,
    /// Routers taken at one time
    #[schemars(range(min = 1, max = BMP_ROUTERS_MAX))]
    #[serde(default = "bmp_routers")]
    pub routers_max: u32,
}

/// A table of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BmpView {
    /// Adj-RIB-In before policy (RFC 7854)
    AdjRibInPre,
    /// Adj-RIB-In after policy (RFC 7854)
    AdjRibInPost,
    /// Adj-RIB-Out before policy (RFC 8671)
    AdjRibOutPre,
    /// Adj-RIB-Out after policy (RFC 8671)
    AdjRibOutPost,
    /// Loc-RIB (RFC 9069)
    LocRib,
}

/// What is heard of a router unless told otherwise: what its neighbours send.
pub const BMP_VIEWS_DEFAULT: [BmpView; 2] = [BmpView::AdjRibInPre, BmpView::AdjRibInPost];

/// A passive BGP speaker: neighbours connect to it and send; it announces nothing.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bgp {
    /// Name of the source
    #[schemars(extend("format" = "name"))]
    #[serde(default = "bgp_name")]
    pub name: String,
    /// Address and port to listen on
    #[schemars(with = "String", extend("format" = "socket-address"))]
    pub listen: SocketAddr,
    /// Our AS
    #[schemars(with = "u32", range(min = 1, max = ASN_MAX))]
    pub local_asn: Asn,
    /// Our BGP identifier, written as an IPv4 address (RFC 4271 §4.2)
    #[schemars(with = "String", extend("format" = "ipv4"))]
    pub router_id: Ipv4Addr,
    /// Who may connect
    #[schemars(length(min = 1, max = NEIGHBOURS_MAX))]
    pub neighbours: Vec<Neighbour>,
}

/// A BGP neighbour that may connect.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Name of the neighbour; collector of its routes
    #[schemars(extend("format" = "name"))]
    pub name: String,
    /// Address it connects from
    #[schemars(with = "String", extend("format" = "ip"))]
    pub address: IpAddr,
    /// Its AS
    #[schemars(with = "u32", range(min = 1, max = ASN_MAX))]
    pub asn: Asn,
    /// Whether several paths of one prefix are asked for (RFC 7911)
    #[serde(default)]
    pub add_path: bool,
    /// Prefixes taken of it; with more, the session ends
    #[schemars(range(min = 1, max = NEIGHBOUR_PREFIXES_MAX))]
    #[serde(default = "neighbour_prefixes")]
    pub max_prefixes: u32,
    /// File with the password of TCP MD5 (RFC 2385), readable by nobody else
    #[schemars(with = "Option<String>", extend("format" = "path"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp_md5_file: Option<PathBuf>,
}

/// RIS Live: what the route collectors of RIPE RIS hear, over a websocket.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RisLive {
    /// Name of the source
    #[schemars(extend("format" = "name"))]
    pub name: String,
    /// Where the service is
    #[schemars(extend("format" = "websocket-url"))]
    pub url: String,
    /// How we name ourselves to the service: better with a contact, as routewarden-csirt.example
    #[schemars(extend("format" = "name"))]
    pub client: String,
    /// Route collectors to hear, as rrc12; none named: all
    #[schemars(with = "Vec<NameForm>", length(max = HOSTS_MAX))]
    pub hosts: Vec<String>,
    /// Only these prefixes and their more-specifics; none named: all
    #[schemars(with = "Vec<PrefixForm>", length(max = FILTER_PREFIXES_MAX))]
    pub prefixes: Vec<Prefix>,
}

impl Default for RisLive {
    fn default() -> Self {
        RisLive {
            name: "ris-live".to_owned(),
            url: RIS_LIVE_URL.to_owned(),
            client: RIS_LIVE_CLIENT_DEFAULT.to_owned(),
            hosts: Vec::new(),
            prefixes: Vec::new(),
        }
    }
}

/// Public archives of RIPE RIS (`rrcNN`) and RouteViews (all other names).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// Name of the source
    #[schemars(extend("format" = "name"))]
    #[serde(default = "archive_name")]
    pub name: String,
    /// Route collectors, as rrc12 or route-views2
    #[schemars(with = "Vec<NameForm>", length(min = 1, max = HOSTS_MAX))]
    pub collectors: Vec<String>,
    /// Where downloaded files are kept; without it, in the folder archive of `data_dir`
    #[schemars(with = "Option<String>", extend("format" = "path"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_dir: Option<PathBuf>,
    /// Whether the newest table of each collector is the state to start from
    #[serde(default = "yes")]
    pub start_table: bool,
    /// Whether new files of updates are read as they appear
    #[serde(default = "yes")]
    pub follow: bool,
    /// Time between two looks for new files
    #[serde(default = "archive_every")]
    pub every: Period,
    /// Base URL of the archive of RouteViews, or of a mirror
    #[schemars(extend("format" = "http-url"))]
    #[serde(default = "routeviews_url")]
    pub routeviews_url: String,
    /// Base URL of the archive of RIPE RIS, or of a mirror
    #[schemars(extend("format" = "http-url"))]
    #[serde(default = "ris_url")]
    pub ris_url: String,
}

/// A folder into which somebody else puts MRT files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The folder
    #[schemars(with = "String", extend("format" = "path"))]
    pub path: PathBuf,
    /// Name of the source; collector of its routes
    #[schemars(extend("format" = "name"))]
    pub collector: String,
    /// Time between two looks for new files
    #[serde(default = "directory_every")]
    pub every: Period,
}

// serde takes a default as the name of a function.

fn yes() -> bool {
    true
}

fn bmp_name() -> String {
    "bmp".to_owned()
}

fn bmp_views() -> Vec<BmpView> {
    BMP_VIEWS_DEFAULT.to_vec()
}

fn bmp_routers() -> u32 {
    BMP_ROUTERS_DEFAULT
}

fn bgp_name() -> String {
    "bgp".to_owned()
}

fn neighbour_prefixes() -> u32 {
    NEIGHBOUR_PREFIXES_DEFAULT
}

fn archive_name() -> String {
    "archive".to_owned()
}

fn archive_every() -> Period {
    ARCHIVE_EVERY_DEFAULT
}

fn routeviews_url() -> String {
    ROUTE_VIEWS_URL.to_owned()
}

fn ris_url() -> String {
    RIS_URL.to_owned()
}

fn directory_every() -> Period {
    DIRECTORY_EVERY_DEFAULT
}
