//! Configuration of a station.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use routewarden_core::Prefix;
use serde::{Deserialize, Deserializer};

use super::views::ViewsConfig;
use crate::live::collector_name::is_collector_name;
use crate::live::{COLLECTOR_NAME_OCTETS_MAX, PEERS_OF_SOURCE_MAX};

/// Routers at a time, unless configured.
pub const BMP_ROUTERS: usize = 64;
/// Most routers that can be configured.
pub const BMP_ROUTERS_MAX: usize = 1024;
/// Peers of one router, over all its instances, unless configured.
pub const BMP_PEERS: usize = 1000;
/// Most peers of one router that can be configured; each may have several views.
pub const BMP_PEERS_MAX: usize = PEERS_OF_SOURCE_MAX / 5;
/// Seconds until a router's first message must be whole, unless configured.
pub const BMP_FIRST_MESSAGE_SECS: u64 = 30;
/// Seconds until a message that has begun must be whole, unless configured.
pub const BMP_MESSAGE_SECS: u64 = 60;
/// Longest of these waits that can be configured.
pub const BMP_WAIT_SECS_MAX: u64 = 3600;

/// A station. Without a default: `listen`, and `allow` or `routers`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BmpConfig {
    /// Addresses and ports to listen on.
    pub listen: Vec<SocketAddr>,
    /// Addresses and prefixes from which a router may connect, besides those of `routers`.
    #[serde(default)]
    pub allow: Vec<AllowedAddrs>,
    /// Routers with a name or views of their own.
    #[serde(default)]
    pub routers: Vec<BmpRouterConfig>,
    /// Which views are used.
    #[serde(default)]
    pub views: ViewsConfig,
    /// Routers at a time ([`BMP_ROUTERS`], at most [`BMP_ROUTERS_MAX`]).
    #[serde(default = "routers")]
    pub routers_max: usize,
    /// Peers of one router ([`BMP_PEERS`], at most [`BMP_PEERS_MAX`]).
    #[serde(default = "peers")]
    pub peers_max: usize,
    /// Seconds until the first message must be whole ([`BMP_FIRST_MESSAGE_SECS`], at most
    /// [`BMP_WAIT_SECS_MAX`]).
    #[serde(default = "first_message_secs")]
    pub first_message_secs: u64,
    /// Seconds until a message that has begun must be whole ([`BMP_MESSAGE_SECS`], at most
    /// [`BMP_WAIT_SECS_MAX`]).
    #[serde(default = "message_secs")]
    pub message_secs: u64,
}

fn routers() -> usize {
    BMP_ROUTERS
}

fn peers() -> usize {
    BMP_PEERS
}

fn first_message_secs() -> u64 {
    BMP_FIRST_MESSAGE_SECS
}

fn message_secs() -> u64 {
    BMP_MESSAGE_SECS
}

/// A router that the operator knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BmpRouterConfig {
    /// Where it connects from.
    pub address: IpAddr,
    /// Collector name of its peers; `bmp-` and the address when there is none.
    pub name: Option<String>,
    /// Its views, when they are others than the station's.
    pub views: Option<ViewsConfig>,
}

/// An address, or a prefix of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllowedAddrs(pub Prefix);

impl AllowedAddrs {
    fn covers(&self, addr: IpAddr) -> bool {
        host(addr).is_some_and(|addr| self.0.covers(&addr))
    }
}

fn host(addr: IpAddr) -> Option<Prefix> {
    Prefix::new(addr, if addr.is_ipv4() { 32 } else { 128 })
}

impl FromStr for AllowedAddrs {
    type Err = BmpConfigError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let prefix = match text.parse::<IpAddr>() {
            Ok(addr) => host(addr),
            Err(_) => text.parse().ok(),
        };
        prefix.map(AllowedAddrs).ok_or_else(|| BmpConfigError::Allow { text: text.to_owned() })
    }
}

impl<'de> Deserialize<'de> for AllowedAddrs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BmpConfigError {
    /// Nothing to listen on.
    #[error("listen: a BMP station needs an address and port")]
    NoListen,
    /// Nobody may connect.
    #[error("allow: a BMP station needs the addresses or prefixes of its routers")]
    NobodyAllowed,
    /// Neither an address nor a prefix.
    #[error("allow: {text:?} is neither an address nor a prefix")]
    Allow {
        /// What stands there.
        text: String,
    },
    /// A name that no collector can have.
    #[error(
        "routers: {name:?} is no collector name: 1 to {COLLECTOR_NAME_OCTETS_MAX} letters, \
         digits, '.', '-' or '_'"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two routers of one name, or of one address.
    #[error("routers: {what} stands twice")]
    Twice {
        /// The name or address.
        what: String,
    },
    /// A number beyond its limits.
    #[error("{field}: {value} is not within 1 to {max}")]
    OutOfRange {
        /// Name of the field.
        field: &'static str,
        /// What stands there.
        value: u64,
        /// The limit.
        max: u64,
    },
}

