//! Recorded updates in memory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use routewarden_core::{Asn, Timestamp};
use routewarden_feeds::transport::{Limits, Transport};
use routewarden_wire::mrt::{BGP4MP, BGP4MP_ET, bgp4mp};
use routewarden_wire::{
    AsnWidth, BGP_MESSAGE_OCTETS_MAX, Message, MrtReader, RawRecord, Record, Update, UpdateForm,
    decode,
};

/// Octets of a BGP message header (RFC 4271 §4.1).
const BGP_HEADER_OCTETS: usize = 19;

/// A peer of a recording.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Name of its collector.
    pub collector: Arc<str>,
    /// Its AS.
    pub asn: Asn,
    /// Its address.
    pub addr: IpAddr,
}

/// One UPDATE.
#[derive(Clone, Debug)]
struct Recorded {
    peer: u16,
    announced: u16,
    withdrawn: u16,
    octets: Range<usize>,
}

/// UPDATEs of 4-octet ASNs without path identifiers, whole messages as received, in the order of the
/// files.
#[derive(Debug, Default)]
pub struct Recording {
    peers: Vec<Peer>,
    octets: Vec<u8>,
    updates: Vec<Recorded>,
    /// Seconds of each collector's recording together.
    secs: i64,
}

/// An UPDATE of a recording.
#[derive(Clone, Copy, Debug)]
pub struct RecordedUpdate<'a> {
    /// Number of the peer.
    pub peer: u16,
    /// The message, header included.
    pub message: &'a [u8],
    /// Prefixes announced.
    pub announced: u16,
    /// Prefixes withdrawn.
    pub withdrawn: u16,
}

/// Numbers of updates of some peers, in order.
pub type Updates = Vec<u32>;

impl Recording {
    /// Reads MRT files, up to so many updates. The name of a file's folder, up to the first `-`, is
    /// that of the collector.
    pub fn read<P: AsRef<Path>>(files: &[P], updates_max: usize) -> Result<Self> {
        let mut recording = Recording::default();
        let mut numbers = BTreeMap::new();
        for path in files.iter().map(AsRef::as_ref) {
            recording
                .read_file(path, &mut numbers, updates_max)
                .with_context(|| path.display().to_string())?;
        }
        ensure!(!recording.updates.is_empty(), "no update of 4-octet ASNs in the files");
        Ok(recording)
    }

    fn read_file(
        &mut self,
        path: &Path,
        numbers: &mut BTreeMap<Peer, u16>,
        updates_max: usize,
    ) -> Result<()> {
        let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
        let collector = folder.as_deref().and_then(|name| name.split('-').next());
        let collector: Arc<str> = collector.unwrap_or("rrc00").into();
        let transport = Transport::open(path, Limits::default(), Arc::default())?;
        let mut reader = MrtReader::new(transport, routewarden_wire::Limits::default());
        let mut times: Option<(Timestamp, Timestamp)> = None;
        while self.updates.len() < updates_max
            && let Some(raw) = reader.next_record()
        {
            let raw = raw?;
            let Some((message, octets)) = message_as4(&raw) else { continue };
            let Some(update) = message.update() else { continue };
            let peer = Peer {
                collector: Arc::clone(&collector),
                asn: message.ends.peer_asn,
                addr: message.ends.peer_addr,
            };
            let number = self.number(peer, numbers)?;
            self.push(number, update, octets)?;
            let time = raw.header.time;
            times =
                Some(times.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        }
        self.secs += times.map_or(0, |(first, last)| last.secs_since(first));
        Ok(())
    }

    fn number(&mut self, peer: Peer, numbers: &mut BTreeMap<Peer, u16>) -> Result<u16> {
        if let Some(&number) = numbers.get(&peer) {
            return Ok(number);
        }
        let number = u16::try_from(self.peers.len()).context("more than 65,536 peers")?;
        self.peers.push(peer.clone());
        numbers.insert(peer, number);
        Ok(number)
    }

    fn push(&mut self, peer: u16, update: &Update<'_>, octets: &[u8]) -> Result<()> {
        let start = self.octets.len();
        self.octets.extend_from_slice(octets);
        self.updates.push(Recorded {
            peer,
            announced: u16::try_from(update.announced().count())?,
            withdrawn: u16::try_from(update.withdrawn().count())?,
            octets: start..self.octets.len(),
        });
        Ok(())
    }

    /// The peers, by number.
    pub fn peers(&self) -> &[Peer] {
        &self.peers
    }

    /// Updates in all.
    pub fn len(&self) -> usize {
        self.updates.len()
    }

    /// Updates a second of one collector when they were recorded.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub fn recorded_rate(&self) -> f64 {
        self.len() as f64 / self.secs.max(1) as f64
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    /// An update by its number.
    pub fn update(&self, number: u32) -> Option<RecordedUpdate<'_>> {
        let recorded = self.updates.get(usize::try_from(number).ok()?)?;
        let message = self.octets.get(recorded.octets.clone())?;
        let Recorded { peer, announced, withdrawn, .. } = *recorded;
        Some(RecordedUpdate { peer, message, announced, withdrawn })
    }

    /// Numbers of the updates of these peers.
    pub fn updates_of(&self, is_wanted: impl Fn(u16) -> bool) -> Updates {
        let numbered = (0_u32..).zip(&self.updates);
        numbered.filter(|(_, update)| is_wanted(update.peer)).map(|(number, _)| number).collect()
    }

    /// Numbers of the peers, those with the most updates first.
    pub fn busiest_peers(&self) -> Vec<u16> {
        let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
        for update in &self.updates {
            *counts.entry(update.peer).or_default() += 1;
        }
        let mut peers: Vec<(usize, u16)> =
            counts.into_iter().map(|(peer, count)| (count, peer)).collect();
        peers.sort_by_key(|&(count, peer)| (std::cmp::Reverse(count), peer));
        peers.into_iter().map(|(_, peer)| peer).collect()
    }
}

/// How the messages are to be read.
pub(super) const FORM: UpdateForm = UpdateForm {
    asn_width: AsnWidth::Four,
    path_ids: routewarden_wire::FamilySet::NONE,
    may_guess: false,
    may_lack_next_hop: false,
};

/// The UPDATE in a message with its header.
pub(super) fn decode_update(message: &[u8]) -> Option<Update<'_>> {
    Update::decode(message.get(BGP_HEADER_OCTETS..)?, FORM)
}

/// A BGP message with 4-octet ASNs that the collector received, decoded and whole, if the record is
/// one that every session takes.
fn message_as4<'a>(raw: &RawRecord<'a>) -> Option<(Message<'a>, &'a [u8])> {
    let is_as4 = matches!(raw.header.mrt_type, BGP4MP | BGP4MP_ET)
        && raw.header.subtype == bgp4mp::MESSAGE_AS4;
    let Record::Message(message) = is_as4.then(|| decode(raw, None).ok())??.value else {
        return None;
    };
    // Two ASNs, interface and family, two addresses (RFC 6396 §4.4.3).
    let addr_octets = if message.ends.peer_addr.is_ipv4() { 4 } else { 16 };
    let octets = raw.body.get(12 + 2 * addr_octets..)?;
    let is_whole = octets.get(16..18)? == u16::try_from(octets.len()).ok()?.to_be_bytes();
    let update = message.update()?;
    let is_sound = is_whole
        && octets.len() <= BGP_MESSAGE_OCTETS_MAX
        && !update.is_treated_as_withdraw()
        && update.end_of_rib().is_none()
        && decode_update(octets)?.announced().eq(update.announced());
    is_sound.then_some((message, octets))
}
