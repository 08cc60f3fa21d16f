//! What is new since the last report: each incident is told of when it opens, changes and ends.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};

use routewarden_core::Timestamp;
use routewarden_detect::{
    CONFIDENCE_HIGH_MIN, CONFIDENCE_MEDIUM_MIN, Incident, IncidentKind, IncidentState,
};

/// An incident that changes all the time is told of at most this often, unless its state, kind or
/// class does.
const CHANGE_SECS: i64 = 10;
/// What changes by itself (how long, how many announcements) is brought up to date this often.
const REFRESH_SECS: i64 = 300;

/// Why an incident is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It was not known.
    Opened,
    /// Something that matters has changed.
    Changed,
    /// It has ended.
    Ended,
    /// It is no longer thought to be one, or is told of as part of another: it has ended.
    Withdrawn,
}

/// What is known to have been told.
#[derive(Clone, Debug)]
struct Told {
    /// What the reader acts on at once.
    headline: Headline,
    /// What else matters.
    digest: u64,
    at: Timestamp,
    is_over: bool,
    last: Incident,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Headline {
    kind: IncidentKind,
    state: IncidentState,
    class: u8,
}

/// All that was told, by id.
#[derive(Default)]
pub(crate) struct Tidings {
    told: BTreeMap<String, Told>,
}

impl Tidings {
    /// What was told before a restart.
    pub(crate) fn told_of(incidents: Vec<Incident>) -> Self {
        let mut tidings = Tidings::default();
        for incident in incidents {
            // As old as can be: what differs now is news.
            tidings.note(&incident, Timestamp::default());
        }
        tidings
    }

    /// What is new in a report, in its order; then what was withdrawn, by id.
    pub(crate) fn of(&mut self, incidents: &[Incident], now: Timestamp) -> Vec<(News, Incident)> {
        let mut news = Vec::new();
        for incident in incidents {
            if let Some(what) = self.note(incident, now) {
                news.push((what, incident.clone()));
            }
        }
        let current: std::collections::BTreeSet<&str> =
            incidents.iter().map(|incident| incident.id.as_str()).collect();
        self.told.retain(|id, told| {
            if current.contains(id.as_str()) {
                return true;
            }
            if !told.is_over {
                let mut last = told.last.clone();
                last.state = IncidentState::Ended;
                last.ended_at = Some(now);
                news.push((News::Withdrawn, last));
            }
            false
        });
        news
    }

    fn note(&mut self, incident: &Incident, now: Timestamp) -> Option<News> {
        let is_over = incident.state == IncidentState::Ended;
        let news = match self.told.get(&incident.id) {
            None => News::Opened,
            Some(told) => {
                let since = now.secs_since(told.at);
                let has_changed = told.headline != headline(incident)
                    || (since >= CHANGE_SECS && told.digest != digest(incident))
                    || (since >= REFRESH_SECS && !is_over && told.last != *incident);
                if !has_changed {
                    return None;
                }
                if is_over && !told.is_over { News::Ended } else { News::Changed }
            }
        };
        let told = Told {
            headline: headline(incident),
            digest: digest(incident),
            at: now,
            is_over,
            last: incident.clone(),
        };
        self.told.insert(incident.id.clone(), told);
        Some(news)
    }
}

fn headline(incident: &Incident) -> Headline {
    let class = u8::from(incident.confidence >= CONFIDENCE_MEDIUM_MIN)
        + u8::from(incident.confidence >= CONFIDENCE_HIGH_MIN);
    // Spreading and ongoing are one to those who act.
    let state = match incident.state {
        IncidentState::Spreading => IncidentState::Ongoing,
        other => other,
    };
    Headline { kind: incident.kind, state, class }
}

fn digest(incident: &Incident) -> u64 {
    let rules = incident.evidence.iter().chain(&incident.counter_evidence);
    let related = incident.related.iter().map(|related| (&related.id, related.relation as u8));
    let measures =
        incident.countermeasures.iter().map(|done| (done.time, done.prefix, done.origin));
    let mut hasher = foldhash::fast::FixedState::default().build_hasher();
    (&incident.culprits, &incident.victims, &incident.prefixes, incident.prefix_count)
        .hash(&mut hasher);
    (incident.confidence, incident.severity, incident.ended_at, incident.recurrences)
        .hash(&mut hasher);
    (incident.state as u8, incident.vantage_points.seen, incident.feeds.degraded).hash(&mut hasher);
    incident.feeds.impaired.hash(&mut hasher);
    rules.map(|line| (&line.rule, line.weight)).collect::<Vec<_>>().hash(&mut hasher);
    related.collect::<Vec<_>>().hash(&mut hasher);
    measures.collect::<Vec<_>>().hash(&mut hasher);
    std::hash::Hasher::finish(&hasher)
}
