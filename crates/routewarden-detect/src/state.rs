//! What a detector knows, on disk: saved to a stream of octets and restored from it, so that a
//! restart goes on where it stopped.
//!
//! The stream is a magic and a version, then parts in `postcard`'s form: the head (configuration,
//! peers, VRPs and ASPAs in use), what is known of paths, and of each shard its table
//! ([`routewarden_core::rib::snapshot`]) and the rest. It is read by the program that wrote it, or
//! by a later one of the same version; who keeps it on disk adds a checksum and checks it first.
//! Facts other than VRPs and ASPAs are not in it: they are given anew.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use routewarden_core::facts::{
    AspaTable, FactKind, FactSource, Facts, Sha256, Sourced, TrustAnchors, Vrp, VrpTable,
};
use routewarden_core::rib::snapshot::SnapshotError;
use routewarden_core::rib::{AdjRibIn, RibLimits};
use routewarden_core::{Asn, Peer, PeerTable, Prefix, RouteAttributes, Shard, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::changes::ChangeLog;
use crate::claim::Claim;
use crate::detector::Detector;
use crate::engine::DetectorShard;
use crate::knowledge::{OriginHabit, Topology};
use crate::outage::Outages;
use crate::path_knowledge::{Look, PathKnowledge};
use crate::session_log::SessionLog;
use crate::{Config, Counters};

/// The first octets of a saved state.
pub const STATE_MAGIC: [u8; 8] = *b"RWDETECT";
/// The version of the form that is written, and the only one that is read.
pub const STATE_VERSION: u32 = 1;
/// Longest text in a saved state, in octets.
pub const STATE_TEXT_OCTETS_MAX: usize = 1 << 20;
/// Most shards of a saved state.
const SHARDS_MAX: u32 = routewarden_core::shard::SHARDS_MAX;

/// What kept a state from being saved or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The stream failed.
    #[error("the stream of the state failed")]
    Io(#[from] std::io::Error),
    /// A part is not as it was written.
    #[error("malformed {part} of the state")]
    Part {
        /// Which part.
        part: &'static str,
        /// What was wrong.
        source: postcard::Error,
    },
    /// A table cannot be saved or restored.
    #[error("the table of the state")]
    Table(#[from] SnapshotError),
    /// The first octets are not [`STATE_MAGIC`].
    #[error("not a state of a detector")]
    NotAState,
    /// Another version than [`STATE_VERSION`].
    #[error("version {0} of the state is not known")]
    UnknownVersion(u32),
    /// More shards than there may be, or none.
    #[error("a state of {0} shards")]
    Shards(u32),
}

/// What stands before the shards.
#[derive(Serialize, Deserialize)]
struct Head {
    config: Config,
    shards: u32,
    peers: Vec<Peer>,
    vrps: Option<SavedVrps>,
    aspas: Option<SavedAspas>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedSource {
    name: String,
    sha256: Option<[u8; 32]>,
    date: Option<Timestamp>,
    entries: u64,
}

impl SavedSource {
    fn of(source: &FactSource) -> Self {
        let FactSource { name, sha256, date, entries, kind: _, skipped: _ } = source;
        let sha256 = sha256.map(|hash| hash.0);
        SavedSource { name: name.clone(), sha256, date: *date, entries: *entries }
    }

    /// What was left out of the file is not saved: it is told when the file is read.
    fn restore(self, kind: FactKind) -> FactSource {
        let SavedSource { name, sha256, date, entries } = self;
        let sha256 = sha256.map(Sha256);
        FactSource { kind, name, sha256, date, entries, skipped: BTreeMap::new() }
    }
}

/// VRPs in the form in which they are saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedVrps {
    source: SavedSource,
    anchors: Vec<String>,
    /// Prefix, maximal length, ASN, place of the trust anchor in `anchors`, expiry.
    vrps: Vec<(Prefix, u8, Asn, u16, u32)>,
}

impl SavedVrps {
    /// Those of a table.
    pub fn of(sourced: &Sourced<VrpTable>) -> Self {
        let anchors: Vec<String> =
            sourced.table.trust_anchors().iter().map(|(_, name)| name.to_owned()).collect();
        let place = |vrp: &Vrp| {
            let name = sourced.table.trust_anchor(vrp);
            let at = anchors.iter().position(|anchor| anchor == name);
            at.and_then(|at| u16::try_from(at).ok()).unwrap_or(u16::MAX)
        };
        let vrps = sourced.table.iter_expiring();
        let vrps = vrps.map(|(v, expires)| (v.prefix, v.max_len, v.asn, place(&v), expires));
        SavedVrps { source: SavedSource::of(&sourced.source), vrps: vrps.collect(), anchors }
    }

    /// The table.
    pub fn restore(self) -> Sourced<VrpTable> {
        let mut anchors = TrustAnchors::default();
        let ids: Vec<_> = self.anchors.iter().map(|name| anchors.intern(name)).collect();
        let vrps = self.vrps.into_iter().map(|(prefix, max_len, asn, place, expires)| {
            let ta = ids.get(usize::from(place)).copied().unwrap_or_default();
            (Vrp { prefix, max_len, asn, ta }, expires)
        });
        let table = VrpTable::from_expiring(vrps.collect()).with_trust_anchors(anchors);
        Sourced { table, source: self.source.restore(FactKind::Vrps) }
    }
}

/// ASPAs in the form in which they are saved.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedAspas {
    source: SavedSource,
    aspas: Vec<(Asn, Vec<Asn>)>,
}

impl SavedAspas {
    /// Those of a table.
    pub fn of(sourced: &Sourced<AspaTable>) -> Self {
        let aspas = sourced.table.iter().map(|(customer, names)| (customer, names.to_vec()));
        SavedAspas { source: SavedSource::of(&sourced.source), aspas: aspas.collect() }
    }

    /// The table.
    pub fn restore(self) -> Sourced<AspaTable> {
        let table = AspaTable::from_records(self.aspas);
        Sourced { table, source: self.source.restore(FactKind::Aspas) }
    }
}

/// Of a shard what is not its table; what can be worked out again is left out.
#[derive(Serialize, Deserialize)]
pub(crate) struct ShardRest {
    pub(crate) habit: OriginHabit,
    pub(crate) topology: Topology,
    pub(crate) outages: Outages,
    pub(crate) session_log: SessionLog,
    pub(crate) changes: ChangeLog,
    pub(crate) claims: Vec<Claim>,
    pub(crate) counters: Counters,
    pub(crate) progress: Progress,
}

/// As [`ShardRest`], borrowed: the same octets.
#[derive(Serialize)]
pub(crate) struct ShardRestRef<'a> {
    pub(crate) habit: &'a OriginHabit,
    pub(crate) topology: &'a Topology,
    pub(crate) outages: &'a Outages,
    pub(crate) session_log: &'a SessionLog,
    pub(crate) changes: &'a ChangeLog,
    pub(crate) claims: &'a [Claim],
    pub(crate) counters: Counters,
    pub(crate) progress: Progress,
}

