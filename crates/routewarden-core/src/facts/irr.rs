//! What Internet routing registries say: routes with origins, sets of ASes, policies.

use std::collections::BTreeSet;

use serde::Serialize;

use super::prefix_table::PrefixRuns;
use crate::{Asn, Origin, Prefix, Timestamp};

/// Most sets looked into for one expansion.
pub const EXPANSION_SETS_MAX: usize = 50_000;
/// Most ASes of one expansion.
pub const EXPANSION_ASNS_MAX: usize = 500_000;
/// Most registries told apart in one table; further ones share the name of none.
pub const IRR_SOURCES_MAX: usize = 255;

/// A `route` or `route6` object without its prefix (RFC 2622 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Registration {
    origin: Asn,
    source: u8,
    /// In seconds since 1970; 0 when not said.
    modified: u32,
}

/// A `route` or `route6` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IrrRoute<'a> {
    /// Its prefix.
    pub prefix: Prefix,
    /// Its origin.
    pub origin: Asn,
    /// Registry, as `RIPE` or `RADB`; empty when not said.
    pub source: &'a str,
    /// When it was last changed, if that is said.
    pub modified: Option<Timestamp>,
}

/// A member of an `as-set`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum AsSetMember {
    /// An AS.
    As(Asn),
    /// Another set, by its name in capitals.
    Set(Box<str>),
}

/// An `aut-num` object (RFC 2622 §6).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AutNum {
    /// The AS.
    pub asn: Asn,
    /// Registry; empty when not said.
    pub source: Box<str>,
    /// `as-name`; empty when not said.
    pub name: Box<str>,
    /// Whether it names an `admin-c`. Who that is is not kept.
    pub has_admin_contact: bool,
    /// Whether it names a `tech-c`.
    pub has_tech_contact: bool,
    /// Lines of `import`, `export`, `default` and their `mp-` forms, each with its attribute, as
    /// they stand.
    pub policy: Box<[Box<str>]>,
    /// Whether lines of the policy were left out.
    pub is_cut: bool,
}

/// What registered routes say of an announcement: as origin validation does (RFC 6811), except that
/// a route object has no maximum length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IrrState {
    /// A route object has this prefix and this origin.
    Valid,
    /// A route object of this origin covers the prefix, and none has exactly it.
    MoreSpecific,
    /// Route objects cover the prefix, and none has this origin.
    InvalidAsn,
    /// No route object covers the prefix.
    NotFound,
}

/// The ASes of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Expansion {
    /// ASes, ascending.
    pub asns: BTreeSet<Asn>,
    /// Sets that are named and not held.
    pub missing: BTreeSet<Box<str>>,
    /// Whether [`EXPANSION_SETS_MAX`] or [`EXPANSION_ASNS_MAX`] was reached.
    pub is_cut: bool,
}

/// Gathers objects in any order.
#[derive(Clone, Debug, Default)]
pub struct IrrBuilder {
    routes: Vec<(Prefix, Registration)>,
    sets: Vec<(Box<str>, AsSetMember)>,
    /// Names of sets, those without members included.
    set_names: BTreeSet<Box<str>>,
    aut_nums: Vec<AutNum>,
    sources: Vec<Box<str>>,
}

impl IrrBuilder {
    fn source(&mut self, name: &str) -> u8 {
        let at = self.sources.iter().position(|held| &**held == name).unwrap_or_else(|| {
            if self.sources.len() < IRR_SOURCES_MAX {
                self.sources.push(name.into());
                self.sources.len() - 1
            } else {
                IRR_SOURCES_MAX
            }
        });
        u8::try_from(at).unwrap_or(u8::MAX)
    }

    /// Adds a `route` or `route6` object.
    pub fn route(&mut self, route: &IrrRoute<'_>) {
        let source = self.source(route.source);
        let secs = route.modified.and_then(|time| u32::try_from(time.secs()).ok());
        let modified = secs.unwrap_or(0);
        let origin = route.origin;
        self.routes.push((route.prefix, Registration { origin, source, modified }));
    }

