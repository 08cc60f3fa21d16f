//! When each monitor fires.

use routewarden_core::facts::RovState;
use routewarden_core::{Asn, Origin, Prefix, RouteAttributes};

use super::group::{Notice, Witness};
use super::{AlertId, Bgpalerter, Monitor, PathRule, Rule};
use crate::update::Update;
use crate::{Alarm, AlarmKind};

/// How long a route is remembered as valid: seven days.
const VALID_SECS: i64 = 7 * 86_400;

/// An announcement, as the monitors look at it.
struct Seen<'a> {
    update: &'a Update<'a>,
    route: RouteAttributes<'a>,
    /// One, or the members of a set; sorted as texts.
    origins: Vec<Asn>,
    /// The rule of the longest prefix that covers it, unless that says nothing of more-specifics.
    rule: Option<(Prefix, &'a Rule)>,
}

impl Seen<'_> {
    fn notice(&self, monitor: Monitor, kind: AlarmKind, culprit: Option<Asn>) -> Notice {
        let victim = self.rule.and_then(|(_, rule)| rule.asns.first().copied());
        let Update { time, prefix, peer, .. } = *self.update;
        Notice {
            id: AlertId { monitor, asns: self.origins.clone(), prefix: Some(prefix), detail: None },
            witness: self.route.as_path.neighbor().map_or(Witness::Address(peer.addr), Witness::As),
            alarm: Alarm { time, kind, prefix, culprit, victim },
        }
    }

    fn origin(&self) -> Option<Asn> {
        self.origins.first().copied()
    }
}

impl Bgpalerter {
    /// What all monitors find in one update.
    pub(super) fn notices(&mut self, update: &Update<'_>) -> Vec<Notice> {
        let Some(route) = update.route else {
            return self.visibility(update).into_iter().collect();
        };
        let mut origins: Vec<Asn> = match route.as_path.origin_set() {
            Some(set) => set.asns().collect(),
            None => route.as_path.origin().into_iter().collect(),
        };
        origins.sort_by_cached_key(|asn| asn.0.to_string());
        let validity = self.validity(update, &route, &origins);
        let rule = self.rule(&update.prefix);
        let seen = Seen { update, route, origins, rule };
        let mut notices: Vec<Notice> = Vec::new();
        notices.extend(hijack(&seen, validity == Some(Validity::Valid)));
        notices.extend(new_prefix(&seen));
        notices.extend(self.misconfiguration(&seen));
        notices.extend(paths(&seen));
        notices.extend(self.neighbours(&seen));
        notices.extend(self.rpki(&seen, validity));
        notices
    }

    /// The rule of the longest prefix that covers it; none when that ignores more-specifics.
    fn rule(&self, prefix: &Prefix) -> Option<(Prefix, &Rule)> {
        let (configured, rule) = self.config.rules.covering(prefix).next()?;
        (configured == *prefix || !rule.ignores_more_specifics).then_some((configured, rule))
    }

    fn visibility(&self, update: &Update<'_>) -> Option<Notice> {
        let rule = self.config.rules.get(&update.prefix)?;
        rule.is_for(Monitor::Visibility).then(|| Notice {
            id: AlertId {
                monitor: Monitor::Visibility,
                asns: Vec::new(),
                prefix: Some(update.prefix),
                detail: None,
            },
            witness: Witness::Address(update.peer.addr),
            alarm: Alarm {
                time: update.time,
                kind: AlarmKind::PrefixOutage,
                prefix: update.prefix,
                culprit: None,
                victim: rule.asns.first().copied(),
            },
        })
    }

    fn misconfiguration(&self, seen: &Seen<'_>) -> Option<Notice> {
        let origin = seen.origin()?;
        let is_covered = self.config.rules.covering(&seen.update.prefix).next().is_some();
        let is_ours = self.config.monitored.contains_key(&origin);
        let (monitor, kind) = (Monitor::Misconfiguration, AlarmKind::UnexpectedOrigination);
        (is_ours && !is_covered).then(|| seen.notice(monitor, kind, Some(origin)))
    }

    /// The peer's own AS is left out: it may send what others never get. So is a path with a loop.
    fn neighbours(&self, seen: &Seen<'_>) -> Vec<Notice> {
        let path: Vec<Asn> = seen.route.as_path.collapsed().skip(1).collect();
        let is_loop = path
            .iter()
            .enumerate()
            .any(|(at, asn)| path.iter().skip(at + 1).any(|other| other == asn));
        if is_loop || self.config.monitored.is_empty() {
            return Vec::new();
        }
        let mut notices = Vec::new();
        let last = path.len().saturating_sub(1);
        for (at, asn) in path.iter().enumerate() {
            let Some(Some(declared)) = self.config.monitored.get(asn) else { continue };
            let left = at.checked_sub(1).and_then(|left| path.get(left));
            let right = path.get(at + 1);
            let sides = [
                (
                    left,
                    &declared.upstreams,
                    if at == last { AlarmKind::ForgedOrigin } else { AlarmKind::NewNeighbour },
                ),
                (right, &declared.downstreams, AlarmKind::NewNeighbour),
            ];
            for (neighbour, allowed, kind) in sides {
                let Some(neighbour) = neighbour.filter(|neighbour| !allowed.contains(neighbour))
                else {
                    continue;
                };
                let mut notice = seen.notice(Monitor::Neighbours, kind, Some(*neighbour));
                notice.id.asns = vec![*asn, *neighbour];
                notice.id.prefix = None;
                notice.alarm.victim = Some(*asn);
                notices.push(notice);
            }
        }
        notices
    }

