//! What is said of one AS: the document of the command line and of the API.

use std::collections::BTreeSet;

use routewarden_core::facts::Registry;
use routewarden_core::facts::participants::Participant;
use routewarden_core::{Asn, Prefix};
use routewarden_measure::{
    ActionResult, AddressSpace, Advice, Conformance, Country, Measure, Metric, MetricResult,
    Profile, Programmes, Readiness, ReadinessClass, RovEvidence, RovJudgement, Score,
};
use serde::Serialize;

use super::inputs::{FaultyRoutes, References};
use super::survey::{Missing, Span, Survey, Surveyed};
use super::{Announced, Source};

/// Name of the programme for those who run networks.
const PROGRAMME_OF_OPERATORS: &str = "net-ops";

/// What every answer begins with: by what and on what it was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Head<'a> {
    pub(crate) profile: &'a str,
    pub(crate) profile_sha256: String,
    pub(crate) period: &'a Span,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) measured_at: Option<routewarden_core::Timestamp>,
    pub(crate) sources: &'a [Source],
    pub(crate) missing: Vec<Missing>,
}

impl<'a> Head<'a> {
    pub(crate) fn of(survey: &'a Survey) -> Self {
        Head {
            profile: &survey.profile.id,
            profile_sha256: survey.profile_sha256.to_string(),
            period: &survey.span,
            measured_at: survey.measured_at,
            sources: &survey.sources,
            missing: survey.missing(),
        }
    }
}

/// How ready one AS is, with everything that went in.
#[derive(Debug, Serialize)]
pub(crate) struct AsAnswer<'a> {
    pub(crate) asn: Asn,
    pub(crate) name: Option<&'a str>,
    pub(crate) country: Option<&'a str>,
    pub(crate) registry: Option<Registry>,
    pub(crate) region: Option<RegionAnswer>,
    pub(crate) sectors: Vec<&'a str>,
    /// Programmes that it takes part in, by those who keep the lists.
    pub(crate) participant: Vec<&'a Participant>,
    /// What it would be asked in these programmes, or in that of operators where it is in none.
    pub(crate) conformance: Vec<Conformance>,
    pub(crate) address_space: AddressSpace,
    pub(crate) prefixes: Prefixes,
    pub(crate) metrics: Vec<MetricAnswer<'a>>,
    pub(crate) actions: Vec<ActionAnswer<'a>>,
    /// Whether it drops RPKI-invalid routes, as far as can be inferred; `null` where none was followed.
    pub(crate) rov: Option<RovJudgement>,
    /// What would raise a score, best gain first.
    pub(crate) advice: Vec<Advice>,
}

/// The part of the world that a network is in (UN M49).
#[derive(Debug, Serialize)]
pub(crate) struct RegionAnswer {
    pub(crate) id: String,
    pub(crate) name: &'static str,
}

/// How many prefixes are announced.
#[derive(Debug, Serialize)]
pub(crate) struct Prefixes {
    pub(crate) ipv4: u32,
    pub(crate) ipv6: u32,
}

/// A metric with its name and what it means.
#[derive(Debug, Serialize)]
pub(crate) struct MetricAnswer<'a> {
    #[serde(flatten)]
    pub(crate) result: MetricResult,
    pub(crate) title: &'a str,
    /// How it is computed, in words.
    pub(crate) formula: String,
    pub(crate) no_data_text: Option<String>,
    /// Events of it that do not count, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dismissed: Vec<Dismissed<'a>>,
    /// Routes that cost points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) routes: Vec<RouteAnswer>,
}

/// An event that does not count.
#[derive(Debug, Serialize)]
pub(crate) struct Dismissed<'a> {
    pub(crate) event: &'a str,
    pub(crate) why: &'a str,
}

/// A route that costs points.
#[derive(Debug, Serialize)]
pub(crate) struct RouteAnswer {
    pub(crate) prefix: Prefix,
    /// `invalid`, `not_found`, `unregistered`.
    pub(crate) state: &'static str,
}

/// A score with its name.
#[derive(Debug, Serialize)]
pub(crate) struct ActionAnswer<'a> {
    #[serde(flatten)]
    pub(crate) result: ActionResult,
    pub(crate) title: &'a str,
}

impl ActionAnswer<'_> {
    /// Score and class.
    pub(crate) fn standing(&self) -> (Option<Score>, ReadinessClass) {
        (self.result.score, self.result.class)
    }
}

