//! Whom a CSIRT watches over: members with their ASes, prefixes, and what is expected of them.

mod drift;
mod member;
mod observed;

use serde::{Deserialize, Serialize};

pub use drift::{Drift, DriftKind, drift};
pub use member::{
    Criticality, ID_OCTETS_MAX, LIST_ENTRIES_MAX, Member, MemberPrefix, TEXT_OCTETS_MAX,
};
pub use observed::{OBSERVED_MAX, Observed, Scope};

use super::{PrefixTable, Relation};
use crate::{Asn, Prefix};

/// Most members of one constituency.
pub const MEMBERS_MAX: usize = 10_000;
/// Most prefixes of all members together.
pub const MEMBER_PREFIXES_MAX: usize = 1_000_000;
/// Most ASNs of all members together.
pub const MEMBER_ASNS_MAX: usize = 200_000;

/// Why members make no constituency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("member {id:?}: {fault}")]
pub struct ConstituencyError {
    /// Position of the member in the list given, from 0.
    pub position: usize,
    /// Its id.
    pub id: Box<str>,
    /// What is wrong with it.
    pub fault: MemberFault,
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberFault {
    /// Another member before it has this id.
    #[error("the id is given twice")]
    DuplicateId,
    /// A prefix stands twice in its list: which origins count?
    #[error("the prefix {0} is listed twice")]
    DuplicatePrefix(Prefix),
    /// One more member than [`MEMBERS_MAX`].
    #[error("more than {MEMBERS_MAX} members")]
    TooManyMembers,
    /// With this member more than [`MEMBER_PREFIXES_MAX`].
    #[error("more than {MEMBER_PREFIXES_MAX} prefixes of all members")]
    TooManyPrefixes,
    /// With this member more than [`MEMBER_ASNS_MAX`].
    #[error("more than {MEMBER_ASNS_MAX} ASNs of all members")]
    TooManyAsns,
}

/// What a member is to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Its prefixes or ASes suffer.
    Victim,
    /// Its AS did it.
    Culprit,
    /// Its AS stands in the paths and is neither.
    OnPath,
}

/// A member that an incident touches.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touch {
    /// Id of the member.
    pub member: String,
    /// Its name for display.
    pub name: String,
    /// As what.
    pub role: Role,
}

/// A member with the entry of its list that holds a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding<'a> {
    /// The member.
    pub member: &'a Member,
    /// The entry.
    pub listed: &'a MemberPrefix,
}

impl Holding<'_> {
    /// The entry's own worth, else the member's.
    pub fn criticality(&self) -> Criticality {
        self.listed.criticality.unwrap_or(self.member.criticality)
    }
}

/// All members, with look-ups by AS and prefix that are built once.
///
/// A look-up is a binary search; nothing is allocated for it unless said.
#[derive(Clone, Debug, Default)]
pub struct Constituency {
    name: Box<str>,
    /// By id.
    members: Vec<Member>,
    /// By ASN, then position of the member.
    asns: Vec<(Asn, u32)>,
    /// By ASN: its expected upstreams, ascending. ASes that are not checked are left out.
    upstreams: Vec<(Asn, Box<[Asn]>)>,
    prefixes: PrefixTable<Listing>,
}

/// Who lists one prefix.
#[derive(Clone, Debug, Default)]
struct Listing {
    /// Position of the member, and of the entry in its list.
    entries: Box<[(u32, u32)]>,
    /// Expected origins of all entries, ascending.
    origins: Box<[Asn]>,
}

impl Constituency {
    /// Builds the constituency from members in any order.
    ///
    /// # Errors
    /// See [`MemberFault`].
    pub fn new(name: &str, mut members: Vec<Member>) -> Result<Self, ConstituencyError> {
        members.iter_mut().for_each(sort_lists);
        check(&members)?;
        members.sort_by(|a, b| a.id.cmp(&b.id));
        let mut asns: Vec<(Asn, u32)> = (0..)
            .zip(&members)
            .flat_map(|(at, member)| member.asns.iter().map(move |&asn| (asn, at)))
            .collect();
        asns.sort_unstable();
        let prefixes = listings(&members);
        let mut constituency =
            Constituency { name: name.into(), members, asns, upstreams: Vec::new(), prefixes };
        constituency.upstreams = constituency.upstreams_by_asn();
        Ok(constituency)
    }