    /// State of a new announcement, by each of its origins; `None` without VRPs.
    fn validity(
        &mut self,
        update: &Update<'_>,
        route: &RouteAttributes<'_>,
        origins: &[Asn],
    ) -> Option<Validity> {
        let vrps = self.vrps.as_ref()?;
        let (state, _) = vrps.state(&update.prefix, Origin::of(route.as_path));
        let key = (update.prefix, origins.first().copied()?);
        let was_valid =
            self.valid.get(&key).is_some_and(|at| update.time.secs_since(*at) <= VALID_SECS);
        Some(match state {
            RovState::Valid => {
                self.valid.insert(key, update.time);
                Validity::Valid
            }
            RovState::Invalid => Validity::Invalid,
            RovState::NotFound if was_valid => Validity::NoLongerCovered,
            RovState::NotFound => Validity::Uncovered,
        })
    }

    fn rpki(&self, seen: &Seen<'_>, validity: Option<Validity>) -> Option<Notice> {
        let origin = seen.origin()?;
        let is_ours = match seen.rule {
            Some((_, rule)) => rule.is_for(Monitor::Rpki),
            None => self.config.monitored.contains_key(&origin),
        };
        let state = match validity? {
            Validity::Invalid => "invalid",
            Validity::NoLongerCovered => "disappeared",
            Validity::Uncovered if self.config.alerts_uncovered => "uncovered",
            Validity::Uncovered | Validity::Valid => return None,
        };
        is_ours.then(|| {
            let mut notice = seen.notice(Monitor::Rpki, AlarmKind::RpkiInvalid, Some(origin));
            notice.id.detail = Some(state.to_owned());
            notice
        })
    }
}

/// What the RPKI monitor tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Validity {
    Valid,
    Invalid,
    Uncovered,
    NoLongerCovered,
}

fn hijack(seen: &Seen<'_>, is_valid: bool) -> Option<Notice> {
    let (configured, rule) = seen.rule.filter(|(_, rule)| rule.is_for(Monitor::Hijack))?;
    let culprit = seen.origins.iter().copied().find(|origin| !rule.asns.contains(origin))?;
    let kind = if configured == seen.update.prefix {
        AlarmKind::OriginHijack
    } else {
        AlarmKind::SubPrefixHijack
    };
    (!is_valid).then(|| seen.notice(Monitor::Hijack, kind, Some(culprit)))
}

fn new_prefix(seen: &Seen<'_>) -> Option<Notice> {
    let (configured, rule) = seen.rule.filter(|(_, rule)| rule.is_for(Monitor::NewPrefix))?;
    let is_own = !seen.origins.is_empty() && seen.origins.iter().all(|asn| rule.asns.contains(asn));
    (is_own && configured != seen.update.prefix)
        .then(|| seen.notice(Monitor::NewPrefix, AlarmKind::SamePathMoreSpecific, None))
}

fn paths(seen: &Seen<'_>) -> Vec<Notice> {
    let Some((configured, rule)) = seen.rule.filter(|(_, rule)| rule.is_for(Monitor::Path)) else {
        return Vec::new();
    };
    if rule.paths.is_empty() {
        return Vec::new();
    }
    let path: Vec<String> = seen.route.as_path.asns().map(|asn| asn.0.to_string()).collect();
    let text = path.join(",");
    let fires = |rule: &PathRule| {
        rule.matches.as_ref().is_none_or(|pattern| matches(pattern, &text))
            && !rule.matches_not.as_ref().is_some_and(|pattern| matches(pattern, &text))
            && rule.length.max.is_none_or(|max| path.len() > max)
    };
    let found = rule.paths.iter().enumerate().filter(|(_, rule)| fires(rule));
    found
        .map(|(index, _)| {
            let mut notice = seen.notice(Monitor::Path, AlarmKind::ForgedPath, None);
            notice.id.asns.clear();
            notice.id.prefix = Some(configured);
            notice.id.detail = Some(index.to_string());
            notice
        })
        .collect()
}

/// Whether a pattern of literal text, `.*` and a final `$` is found in the text.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, is_to_end) = pattern.strip_suffix('$').map_or((pattern, false), |p| (p, true));
    let mut rest = text;
    let mut pieces = pattern.split(".*").peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() && is_to_end {
            return rest.ends_with(piece);
        }
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let path = "1,2,3,4321,5060,2914";
        for (pattern, is_found) in [
            (".*2914$", true),
            (".*2915$", false),
            (".*5060.*", true),
            ("5060,2914", true),
            ("1.*5060$", false),
            ("3.*2", true),
            ("2914.*1", false),
            ("", true),
        ] {
            assert_eq!(matches(pattern, path), is_found, "{pattern}");
        }
    }
}
