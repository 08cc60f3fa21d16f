//! What would raise a score: each thing that costs points, mended, and the AS scored again without it.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::Prefix;
use serde::Serialize;

use crate::event::OneAs;
use crate::formula::{joined, time};
use crate::{
    AsInputs, ContactRule, CountedIncident, EVENT_IDS_LISTED_MAX, IncidentRule, IrrRule, Measure,
    Measurement, Metric, MetricResult, NoData, Penalty, Profile, Readiness, Score, Share, ShareOf,
    ShareRule,
};

/// Most advice given on one AS: the best of it.
pub const ADVICE_MAX: usize = 50;
/// Most incidents for which it is tried what a verdict would do: those that cost most.
pub const ADVICE_INCIDENTS_MAX: usize = 50;
/// Most prefixes named in a text.
const PREFIXES_IN_TEXT_MAX: usize = 3;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AdviceKind {
    /// Make RPKI-invalid routes valid.
    MendInvalid,
    /// Make ROAs for routes that none covers.
    CreateRoas,
    /// Register routes.
    RegisterRoutes,
    /// Give a contact that counts.
    GiveContact,
    /// Name providers in the ASPA.
    NameProviders,
    /// Have a test for spoofing run.
    TestSpoofing,
    /// Filter spoofed packets.
    FilterSpoofed,
    /// Drop RPKI-invalid routes.
    DropInvalid,
    /// Mark routes with OTC.
    MarkRoutes,
    /// End what goes on.
    EndIncident,
    /// Say so, if an incident is none.
    FalsePositive,
}

impl AdviceKind {
    /// Whether it can still change the score of a period that is over: only a verdict does.
    pub const fn holds_when_over(self) -> bool {
        matches!(self, AdviceKind::FalsePositive)
    }
}

/// One thing that would raise one score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// Id of the score in the profile.
    pub score: String,
    /// As it is; `null` without data.
    pub now: Option<Score>,
    /// As it would be in the same period with this one thing mended and nothing else; `null` where that
    /// cannot be known, or what has passed keeps it from rising before the next period.
    pub after: Option<Score>,
    /// What is to be done.
    pub kind: AdviceKind,
    /// In words.
    pub text: String,
    /// Ids of the events it is about, at most [`EVENT_IDS_LISTED_MAX`].
    pub events: BTreeSet<String>,
    /// Routes it is about, as far as they were named.
    pub prefixes: Vec<Prefix>,
}

impl Advice {
    /// By how much, in billionths; `None` when that is unknown.
    fn gain(&self) -> Option<u32> {
        let now = self.now.map_or(0, Score::billionths);
        self.after.map(|after| after.billionths().saturating_sub(now))
    }
}

/// Routes of an AS that cost it points, as far as they are named: the counts are in [`AsInputs`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NamedRoutes<'a> {
    /// RPKI-invalid.
    pub invalid: &'a [Prefix],
    /// Covered by no VRP.
    pub not_found: &'a [Prefix],
    /// Without a route object.
    pub unregistered: &'a [Prefix],
}

impl Measurement<'_> {
    /// What would raise the scores of an AS, best gain first, then what has a gain that is not known.
    /// `now` is its readiness by this measurement, of the same inputs.
    pub fn advice(
        &self,
        now: &Readiness,
        inputs: &AsInputs,
        routes: NamedRoutes<'_>,
    ) -> Vec<Advice> {
        let mut adviser = Adviser { measurement: *self, now, inputs, routes, list: Vec::new() };
        let metrics = self.profile().metrics.iter().zip(&now.metrics);
        for (metric, result) in metrics.filter(|(metric, _)| self.profile().is_scored(&metric.id)) {
            adviser.advise(metric, result);
        }
        adviser.advise_verdicts();
        let mut list = adviser.list;
        list.sort_by_key(|advice| std::cmp::Reverse(advice.gain()));
        list.truncate(ADVICE_MAX);
        list
    }
}

/// What is to be done, in words, and to what.
struct Deed<'a> {
    kind: AdviceKind,
    text: String,
    events: BTreeSet<String>,
    prefixes: &'a [Prefix],
}

impl Deed<'_> {
    fn new(kind: AdviceKind, text: String) -> Self {
        Deed { kind, text, events: BTreeSet::new(), prefixes: &[] }
    }
}

struct Adviser<'a> {
    measurement: Measurement<'a>,
    now: &'a Readiness,
    inputs: &'a AsInputs,
    routes: NamedRoutes<'a>,
    list: Vec<Advice>,
}

