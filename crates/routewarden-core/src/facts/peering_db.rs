//! Networks as they describe themselves in PeeringDB.

use serde::Serialize;

use super::organisations::keep_last_by;
use crate::Asn;

/// A point of contact. It is personal data: keep it no longer than its source does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Contact {
    /// Role, as `NOC`, `Abuse`, `Policy` or `Technical`.
    pub role: Box<str>,
    /// Name; empty when not given.
    pub name: Box<str>,
    /// Electronic mail; empty when not given.
    pub email: Box<str>,
    /// Telephone; empty when not given.
    pub phone: Box<str>,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeeringNetwork {
    /// Its AS.
    pub asn: Asn,
    /// Name.
    pub name: Box<str>,
    /// Its `as-set` as it writes it, perhaps with a registry or several sets; empty when not given.
    pub irr_as_set: Box<str>,
    /// IPv4 prefixes that its neighbours should expect at most; `None` when not given.
    pub prefixes_v4: Option<u32>,
    /// IPv6 prefixes that its neighbours should expect at most; `None` when not given.
    pub prefixes_v6: Option<u32>,
    /// Peering policy, as `Open` or `Selective`; empty when not given.
    pub policy: Box<str>,
    /// What it is, as `NSP`, `Content` or `Route Server`; empty when not given.
    pub network_type: Box<str>,
    /// Contacts by role.
    pub contacts: Box<[Contact]>,
    /// Internet exchanges it is at, by name.
    pub exchanges: Box<[Box<str>]>,
}

/// Networks by ASN.
#[derive(Clone, Debug, Default)]
pub struct PeeringDbTable {
    networks: Vec<PeeringNetwork>,
}

impl PeeringDbTable {
    /// Builds the table from networks in any order; of those with one ASN the last given counts.
    pub fn from_networks(mut networks: Vec<PeeringNetwork>) -> Self {
        keep_last_by(&mut networks, |a, b| a.asn.cmp(&b.asn));
        PeeringDbTable { networks }
    }

    /// The network of an AS.
    pub fn network(&self, asn: Asn) -> Option<&PeeringNetwork> {
        let at = self.networks.binary_search_by_key(&asn, |held| held.asn).ok()?;
        self.networks.get(at)
    }

    /// ASes of route servers, ascending: they stand in paths and sell nothing.
    pub fn route_servers(&self) -> impl Iterator<Item = Asn> {
        let servers = self.networks.iter().filter(|held| &*held.network_type == "Route Server");
        servers.map(|held| held.asn)
    }

    /// All networks by ASN.
    pub fn iter(&self) -> impl Iterator<Item = &PeeringNetwork> {
        self.networks.iter()
    }

    /// Number of networks.
    pub fn len(&self) -> usize {
        self.networks.len()
    }

    /// Whether no network is held.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }
}
