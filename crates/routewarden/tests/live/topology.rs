//! Who is whose provider, and what runs where.
//!
//! ```text
//!   t1a BIRD 64496 ═══peer═══ t1b FRR 64497            col 64505: the collector
//!     │      ╲                ╱    │    ╲                BGP: t1a, m3, m4
//!   m1 BIRD   ╲             ╱   m2 FRR   ╲               BMP: t1b, m3
//!   64498      m3 GoBGP 64500   64499 ROV m4 OpenBGPD    RTR: StayRTR runs beside it
//!    │  ╲  ╲        │            │        64501
//!    │   ╲  peer════════════════════════════│
//!    │  lkr BIRD 64504 ──────────┘          │
//!   vic BIRD 64502 ─────────────────────────┘
//!                 att ExaBGP 64503 (customer of m3)
//! ```

use Software::{Bird, ExaBgp, Frr, GoBgp, OpenBgpd};

/// What a router runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Bird,
    Frr,
    GoBgp,
    OpenBgpd,
    ExaBgp,
}

/// What a neighbour is to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Customer,
    Peer,
    Provider,
    /// Gets everything and says nothing.
    Collector,
}

impl Neighbour {
    /// Relations that routes come over.
    pub(crate) const SPEAKING: [Neighbour; 3] =
        [Neighbour::Customer, Neighbour::Peer, Neighbour::Provider];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Neighbour::Customer => "customer",
            Neighbour::Peer => "peer",
            Neighbour::Provider => "provider",
            Neighbour::Collector => "collector",
        }
    }

    /// Preference of its routes (`LOCAL_PREF`): customers before peers before providers.
    pub(crate) const fn preference(self) -> u32 {
        match self {
            Neighbour::Customer => 200,
            Neighbour::Peer => 150,
            Neighbour::Provider | Neighbour::Collector => 100,
        }
    }

    /// Second half of the community that marks its routes.
    pub(crate) const fn mark(self) -> u32 {
        match self {
            Neighbour::Customer => 1,
            Neighbour::Peer => 2,
            Neighbour::Provider | Neighbour::Collector => 3,
        }
    }

    /// Whether only own and customers' routes go there.
    pub(crate) const fn is_up(self) -> bool {
        matches!(self, Neighbour::Peer | Neighbour::Provider)
    }
}

/// A router of the lab.
#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) name: &'static str,
    pub(crate) software: Software,
    pub(crate) asn: u32,
    octet: u8,
    /// What it originates.
    pub(crate) own: &'static [&'static str],
}

const fn router(
    name: &'static str,
    software: Software,
    asn: u32,
    octet: u8,
    own: &'static [&'static str],
) -> Router {
    Router { name, software, asn, octet, own }
}

/// The routers.
pub(crate) const ROUTERS: [Router; 9] = [
    router("t1a", Bird, 64496, 11, &["192.0.2.0/26"]),
    router("t1b", Frr, 64497, 12, &["192.0.2.64/26"]),
    router("m1", Bird, 64498, 21, &["198.51.100.0/25"]),
    router("m2", Frr, 64499, 22, &["198.51.100.128/26"]),
    router("m3", GoBgp, 64500, 23, &["192.0.2.128/26"]),
    router("m4", OpenBgpd, 64501, 24, &["198.51.100.192/26"]),
    router("vic", Bird, 64502, 31, &["203.0.113.0/24"]),
    router("att", ExaBgp, 64503, 32, &["192.0.2.224/28"]),
    router("lkr", Bird, 64504, 33, &["192.0.2.192/26"]),
];
/// Prefixes that all of them originate.
pub(crate) const PREFIXES: usize = 9;

/// The collector's node.
pub(crate) const COLLECTOR: &str = "col";
/// The collector's address.
pub(crate) const COLLECTOR_ADDRESS: &str = "10.99.0.99";
/// The collector's AS.
pub(crate) const COLLECTOR_ASN: u32 = 64505;

/// Provider and customer.
const PROVIDERS: [(&str, &str); 10] = [
    ("t1a", "m1"),
    ("t1b", "m2"),
    ("t1a", "m3"),
    ("t1b", "m3"),
    ("t1b", "m4"),
    ("m1", "vic"),
    ("m4", "vic"),
    ("m3", "att"),
    ("m1", "lkr"),
    ("m2", "lkr"),
];
const PEERS: [(&str, &str); 2] = [("t1a", "t1b"), ("m1", "m4")];

/// Routers with a BGP session to the collector.
pub(crate) const BGP_FEEDERS: [&str; 3] = ["t1a", "m3", "m4"];
/// Those of them that sign their session with the collector (RFC 2385); a key has a blank and a sign.
pub(crate) const SIGNERS: [&str; 2] = ["t1a", "m3"];
/// The key with which they sign.
pub(crate) const KEY: &str = "k3y of-the lab";
/// Routers that are BMP senders to the collector.
pub(crate) const BMP_FEEDERS: [&str; 2] = ["t1b", "m3"];
/// The router that drops what is invalid by ROV.
pub(crate) const WITH_ROV: &str = "m2";

/// A router of the lab by its name.
pub(crate) fn named(name: &str) -> &'static Router {
    ROUTERS.iter().find(|router| router.name == name).unwrap()
}

impl Router {
    pub(crate) fn address(&self) -> String {
        format!("10.99.0.{}", self.octet)
    }

    /// Its sessions.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        let mut sessions = Vec::new();
        let mut add = |name, is| {
            let router = named(name);
            sessions.push(Session { name, address: router.address(), asn: router.asn, is });
        };
        for (provider, customer) in PROVIDERS {
            if provider == self.name {
                add(customer, Neighbour::Customer);
            } else if customer == self.name {
                add(provider, Neighbour::Provider);
            }
        }
        for (a, b) in PEERS {
            if a == self.name {
                add(b, Neighbour::Peer);
            } else if b == self.name {
                add(a, Neighbour::Peer);
            }
        }
        if BGP_FEEDERS.contains(&self.name) {
            let address = COLLECTOR_ADDRESS.to_owned();
            let (name, asn, is) = (COLLECTOR, COLLECTOR_ASN, Neighbour::Collector);
            sessions.push(Session { name, address, asn, is });
        }
        sessions
    }
}

/// A router's session with a neighbour.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) name: &'static str,
    pub(crate) address: String,
    pub(crate) asn: u32,
    pub(crate) is: Neighbour,
}

/// The relations as a file for `--relations`: `provider|customer|-1`, `peer|peer|0`.
pub(crate) fn relations_file() -> String {
    let line = |(a, b): (&str, &str), code| format!("{}|{}|{code}\n", named(a).asn, named(b).asn);
    let providers = PROVIDERS.iter().map(|&pair| line(pair, -1));
    providers.chain(PEERS.iter().map(|&pair| line(pair, 0))).collect()
}
