//! All networks of one period: what is known of each, and how ready it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use routewarden_core::facts::{Facts, Registry, Sha256};
use routewarden_core::{AddressFamily, Asn, Timestamp};
use routewarden_measure::{
    AddressSpace, Advice, AsInputs, EventTable, InputKind, Measurement, NamedRoutes, NoData,
    Period, Profile, Readiness, Score,
};
use serde::{Deserialize, Serialize};

use super::inputs::References;
use super::routes::space;
use super::{Announced, Source};

/// The time that is measured, by the name it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Span {
    /// `2026-10`, or `30d`.
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) period: Period,
    /// Whether nothing more can come.
    pub(crate) is_over: bool,
}

/// One AS, with what is known of it in the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Surveyed {
    pub(crate) asn: Asn,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) registry: Option<Registry>,
    /// Sectors of the members of the constituency that have it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) sectors: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) is_constituent: bool,
    pub(crate) space: AddressSpace,
    /// Prefixes announced, IPv4 and IPv6.
    pub(crate) prefixes: [u32; 2],
    pub(crate) inputs: AsInputs,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Looks up all that the references know of these ASes, each once, ascending.
pub(crate) fn look_up(
    references: &References,
    announced: &Announced,
    mut asns: Vec<Asn>,
    period: Period,
) -> Vec<Surveyed> {
    asns.sort_unstable();
    asns.dedup();
    in_parts(&asns, |&asn| of_as(references, announced, asn, period))
}

/// Does the same with every item, on all cores; the results are in the order of the items.
fn in_parts<T: Sync, R: Send>(items: &[T], each: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let size = items.len().div_ceil(threads).max(1);
    let each = &each;
    std::thread::scope(|scope| {
        let parts: Vec<_> = items
            .chunks(size)
            .map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<R>>()))
            .collect();
        let joined = parts
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload)));
        joined.flatten().collect()
    })
}

fn of_as(references: &References, announced: &Announced, asn: Asn, period: Period) -> Surveyed {
    let facts = &references.facts;
    let mut prefixes = [0, 0];
    for prefix in announced.of(asn) {
        let [v4, v6] = &mut prefixes;
        let count = if prefix.family() == AddressFamily::Ipv4 { v4 } else { v6 };
        *count += 1;
    }
    let members = || facts.constituency.iter().flat_map(|held| held.members_of_asn(asn));
    let sectors = members().filter(|member| !member.sector.is_empty());
    Surveyed {
        asn,
        name: name(facts, asn),
        country: country(facts, asn),
        registry: facts.asn_delegation(asn).map(|(delegation, _)| delegation.registry),
        sectors: sectors.map(|member| member.sector.to_string()).collect(),
        is_constituent: members().next().is_some(),
        space: space(announced.of(asn)),
        prefixes,
        inputs: references.of_as(asn, announced, period),
    }
}

fn name(facts: &Facts, asn: Asn) -> Option<String> {
    let organisation = || {
        let organisation = facts.organisations.as_ref()?.organisation(asn)?;
        Some(&*organisation.name).filter(|name| !name.is_empty())
    };
    facts.as_name(asn).or_else(organisation).map(str::to_owned)
}

/// What the constituency says; else the registry that gave the ASN out; else the organisation's.
fn country(facts: &Facts, asn: Asn) -> Option<String> {
    let mut members = facts.constituency.iter().flat_map(|held| held.members_of_asn(asn));
    let member = members.find_map(|member| match &*member.countries {
        [only] => Some(only.to_string()),
        _ => None,
    });
    let delegated = || {
        let (delegation, _) = facts.asn_delegation(asn)?;
        delegation.country.map(|code| code.as_str().to_owned())
    };
    let registered = || facts.country(asn).map(str::to_owned);
    member.or_else(delegated).or_else(registered)
}

/// What is known of the networks of a period: all that scores are made of.
pub(crate) struct Survey {
    pub(crate) profile: Profile,
    /// Of the profile's text.
    pub(crate) profile_sha256: Sha256,
    pub(crate) span: Span,
    pub(crate) events: EventTable,
    /// Why events do not count, by id of the incident.
    pub(crate) dismissed: BTreeMap<String, String>,
    /// By ASN.
    pub(crate) ases: Arc<Vec<Surveyed>>,
    pub(crate) sources: Vec<Source>,
    pub(crate) measured_at: Option<Timestamp>,
}

impl Survey {
    /// An AS of it.
    pub(crate) fn surveyed(&self, asn: Asn) -> Option<&Surveyed> {
        let at = self.ases.binary_search_by_key(&asn, |surveyed| surveyed.asn).ok()?;
        self.ases.get(at)
    }

    /// How ready an AS is.
    pub(crate) fn readiness(&self, surveyed: &Surveyed) -> Readiness {
        Measurement::new(&self.profile, &self.events).readiness(surveyed.asn, &surveyed.inputs)
    }

    /// What would raise the scores of an AS; when the time is over, only what can still change it.
    pub(crate) fn advice(
        &self,
        surveyed: &Surveyed,
        now: &Readiness,
        routes: NamedRoutes<'_>,
    ) -> Vec<Advice> {
        let measurement = Measurement::new(&self.profile, &self.events);
        let mut advice = measurement.advice(now, &surveyed.inputs, routes);
        advice.retain(|one| !self.span.is_over || one.kind.holds_when_over());
        advice
    }

    /// How ready every AS is: one row for each, in the order of `ases`, with the scores of the profile in
    /// its order.
    fn scores(&self) -> Vec<Vec<Option<Score>>> {
        in_parts(&self.ases, |surveyed| {
            let actions = self.readiness(surveyed).actions.into_iter();
            actions.map(|action| action.score).collect()
        })
    }

    /// Inputs that were not given, in words.
    pub(crate) fn missing(&self) -> Vec<Missing> {
        let asked = [
            InputKind::Incidents,
            InputKind::Routes,
            InputKind::Irr,
            InputKind::Vrps,
            InputKind::Spoofer,
            InputKind::Contacts,
            InputKind::Delegations,
        ];
        let is_missing = |input: &InputKind| !self.sources.iter().any(|held| held.input == *input);
        let missing = asked.into_iter().filter(is_missing);
        missing
            .map(|input| Missing { input, text: NoData::InputMissing { input }.to_string() })
            .collect()
    }
}

/// A survey with the scores of every network.
pub(crate) struct Measured {
    pub(crate) survey: Survey,
    /// For each AS of the survey the scores of the profile, in their order.
    pub(crate) scores: Vec<Vec<Option<Score>>>,
}

impl Measured {
    /// Scores every network.
    pub(crate) fn of(survey: Survey) -> Self {
        Measured { scores: survey.scores(), survey }
    }
}

/// An input that was not given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    pub(crate) input: InputKind,
    pub(crate) text: String,
}
