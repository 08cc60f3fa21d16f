//! Who drops RPKI-invalid routes: what an AS passed on of those that its neighbour had, inferred from the
//! paths of a table.
//!
//! For an origin that has both, the paths of its valid and not-found routes (the *control*) show
//! over which links its routes come. An AS X with the link X-Y towards the origin was *offered* an invalid
//! route of the same family that Y had; it *passed it on* when it stands in a path of that route, else it
//! *dropped* it. That X was not seen says nothing of X in two cases. Where the collector's peer at the other end
//! of the control path has the invalid route by another way: it may have preferred that, so X is not asked
//! there. Where an AS between X and the collector drops such routes itself: X is asked only along control paths
//! where each AS before it passed on more than half of what it was offered. A collector's peer with few
//! routes is asked only about what its own control paths show.
//!
//! The method and its thresholds are ours. What it cannot tell: a neighbour may not have exported the route
//! to X (filtered, or announced to some neighbours only); X may prefer a valid route instead of dropping; X may
//! exempt its customers' routes; a default route may carry packets for what was dropped; prefixes of one
//! origin are no independent trials, so the interval is narrower than it should be.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::facts::RovState;
use routewarden_core::{AddressFamily, Asn, Prefix};
use serde::Serialize;

use crate::{Measure, Profile, Score, Share, ShareOf};

/// Most ASNs kept, of control paths and of the paths of invalid routes together.
pub const ROV_ASNS_MAX: usize = 8_000_000;
/// Longest path taken, without prepends.
pub const ROV_PATH_ASNS_MAX: usize = 64;
/// Most invalid routes of one origin that count, the first by prefix: no origin alone decides a verdict.
pub const ROV_INVALIDS_MAX: usize = 4;
/// Most control paths of one origin and family.
pub const ROV_CONTROL_PATHS_MAX: usize = 1_024;
/// An AS drops when at least this share is dropped, by the low end of the interval.
pub const ROV_DROPS_FROM_PERCENT: u8 = 70;
/// An AS passes on when at most this share is dropped, by the high end of the interval.
pub const ROV_PASSES_TO_PERCENT: u8 = 30;
/// Fewer offered routes give no verdict, where the profile does not say.
pub const ROV_LEAST_DEFAULT: u32 = 20;

/// 97.5 % of a normal distribution lie below: for an interval of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// What an AS does with RPKI-invalid routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RovVerdict {
    /// It drops them.
    Drops,
    /// It drops some, or it is not clear which.
    Partly,
    /// It passes them on.
    Passes,
    /// Too few were offered to it.
    Unknown,
}

/// Invalid routes that an AS was offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RovEvidence {
    /// Routes offered.
    pub offered: u32,
    /// Of these, not passed on.
    pub dropped: u32,
}

/// What the evidence says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RovJudgement {
    /// In a word.
    pub verdict: RovVerdict,
    /// Routes offered.
    pub n: u32,
    /// Of these, not passed on.
    pub dropped: u32,
    /// Low end of Wilson's 95 % interval of the share dropped; `null` when none was offered.
    pub low: Option<Score>,
    /// High end.
    pub high: Option<Score>,
    /// In words.
    pub text: String,
}

impl RovEvidence {
    /// For [`AsInputs::invalids_dropped`](crate::AsInputs::invalids_dropped). An AS without evidence has
    /// the share of [`RovEvidence::default`], nothing of nothing: too few.
    pub fn share(self) -> Share {
        Share { part: self.dropped, whole: self.offered }
    }

    /// The verdict, with `least` routes offered; see [`Profile::rov_least`].
    pub fn judged(self, least: u32) -> RovJudgement {
        let interval = self.interval();
        let verdict = match interval {
            Some((low, high)) if self.offered >= least => {
                if low >= Score::from_percent(ROV_DROPS_FROM_PERCENT) {
                    RovVerdict::Drops
                } else if high <= Score::from_percent(ROV_PASSES_TO_PERCENT) {
                    RovVerdict::Passes
                } else {
                    RovVerdict::Partly
                }
            }
            _ => RovVerdict::Unknown,
        };
        let text = self.text(verdict, interval, least.max(1));
        let (low, high) = interval.unzip();
        RovJudgement { verdict, n: self.offered, dropped: self.dropped, low, high, text }
    }

    /// Wilson's interval of the share dropped.
    fn interval(self) -> Option<(Score, Score)> {
        if self.offered == 0 {
            return None;
        }
        let n = f64::from(self.offered);
        let share = f64::from(self.dropped.min(self.offered)) / n;
        let scale = 1.0 + Z * Z / n;
        let middle = (share + Z * Z / (2.0 * n)) / scale;
        let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
        Some((Score::nearest(middle - half), Score::nearest(middle + half)))
    }

    fn text(self, verdict: RovVerdict, interval: Option<(Score, Score)>, least: u32) -> String {
        let RovEvidence { offered, dropped } = self;
        let says = match verdict {
            RovVerdict::Unknown => {
                return format!(
                    "{offered} RPKI-invalid routes were seen offered to it; {least} are needed to judge."
                );
            }
            RovVerdict::Drops => "it drops them",
            RovVerdict::Partly => "it drops some, or the figures do not tell",
            RovVerdict::Passes => "it passes them on",
        };
        let (low, high) = interval.unwrap_or((Score::ZERO, Score::ONE));
        let [low, high] = [low, high].map(|end| (end.fraction() * 100.0).round());
        format!(
            "Of {offered} RPKI-invalid routes offered to it, {dropped} were not passed on ({low} to {high} % \
             with 95 % confidence): {says}."
        )
    }
}