    fn upstreams_by_asn(&self) -> Vec<(Asn, Box<[Asn]>)> {
        let mut all: Vec<(Asn, Box<[Asn]>)> = Vec::new();
        for &(asn, _) in &self.asns {
            if all.last().is_some_and(|(last, _)| *last == asn) {
                continue;
            }
            let of_members = self
                .members_of_asn(asn)
                .flat_map(|member| member.upstreams.iter().chain(&member.peers));
            let upstreams = sorted(of_members.copied().collect());
            if !upstreams.is_empty() {
                all.push((asn, upstreams.into()));
            }
        }
        all
    }

    /// Name of the constituency; empty when not given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All members, by id.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member with that id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        let at = self.members.binary_search_by(|member| (*member.id).cmp(id)).ok()?;
        self.members.get(at)
    }

    /// Members that have this AS, by id.
    pub fn members_of_asn(&self, asn: Asn) -> impl Iterator<Item = &Member> + use<'_> {
        let start = self.asns.partition_point(|&(held, _)| held < asn);
        let rest = self.asns.get(start..).unwrap_or_default();
        let run = rest.iter().take_while(move |(held, _)| *held == asn);
        run.filter_map(|&(_, at)| self.members.get(at as usize))
    }

    /// Members that answer for a country, by id. Looks at every member.
    pub fn members_of_country(&self, country: &str) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(move |member| member.countries.iter().any(|held| **held == *country))
    }

    /// Entries of the nearest listed prefix that is `prefix` or covers it, by member; several
    /// when several members list it.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = Holding<'_>> + use<'_> {
        let nearest = self.prefixes.covering(prefix).next();
        nearest.into_iter().flat_map(|(_, listing)| self.holdings(listing))
    }

    /// Entries for `prefix` and for its more-specifics, in the order of [`Prefix`], then by
    /// member.
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = Holding<'_>> + use<'_> {
        self.prefixes.covered(prefix).flat_map(|(_, listing)| self.holdings(listing))
    }

    fn holdings<'a>(&'a self, listing: &'a Listing) -> impl Iterator<Item = Holding<'a>> {
        listing.entries.iter().filter_map(|&(member, entry)| {
            let member = self.members.get(member as usize)?;
            Some(Holding { member, listed: member.prefixes.get(entry as usize)? })
        })
    }

    /// ASes that may originate `prefix`, ascending: those of the nearest listed prefix that is
    /// or covers it, of all members that list it. `None` when no member holds it, or nothing is
    /// said of its origins: it is listed without, by members without ASNs.
    pub fn expected_origins(&self, prefix: &Prefix) -> Option<&[Asn]> {
        let (_, listing) = self.prefixes.covering(prefix).next()?;
        (!listing.origins.is_empty()).then_some(&*listing.origins)
    }

    /// What a member says that `other` is to `asn`, its own: a provider, a peer. `None` when it does
    /// not say, or names it as both.
    pub fn stated_relation(&self, asn: Asn, other: Asn) -> Option<Relation> {
        let is_listed = |list: fn(&Member) -> &Vec<Asn>| {
            self.members_of_asn(asn).any(|member| list(member).binary_search(&other).is_ok())
        };
        match (is_listed(|member| &member.upstreams), is_listed(|member| &member.peers)) {
            (true, false) => Some(Relation::Provider),
            (false, true) => Some(Relation::Peer),
            _ => None,
        }
    }

    /// ASes that may stand next to this AS on the way to a collector, ascending, its upstreams and
    /// peers; `None` when that is not checked, or the AS is no member's.
    pub fn expected_upstreams(&self, asn: Asn) -> Option<&[Asn]> {
        let at = self.upstreams.binary_search_by_key(&asn, |&(held, _)| held).ok()?;
        self.upstreams.get(at).map(|(_, upstreams)| &**upstreams)
    }

    /// Whether `neighbour` may stand next to `asn`: an expected upstream, or an AS of the same
    /// member. `None` as for [`expected_upstreams`](Self::expected_upstreams).
    pub fn is_expected_upstream(&self, asn: Asn, neighbour: Asn) -> Option<bool> {
        let is_upstream = self.expected_upstreams(asn)?.binary_search(&neighbour).is_ok();
        let has_neighbour = |member: &Member| member.asns.binary_search(&neighbour).is_ok();
        Some(is_upstream || self.members_of_asn(asn).any(has_neighbour))
    }

    /// The highest worth of what stands at `prefix`: of the nearest entries that cover it and of
    /// those inside it. `None` outside the constituency.
    pub fn criticality_of(&self, prefix: &Prefix) -> Option<Criticality> {
        let around = self.covering(prefix).map(|holding| holding.criticality()).max();
        self.inside(prefix).map(|holding| holding.criticality()).max().max(around)
    }

    /// The highest worth of the members that have this AS.
    pub fn criticality_of_asn(&self, asn: Asn) -> Option<Criticality> {
        self.members_of_asn(asn).map(|member| member.criticality).max()
    }

    /// Entries at or inside `prefix` that suffer with it. A default route takes traffic only from
    /// what has no other route: it concerns nobody in particular.
    fn inside(&self, prefix: &Prefix) -> impl Iterator<Item = Holding<'_>> + use<'_> {
        (prefix.len() > 0).then(|| self.covered(prefix)).into_iter().flatten()
    }

    /// Members that an incident touches and as what, by member, then role.
    ///
    /// A victim has one of `victims`, or holds or stands inside one of `prefixes`; a culprit has
    /// one of `culprits`; on the path is who has one of `path` and is neither.
    pub fn touches(
        &self,
        culprits: &[Asn],
        victims: &[Asn],
        prefixes: &[Prefix],
        path: &[Asn],
    ) -> Vec<Touch> {
        let of = |asns: &[Asn], role: Role| -> Vec<(&Member, Role)> {
            let members = asns.iter().flat_map(|&asn| self.members_of_asn(asn));
            members.map(|member| (member, role)).collect()
        };
        let mut touched = of(victims, Role::Victim);
        for prefix in prefixes {
            let held = self.covering(prefix).chain(self.inside(prefix));
            touched.extend(held.map(|holding| (holding.member, Role::Victim)));
        }
        touched.extend(of(culprits, Role::Culprit));
        touched.extend(of(path, Role::OnPath));
        touched.sort_unstable_by(|a, b| (&a.0.id, a.1).cmp(&(&b.0.id, b.1)));
        // Bystanders sort last of their member: what stands before them says more.
        touched.dedup_by(|next, held| {
            next.0.id == held.0.id && (next.1 == held.1 || next.1 == Role::OnPath)
        });
        let touch = |(member, role): (&Member, Role)| Touch {
            member: member.id.to_string(),
            name: member.label().to_owned(),
            role,
        };
        touched.into_iter().map(touch).collect()
    }

    /// Number of distinct prefixes listed.
    pub fn prefix_count(&self) -> usize {
        self.prefixes.len()
    }
}

