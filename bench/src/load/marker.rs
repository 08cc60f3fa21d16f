//! Markers: hijacks of documentation prefixes, to measure how long it takes until they are told.
//!
//! [`VICTIMS`] ASes each announce a /40 of `2001:db8::/32` from the beginning on; a marker is a /48 of
//! one of them by one of the other documentation ASes. Each pair of culprit and victim comes once,
//! for further ones would belong to the same incident; and a culprit has few victims, for many at
//! once would be one.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use routewarden_core::{AddressFamily, AsPathBuf, Asn, Prefix, Timestamp};
use routewarden_wire::encode::AttributeWriter;
use routewarden_wire::{AsnWidth, Nlri, RouteOrigin, Safi};
use serde_json::{Value, json};

use super::sent::Protocol;
use super::session::update;

/// ASes that are hijacked: the first of those for documentation (RFC 5398).
pub const VICTIMS: u16 = 4;
/// ASes that hijack: the other ones.
const CULPRITS: u16 = 28;
/// Pairs of them.
pub const MARKERS_MAX: u16 = VICTIMS * CULPRITS;
const DOCUMENTATION_ASNS: u32 = 64_496;
const LONG_DOCUMENTATION_ASNS: u32 = 65_536;
/// ASes of the first range.
const SHORT: u16 = 16;

fn asn(index: u16) -> Asn {
    if index < SHORT {
        Asn(DOCUMENTATION_ASNS + u32::from(index))
    } else {
        Asn(LONG_DOCUMENTATION_ASNS + u32::from(index - SHORT))
    }
}

fn documentation(third: u16, length: u8) -> Option<Prefix> {
    let addr = Ipv6Addr::new(0x2001, 0xdb8, third, 0, 0, 0, 0, 0);
    Prefix::v6(addr.to_bits(), length)
}

/// The prefix of a victim.
pub fn victim_prefix(victim: u16) -> Option<Prefix> {
    documentation(victim << 8, 40)
}

/// One hijack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) number: u16,
}

impl Marker {
    fn victim(self) -> u16 {
        self.number / CULPRITS
    }

    fn culprit(self) -> Asn {
        asn(VICTIMS + self.number % CULPRITS)
    }

    fn prefix(self) -> Option<Prefix> {
        documentation((self.victim() << 8) | (self.number % CULPRITS), 48)
    }

    /// The UPDATE that announces it, by a peer of that AS.
    pub(super) fn announcement(self, peer: Asn) -> Result<Vec<u8>> {
        announcement(self.prefix().context("prefix of a marker")?, peer, self.culprit())
    }

    /// The UPDATE that withdraws it.
    pub(super) fn withdrawal(self) -> Result<Vec<u8>> {
        let nlri = unicast(self.prefix().context("prefix of a marker")?);
        let mut attributes = AttributeWriter::new(AsnWidth::Four);
        attributes.mp_unreach((AddressFamily::Ipv6, Safi::Unicast), &[nlri])?;
        update(attributes.octets(), &[])
    }
}

/// The UPDATE with which a victim's prefix stands, by a peer of that AS.
pub(super) fn victims_announcement(victim: u16, peer: Asn) -> Result<Vec<u8>> {
    announcement(victim_prefix(victim).context("prefix of a victim")?, peer, asn(victim))
}

fn unicast(prefix: Prefix) -> Nlri {
    Nlri { prefix, path_id: None, safi: Safi::Unicast }
}

fn announcement(prefix: Prefix, peer: Asn, origin: Asn) -> Result<Vec<u8>> {
    let next_hop = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);
    let path = AsPathBuf::sequence([peer, origin]);
    let mut attributes = AttributeWriter::new(AsnWidth::Four);
    attributes.origin(RouteOrigin::Igp).as_path(path.as_path())?;
    let family = (AddressFamily::Ipv6, Safi::Unicast);
    attributes.mp_reach(family, &[next_hop.into()], &[unicast(prefix)])?;
    update(attributes.octets(), &[])
}

/// A marker that was sent.
#[derive(Clone, Debug)]
pub struct MarkerSent {
    /// Its prefix.
    pub prefix: Prefix,
    /// Who hijacks.
    pub culprit: Asn,
    /// Whom.
    pub victim: Asn,
    /// How it was sent.
    pub protocol: Protocol,
    /// When it was first written.
    pub at: Timestamp,
}

impl MarkerSent {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "prefix": self.prefix.to_string(),
            "culprit": self.culprit.0,
            "victim": self.victim.0,
            "protocol": self.protocol.name(),
            "at": self.at.to_string(),
        })
    }
}

/// Hands out markers to streams and notes when they were sent.
#[derive(Debug, Default)]
pub(super) struct Markers {
    sent: Mutex<BTreeMap<u16, MarkerSent>>,
}

impl Markers {
    /// The next marker, noted as sent now; `None` when all are.
    pub(super) fn next(&self, protocol: Protocol, at: Timestamp) -> Option<Marker> {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u16::try_from(sent.len()).ok().filter(|&number| number < MARKERS_MAX)?;
        let marker = Marker { number };
        let (prefix, culprit, victim) = (marker.prefix()?, marker.culprit(), asn(marker.victim()));
        sent.insert(number, MarkerSent { prefix, culprit, victim, protocol, at });
        Some(marker)
    }

    /// All of a protocol, in the order in which they were sent.
    pub(super) fn of(&self, protocol: Protocol) -> Vec<Marker> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let of_protocol = sent.iter().filter(|(_, marker)| marker.protocol == protocol);
        of_protocol.map(|(&number, _)| Marker { number }).collect()
    }

    /// All that were sent.
    pub(super) fn sent(&self) -> Vec<MarkerSent> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_is_a_pair_and_a_prefix_of_its_own() {
        let markers = Markers::default();
        let now = Timestamp::from_secs(1);
        while markers.next(Protocol::Bmp, now).is_some() {}
        let sent = markers.sent();
        assert_eq!(sent.len(), usize::from(MARKERS_MAX));
        let pairs: std::collections::BTreeSet<_> =
            sent.iter().map(|marker| (marker.culprit, marker.victim)).collect();
        let prefixes: std::collections::BTreeSet<_> =
            sent.iter().map(|marker| marker.prefix).collect();
        assert_eq!((pairs.len(), prefixes.len()), (sent.len(), sent.len()));
        for (index, marker) in sent.iter().enumerate() {
            let victim = u16::try_from(index).unwrap() / CULPRITS;
            assert!(victim_prefix(victim).unwrap().covers(&marker.prefix));
            assert_ne!(marker.culprit, marker.victim);
        }
    }
}
