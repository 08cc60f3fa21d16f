//! Where a constituency and what is seen have drifted apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Constituency, Holding, Member, Observed};
use crate::facts::{InvalidReason, RovState, VrpTable};
use crate::{Asn, Origin, Prefix};

/// How document and data differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// A member's AS originates a prefix that no entry of it covers.
    UnlistedPrefix,
    /// A listed prefix is not in the table, nor any of its more-specifics.
    NotSeen,
    /// An AS that is not expected originates a listed prefix or a more-specific of it.
    UnexpectedOrigin,
    /// An AS that is not expected stands next to a member's.
    NewUpstream,
    /// An expected upstream stands next to none of the member's ASes.
    UpstreamNotSeen,
    /// No VRP covers a listed prefix.
    RoaMissing,
    /// VRPs make what a member originates invalid.
    RoaInvalid,
    /// A member without ASNs lists prefixes without origins: nothing of them is checked.
    MemberWithoutAsns,
    /// Two members list the same prefix or AS.
    Overlap,
}

impl DriftKind {
    /// Stable name, as serialised.
    pub const fn name(self) -> &'static str {
        match self {
            DriftKind::UnlistedPrefix => "unlisted_prefix",
            DriftKind::NotSeen => "not_seen",
            DriftKind::UnexpectedOrigin => "unexpected_origin",
            DriftKind::NewUpstream => "new_upstream",
            DriftKind::UpstreamNotSeen => "upstream_not_seen",
            DriftKind::RoaMissing => "roa_missing",
            DriftKind::RoaInvalid => "roa_invalid",
            DriftKind::MemberWithoutAsns => "member_without_asns",
            DriftKind::Overlap => "overlap",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Drift {
    /// Id of the member.
    pub member: Box<str>,
    /// What differs.
    pub kind: DriftKind,
    /// The prefix concerned.
    pub prefix: Option<Prefix>,
    /// The AS concerned.
    pub asn: Option<Asn>,
    /// In words.
    pub detail: String,
}

/// All differences, by member and kind. Without `observed` nothing is said of routes, without
/// `vrps` nothing of ROAs.
pub fn drift(
    constituency: &Constituency,
    observed: Option<&Observed>,
    vrps: Option<&VrpTable>,
) -> Vec<Drift> {
    let mut found = Found::default();
    for member in constituency.members() {
        found.without_asns(member);
    }
    found.overlaps(constituency);
    if let Some(observed) = observed {
        found.routes(constituency, observed);
        for member in constituency.members() {
            found.not_seen(member, observed);
            found.upstreams(constituency, member, observed);
        }
    }
    if let Some(vrps) = vrps {
        for member in constituency.members() {
            found.roas(member, observed, vrps);
        }
    }
    found.0.into_iter().collect()
}

#[derive(Default)]
struct Found(BTreeSet<Drift>);

impl Found {
    fn add(
        &mut self,
        kind: DriftKind,
        member: &Member,
        (prefix, asn): (Option<Prefix>, Option<Asn>),
        detail: String,
    ) {
        self.0.insert(Drift { member: member.id.clone(), kind, prefix, asn, detail });
    }

    fn without_asns(&mut self, member: &Member) {
        let bare = member.prefixes.iter().filter(|listed| listed.origins.is_empty()).count();
        if member.asns.is_empty() && bare > 0 {
            let detail = format!("{bare} prefixes have no expected origin");
            self.add(DriftKind::MemberWithoutAsns, member, (None, None), detail);
        }
    }

    fn overlaps(&mut self, constituency: &Constituency) {
        let mut holders: BTreeMap<(Option<Prefix>, Option<Asn>), Vec<&Member>> = BTreeMap::new();
        for member in constituency.members() {
            let prefixes = member.prefixes.iter().map(|listed| (Some(listed.prefix), None));
            let asns = member.asns.iter().map(|&asn| (None, Some(asn)));
            for what in prefixes.chain(asns) {
                holders.entry(what).or_default().push(member);
            }
        }
        for (what, members) in holders {
            let Some((first, others)) = members.split_first() else { continue };
            for other in others {
                let detail = format!("also listed by {}", other.id);
                self.add(DriftKind::Overlap, first, what, detail);
            }
        }
    }

    /// What is originated and not listed, or listed otherwise.
    fn routes(&mut self, constituency: &Constituency, observed: &Observed) {
        for (prefix, origin, peers) in observed.routes() {
            let expected = constituency.expected_origins(&prefix);
            let is_expected = expected.is_some_and(|all| all.binary_search(&origin).is_ok());
            let seen = seen_by(peers, observed);
            for member in constituency.members_of_asn(origin) {
                if !is_expected && listed_for(member, &prefix).is_none() {
                    let detail = format!("{origin} originates it{seen}");
                    let what = (Some(prefix), Some(origin));
                    self.add(DriftKind::UnlistedPrefix, member, what, detail);
                }
            }
            if expected.is_none() || is_expected {
                continue;
            }
            for Holding { member, listed } in constituency.covering(&prefix) {
                if member.asns.contains(&origin) {
                    continue;
                }
                let inside = if listed.prefix == prefix {
                    String::new()
                } else {
                    format!(", inside {}", listed.prefix)
                };
                let detail = format!("{origin} originates it{seen}{inside}");
                let what = (Some(prefix), Some(origin));
                self.add(DriftKind::UnexpectedOrigin, member, what, detail);
            }
        }
    }

    fn not_seen(&mut self, member: &Member, observed: &Observed) {
        for listed in &member.prefixes {
            let is_known = observed.has_family(listed.prefix.family());
            if is_known && observed.covered(&listed.prefix).next().is_none() {
                let detail = "nobody originates it, nor a more-specific".to_owned();
                self.add(DriftKind::NotSeen, member, (Some(listed.prefix), None), detail);
            }
        }
    }

    fn upstreams(&mut self, constituency: &Constituency, member: &Member, observed: &Observed) {
        let mut seen = BTreeSet::new();
        for &asn in &member.asns {
            let all: u64 = observed.neighbours(asn).map(|(_, paths)| paths).sum();
            for (neighbour, paths) in observed.neighbours(asn) {
                seen.insert(neighbour);
                if constituency.is_expected_upstream(asn, neighbour) == Some(false) {
                    let detail = format!("stands next to {asn} in {paths} of {all} paths");
                    let what = (None, Some(neighbour));
                    self.add(DriftKind::NewUpstream, member, what, detail);
                }
            }
        }
        if seen.is_empty() {
            return;
        }
        for &upstream in member.upstreams.iter().filter(|upstream| !seen.contains(upstream)) {
            let detail = "stands next to none of the member's ASes".to_owned();
            self.add(DriftKind::UpstreamNotSeen, member, (None, Some(upstream)), detail);
        }
    }

    /// Listed prefixes by what is originated at them, else by any origin that may.
    fn roas(&mut self, member: &Member, observed: Option<&Observed>, vrps: &VrpTable) {
        for listed in &member.prefixes {
            let expected = if listed.origins.is_empty() { &member.asns } else { &listed.origins };
            let routes = observed.into_iter().flat_map(|observed| observed.covered(&listed.prefix));
            let of_expected = routes.filter(|(_, origin, _)| expected.contains(origin));
            let mut routes: Vec<(Prefix, Asn)> =
                of_expected.map(|(prefix, origin, _)| (prefix, origin)).collect();
            if routes.is_empty() {
                let state = |asn: &Asn| vrps.state(&listed.prefix, Origin::As(*asn)).0;
                let best = expected.iter().min_by_key(|asn| state(asn));
                routes.extend(best.map(|&asn| (listed.prefix, asn)));
            }
            for (prefix, origin) in routes {
                // A more-specific that another entry lists is that entry's.
                if listed_for(member, &prefix).is_some_and(|nearest| nearest != listed.prefix) {
                    continue;
                }
                let what = (Some(prefix), Some(origin));
                match vrps.state(&prefix, Origin::As(origin)) {
                    (RovState::Valid, _) => {}
                    (RovState::NotFound, _) => {
                        let detail = format!("no VRP covers it; {origin} may originate it");
                        self.add(DriftKind::RoaMissing, member, what, detail);
                    }
                    (RovState::Invalid, reason) => {
                        let why = match reason {
                            Some(InvalidReason::MaxLength) => "longer than its VRPs allow",
                            _ => "its VRPs name other ASes",
                        };
                        let detail = format!("invalid with {origin}: {why}");
                        self.add(DriftKind::RoaInvalid, member, what, detail);
                    }
                }
            }
        }
    }
}

/// `, seen by 30 of 36 peer ASes`; nothing when only origins are known.
fn seen_by(peers: usize, observed: &Observed) -> String {
    match observed.peer_count() {
        0 => String::new(),
        all => format!(", seen by {peers} of {all} peer ASes"),
    }
}

/// The nearest prefix at or above `prefix` that this member lists.
fn listed_for(member: &Member, prefix: &Prefix) -> Option<Prefix> {
    let above = (1..=prefix.len()).rev().filter_map(|len| prefix.less_specific(len));
    above
        .into_iter()
        .find(|wanted| member.prefixes.binary_search_by_key(wanted, |listed| listed.prefix).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::constituency::observed::Scope;
    use crate::facts::{OriginTable, TrustAnchorId, Vrp};
    use crate::{AsPath, AsPathBuf};
    use serde_json::json;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn constituency() -> Constituency {
        let members = json!([
            {
                "id": "isp", "asns": [64496, 64497], "upstreams": [64500, 64501],
                "prefixes": ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32"]
            },
            {
                "id": "clinic",
                "prefixes": [{"prefix": "192.0.2.128/25", "origins": [64496]}, "203.0.113.0/24"]
            }
        ]);
        Constituency::new("", serde_json::from_value(members).unwrap()).unwrap()
    }

    fn observed(constituency: &Constituency, routes: &[(u32, &str, &[u32])]) -> Observed {
        let mut observed = Observed::default();
        let asns: BTreeSet<Asn> =
            constituency.members().iter().flat_map(|m| m.asns.iter().copied()).collect();
        let asns: Vec<Asn> = asns.into_iter().collect();
        for &(peer, prefix, path) in routes {
            let path = AsPathBuf::sequence(path.iter().copied().map(Asn));
            let path: AsPath<'_> = path.as_path();
            let scope = Scope { asns: &asns, space: Some(constituency) };
            observed.add_route(scope, Asn(peer), p(prefix), path);
        }
        observed
    }

    fn text(drift: &[Drift]) -> Vec<String> {
        let one = |d: &Drift| {
            let prefix = d.prefix.map(|prefix| format!(" {prefix}")).unwrap_or_default();
            let asn = d.asn.map(|asn| format!(" {asn}")).unwrap_or_default();
            format!("{} {}{prefix}{asn}: {}", d.member, d.kind.name(), d.detail)
        };
        drift.iter().map(one).collect()
    }

    const WITHOUT: &str = "clinic member_without_asns: 1 prefixes have no expected origin";

    #[test]
    fn what_is_as_listed_is_no_drift() {
        let whose = constituency();
        let routes: [(u32, &str, &[u32]); 5] = [
            (64510, "192.0.2.0/24", &[64510, 64500, 64496, 64496]),
            (64511, "192.0.2.128/25", &[64511, 64501, 64497, 64496]),
            (64510, "198.51.100.128/25", &[64510, 64500, 64496]),
            (64510, "203.0.113.0/24", &[64510, 64505]),
            (64510, "100.64.0.0/10", &[64510, 64505]),
        ];
        let observed = observed(&whose, &routes);
        assert_eq!(observed.routes().count(), 4, "what is out of scope is not kept");
        assert_eq!(text(&drift(&whose, Some(&observed), None)), [WITHOUT]);
        assert_eq!(text(&drift(&whose, None, None)), [WITHOUT]);
    }

    #[test]
    fn each_difference_is_named() {
        let whose = constituency();
        let routes: [(u32, &str, &[u32]); 5] = [
            (64510, "192.0.2.0/24", &[64510, 64505, 64496]),
            (64511, "192.0.2.0/24", &[64511, 64500, 64496]),
            (64510, "192.0.2.192/26", &[64510, 64666]),
            (64510, "198.18.0.0/15", &[64510, 64500, 64497]),
            (64510, "2001:db8:1::/48", &[64510, 64500, 64497]),
        ];
        let observed = observed(&whose, &routes);
        assert_eq!(
            text(&drift(&whose, Some(&observed), None)),
            [
                "clinic not_seen 203.0.113.0/24: nobody originates it, nor a more-specific",
                "clinic unexpected_origin 192.0.2.192/26 AS64666: AS64666 originates it, seen by 1 \
                 of 2 peer ASes, inside 192.0.2.128/25",
                WITHOUT,
                "isp unlisted_prefix 198.18.0.0/15 AS64497: AS64497 originates it, seen by 1 of 2 \
                 peer ASes",
                "isp not_seen 198.51.100.0/24: nobody originates it, nor a more-specific",
                "isp new_upstream AS64505: stands next to AS64496 in 1 of 2 paths",
                "isp upstream_not_seen AS64501: stands next to none of the member's ASes",
            ]
        );
        let json = serde_json::to_string(&drift(&whose, Some(&observed), None)[0]).unwrap();
        assert!(
            json.starts_with(r#"{"member":"clinic","kind":"not_seen","prefix":"203.0"#),
            "{json}"
        );
    }

    #[test]
    fn origins_alone_say_nothing_of_upstreams_or_of_the_other_family() {
        let whose = constituency();
        let origins = [("192.0.2.0/24", 64496), ("198.51.100.0/24", 64505), ("203.0.113.0/24", 1)];
        let origins = origins.map(|(prefix, asn)| (p(prefix), Asn(asn)));
        let mut observed = Observed::default();
        let asns = [Asn(64496), Asn(64497)];
        let scope = Scope { asns: &asns, space: Some(&whose) };
        observed.add_origins(scope, &OriginTable::from_entries(origins.to_vec()));
        assert_eq!(
            text(&drift(&whose, Some(&observed), None)),
            [
                "clinic not_seen 192.0.2.128/25: nobody originates it, nor a more-specific",
                WITHOUT,
                "isp unexpected_origin 198.51.100.0/24 AS64505: AS64505 originates it",
            ]
        );
    }

    #[test]
    fn roas_are_checked_for_what_is_originated_else_for_who_may() {
        let whose = constituency();
        let vrp = |prefix: &str, max_len, asn| {
            let ta = TrustAnchorId::default();
            Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta }
        };
        let vrps = VrpTable::from_vrps(vec![
            vrp("192.0.2.0/24", 24, 64496),
            vrp("198.51.100.0/24", 24, 64497),
            vrp("198.51.100.0/24", 24, 64666),
        ]);
        let without_routes = text(&drift(&whose, None, Some(&vrps)));
        assert_eq!(
            without_routes,
            [
                "clinic roa_invalid 192.0.2.128/25 AS64496: invalid with AS64496: longer than its \
                 VRPs allow",
                WITHOUT,
                "isp roa_missing 2001:db8::/32 AS64496: no VRP covers it; AS64496 may originate it",
            ]
        );
        let routes: [(u32, &str, &[u32]); 1] = [(64510, "198.51.100.0/24", &[64510, 64500, 64496])];
        let observed = observed(&whose, &routes);
        let with_routes = text(&drift(&whose, Some(&observed), Some(&vrps)));
        let invalid = "isp roa_invalid 198.51.100.0/24 AS64496: invalid with AS64496: its VRPs name \
                       other ASes";
        assert!(with_routes.iter().any(|line| line == invalid), "{with_routes:#?}");
    }

    #[test]
    fn overlaps_are_told_once() {
        let members = json!([
            {"id": "b", "asns": [64496], "prefixes": ["192.0.2.0/24"]},
            {"id": "a", "asns": [64496], "prefixes": ["192.0.2.0/24", "198.51.100.0/24"]}
        ]);
        let whose = Constituency::new("", serde_json::from_value(members).unwrap()).unwrap();
        assert_eq!(
            text(&drift(&whose, None, None)),
            ["a overlap AS64496: also listed by b", "a overlap 192.0.2.0/24: also listed by b"]
        );
    }
}
