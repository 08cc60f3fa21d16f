//! What to watch for an incident.

use routewarden_core::{Prefix, Timestamp};
use routewarden_detect::{Detector, Incident, Space};
use routewarden_store::{TrailFault, TrailFaults};

use super::{TRAIL_PREFIXES_MAX, TRAIL_TAIL_SECS, TRAILS_OPEN_MAX, Trails, Watch};

/// An incident of which a version was recorded.
pub(crate) struct Subject {
    /// Its number in the store.
    pub(crate) number: i64,
    /// Whether it is sure enough to be reported.
    pub(crate) is_told: bool,
    pub(crate) incident: Incident,
}

/// What to watch from now on for an incident; `None` when nothing changes. `ended_before` tells when
/// an earlier trail of it ended.
pub(crate) fn plan(
    subject: &Subject,
    (trails, detector): (&Trails, &Detector),
    now: Timestamp,
    ended_before: impl FnOnce(i64) -> Option<Timestamp>,
) -> Option<Watch> {
    let Subject { number, is_told, incident } = subject;
    let until = incident.ended_at.map(|ended_at| ended_at.plus_secs(TRAIL_TAIL_SECS));
    let is_open = trails.has(*number);
    if !is_open {
        let is_over = until.is_some_and(|until| until < now);
        if is_over || !is_told || trails.len() >= TRAILS_OPEN_MAX {
            return None;
        }
    }
    let (spaces, faults) = spaces_of(incident, trails.spaces(*number), detector);
    if !is_open && spaces.is_empty() {
        return None;
    }
    let before = if is_open { None } else { ended_before(*number) };
    let watch = Watch {
        number: *number,
        since: before.map_or(incident.first_seen, |before| before.max(incident.first_seen)),
        is_standing: incident.standing,
        is_again: before.is_some(),
        spaces,
        until,
        faults,
    };
    (!is_open || trails.is_changed_by(&watch)).then_some(watch)
}

/// The space of an incident that is not watched yet: what of the victims covers its prefixes, else
/// the prefixes themselves, each with all more-specifics, as far as the table has not too many of
/// them. A block too large is watched by itself.
fn spaces_of(
    incident: &Incident,
    watched: &[Space],
    detector: &Detector,
) -> (Vec<Space>, TrailFaults) {
    let mut room = Room { left: TRAIL_PREFIXES_MAX, faults: TrailFaults::default(), detector };
    for space in watched {
        room.left = room.left.saturating_sub(room.wanted(space.prefix, space.is_exact));
    }
    let mut new: Vec<Space> = Vec::new();
    for &prefix in incident.covering_prefixes.iter().chain(&incident.prefixes) {
        if !watched.iter().chain(&new).any(|space| space.holds(&prefix)) {
            new.extend(room.take(prefix));
        }
    }
    if incident.prefix_count > incident.prefixes.len() {
        room.faults.add(TrailFault::TooManyPrefixes);
    }
    (new, room.faults)
}

/// Room for prefixes.
struct Room<'a> {
    left: usize,
    faults: TrailFaults,
    detector: &'a Detector,
}

impl Room<'_> {
    /// What a space takes. A prefix that nobody has yet, or no longer, counts as well.
    fn wanted(&self, prefix: Prefix, is_exact: bool) -> usize {
        if is_exact { 1 } else { self.detector.prefixes_in(&prefix, self.left + 1).max(1) }
    }

    fn take(&mut self, prefix: Prefix) -> Option<Space> {
        let wanted = self.wanted(prefix, false);
        if wanted <= self.left {
            self.left -= wanted;
            return Some(Space { prefix, is_exact: false });
        }
        self.faults.add(TrailFault::TooManyPrefixes);
        self.left = self.left.checked_sub(1)?;
        Some(Space { prefix, is_exact: true })
    }
}
