//! What to subscribe to.

use std::net::IpAddr;
use std::time::Duration;

use routewarden_core::Prefix;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::RisLiveError;

/// Address of the public service.
pub const RIS_LIVE_URL: &str = "wss://ris-live.ripe.net/v1/ws/";
/// Name that the client tells the service.
pub const RIS_LIVE_CLIENT: &str = "routewarden";
/// Longest name of a client.
pub const CLIENT_OCTETS_MAX: usize = 64;
/// Longest host or path of a filter.
pub const FILTER_OCTETS_MAX: usize = 256;
/// Most subscriptions of one source. Filters multiply: two hosts and three prefixes are six.
pub const SUBSCRIPTIONS_MAX: usize = 1_000;
/// Seconds between pings.
pub const PING_SECS: u64 = 15;
/// Seconds without any frame after which a session is given up.
pub const SILENCE_SECS: u64 = 45;
/// A session whose subscriptions are not narrowed gives messages all the time: without any for
/// so long, it is given up although the server answers pings.
pub const IDLE_AFTER: Duration = Duration::from_mins(2);

/// Type of a collector's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MessageType {
    /// BGP UPDATE.
    Update,
    /// BGP OPEN.
    Open,
    /// BGP NOTIFICATION.
    Notification,
    /// BGP KEEPALIVE.
    Keepalive,
    /// A session of the collector went up or down.
    RisPeerState,
}

/// What a message must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Announcements.
    Announcements,
    /// Withdrawals.
    Withdrawals,
}

/// A RIS Live source. Empty lists do not filter; lists are multiplied, one subscription for each
/// combination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RisLiveConfig {
    /// Address, `ws://` or `wss://`; [`RIS_LIVE_URL`] by default.
    pub url: String,
    /// Name that the client tells the service; [`RIS_LIVE_CLIENT`] by default.
    pub client: String,
    /// Collectors, as `rrc00`.
    pub hosts: Vec<String>,
    /// Types of messages.
    pub types: Vec<MessageType>,
    /// What a message must hold.
    pub require: Option<Require>,
    /// Prefixes.
    pub prefixes: Vec<Prefix>,
    /// Whether more specific prefixes of `prefixes` match; so by default.
    pub more_specific: bool,
    /// Whether less specific prefixes of `prefixes` match.
    pub less_specific: bool,
    /// Addresses of peers.
    pub peers: Vec<IpAddr>,
    /// Parts of AS paths: ASNs with commas, `^` for the start, `$` for the end.
    pub paths: Vec<String>,
    /// Seconds between pings; [`PING_SECS`] by default.
    pub ping_secs: u64,
    /// Seconds without any frame after which a session is given up; [`SILENCE_SECS`] by default.
    pub silence_secs: u64,
}

impl Default for RisLiveConfig {
    fn default() -> Self {
        RisLiveConfig {
            url: RIS_LIVE_URL.to_owned(),
            client: RIS_LIVE_CLIENT.to_owned(),
            hosts: Vec::new(),
            types: Vec::new(),
            require: None,
            prefixes: Vec::new(),
            more_specific: true,
            less_specific: false,
            peers: Vec::new(),
            paths: Vec::new(),
            ping_secs: PING_SECS,
            silence_secs: SILENCE_SECS,
        }
    }
}

/// A configuration that was found good.
#[derive(Debug)]
pub(super) struct Plan {
    /// Address with the client's name.
    pub(super) url: String,
    /// One `ris_subscribe` message each.
    pub(super) subscriptions: Vec<String>,
    pub(super) ping_every: Duration,
    pub(super) silence: Duration,
    /// How long it may give no message of a collector.
    pub(super) idle: Option<Duration>,
}