/// How far a shard has come.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) now: Timestamp,
    pub(crate) seq: u64,
    pub(crate) first_news: Option<u64>,
    pub(crate) updates_begun: bool,
    pub(crate) has_table: bool,
    pub(crate) routes_elsewhere: usize,
    pub(crate) known_elsewhere: usize,
}

impl Detector {
    /// Writes all that is known, so that [`Detector::restore`] goes on from there. `out` should be
    /// buffered.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn save(&self, out: &mut impl Write) -> Result<(), StateError> {
        out.write_all(&STATE_MAGIC)?;
        out.write_all(&STATE_VERSION.to_be_bytes())?;
        let facts = self.facts();
        let head = Head {
            config: self.config(),
            shards: u32::try_from(self.shards().count()).unwrap_or(u32::MAX),
            peers: self.peers().iter().map(|(_, peer)| peer.clone()).collect(),
            vrps: facts.vrps.as_ref().map(SavedVrps::of),
            aspas: facts.aspas.as_ref().map(SavedAspas::of),
        };
        write("head", &head, out)?;
        write("paths", self.knowledge(), out)?;
        for shard in self.shards() {
            shard.rib.save(self.peers(), out)?;
            write("shard", &shard.rest(), out)?;
        }
        out.flush()?;
        Ok(())
    }

    /// Reads a state that [`Detector::save`] wrote. The VRPs and ASPAs are those of the state; all
    /// other facts are `facts`.
    ///
    /// # Errors
    /// When `input` fails or is no such state.
    pub fn restore(input: &mut impl Read, facts: Facts) -> Result<Detector, StateError> {
        let (mut magic, mut version) = ([0; 8], [0; 4]);
        input.read_exact(&mut magic)?;
        if magic != STATE_MAGIC {
            return Err(StateError::NotAState);
        }
        input.read_exact(&mut version)?;
        let version = u32::from_be_bytes(version);
        if version != STATE_VERSION {
            return Err(StateError::UnknownVersion(version));
        }
        let mut scratch = vec![0; STATE_TEXT_OCTETS_MAX];
        let head: Head = read("head", input, &mut scratch)?;
        if head.shards == 0 || head.shards > SHARDS_MAX {
            return Err(StateError::Shards(head.shards));
        }
        let mut peers = PeerTable::default();
        for peer in &head.peers {
            peers.intern(peer);
        }
        let facts = Arc::new(Facts {
            vrps: head.vrps.map(SavedVrps::restore),
            aspas: head.aspas.map(SavedAspas::restore),
            ..facts
        });
        let knowledge: Arc<PathKnowledge> = Arc::new(read("paths", input, &mut scratch)?);
        let mut shards = Vec::new();
        for shard in Shard::all(head.shards) {
            let mut new = DetectorShard::new(head.config, &facts, shard);
            new.peers = peers.clone();
            new.knowledge = Arc::clone(&knowledge);
            let limits = RibLimits::default().of_shard(shard);
            let mut classify = |attributes: &RouteAttributes<'_>| {
                let look = Look::new(&knowledge, &facts, head.config, attributes.otc);
                DetectorShard::flags(&look, head.config, attributes)
            };
            new.rib = AdjRibIn::restore(input, limits, &mut peers, &mut classify)?;
            new.set_rest(read("shard", input, &mut scratch)?);
            shards.push(new);
        }
        Detector::from_shards(shards).ok_or(StateError::Shards(head.shards))
    }
}

fn write(
    part: &'static str,
    value: &impl Serialize,
    out: &mut impl Write,
) -> Result<(), StateError> {
    match postcard::to_io(value, out) {
        Ok(_) => Ok(()),
        Err(source) => Err(StateError::Part { part, source }),
    }
}

fn read<T: DeserializeOwned>(
    part: &'static str,
    input: &mut impl Read,
    scratch: &mut [u8],
) -> Result<T, StateError> {
    match postcard::from_io((input, scratch)) {
        Ok((value, _)) => Ok(value),
        Err(source) => Err(StateError::Part { part, source }),
    }
}