/// Puts the lists of a member in order.
fn sort_lists(member: &mut Member) {
    member.asns = sorted(std::mem::take(&mut member.asns));
    member.upstreams = sorted(std::mem::take(&mut member.upstreams));
    member.peers = sorted(std::mem::take(&mut member.peers));
    for listed in &mut member.prefixes {
        listed.origins = sorted(std::mem::take(&mut listed.origins));
    }
    member.prefixes.sort_by_key(|listed| listed.prefix);
}

fn sorted(mut asns: Vec<Asn>) -> Vec<Asn> {
    asns.sort_unstable();
    asns.dedup();
    asns
}

/// Checks what concerns more than one field.
fn check(members: &[Member]) -> Result<(), ConstituencyError> {
    let mut ids = std::collections::BTreeSet::new();
    let (mut prefixes, mut asns) = (0, 0);
    for (position, member) in members.iter().enumerate() {
        prefixes += member.prefixes.len();
        asns += member.asns.len();
        let twice = member.prefixes.windows(2).find_map(|pair| match pair {
            [a, b] if a.prefix == b.prefix => Some(a.prefix),
            _ => None,
        });
        let fault = if position >= MEMBERS_MAX {
            MemberFault::TooManyMembers
        } else if !ids.insert(&member.id) {
            MemberFault::DuplicateId
        } else if let Some(prefix) = twice {
            MemberFault::DuplicatePrefix(prefix)
        } else if prefixes > MEMBER_PREFIXES_MAX {
            MemberFault::TooManyPrefixes
        } else if asns > MEMBER_ASNS_MAX {
            MemberFault::TooManyAsns
        } else {
            continue;
        };
        return Err(ConstituencyError { position, id: member.id.clone(), fault });
    }
    Ok(())
}

/// Who lists which prefix, from members by id.
fn listings(members: &[Member]) -> PrefixTable<Listing> {
    let mut entries = Vec::new();
    for (at, member) in (0..).zip(members) {
        for (entry, listed) in (0..).zip(&member.prefixes) {
            let origins = if listed.origins.is_empty() { &member.asns } else { &listed.origins };
            let listing =
                Listing { entries: Box::new([(at, entry)]), origins: origins.as_slice().into() };
            entries.push((listed.prefix, listing));
        }
    }
    PrefixTable::from_entries(entries, |held, more| {
        held.entries = held.entries.iter().chain(&more.entries).copied().collect();
        held.origins = sorted([&*held.origins, &*more.origins].concat()).into();
    })
}

#[cfg(test)]
mod tests;
