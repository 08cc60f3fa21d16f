//! What the versions of an incident tell: sample paths, visibility, who had a part in it.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::{Asn, Timestamp};
use routewarden_detect::{Countermeasure, SamplePath};
use routewarden_store::{AsnRole, StoredVersion};
use serde::Deserialize;

use super::{Basis, Event, Node, Reaction, Replay, Route, Scene, Source, Target, Visibility};
use crate::http::api::item::{Glance, asns};

/// What a replay takes of the incident's own JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Shown {
    standing: bool,
    sample_paths: Vec<SamplePath>,
    countermeasures: Vec<Countermeasure>,
    as_names: BTreeMap<String, String>,
}

/// What is gathered version by version.
#[derive(Default)]
pub(super) struct Gathered {
    /// Each sample once, by time; those of the first version of an incident that stood at the
    /// start are its state then.
    initial: BTreeSet<SamplePath>,
    later: BTreeSet<SamplePath>,
    visibility: Vec<Visibility>,
    last: Option<(StoredVersion, Shown)>,
    versions: usize,
}

impl Gathered {
    pub(super) fn take(&mut self, at: Timestamp, stored: StoredVersion) {
        let shown: Shown = serde_json::from_str(stored.body.get()).unwrap_or_default();
        if let Some(seen) = Glance::of(&stored).vantage_points {
            self.visibility.push(Visibility {
                time: at,
                version: stored.version,
                seen: seen.seen,
                now: seen.now,
                of: seen.of,
            });
        }
        let is_initial = shown.standing && self.versions == 0;
        for sample in &shown.sample_paths {
            if is_initial {
                self.initial.insert(sample.clone());
            } else if !self.initial.contains(sample) {
                self.later.insert(sample.clone());
            }
        }
        self.versions += 1;
        self.last = Some((stored, shown));
    }

    /// When it ended, or was seen last.
    pub(super) fn until(&self) -> Timestamp {
        let last = self.last.as_ref().map(|(stored, _)| stored);
        last.map_or_else(Timestamp::default, |last| last.ended_at.unwrap_or(last.last_seen))
    }

    /// What the samples show, for want of a trail.
    pub(super) fn scene(&self, reason: &'static str) -> Scene {
        let samples = || self.initial.iter().chain(&self.later);
        let mut events: Vec<Event> = self.later.iter().map(announced).collect();
        let ended_at = self.last.as_ref().and_then(|(stored, _)| stored.ended_at);
        events.extend(ended_at.into_iter().flat_map(|ended_at| self.withdrawn(ended_at)));
        events.sort_by_key(|event| event.timestamp);
        Scene {
            targets: samples().map(|sample| sample.prefix).collect(),
            sources: samples().map(Source::of_sample).collect(),
            asns: samples().flat_map(|sample| path_asns(&sample.path)).collect(),
            initial_state: self.initial.iter().map(route).collect(),
            events,
            sessions: Vec::new(),
            samples: samples().count(),
            trail_events: 0,
            reason: Some(reason),
        }
    }

    /// The end of every route that was shown.
    fn withdrawn(&self, ended_at: Timestamp) -> Vec<Event> {
        let routes: BTreeSet<_> = self
            .initial
            .iter()
            .chain(&self.later)
            .map(|sample| (Source::of_sample(sample).id, sample.prefix))
            .collect();
        routes.into_iter().map(|route| Event::withdrawn(ended_at, route, true)).collect()
    }

    /// The replay of a scene; `None` without a version.
    pub(super) fn replay(self, scene: Scene) -> Option<Replay> {
        let until = self.until();
        let (stored, shown) = self.last?;
        let nodes = nodes(&stored, &shown, &scene);
        let Scene { targets, sources, initial_state, events, sessions, reason, .. } = scene;
        let last_event = events.last().map_or(until, |event| event.timestamp);
        Some(Replay {
            id: stored.id.clone(),
            query_starttime: stored.first_seen,
            query_endtime: until.max(last_event),
            targets: targets.into_iter().map(|prefix| Target { prefix }).collect(),
            sources: sources.into_iter().collect(),
            nodes,
            initial_state,
            events,
            sessions,
            countermeasures: shown.countermeasures.iter().map(Reaction::of).collect(),
            basis: Basis {
                samples: scene.samples,
                versions: self.versions,
                events: scene.trail_events,
                complete: reason.is_none(),
                reason,
            },
            visibility: self.visibility,
        })
    }
}

fn nodes(stored: &StoredVersion, shown: &Shown, scene: &Scene) -> Vec<Node> {
    let mut roles: BTreeMap<Asn, &'static str> = BTreeMap::new();
    let of = |role| asns(stored, role);
    // The first that applies.
    for (name, asns) in [
        ("culprit", of(AsnRole::Culprit).collect::<Vec<_>>()),
        ("victim", of(AsnRole::Victim).collect()),
        ("propagator", of(AsnRole::Propagator).collect()),
        ("source", scene.sources.iter().map(|source| source.as_number).collect()),
        ("other", scene.asns.iter().copied().collect()),
    ] {
        for asn in asns {
            roles.entry(asn).or_insert(name);
        }
    }
    let node = |(as_number, role): (Asn, _)| Node {
        as_number,
        owner: shown.as_names.get(&as_number.0.to_string()).cloned(),
        role,
    };
    roles.into_iter().map(node).collect()
}

/// The ASNs of a path's text, in order.
fn path_asns(text: &str) -> Vec<Asn> {
    let numbers = text.split(|letter: char| !letter.is_ascii_digit());
    numbers.filter_map(|number| number.parse().ok().map(Asn)).collect()
}

fn route(sample: &SamplePath) -> Route {
    Route {
        source_id: Source::of_sample(sample).id,
        target_prefix: sample.prefix,
        path: path_asns(&sample.path),
        path_text: sample.path.clone(),
        community: Vec::new(),
    }
}

fn announced(sample: &SamplePath) -> Event {
    Event { action: "A", timestamp: sample.time, inferred: false, attrs: route(sample) }
}
