//! From a text frame to route events.

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};
use routewarden_core::{Asn, Peer, RouteEventKind, Timestamp};
use routewarden_wire::{AsnWidth, BgpMessage, SessionContext, Update, Warning};

use super::message::{CollectorMessage, Frame};
use super::{MessageFault, message, parsed};
use crate::live::{Batcher, PEERS_OF_SOURCE_MAX, SourceHandle};

/// Longest name of a collector.
pub const HOST_OCTETS_MAX: usize = 64;
/// Longest word of the service that is kept of its error messages.
const ERROR_OCTETS_MAX: usize = 256;

/// Names of what is counted, in the order of [`Kind`].
const KINDS: [&str; 14] = [
    "update",
    "update_raw",
    "update_parsed_raw_missing",
    "update_parsed_raw_unreadable",
    "update_two_octet_asns",
    "peer_state",
    "open",
    "notification",
    "keepalive",
    "subscribe_ok",
    "rrc_list",
    "pong",
    "service_error",
    "unknown_type",
];

/// What is counted of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Update,
    UpdateRaw,
    RawMissing,
    RawUnreadable,
    TwoOctetAsns,
    PeerState,
    Open,
    Notification,
    Keepalive,
    SubscribeOk,
    RrcList,
    Pong,
    ServiceError,
    UnknownType,
}

/// Reads the text frames of a source; keeps its peers and counts.
#[derive(Debug, Default)]
pub struct RisLiveDecoder {
    peers: HashMap<PeerKey, Arc<Peer>, foldhash::fast::FixedState>,
    octets: Vec<u8>,
    counts: [u64; KINDS.len()],
    service_error: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct PeerKey {
    host: Box<str>,
    asn: Asn,
    addr: IpAddr,
}

#[derive(Hash)]
struct PeerRef<'a> {
    host: &'a str,
    asn: Asn,
    addr: IpAddr,
}

impl Equivalent<PeerKey> for PeerRef<'_> {
    fn equivalent(&self, key: &PeerKey) -> bool {
        self.host == &*key.host && self.asn == key.asn && self.addr == key.addr
    }
}

impl RisLiveDecoder {
    /// Reads one text frame into the batcher. Whether it was a message of a collector.
    ///
    /// # Errors
    ///
    /// The frame is passed over: nothing of it is in the batcher.
    pub fn frame(
        &mut self,
        text: &str,
        received: Timestamp,
        batcher: &mut Batcher,
    ) -> Result<bool, MessageFault> {
        let kind = match message::frame(text)? {
            Frame::Collector(message) => {
                self.message(text, &message, received, batcher)?;
                return Ok(true);
            }
            Frame::Error(error) => {
                let end = error.message.0.floor_char_boundary(ERROR_OCTETS_MAX);
                self.service_error = error.message.0.get(..end).map(str::to_owned);
                Kind::ServiceError
            }
            Frame::RrcList => Kind::RrcList,
            Frame::SubscribeOk => Kind::SubscribeOk,
            Frame::Pong => Kind::Pong,
            Frame::Unknown | Frame::DataFirst(_) => Kind::UnknownType,
        };
        self.count(kind);
        Ok(false)
    }

    /// Tells the source's status what was counted since the last time.
    pub fn report(&mut self, status: &SourceHandle, now: Timestamp) {
        let counts = std::mem::take(&mut self.counts);
        status.kinds(KINDS.into_iter().zip(counts).filter(|(_, count)| *count > 0));
        if let Some(text) = self.service_error.take() {
            status.fault("ris_error", text, now);
        }
    }

    fn count(&mut self, kind: Kind) {
        if let Some(count) = self.counts.get_mut(kind as usize) {
            *count += 1;
        }
    }

    fn message(
        &mut self,
        text: &str,
        message: &CollectorMessage<'_>,
        received: Timestamp,
        batcher: &mut Batcher,
    ) -> Result<(), MessageFault> {
        let time = timestamp(message.timestamp)?;
        let peer = self.peer(message)?;
        let kind = match message.kind.0.as_ref() {
            "UPDATE" => {
                self.update(text, message, (&peer, (time, received)), batcher)?;
                Kind::Update
            }
            "RIS_PEER_STATE" | "STATE" => {
                let state = message.state.as_ref();
                let kind = match state.ok_or(MessageFault::Missing { field: "state" })?.0.as_ref() {
                    "up" | "connected" => RouteEventKind::PeerUp,
                    "down" => RouteEventKind::PeerDown,
                    _ => return Err(MessageFault::Field { field: "state" }),
                };
                batcher.session(&peer, (time, received), kind);
                Kind::PeerState
            }
            "OPEN" => Kind::Open,
            "NOTIFICATION" => Kind::Notification,
            "KEEPALIVE" => Kind::Keepalive,
            _ => Kind::UnknownType,
        };
        self.count(kind);
        Ok(())
    }

