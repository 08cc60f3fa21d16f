//! The looking glass: who announces what to whom, as the table has it now.
//!
//! A look is a [`Walk`] in steps of bounded work: whoever owns the detector can take events between
//! them. Each step goes on behind the last prefix, so what a long walk tells is of the time that it
//! took. Peers are sessions here, not ASes; routes of lost sessions are not shown.

mod asn;
mod origins;
mod prefixes;
mod routes;
mod standing;
#[cfg(test)]
mod tests;

use routewarden_core::facts::AspaState;
use routewarden_core::{AddressFamily, AsPathBuf, Asn, Peer, Prefix, Timestamp};

use self::asn::AsWalk;
pub use self::origins::OriginsLook;
use self::origins::OriginsWalk;
use self::prefixes::PrefixWalk;
use self::routes::RoutesWalk;
pub use self::routes::{RouteInPart, RoutesLook};
use crate::path::KnownRelation;
use crate::{Detector, RovSummary};

/// Most prefixes that an answer shows.
pub const LOOK_PREFIXES_MAX: usize = 200;
/// Most routes that an answer shows, of all prefixes together.
pub const LOOK_ROUTES_MAX: usize = 4_000;
/// Most origins of one prefix that an answer shows; real prefixes have a handful.
pub const LOOK_ORIGINS_MAX: usize = 100;
/// Most neighbours of an AS that an answer shows.
pub const LOOK_NEIGHBORS_MAX: usize = 500;
/// Most neighbours of an AS that are looked at: ten times what the largest has.
pub const LOOK_NEIGHBORS_SEEN_MAX: usize = 100_000;
/// Most routes (prefix and origin) that an answer to [`Query::Origins`] has: ten times the table of the
/// Internet.
pub const LOOK_ALL_ROUTES_MAX: usize = 16_000_000;
/// An answer to [`Query::Routes`] ends with the prefix at which it has so many routes.
pub const LOOK_PART_ROUTES: usize = 100_000;
/// A step ends with the prefix at which it has looked at so many routes.
pub const LOOK_STEP_ROUTES: usize = 10_000;

/// A prefix that is looked at counts as so many routes.
const PREFIX_WORK: usize = 8;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// Prefixes of the table.
    Prefixes {
        /// The prefix asked for, which need not be in the table.
        prefix: Prefix,
        /// Which ones.
        matching: Matching,
        /// Most prefixes wanted; never more than [`LOOK_PREFIXES_MAX`].
        prefixes_max: usize,
    },
    /// An AS.
    Asn(Asn),
    /// All prefixes with their origins.
    Origins {
        /// Those that so many peer ASes have; where fewer are heard, all of them.
        least_peers: usize,
    },
    /// All routes, in parts of about [`LOOK_PART_ROUTES`].
    Routes {
        /// The last prefix of the part before.
        after: Option<Prefix>,
    },
}

/// How prefixes of the table stand to the one asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matching {
    /// The same.
    Exact,
    /// The same and less-specifics; the most specific first.
    Covering,
    /// The same and more-specifics, in the order of [`Prefix`].
    Covered,
}

/// What is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Query::Prefixes`].
    Prefixes(PrefixLook),
    /// To [`Query::Asn`].
    Asn(AsLook),
    /// To [`Query::Origins`].
    Origins(OriginsLook),
    /// To [`Query::Routes`].
    Routes(RoutesLook),
}

/// Prefixes with their routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixLook {
    /// The prefix asked for.
    pub prefix: Prefix,
    /// The time up to which events were taken.
    pub at: Timestamp,
    /// Sessions that are not down and have routes, IPv4 and IPv6.
    pub total_peers: [usize; 2],
    /// Those with a route, at most as many as asked for.
    pub prefixes: Vec<SeenPrefix>,
    /// Whether prefixes, origins or routes were left out.
    pub truncated: bool,
}

/// A prefix of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPrefix {
    /// The prefix.
    pub prefix: Prefix,
    /// Sessions that have a route to it.
    pub peers: usize,
    /// Who announces it, those with most peers first, then by ASN. Routes of an empty path have
    /// no origin.
    pub origins: Vec<SeenOrigin>,
    /// To whom, by collector, ASN and address.
    pub routes: Vec<SeenRoute>,
}

