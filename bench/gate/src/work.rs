//! The work whose instructions are counted: decoding to what detection reads, and the table.

use std::net::IpAddr;

use routewarden_core::rib::AdjRibIn;
use routewarden_core::{PeerId, Prefix, Timestamp};
use routewarden_wire::{
    Attributes, Element, ElementKind, Limits, MrtDecoder, MrtReader, for_each_element,
};

/// Decodes a file in memory and gives every element to `visit`.
fn for_each(content: &[u8], mut visit: impl FnMut(&Element<'_>)) {
    let mut reader = MrtReader::new(content, Limits::default());
    let mut decoder = MrtDecoder::new();
    while let Some(raw) = reader.next_record() {
        let Ok(raw) = raw else { continue };
        let Ok(decoded) = decoder.decode(&raw) else { continue };
        for_each_element(&raw, &decoded.value, |element| {
            if let Ok(element) = element {
                visit(&element);
            }
        });
    }
}

/// Decodes a file in memory, and the attributes of every route to their canonical octets. Gives
/// (routes, octets of attributes).
pub fn decode(content: &[u8]) -> (usize, usize) {
    let (mut routes, mut octets) = (0, 0);
    let (mut scratch, mut canonical) = (Vec::new(), Vec::new());
    for_each(content, |element| {
        canonical.clear();
        if let Some(attributes) = element.kind.attributes() {
            attributes.route(&mut scratch).encode(&mut canonical);
        }
        routes += usize::from(element.kind.nlri().is_some());
        octets += canonical.len();
    });
    (routes, octets)
}

/// An announcement or withdrawal as the table takes it.
#[derive(Clone, Debug)]
pub struct Event {
    time: Timestamp,
    peer: PeerId,
    prefix: Prefix,
    /// Canonical octets of the attributes; `None` for a withdrawal.
    attributes: Option<Vec<u8>>,
}

/// Decodes a file in memory into what the table takes.
pub fn events(content: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut scratch = Vec::new();
    for_each(content, |element| {
        let (nlri, attributes) = match &element.kind {
            ElementKind::Withdrawal { nlri } => (nlri, None),
            ElementKind::Announcement { nlri, attributes }
            | ElementKind::TableEntry { nlri, attributes, .. } => (nlri, Some(attributes)),
            ElementKind::StateChange { .. } => return,
        };
        let attributes = attributes.map(|attributes| canonical(attributes, &mut scratch));
        let peer = peer_id(element.peer_addr);
        events.push(Event { time: element.time, peer, prefix: nlri.prefix, attributes });
    });
    events
}

fn canonical(attributes: &Attributes<'_>, scratch: &mut Vec<u8>) -> Vec<u8> {
    let mut octets = Vec::new();
    attributes.route(scratch).encode(&mut octets);
    octets
}

/// Made-up peers are numbered by the last octet of their address.
fn peer_id(addr: IpAddr) -> PeerId {
    let bits = match addr {
        IpAddr::V4(addr) => addr.to_bits(),
        IpAddr::V6(addr) => addr.segments().last().copied().map_or(0, u32::from),
    };
    PeerId(bits & 0xff)
}

/// The table, driven by [`Event`]s.
#[derive(Debug, Default)]
pub struct Table(AdjRibIn);

impl Table {
    /// Applies events in order; gives the number of routes after it.
    pub fn apply(&mut self, events: &[Event]) -> usize {
        for event in events {
            let at = (event.time, event.peer);
            match &event.attributes {
                Some(octets) => {
                    self.0.announce(at, event.prefix, octets, &mut |_| 0);
                }
                None => {
                    self.0.withdraw(at, event.prefix);
                }
            }
        }
        self.0.route_count()
    }

    /// The table itself.
    pub fn rib(&self) -> &AdjRibIn {
        &self.0
    }
}