impl Profile {
    /// How many invalid routes must have been offered for a verdict.
    pub fn rov_least(&self) -> u32 {
        let shares = self.metrics.iter().filter_map(|metric| match &metric.measure {
            Measure::Share(rule) if rule.of == ShareOf::InvalidsDropped => Some(rule.least.max(1)),
            _ => None,
        });
        shares.max().unwrap_or(ROV_LEAST_DEFAULT)
    }
}

/// Routes of one origin.
#[derive(Clone, Debug, Default)]
struct OriginRoutes {
    /// Distinct paths of control routes: IPv4, IPv6.
    control: [BTreeSet<Box<[Asn]>>; 2],
    /// ASes on the paths of each invalid route.
    invalid: BTreeMap<Prefix, BTreeSet<Asn>>,
}

/// Gathers the routes of a table. Below its limits the result does not depend on their order.
#[derive(Clone, Debug)]
pub struct RovBuilder {
    origins: BTreeMap<Asn, OriginRoutes>,
    asns: usize,
    asns_max: usize,
    over_limit: u64,
}

impl RovBuilder {
    /// Looks at these origins only: those that announce an invalid route. Others tell nothing, and
    /// would take room.
    pub fn new(origins: impl IntoIterator<Item = Asn>) -> Self {
        Self::within(origins, ROV_ASNS_MAX)
    }

    pub(crate) fn within(origins: impl IntoIterator<Item = Asn>, asns_max: usize) -> Self {
        let origins = origins.into_iter().map(|asn| (asn, OriginRoutes::default()));
        RovBuilder { origins: origins.collect(), asns: 0, asns_max, over_limit: 0 }
    }

    /// A route as a peer of the collector had it: the peer first, the origin last. Prepends are taken out; a
    /// path where an AS comes back is left out. Where another origin has a valid route to the prefix, an
    /// invalid one is better not given: it is not preferred anyway.
    pub fn add(&mut self, prefix: Prefix, state: RovState, path: &[Asn]) {
        let Some(routes) = path.last().and_then(|origin| self.origins.get_mut(origin)) else {
            return;
        };
        let mut path = path.to_vec();
        path.dedup();
        if path.len() > ROV_PATH_ASNS_MAX || self.asns.saturating_add(path.len()) > self.asns_max {
            self.over_limit += 1;
            return;
        }
        if path.iter().collect::<BTreeSet<_>>().len() < path.len() {
            return;
        }
        if state == RovState::Invalid {
            let on_paths = routes.invalid.entry(prefix).or_default();
            let before = on_paths.len();
            on_paths.extend(path);
            self.asns += on_paths.len() - before;
            if routes.invalid.len() > ROV_INVALIDS_MAX {
                let last = routes.invalid.pop_last();
                self.asns -= last.map_or(0, |(_, asns)| asns.len());
            }
            return;
        }
        let [v4, v6] = &mut routes.control;
        let control = if prefix.family() == AddressFamily::Ipv4 { v4 } else { v6 };
        let length = path.len();
        if control.insert(path.into()) {
            self.asns += length;
        }
        if control.len() > ROV_CONTROL_PATHS_MAX {
            self.asns -= control.pop_last().map_or(0, |path| path.len());
        }
    }

    /// Routes not taken because of [`ROV_ASNS_MAX`] or [`ROV_PATH_ASNS_MAX`].
    pub fn over_limit(&self) -> u64 {
        self.over_limit
    }

    /// What each AS was offered and dropped; those that were offered nothing are left out.
    pub fn finish(self) -> BTreeMap<Asn, RovEvidence> {
        let at_first = self.evidence(|_| true);
        let is_open = |held: &RovEvidence| held.dropped < held.offered - held.dropped;
        self.evidence(|asn| at_first.get(&asn).is_some_and(is_open))
    }

    /// Asks along control paths as far as their ASes are open: pass invalid routes on.
    fn evidence(&self, is_open: impl Fn(Asn) -> bool) -> BTreeMap<Asn, RovEvidence> {
        let mut found: BTreeMap<Asn, RovEvidence> = BTreeMap::new();
        for (&origin, routes) in &self.origins {
            let links = routes.control.each_ref().map(|paths| links(paths, &is_open));
            let [v4, v6] = &links;
            for (prefix, on_paths) in &routes.invalid {
                let links = if prefix.family() == AddressFamily::Ipv4 { v4 } else { v6 };
                let has = |asn: Asn| asn == origin || on_paths.contains(&asn);
                for of_one in links.chunk_by(|a, b| a.asn == b.asn) {
                    let Some(&Link { asn, .. }) = of_one.first() else { continue };
                    let is_seen = has(asn);
                    let tells = |link: &Link| has(link.next) && (is_seen || !has(link.peer));
                    if of_one.iter().any(tells) {
                        let evidence = found.entry(asn).or_default();
                        evidence.offered = evidence.offered.saturating_add(1);
                        evidence.dropped = evidence.dropped.saturating_add(u32::from(!is_seen));
                    }
                }
            }
        }
        found
    }
}

/// A link of a control path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    asn: Asn,
    /// Its neighbour towards the origin.
    next: Asn,
    /// The collector's peer that had the path.
    peer: Asn,
}

/// The links of paths, by AS, as far as all before it are open.
fn links(paths: &BTreeSet<Box<[Asn]>>, is_open: impl Fn(Asn) -> bool) -> Vec<Link> {
    let mut links = BTreeSet::new();
    for path in paths {
        let Some(&peer) = path.first() else { continue };
        for (&asn, &next) in path.iter().zip(path.iter().skip(1)) {
            links.insert(Link { asn, next, peer });
            if !is_open(asn) {
                break;
            }
        }
    }
    links.into_iter().collect()
}