impl<'a> AsAnswer<'a> {
    /// Of an AS of a survey; routes that cost points are named where the references that say so are at
    /// hand.
    pub(crate) fn of(
        survey: &'a Survey,
        surveyed: &'a Surveyed,
        references: &'a References,
        routes: Option<&Announced>,
    ) -> Self {
        let readiness = survey.readiness(surveyed);
        let participant: Vec<&Participant> = references.participants(surveyed.asn).collect();
        let conformance = conformance(&participant, &readiness);
        let faulty = routes.map(|announced| references.faulty_routes(surveyed.asn, announced));
        let faulty = faulty.unwrap_or_default();
        let advice = survey.advice(surveyed, &readiness, faulty.named());
        let metrics = readiness.metrics.into_iter().zip(&survey.profile.metrics);
        let metrics = metrics
            .map(|(result, metric)| metric_answer(survey, surveyed, result, metric, &faulty));
        let [ipv4, ipv6] = surveyed.prefixes;
        AsAnswer {
            asn: surveyed.asn,
            name: surveyed.name.as_deref(),
            country: surveyed.country.as_deref(),
            registry: surveyed.registry,
            region: surveyed
                .country
                .as_deref()
                .and_then(Country::of)
                .map(|country| RegionAnswer { id: country.region_id(), name: country.region }),
            participant,
            conformance,
            sectors: surveyed.sectors.iter().map(String::as_str).collect(),
            address_space: surveyed.space,
            prefixes: Prefixes { ipv4, ipv6 },
            metrics: metrics.collect(),
            actions: actions(readiness.actions, &survey.profile),
            rov: surveyed.inputs.invalids_dropped.as_ref().ok().map(|share| {
                let evidence = RovEvidence { offered: share.whole, dropped: share.part };
                evidence.judged(survey.profile.rov_least())
            }),
            advice,
        }
    }
}

/// Conformance to the programmes of a participant; else to that of operators, as what it would be asked.
fn conformance(participant: &[&Participant], readiness: &Readiness) -> Vec<Conformance> {
    // The list is compiled in and tested.
    let Ok(programmes) = Programmes::built_in() else { return Vec::new() };
    let mut names: Vec<&str> = participant.iter().map(|one| &*one.programme).collect();
    names.dedup();
    if names.is_empty() {
        names.push(PROGRAMME_OF_OPERATORS);
    }
    let named = names.iter().filter_map(|name| programmes.named(name));
    named.map(|programme| programme.conformance(readiness, &BTreeSet::new())).collect()
}

fn actions(results: Vec<ActionResult>, profile: &Profile) -> Vec<ActionAnswer<'_>> {
    let named = results.into_iter().zip(&profile.scores);
    named.map(|(result, rule)| ActionAnswer { result, title: &rule.title }).collect()
}

fn metric_answer<'a>(
    survey: &'a Survey,
    surveyed: &Surveyed,
    result: MetricResult,
    metric: &'a Metric,
    faulty: &FaultyRoutes,
) -> MetricAnswer<'a> {
    MetricAnswer {
        no_data_text: result.no_data.as_ref().map(ToString::to_string),
        title: &metric.title,
        formula: survey.profile.formula(metric),
        dismissed: dismissed(survey, surveyed, &metric.measure),
        routes: faulty_routes(&metric.measure, faulty),
        result,
    }
}

fn dismissed<'a>(survey: &'a Survey, surveyed: &Surveyed, measure: &Measure) -> Vec<Dismissed<'a>> {
    let Measure::Incidents(rule) = measure else { return Vec::new() };
    let events = survey.events.of(surveyed.asn, rule.role);
    let events = events.filter(|event| event.is_dismissed && rule.events.contains(&event.kind));
    let named = events.filter_map(|event| {
        let why = survey.dismissed.get(&event.id)?;
        Some(Dismissed { event: &event.id, why })
    });
    named.collect()
}

fn faulty_routes(measure: &Measure, faulty: &FaultyRoutes) -> Vec<RouteAnswer> {
    let named = |prefixes: &[Prefix], state| -> Vec<RouteAnswer> {
        prefixes.iter().map(|&prefix| RouteAnswer { prefix, state }).collect()
    };
    match measure {
        Measure::IrrCoverage(_) => named(&faulty.unregistered, "unregistered"),
        Measure::RpkiInvalid => named(&faulty.invalid, "invalid"),
        Measure::RpkiValidity(_) => {
            let mut routes = named(&faulty.invalid, "invalid");
            routes.extend(named(&faulty.not_found, "not_found"));
            routes.truncate(super::inputs::ROUTES_NAMED_MAX);
            routes
        }
        Measure::Incidents(_)
        | Measure::SpoofedPrefixes
        | Measure::Contacts(_)
        | Measure::Share(_) => Vec::new(),
    }
}