    /// Adds an `as-set` object; sets of the same name are united, whatever their registry.
    pub fn set(&mut self, name: &str, members: impl IntoIterator<Item = AsSetMember>) {
        let name: Box<str> = name.to_ascii_uppercase().into();
        self.sets.extend(members.into_iter().map(|member| (name.clone(), member)));
        self.set_names.insert(name);
    }

    /// Adds an `aut-num` object.
    pub fn aut_num(&mut self, aut_num: AutNum) {
        self.aut_nums.push(aut_num);
    }

    /// The table of all objects; equal ones are kept once.
    pub fn build(mut self) -> IrrTable {
        self.sets.sort_unstable();
        self.sets.dedup();
        let mut sets: Vec<(Box<str>, Box<[AsSetMember]>)> = Vec::new();
        let mut members = self.sets.into_iter().peekable();
        for name in self.set_names {
            let mut own = Vec::new();
            while let Some((_, member)) = members.next_if(|(set, _)| *set == name) {
                own.push(member);
            }
            sets.push((name, own.into()));
        }
        self.aut_nums.sort_unstable();
        self.aut_nums.dedup();
        IrrTable {
            routes: PrefixRuns::from_entries(self.routes),
            sets,
            aut_nums: self.aut_nums,
            sources: self.sources,
        }
    }
}

/// Objects of one or several registries.
#[derive(Clone, Debug, Default)]
pub struct IrrTable {
    routes: PrefixRuns<Registration>,
    /// By name.
    sets: Vec<(Box<str>, Box<[AsSetMember]>)>,
    /// By ASN, then registry.
    aut_nums: Vec<AutNum>,
    sources: Vec<Box<str>>,
}

