//! ASPA changes of members.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Asn;
use crate::facts::{Constituency, Member};

/// What happened to the ASPA of a member's AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspaFindingKind {
    /// A provider was added that is none of the member's expected upstreams.
    ForeignProvider,
    /// A provider was added.
    ProviderAdded,
    /// A provider was removed: its routes of the member become invalid.
    ProviderRemoved,
    /// There was no ASPA before.
    Added,
    /// There is no ASPA any more: paths are no longer checked.
    Removed,
}

/// One change of the providers of one AS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AspaFinding {
    /// What happened.
    pub kind: AspaFindingKind,
    /// Ids of the members that have the AS.
    pub members: Vec<Box<str>>,
    /// The AS that signs the ASPA.
    pub customer: Asn,
    /// The providers that the kind speaks of, ascending.
    pub providers: Vec<Asn>,
    /// All providers before, ascending; empty without ASPA.
    pub before: Vec<Asn>,
    /// All providers after, ascending; empty without ASPA.
    pub after: Vec<Asn>,
    /// In words, without a judgement of severity.
    pub reason: String,
}

/// What changed in the ASPAs of members, by AS and kind. `old` and `new` give the providers of each
/// customer AS; of several for one AS all count (draft-ietf-sidrops-aspa-verification).
pub fn aspa_changes<'a>(
    old: impl IntoIterator<Item = (Asn, &'a [Asn])>,
    new: impl IntoIterator<Item = (Asn, &'a [Asn])>,
    constituency: &Constituency,
) -> Vec<AspaFinding> {
    let old = of_members(old, constituency);
    let new = of_members(new, constituency);
    let customers: BTreeSet<Asn> = old.keys().chain(new.keys()).copied().collect();
    let mut findings = Vec::new();
    for customer in customers {
        let (before, after) = (old.get(&customer), new.get(&customer));
        let empty = BTreeSet::new();
        let (was, is) = (before.unwrap_or(&empty), after.unwrap_or(&empty));
        let added: Vec<Asn> = is.difference(was).copied().collect();
        let removed: Vec<Asn> = was.difference(is).copied().collect();
        // AS0 says that there is no provider (draft-ietf-sidrops-aspa-profile §3).
        let is_foreign = |provider: &Asn| {
            provider.0 != 0 && constituency.is_expected_upstream(customer, *provider) == Some(false)
        };
        let (foreign, known): (Vec<Asn>, Vec<Asn>) = added.into_iter().partition(is_foreign);
        let all: Vec<Asn> = is.union(was).copied().collect();
        let changes = match (before, after) {
            (None, _) => {
                vec![(AspaFindingKind::ForeignProvider, foreign), (AspaFindingKind::Added, all)]
            }
            (_, None) => vec![(AspaFindingKind::Removed, all)],
            (Some(_), Some(_)) => vec![
                (AspaFindingKind::ForeignProvider, foreign),
                (AspaFindingKind::ProviderAdded, known),
                (AspaFindingKind::ProviderRemoved, removed),
            ],
        };
        let finding = |change| finding(change, customer, (was, is), constituency);
        findings.extend(changes.into_iter().filter_map(finding));
    }
    findings
}

type Providers = BTreeSet<Asn>;

fn of_members<'a>(
    aspas: impl IntoIterator<Item = (Asn, &'a [Asn])>,
    constituency: &Constituency,
) -> BTreeMap<Asn, Providers> {
    let mut all: BTreeMap<Asn, Providers> = BTreeMap::new();
    for (customer, providers) in aspas {
        if constituency.members_of_asn(customer).next().is_some() {
            all.entry(customer).or_default().extend(providers);
        }
    }
    all
}

fn finding(
    (kind, providers): (AspaFindingKind, Vec<Asn>),
    customer: Asn,
    (before, after): (&Providers, &Providers),
    constituency: &Constituency,
) -> Option<AspaFinding> {
    let is_whole = matches!(kind, AspaFindingKind::Added | AspaFindingKind::Removed);
    if providers.is_empty() && !is_whole {
        return None;
    }
    let members: Vec<&Member> = constituency.members_of_asn(customer).collect();
    let labels: Vec<&str> = members.iter().map(|member| member.label()).collect();
    let named: Vec<String> = providers.iter().map(Asn::to_string).collect();
    let (named, whose) = (named.join(", "), labels.join(", "));
    let what = match kind {
        AspaFindingKind::ForeignProvider => {
            format!("names {named} as provider, which is no expected upstream")
        }
        AspaFindingKind::ProviderAdded => format!("names {named} as provider now"),
        AspaFindingKind::ProviderRemoved => {
            format!("no longer names {named} as provider: routes through it become invalid")
        }
        AspaFindingKind::Added => format!("is new, with {named} as provider"),
        AspaFindingKind::Removed => format!("is gone; it named {named} as provider"),
    };
    Some(AspaFinding {
        kind,
        members: members.iter().map(|member| member.id.clone()).collect(),
        customer,
        providers,
        before: before.iter().copied().collect(),
        after: after.iter().copied().collect(),
        reason: format!("the ASPA of {customer} ({whose}) {what}"),
    })
}