impl RisLiveConfig {
    /// Looks the configuration over.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), RisLiveError> {
        self.plan().map(|_| ())
    }

    pub(super) fn plan(&self) -> Result<Plan, RisLiveError> {
        if self.ping_secs == 0 || self.silence_secs <= self.ping_secs {
            return Err(RisLiveError::Times);
        }
        let is_broad = self.prefixes.is_empty()
            && self.peers.is_empty()
            && self.paths.is_empty()
            && (self.types.is_empty() || self.types.contains(&MessageType::Update));
        Ok(Plan {
            url: self.url_with_client()?,
            subscriptions: self.subscriptions()?,
            ping_every: Duration::from_secs(self.ping_secs),
            silence: Duration::from_secs(self.silence_secs),
            idle: is_broad.then_some(IDLE_AFTER),
        })
    }

    fn url_with_client(&self) -> Result<String, RisLiveError> {
        let is_name = (1..=CLIENT_OCTETS_MAX).contains(&self.client.len())
            && self.client.bytes().all(|o| o.is_ascii_alphanumeric() || b"._-".contains(&o));
        if !is_name {
            return Err(RisLiveError::Client { octets_max: CLIENT_OCTETS_MAX });
        }
        let rest = ["ws://", "wss://"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        let is_url = rest.is_some_and(|rest| {
            !rest.is_empty()
                && !rest.starts_with(['/', '?'])
                && rest.bytes().all(|o| o.is_ascii_graphic())
        });
        if !is_url {
            return Err(RisLiveError::Url { url: self.url.clone() });
        }
        let mark = if self.url.contains('?') { '&' } else { '?' };
        Ok(format!("{}{mark}client={}", self.url, self.client))
    }

    /// All combinations of the filters.
    fn subscriptions(&self) -> Result<Vec<String>, RisLiveError> {
        for (field, values) in [("hosts", &self.hosts), ("paths", &self.paths)] {
            if values.iter().any(|value| value.is_empty() || value.len() > FILTER_OCTETS_MAX) {
                return Err(RisLiveError::Filter { field, octets_max: FILTER_OCTETS_MAX });
            }
        }
        let lists: [(&str, Vec<Value>); 5] = [
            ("host", self.hosts.iter().map(|host| json!(host)).collect()),
            ("type", self.types.iter().map(|kind| json!(kind)).collect()),
            ("prefix", self.prefixes.iter().map(|prefix| json!(prefix)).collect()),
            ("peer", self.peers.iter().map(|peer| json!(peer)).collect()),
            ("path", self.paths.iter().map(|path| json!(path)).collect()),
        ];
        let lengths = lists.iter().map(|(_, values)| values.len().max(1));
        let subscriptions = lengths.fold(1, usize::saturating_mul);
        if subscriptions > SUBSCRIPTIONS_MAX {
            let subscriptions_max = SUBSCRIPTIONS_MAX;
            return Err(RisLiveError::Subscriptions { subscriptions, subscriptions_max });
        }
        let mut filters = vec![self.common()];
        for (name, values) in lists.iter().filter(|(_, values)| !values.is_empty()) {
            filters = filters.iter().flat_map(|filter| with_each(filter, name, values)).collect();
        }
        let message = |data| json!({"type": "ris_subscribe", "data": Value::Object(data)});
        Ok(filters.into_iter().map(|filter| message(filter).to_string()).collect())
    }

    /// What stands in every subscription.
    fn common(&self) -> Map<String, Value> {
        let mut filter = Map::new();
        filter.insert("socketOptions".to_owned(), json!({"includeRaw": true, "acknowledge": true}));
        if let Some(require) = self.require {
            filter.insert("require".to_owned(), json!(require));
        }
        if !self.prefixes.is_empty() {
            filter.insert("moreSpecific".to_owned(), json!(self.more_specific));
            filter.insert("lessSpecific".to_owned(), json!(self.less_specific));
        }
        filter
    }
}

/// The filter once with each value.
fn with_each(filter: &Map<String, Value>, name: &str, values: &[Value]) -> Vec<Map<String, Value>> {
    let with = |value: &Value| {
        let mut filter = filter.clone();
        filter.insert(name.to_owned(), value.clone());
        filter
    };
    values.iter().map(with).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> RisLiveConfig {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn nothing_configured_is_the_whole_public_stream() {
        let plan = config("").plan().unwrap();
        assert_eq!(plan.url, "wss://ris-live.ripe.net/v1/ws/?client=routewarden");
        let all: Value = serde_json::from_str(&plan.subscriptions[0]).unwrap();
        let options = json!({"includeRaw": true, "acknowledge": true});
        assert_eq!(all, json!({"type": "ris_subscribe", "data": {"socketOptions": options}}));
        assert_eq!((plan.subscriptions.len(), plan.idle), (1, Some(IDLE_AFTER)));
    }

    #[test]
    fn filters_multiply() {
        let config = config(
            r#"
            url = "ws://192.0.2.1:80/x?a=b"
            client = "csirt-1"
            hosts = ["rrc00", "rrc01"]
            types = ["UPDATE"]
            require = "announcements"
            prefixes = ["192.0.2.0/24", "2001:db8::/32"]
            less_specific = true
            peers = ["198.51.100.1"]
            paths = ["64496,64497$"]
            "#,
        );
        let plan = config.plan().unwrap();
        assert_eq!(plan.url, "ws://192.0.2.1:80/x?a=b&client=csirt-1");
        assert_eq!((plan.subscriptions.len(), plan.idle), (4, None));
        let last: Value = serde_json::from_str(&plan.subscriptions[3]).unwrap();
        assert_eq!(
            last["data"],
            json!({
                "host": "rrc01", "type": "UPDATE", "require": "announcements",
                "prefix": "2001:db8::/32", "moreSpecific": true, "lessSpecific": true,
                "peer": "198.51.100.1", "path": "64496,64497$",
                "socketOptions": {"includeRaw": true, "acknowledge": true},
            })
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_a_name() {
        let many = |of: usize, name: &str| {
            let list: Vec<String> = (0..of).map(|n| format!("\"rrc{n}\"")).collect();
            format!("{name} = [{}]\n", list.join(","))
        };
        let long = format!("paths = [\"{}\"]", "1".repeat(FILTER_OCTETS_MAX + 1));
        let client = format!("client = \"{}\"", "x".repeat(CLIENT_OCTETS_MAX + 1));
        let product = many(40, "hosts") + &many(26, "paths");
        for (toml, kind) in [
            ("url = \"https://example.net/\"", "ris_live_url"),
            ("url = \"wss:///x\"", "ris_live_url"),
            ("url = \"wss://example.net/ x\"", "ris_live_url"),
            ("client = \"\"", "ris_live_client"),
            ("client = \"a&b\"", "ris_live_client"),
            (client.as_str(), "ris_live_client"),
            ("hosts = [\"\"]", "ris_live_filter"),
            (long.as_str(), "ris_live_filter"),
            (product.as_str(), "ris_live_subscriptions"),
            ("ping_secs = 0", "ris_live_times"),
            ("silence_secs = 15", "ris_live_times"),
        ] {
            assert_eq!(config(toml).check().unwrap_err().kind(), kind, "{toml}");
        }
        assert!(config(&(many(40, "hosts") + &many(25, "paths"))).check().is_ok());
        assert!(toml::from_str::<RisLiveConfig>("host = []").is_err());
    }
}