/// An origin of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenOrigin {
    /// The origin AS; where a path ends in an `AS_SET`, the AS before it.
    pub asn: Asn,
    /// Its name.
    pub name: Option<String>,
    /// Sessions that have a route of it.
    pub peers: usize,
    /// Since when at the latest: the earliest announcement that still stands. A session that
    /// announced the same again meanwhile counts with the last time.
    pub since: Timestamp,
    /// Route origin validation of the most common path, by the VRPs in use (RFC 6811).
    pub rov: RovSummary,
    /// Verification of the most common path as from a provider, the weakest claim; `None` without
    /// ASPAs.
    pub aspa: Option<AspaState>,
}

/// A session's route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRoute {
    /// Who has it.
    pub peer: Peer,
    /// Its path.
    pub path: AsPathBuf,
    /// Time of the last announcement.
    pub since: Timestamp,
}

/// An AS in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsLook {
    /// The AS.
    pub asn: Asn,
    /// Its name.
    pub name: Option<String>,
    /// Two letters.
    pub country: Option<String>,
    /// The time up to which events were taken.
    pub at: Timestamp,
    /// Prefixes that it originates, IPv4 and IPv6.
    pub prefix_count: [usize; 2],
    /// The first of them in the order of [`Prefix`], at most [`LOOK_PREFIXES_MAX`].
    pub prefixes: Vec<OriginatedPrefix>,
    /// ASes next to it in paths, those in most of them first, at most [`LOOK_NEIGHBORS_MAX`].
    pub neighbors: Vec<Neighbor>,
    /// Whether prefixes or neighbours were left out.
    pub truncated: bool,
}

/// A prefix that an AS originates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginatedPrefix {
    /// The prefix.
    pub prefix: Prefix,
    /// Sessions that have a route of this origin.
    pub peers: usize,
    /// See [`SeenOrigin::since`].
    pub since: Timestamp,
    /// See [`SeenOrigin::rov`].
    pub rov: RovSummary,
}

/// An AS next to another in paths of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// The AS.
    pub asn: Asn,
    /// Its name.
    pub name: Option<String>,
    /// What it is to the AS asked for, if that is known.
    pub relation: Option<KnownRelation>,
    /// Distinct sets of attributes in use whose path has the two next to each other.
    pub paths: usize,
}

/// A look under way.
#[derive(Debug)]
pub struct Walk(Kind);

#[derive(Debug)]
enum Kind {
    Prefixes(PrefixWalk),
    Asn(AsWalk),
    Origins(OriginsWalk),
    Routes(RoutesWalk),
}

impl Walk {
    /// A look that has seen nothing yet.
    pub fn new(query: Query) -> Self {
        Walk(match query {
            Query::Prefixes { prefix, matching, prefixes_max } => {
                Kind::Prefixes(PrefixWalk::new((prefix, matching), prefixes_max))
            }
            Query::Asn(asn) => Kind::Asn(AsWalk::new(asn)),
            Query::Origins { least_peers } => Kind::Origins(OriginsWalk::new(least_peers)),
            Query::Routes { after } => Kind::Routes(RoutesWalk::new(after)),
        })
    }

    /// Goes on, for about [`LOOK_STEP_ROUTES`] routes; the answer when that was the last step. Of
    /// an AS, only what [`Detector::keep_by_as`] keeps is seen.
    pub fn step(&mut self, detector: &Detector) -> Option<Answer> {
        match &mut self.0 {
            Kind::Prefixes(walk) => walk.step(detector).map(Answer::Prefixes),
            Kind::Asn(walk) => walk.step(detector).map(Answer::Asn),
            Kind::Origins(walk) => walk.step(detector).map(Answer::Origins),
            Kind::Routes(walk) => walk.step(detector).map(Answer::Routes),
        }
    }
}

impl Detector {
    /// Keeps from now on what looks at an AS need; see
    /// [`AdjRibIn::keep_by_as`](routewarden_core::rib::AdjRibIn::keep_by_as). Looks through the
    /// whole table once.
    pub fn keep_by_as(&mut self) {
        for shard in self.shards_mut() {
            shard.rib.keep_by_as();
        }
    }

    fn as_name(&self, asn: Asn) -> Option<String> {
        self.facts().as_name(asn).map(str::to_owned)
    }

    /// Sessions that are not down and have routes, IPv4 and IPv6.
    fn total_peers(&self) -> [usize; 2] {
        self.sessions().filter(|session| !session.is_down).fold([0, 0], |[v4, v6], session| {
            let [of_v4, of_v6] = session.routes.map(|routes| usize::from(routes > 0));
            [v4 + of_v4, v6 + of_v6]
        })
    }
}

/// Place of a family in counts.
fn family_place(family: AddressFamily) -> usize {
    usize::from(family == AddressFamily::Ipv6)
}