impl BmpConfig {
    /// Whether the configuration can work.
    ///
    /// # Errors
    ///
    /// See [`BmpConfigError`].
    pub fn check(&self) -> Result<(), BmpConfigError> {
        if self.listen.is_empty() {
            return Err(BmpConfigError::NoListen);
        }
        if self.allow.is_empty() && self.routers.is_empty() {
            return Err(BmpConfigError::NobodyAllowed);
        }
        let number = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let ranges = [
            ("routers_max", number(self.routers_max), number(BMP_ROUTERS_MAX)),
            ("peers_max", number(self.peers_max), number(BMP_PEERS_MAX)),
            ("first_message_secs", self.first_message_secs, BMP_WAIT_SECS_MAX),
            ("message_secs", self.message_secs, BMP_WAIT_SECS_MAX),
        ];
        for (field, value, max) in ranges {
            if value == 0 || value > max {
                return Err(BmpConfigError::OutOfRange { field, value, max });
            }
        }
        self.check_routers()
    }

    fn check_routers(&self) -> Result<(), BmpConfigError> {
        let (mut names, mut addrs) = (BTreeSet::new(), BTreeSet::new());
        for router in &self.routers {
            let addr = router.address.to_canonical();
            if !addrs.insert(addr) {
                return Err(BmpConfigError::Twice { what: addr.to_string() });
            }
            let Some(name) = &router.name else { continue };
            if !is_collector_name(name) {
                return Err(BmpConfigError::Name { name: name.clone() });
            }
            if !names.insert(name) {
                return Err(BmpConfigError::Twice { what: name.clone() });
            }
        }
        Ok(())
    }

    fn router(&self, addr: IpAddr) -> Option<&BmpRouterConfig> {
        self.routers.iter().find(|router| router.address.to_canonical() == addr)
    }

    pub(super) fn is_allowed(&self, addr: IpAddr) -> bool {
        self.router(addr).is_some() || self.allow.iter().any(|allowed| allowed.covers(addr))
    }

    pub(super) fn name_of(&self, addr: IpAddr) -> String {
        let name = self.router(addr).and_then(|router| router.name.clone());
        name.unwrap_or_else(|| format!("bmp-{addr}"))
    }

    pub(super) fn views_of(&self, addr: IpAddr) -> ViewsConfig {
        self.router(addr).and_then(|router| router.views).unwrap_or(self.views)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> BmpConfig {
        toml::from_str(text).unwrap()
    }

    const LEAST: &str = "listen = [\"127.0.0.1:0\"]\nallow = [\"192.0.2.0/24\", \"2001:db8::1\"]\n";

    #[test]
    fn a_configuration_has_defaults_and_knows_its_routers() {
        let text = format!(
            "{LEAST}[[routers]]\naddress = \"198.51.100.1\"\nname = \"r1\"\nviews.loc_rib = true\n"
        );
        let config = config(&text);
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.routers_max, config.peers_max), (BMP_ROUTERS, BMP_PEERS));
        let addr = |text: &str| text.parse::<IpAddr>().unwrap();
        for allowed in ["192.0.2.7", "2001:db8::1", "198.51.100.1"] {
            assert!(config.is_allowed(addr(allowed)), "{allowed}");
        }
        assert!(!config.is_allowed(addr("198.51.100.2")));
        assert_eq!(config.name_of(addr("198.51.100.1")), "r1");
        assert_eq!(config.name_of(addr("2001:db8::1")), "bmp-2001:db8::1");
        assert!(config.views_of(addr("198.51.100.1")).loc_rib);
        assert!(!config.views_of(addr("192.0.2.7")).loc_rib);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let error = |text: &str| config(text).check().unwrap_err();
        assert_eq!(error("listen = []"), BmpConfigError::NoListen);
        assert_eq!(error("listen = [\"127.0.0.1:0\"]"), BmpConfigError::NobodyAllowed);
        for (field, max) in [
            ("routers_max", BMP_ROUTERS_MAX as u64),
            ("peers_max", BMP_PEERS_MAX as u64),
            ("first_message_secs", BMP_WAIT_SECS_MAX),
            ("message_secs", BMP_WAIT_SECS_MAX),
        ] {
            assert_eq!(config(&format!("{LEAST}{field} = {max}")).check(), Ok(()));
            for value in [0, max + 1] {
                let expected = BmpConfigError::OutOfRange { field, value, max };
                assert_eq!(error(&format!("{LEAST}{field} = {value}")), expected);
            }
        }
        let router = "[[routers]]\naddress = \"198.51.100.1\"\n";
        let twice = error(&format!("{LEAST}{router}{router}"));
        assert_eq!(twice, BmpConfigError::Twice { what: "198.51.100.1".to_owned() });
        let name = error(&format!("{LEAST}{router}name = \"a/b\""));
        assert_eq!(name, BmpConfigError::Name { name: "a/b".to_owned() });
        assert!(toml::from_str::<BmpConfig>(&format!("{LEAST}colour = 1")).is_err());
        assert!("192.0.2.0/33".parse::<AllowedAddrs>().is_err());
    }
}
