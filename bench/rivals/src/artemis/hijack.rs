//! A stored hijack.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::{InvalidReason, RovState, VrpTable};
use routewarden_core::{Asn, Origin, Prefix, Timestamp};

use super::Class;
use super::classify::Found;
use crate::update::Update;

/// Route origin validation, as an annotation: it never decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpkiTag {
    /// VD.
    Valid,
    /// IA: another AS is authorised.
    InvalidAs,
    /// IL: longer than authorised.
    InvalidLength,
    /// NF.
    NotFound,
}

impl RpkiTag {
    pub(super) fn of(vrps: &VrpTable, prefix: &Prefix, origin: Origin) -> Self {
        match vrps.state(prefix, origin) {
            (RovState::Valid, _) => RpkiTag::Valid,
            (RovState::NotFound, _) => RpkiTag::NotFound,
            (RovState::Invalid, Some(InvalidReason::MaxLength)) => RpkiTag::InvalidLength,
            (RovState::Invalid, _) => RpkiTag::InvalidAs,
        }
    }

    /// Two letters.
    pub const fn name(self) -> &'static str {
        match self {
            RpkiTag::Valid => "VD",
            RpkiTag::InvalidAs => "IA",
            RpkiTag::InvalidLength => "IL",
            RpkiTag::NotFound => "NF",
        }
    }
}

/// One hijack: a prefix, a hijacker and a class.
#[derive(Clone, Debug)]
pub struct Hijack {
    /// Prefix announced.
    pub prefix: Prefix,
    /// Configured prefix that covers it.
    pub configured: Prefix,
    /// Class.
    pub class: Class,
    /// Who did it; `None` when nothing tells.
    pub hijacker: Option<Asn>,
    /// First origin of the rule.
    pub victim: Option<Asn>,
    /// Time of the first announcement taken.
    pub started: Timestamp,
    /// False once enough peers have withdrawn it.
    pub is_active: bool,
    /// Peers that have shown it.
    pub peers_seen: BTreeSet<Asn>,
    /// ASes that had it.
    pub infected: BTreeSet<Asn>,
    /// Validation at the first announcement.
    pub rpki: Option<RpkiTag>,
    /// Highest level that the communities reached.
    pub annotation: Option<String>,
    /// Position of that level.
    level: Option<usize>,
    /// When each peer withdrew it.
    withdrawals: BTreeMap<Asn, Timestamp>,
    /// Latest announcement of each peer.
    announced: BTreeMap<Asn, Timestamp>,
}

impl Hijack {
    pub(super) fn new(
        update: &Update<'_>,
        found: &Found,
        rpki: Option<RpkiTag>,
        victim: Option<Asn>,
    ) -> Self {
        Hijack {
            prefix: update.prefix,
            configured: found.configured,
            class: found.class,
            hijacker: found.hijacker,
            victim,
            started: update.time,
            is_active: true,
            peers_seen: BTreeSet::new(),
            infected: BTreeSet::new(),
            rpki,
            annotation: None,
            level: None,
            withdrawals: BTreeMap::new(),
            announced: BTreeMap::new(),
        }
    }

    /// Peers that have withdrawn it and not announced it since.
    pub fn peers_withdrawn(&self) -> impl Iterator<Item = Asn> + use<'_> {
        self.withdrawals.keys().copied()
    }

    /// A peer shows it. One older than the peer's withdrawal does not revive it.
    pub(super) fn seen(&mut self, peer: Asn, time: Timestamp, infected: &[Asn]) {
        self.peers_seen.insert(peer);
        self.infected.extend(infected);
        let latest = self.announced.entry(peer).or_insert(time);
        *latest = time.max(*latest);
        if self.withdrawals.get(&peer).is_some_and(|withdrawn| *withdrawn < time) {
            self.withdrawals.remove(&peer);
        }
    }

    /// Levels only go up.
    pub(super) fn annotate(&mut self, level: Option<(usize, &str)>) {
        if let Some((at, name)) = level
            && self.level.is_none_or(|is| at < is)
        {
            self.level = Some(at);
            self.annotation = Some(name.to_owned());
        }
    }

    /// A peer has left it; it counts only when newer than the peer's last announcement. Four of
    /// five peers end it.
    pub(super) fn withdrawn(&mut self, peer: Asn, time: Timestamp) {
        let Some(announced) = self.announced.get(&peer) else { return };
        if time <= *announced {
            return;
        }
        self.withdrawals.insert(peer, time);
        // Rounded to the nearest whole number; four fifths never lie half-way.
        let enough = (self.peers_seen.len() * 8 + 5) / 10;
        self.is_active = self.withdrawals.len() < enough;
    }
}