    /// Raw octets are what the peer said; what the service made of them comes second.
    fn update(
        &mut self,
        text: &str,
        message: &CollectorMessage<'_>,
        (peer, times): (&Arc<Peer>, (Timestamp, Timestamp)),
        batcher: &mut Batcher,
    ) -> Result<(), MessageFault> {
        let kind = match &message.raw {
            Some(raw) if !raw.0.is_empty() => {
                let mut octets = std::mem::take(&mut self.octets);
                let read = from_hex(raw.0.as_bytes(), &mut octets)
                    .and_then(|()| raw_update(&octets))
                    .map(|(update, width)| {
                        batcher.update(peer, times, &update);
                        width
                    });
                self.octets = octets;
                if let Some(width) = read {
                    if width == AsnWidth::Two {
                        self.count(Kind::TwoOctetAsns);
                    }
                    self.count(Kind::UpdateRaw);
                    return Ok(());
                }
                Kind::RawUnreadable
            }
            _ => Kind::RawMissing,
        };
        self.count(kind);
        let context = SessionContext { asn_width: AsnWidth::Four, has_path_ids: false };
        for body in parsed::bodies(text)? {
            if let Some(update) = Update::decode(&body, context) {
                batcher.update(peer, times, &update);
            }
        }
        Ok(())
    }

    fn peer(&mut self, message: &CollectorMessage<'_>) -> Result<Arc<Peer>, MessageFault> {
        let addr = message.peer.0.parse().map_err(|_| MessageFault::Field { field: "peer" })?;
        // `rrc00` and `rrc00.ripe.net` are one collector.
        let host = message.host.0.split('.').next().unwrap_or_default();
        let key = PeerRef { host, asn: Asn(message.peer_asn.0), addr };
        if let Some(peer) = self.peers.get(&key) {
            return Ok(Arc::clone(peer));
        }
        let is_name = (1..=HOST_OCTETS_MAX).contains(&host.len())
            && host.bytes().all(|o| o.is_ascii_alphanumeric() || b"-_".contains(&o));
        if !is_name {
            return Err(MessageFault::Field { field: "host" });
        }
        let peer = Arc::new(Peer { collector: host.to_owned(), asn: key.asn, addr });
        // The batcher refuses and counts further peers; here they only must not pile up.
        if self.peers.len() < PEERS_OF_SOURCE_MAX {
            let key = PeerKey { host: host.into(), asn: key.asn, addr };
            self.peers.insert(key, Arc::clone(&peer));
        }
        Ok(peer)
    }
}

/// Microseconds are exact: a double has 53 bits, and today's time needs 51 of them.
fn timestamp(secs: f64) -> Result<Timestamp, MessageFault> {
    let whole = secs.floor();
    if !(0.0..=f64::from(u32::MAX)).contains(&whole) {
        return Err(MessageFault::Field { field: "timestamp" });
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "both are checked or bound to their range"
    )]
    let (secs, micros) = (whole as u32, ((secs - whole) * 1e6).round() as u32);
    Ok(Timestamp::from_secs_micros(secs, micros))
}

/// A whole UPDATE with its header. A session without four-octet ASNs (RFC 6793) sends paths that
/// only the other width can read.
fn raw_update(octets: &[u8]) -> Option<(Update<'_>, AsnWidth)> {
    let read = |asn_width| {
        let context = SessionContext { asn_width, has_path_ids: false };
        let decoded = BgpMessage::decode(octets, context)?;
        let is_whole = !decoded.warnings.contains(Warning::MessageCut)
            && !decoded.warnings.contains(Warning::MarkerNotOnes);
        match decoded.value {
            BgpMessage::Update(update) if is_whole => Some(update),
            _ => None,
        }
    };
    let update = read(AsnWidth::Four)?;
    if update.warnings().contains(Warning::AsPathMalformed)
        && let Some(narrow) = read(AsnWidth::Two)
        && !narrow.warnings().contains(Warning::AsPathMalformed)
    {
        return Some((narrow, AsnWidth::Two));
    }
    Some((update, AsnWidth::Four))
}

/// Value of a hexadecimal digit; anything else has high bits set.
const fn digit(octet: u8) -> u8 {
    match octet {
        b'0'..=b'9' => octet - b'0',
        b'a'..=b'f' => octet - b'a' + 10,
        b'A'..=b'F' => octet - b'A' + 10,
        _ => 0xf0,
    }
}

/// Replaces `octets` with those that the digits tell; `None` when they are not pairs of
/// hexadecimal digits.
fn from_hex(digits: &[u8], octets: &mut Vec<u8>) -> Option<()> {
    octets.clear();
    let (pairs, odd) = digits.as_chunks::<2>();
    let mut all = 0;
    octets.extend(pairs.iter().map(|&[high, low]| {
        let (high, low) = (digit(high), digit(low));
        all |= high | low;
        high << 4 | low
    }));
    (odd.is_empty() && all < 16).then_some(())
}