impl<'a> Adviser<'a> {
    fn profile(&self) -> &'a Profile {
        self.measurement.profile()
    }

    fn advise(&mut self, metric: &Metric, result: &MetricResult) {
        match &metric.measure {
            Measure::Incidents(rule) => self.advise_end(metric, rule),
            Measure::SpoofedPrefixes => self.advise_spoofing(metric, result),
            Measure::IrrCoverage(rule) => self.advise_registering(*rule),
            Measure::RpkiValidity(_) => {
                self.advise_invalid();
                self.advise_roas();
            }
            Measure::RpkiInvalid => self.advise_invalid(),
            Measure::Contacts(rule) => self.advise_contact(rule),
            Measure::Share(rule) => self.advise_share(metric, result, *rule),
        }
    }

    /// Scores the AS by other inputs, and keeps what is better for it.
    fn with_inputs(&mut self, inputs: &AsInputs, deed: &Deed<'_>) {
        let after = self.measurement.readiness(self.now.asn, inputs);
        self.compare(&after, deed);
    }

    fn compare(&mut self, after: &Readiness, deed: &Deed<'_>) {
        for (now, after) in self.now.actions.iter().zip(&after.actions) {
            if after.score > now.score {
                self.push(&now.id, now.score, after.score, deed);
            }
        }
    }

    /// What cannot raise the scores of a metric in this period, or nobody knows by how much.
    fn without_gain(&mut self, metric: &str, deed: &Deed<'_>) {
        let now = self.now;
        for (rule, action) in self.profile().scores.iter().zip(&now.actions) {
            if rule.metrics.iter().any(|id| id == metric) {
                self.push(&rule.id, action.score, None, deed);
            }
        }
    }

    fn push(&mut self, score: &str, now: Option<Score>, after: Option<Score>, deed: &Deed<'_>) {
        let is_known = |held: &Advice| held.score == score && held.kind == deed.kind;
        if deed.events.is_empty() && self.list.iter().any(is_known) {
            return;
        }
        self.list.push(Advice {
            score: score.to_owned(),
            now,
            after,
            kind: deed.kind,
            text: deed.text.clone(),
            events: deed.events.clone(),
            prefixes: deed.prefixes.to_vec(),
        });
    }

    fn advise_invalid(&mut self) {
        let Ok(mut counts) = self.inputs.rpki.clone() else { return };
        let invalid = std::mem::take(&mut counts.invalid);
        counts.valid = counts.valid.saturating_add(invalid);
        let prefixes = self.routes.invalid;
        let text = format!(
            "Make {} valid by mending the ROAs{}. One that is withdrawn instead counts until the period \
             is over.",
            counted(invalid, "RPKI-invalid route", "RPKI-invalid routes"),
            named(prefixes, invalid),
        );
        let inputs = AsInputs { rpki: Ok(counts), ..self.inputs.clone() };
        let deed = Deed { prefixes, ..Deed::new(AdviceKind::MendInvalid, text) };
        self.with_inputs(&inputs, &deed);
    }

    fn advise_roas(&mut self) {
        let Ok(mut counts) = self.inputs.rpki.clone() else { return };
        let not_found = std::mem::take(&mut counts.not_found);
        counts.valid = counts.valid.saturating_add(not_found);
        let prefixes = self.routes.not_found;
        let text = format!(
            "Create ROAs for {} that none covers{}.",
            counted(not_found, "route", "routes"),
            named(prefixes, not_found),
        );
        let inputs = AsInputs { rpki: Ok(counts), ..self.inputs.clone() };
        let deed = Deed { prefixes, ..Deed::new(AdviceKind::CreateRoas, text) };
        self.with_inputs(&inputs, &deed);
    }

    fn advise_registering(&mut self, rule: IrrRule) {
        let Ok(mut counts) = self.inputs.irr.clone() else { return };
        let missing = counts.announced - rule.accept.registered(counts);
        counts.exact = counts.announced;
        counts.covered = 0;
        let prefixes = self.routes.unregistered;
        let text = format!(
            "Register route objects for {}{}.",
            counted(missing, "route", "routes"),
            named(prefixes, missing),
        );
        let inputs = AsInputs { irr: Ok(counts), ..self.inputs.clone() };
        let deed = Deed { prefixes, ..Deed::new(AdviceKind::RegisterRoutes, text) };
        self.with_inputs(&inputs, &deed);
    }

    fn advise_contact(&mut self, rule: &ContactRule) {
        let (Ok(found), Some(&any)) = (&self.inputs.contacts, rule.counted.first()) else { return };
        let mut contacts = found.clone();
        contacts.insert(any);
        let kinds: Vec<&str> = rule.counted.iter().map(|kind| kind.words()).collect();
        let text = format!("Give a contact; one of these is enough: {}.", kinds.join(", "));
        let inputs = AsInputs { contacts: Ok(contacts), ..self.inputs.clone() };
        self.with_inputs(&inputs, &Deed::new(AdviceKind::GiveContact, text));
    }

    fn advise_spoofing(&mut self, metric: &Metric, result: &MetricResult) {
        if result.no_data == Some(NoData::NoTests) {
            let text = "Have a public test for spoofing run in the network (CAIDA Spoofer). What it would \
                        find is not known.";
            self.without_gain(&metric.id, &Deed::new(AdviceKind::TestSpoofing, text.to_owned()));
        }
        let received = self.inputs.spoofing.as_ref().map_or(0, |tests| tests.received_prefixes);
        if result.score.is_some_and(|score| score < Score::ONE) {
            let text = format!(
                "Filter packets with false sources: they came from {}. What was received counts until the \
                 period is over.",
                counted(received, "prefix", "prefixes"),
            );
            self.without_gain(&metric.id, &Deed::new(AdviceKind::FilterSpoofed, text));
        }
    }

    fn advise_share(&mut self, metric: &Metric, result: &MetricResult, rule: ShareRule) {
        let Ok(Share { part, whole }) = *rule.of.share(self.inputs) else { return };
        let Some(lacking) = whole.checked_sub(part).filter(|&lacking| lacking > 0) else { return };
        if result.score.is_none() {
            return;
        }
        let until = "what has passed counts until the period is over";
        let (kind, text) = match rule.of {
            ShareOf::AspaProviders => {
                let providers = counted(lacking, "more provider", "more providers");
                let text = format!("Name {providers} in the ASPA, if they are providers.");
                let aspa_providers = Ok(Share { part: whole, whole });
                let inputs = AsInputs { aspa_providers, ..self.inputs.clone() };
                return self.with_inputs(&inputs, &Deed::new(AdviceKind::NameProviders, text));
            }
            ShareOf::OtcMarked => (
                AdviceKind::MarkRoutes,
                format!("Mark routes with OTC (RFC 9234): {lacking} of {whole} were not; {until}."),
            ),
            ShareOf::InvalidsDropped => (
                AdviceKind::DropInvalid,
                format!(
                    "Drop RPKI-invalid routes: {lacking} of {whole} offered were passed on; {until}."
                ),
            ),
        };
        self.without_gain(&metric.id, &Deed::new(kind, text));
    }

    /// What goes on at the end of what was measured costs more by the day.
    fn advise_end(&mut self, metric: &Metric, rule: &IncidentRule) {
        let events = self.measurement.events().of(self.now.asn, rule.role).filter(|event| {
            let counts = rule.weight_percent(event.confidence).is_some();
            rule.events.contains(&event.kind) && counts && !event.is_dismissed
        });
        let lasting = events.filter(|event| event.until.is_none()).map(|event| event.id.clone());
        let events: BTreeSet<String> = lasting.take(EVENT_IDS_LISTED_MAX).collect();
        if events.is_empty() {
            return;
        }
        let text = format!(
            "{}: {} going on. End it: each whole {} that it lasts costs more; what has passed counts \
             until the period is over.",
            metric.title,
            counted(u32::try_from(events.len()).unwrap_or(u32::MAX), "is", "are"),
            time(self.profile().duration.step_secs),
        );
        let deed = Deed { events, ..Deed::new(AdviceKind::EndIncident, text) };
        self.without_gain(&metric.id, &deed);
    }

    /// What a verdict of "false positive" would do, for each incident that is counted.
    fn advise_verdicts(&mut self) {
        let mut one = OneAs::of(self.measurement.events(), self.now.asn);
        for (events, told) in self.costly() {
            one.dismiss(&events);
            let measurement = Measurement::new(self.profile(), one.table());
            let after = measurement.readiness(self.now.asn, self.inputs);
            one.restore();
            let metrics: Vec<&str> = told.metrics.iter().copied().collect();
            let text = format!(
                "What happened from {} to {} ({}) counts until the period is over. Only if it is found to be \
                 false does the score rise.",
                told.incident.from.to_the_second(),
                told.incident.until.to_the_second(),
                joined(&metrics),
            );
            let deed = Deed { events, ..Deed::new(AdviceKind::FalsePositive, text) };
            self.compare(&after, &deed);
        }
    }

    /// The incidents that cost most, by their events; one that several metrics count is named once.
    fn costly(&self) -> Vec<(BTreeSet<String>, Told<'a>)> {
        let mut found: BTreeMap<&BTreeSet<String>, Told<'a>> = BTreeMap::new();
        let scored = self.now.metrics.iter().filter(|metric| self.profile().is_scored(&metric.id));
        for metric in scored {
            for incident in &metric.incidents {
                let cost = Penalty::weighted(incident.coefficient, incident.weight_percent);
                let told = found.entry(&incident.events).or_insert_with(|| Told::of(incident));
                told.cost = told.cost.plus(cost);
                told.metrics.insert(&metric.id);
            }
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort_by_key(|(_, told)| (std::cmp::Reverse(told.cost), told.incident.from));
        found.truncate(ADVICE_INCIDENTS_MAX);
        found.into_iter().map(|(events, told)| (events.clone(), told)).collect()
    }
}

/// An incident, and what it costs over all metrics.
struct Told<'a> {
    incident: &'a CountedIncident,
    metrics: BTreeSet<&'a str>,
    cost: Penalty,
}

impl<'a> Told<'a> {
    fn of(incident: &'a CountedIncident) -> Self {
        Told { incident, metrics: BTreeSet::new(), cost: Penalty::default() }
    }
}

/// `1 route`, `2 routes`.
fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The first prefixes, after a colon.
fn named(prefixes: &[Prefix], count: u32) -> String {
    let first: Vec<String> =
        prefixes.iter().take(PREFIXES_IN_TEXT_MAX).map(ToString::to_string).collect();
    if first.is_empty() {
        return String::new();
    }
    let rest = if (count as usize) > first.len() { " and more" } else { "" };
    format!(": {}{rest}", first.join(", "))
}