impl IrrTable {
    /// One table of several.
    pub fn united<'a>(tables: impl IntoIterator<Item = &'a IrrTable>) -> IrrTable {
        let mut builder = IrrBuilder::default();
        for table in tables {
            table.routes().for_each(|route| builder.route(&route));
            for (name, members) in &table.sets {
                builder.set(name, members.iter().cloned());
            }
            builder.aut_nums.extend(table.aut_nums.iter().cloned());
        }
        builder.build()
    }

    fn route_of(&self, prefix: Prefix, held: Registration) -> IrrRoute<'_> {
        IrrRoute {
            prefix,
            origin: held.origin,
            source: self.sources.get(usize::from(held.source)).map_or("", |name| name),
            modified: (held.modified != 0).then(|| Timestamp::from_secs(held.modified)),
        }
    }

    /// All route objects by prefix and origin.
    pub fn routes(&self) -> impl Iterator<Item = IrrRoute<'_>> {
        let all = self.routes.iter();
        all.flat_map(move |(prefix, run)| run.iter().map(move |&held| self.route_of(prefix, held)))
    }

    /// Route objects that cover `prefix`: exact first, then ever less specific.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = IrrRoute<'_>> {
        let runs = self.routes.covering(prefix);
        runs.flat_map(move |(held, run)| run.iter().map(move |&route| self.route_of(held, route)))
    }

    /// What the route objects say of an announcement.
    pub fn state(&self, prefix: &Prefix, origin: Origin) -> IrrState {
        let mut state = IrrState::NotFound;
        for (held, run) in self.routes.covering(prefix) {
            if run.iter().any(|route| origin.asn() == Some(route.origin)) {
                return if held == *prefix { IrrState::Valid } else { IrrState::MoreSpecific };
            }
            state = IrrState::InvalidAsn;
        }
        state
    }

    /// Members of a set as they stand, in whatever case its name is given.
    pub fn members(&self, name: &str) -> Option<&[AsSetMember]> {
        let name = name.to_ascii_uppercase();
        let at = self.sets.binary_search_by(|(held, _)| (**held).cmp(&name)).ok()?;
        self.sets.get(at).map(|(_, members)| &**members)
    }

    /// All ASes of a set and of the sets in it. Sets that name one another end well.
    pub fn expand(&self, name: &str) -> Expansion {
        let mut expansion = Expansion::default();
        let mut seen: BTreeSet<Box<str>> = BTreeSet::new();
        let mut waiting: Vec<Box<str>> = vec![name.to_ascii_uppercase().into()];
        while let Some(name) = waiting.pop() {
            if seen.contains(&name) {
                continue;
            }
            if seen.len() >= EXPANSION_SETS_MAX || expansion.asns.len() >= EXPANSION_ASNS_MAX {
                expansion.is_cut = true;
                break;
            }
            let Some(members) = self.members(&name) else {
                expansion.missing.insert(name);
                continue;
            };
            seen.insert(name);
            for member in members {
                match member {
                    AsSetMember::As(asn) => drop(expansion.asns.insert(*asn)),
                    AsSetMember::Set(set) if seen.contains(set) => {}
                    AsSetMember::Set(set) if waiting.len() < EXPANSION_SETS_MAX => {
                        waiting.push(set.clone());
                    }
                    AsSetMember::Set(_) => expansion.is_cut = true,
                }
            }
        }
        expansion
    }

    /// `aut-num` objects of an AS: one for each registry that has any.
    pub fn aut_nums(&self, asn: Asn) -> &[AutNum] {
        let start = self.aut_nums.partition_point(|held| held.asn < asn);
        let end = self.aut_nums.partition_point(|held| held.asn <= asn);
        self.aut_nums.get(start..end).unwrap_or_default()
    }

    /// Numbers of route objects, sets and `aut-num` objects.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.routes.item_count(), self.sets.len(), self.aut_nums.len())
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        let (routes, sets, aut_nums) = self.counts();
        routes + sets + aut_nums
    }

    /// Whether no object is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(prefix: &str, origin: u32) -> IrrRoute<'static> {
        let prefix = prefix.parse().unwrap();
        IrrRoute { prefix, origin: Asn(origin), source: "TEST", modified: None }
    }

    #[test]
    fn registered_routes_have_four_states() {
        let mut builder = IrrBuilder::default();
        builder.route(&route("192.0.2.0/24", 64496));
        builder.route(&route("192.0.2.0/24", 64497));
        builder.route(&route("2001:db8::/32", 64496));
        let table = builder.build();
        let state = |prefix: &str, asn| table.state(&prefix.parse().unwrap(), Origin::As(Asn(asn)));
        assert_eq!(state("192.0.2.0/24", 64497), IrrState::Valid);
        assert_eq!(state("192.0.2.0/25", 64497), IrrState::MoreSpecific);
        assert_eq!(state("192.0.2.0/25", 64498), IrrState::InvalidAsn);
        assert_eq!(state("192.0.0.0/16", 64497), IrrState::NotFound);
        assert_eq!(table.state(&"::/0".parse().unwrap(), Origin::None), IrrState::NotFound);
        assert_eq!(table.covering(&"2001:db8:1::/48".parse().unwrap()).count(), 1);
    }

    #[test]
    fn sets_that_name_one_another_end() {
        let set = |name: &str| AsSetMember::Set(name.into());
        let asn = |number| AsSetMember::As(Asn(number));
        let mut builder = IrrBuilder::default();
        builder.set("AS-A", [set("AS-B"), asn(64496)]);
        builder.set("as-b", [set("AS-A"), set("AS-B"), asn(64497), set("AS-GONE")]);
        builder.set("AS-EMPTY", []);
        let table = builder.build();
        let found = table.expand("as-a");
        assert_eq!(found.asns, BTreeSet::from([Asn(64496), Asn(64497)]));
        assert_eq!(found.missing, BTreeSet::from(["AS-GONE".into()]));
        assert!(!found.is_cut);
        assert_eq!(table.members("AS-EMPTY"), Some(&[][..]));
        assert_eq!(table.expand("AS-NONE").missing.len(), 1);
        assert_eq!(IrrTable::united([&table, &table]).counts(), (0, 3, 0));
    }

    #[test]
    fn a_chain_of_sets_is_cut_at_the_limit() {
        let mut builder = IrrBuilder::default();
        for number in 0..=EXPANSION_SETS_MAX {
            let next = AsSetMember::Set(format!("AS-{}", number + 1).into());
            builder.set(&format!("AS-{number}"), [next, AsSetMember::As(Asn(64496))]);
        }
        assert!(builder.build().expand("AS-0").is_cut);
    }
}
