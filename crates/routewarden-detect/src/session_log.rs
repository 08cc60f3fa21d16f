//! When sessions were down: what a verdict rests on.

use hashbrown::HashMap;
use routewarden_core::{PeerId, Timestamp};
use serde::{Deserialize, Serialize};

type Hasher = foldhash::fast::FixedState;

/// Most losses of sessions remembered; further ones lengthen nothing.
const LOSSES_MAX: usize = 100_000;

/// Losses of sessions in their order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SessionLog {
    losses: Vec<(PeerId, Timestamp, Option<Timestamp>)>,
    /// Positions of those that are not over.
    open: HashMap<PeerId, usize, Hasher>,
}

impl SessionLog {
    pub(crate) fn on_down(&mut self, peer: PeerId, time: Timestamp) {
        if self.losses.len() < LOSSES_MAX && !self.open.contains_key(&peer) {
            self.open.insert(peer, self.losses.len());
            self.losses.push((peer, time, None));
        }
    }

    /// The session is up, or heard from.
    pub(crate) fn on_up(&mut self, peer: PeerId, time: Timestamp) {
        let open = self.open.remove(&peer).and_then(|at| self.losses.get_mut(at));
        if let Some(loss) = open {
            loss.2 = Some(time);
        }
    }

    /// Forgets losses that were over before `before`; gives their number.
    pub(crate) fn retire(&mut self, before: Timestamp) -> usize {
        let had = self.losses.len();
        self.losses.retain(|(_, _, up)| up.is_none_or(|up| up >= before));
        self.open.clear();
        for (at, (peer, _, up)) in self.losses.iter().enumerate() {
            if up.is_none() {
                self.open.insert(*peer, at);
            }
        }
        had - self.losses.len()
    }

    /// Sessions that were down at some time of the closed period, and up at another; sorted, each
    /// once.
    pub(crate) fn lost_in(&self, from: Timestamp, until: Timestamp) -> Vec<PeerId> {
        self.peers_of(|down, up| {
            let is_in = |time| from <= time && time <= until;
            is_in(down) || up.is_some_and(is_in)
        })
    }

    /// Sessions that were down all the time of the closed period: nothing rests on them; sorted,
    /// each once.
    pub(crate) fn absent_in(&self, from: Timestamp, until: Timestamp) -> Vec<PeerId> {
        self.peers_of(|down, up| down < from && up.is_none_or(|up| up > until))
    }

    fn peers_of(&self, holds: impl Fn(Timestamp, Option<Timestamp>) -> bool) -> Vec<PeerId> {
        let those = self.losses.iter().filter(|&&(_, down, up)| holds(down, up));
        let mut peers: Vec<PeerId> = those.map(|&(peer, ..)| peer).collect();
        peers.sort_unstable();
        peers.dedup();
        peers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_lost_from_down_to_up() {
        let at = Timestamp::from_secs;
        let mut log = SessionLog::default();
        log.on_down(PeerId(1), at(10));
        log.on_down(PeerId(1), at(12));
        log.on_up(PeerId(1), at(20));
        log.on_down(PeerId(2), at(30));
        log.on_up(PeerId(3), at(31));
        assert!(log.lost_in(at(15), at(16)).is_empty());
        assert_eq!(log.absent_in(at(15), at(16)), [PeerId(1)]);
        assert_eq!(log.lost_in(at(5), at(16)), [PeerId(1)]);
        assert_eq!(log.lost_in(at(20), at(30)), [PeerId(1), PeerId(2)]);
        assert!(log.lost_in(at(21), at(29)).is_empty());
        assert!(log.lost_in(at(99), at(99)).is_empty());
        assert_eq!(log.absent_in(at(99), at(99)), [PeerId(2)]);
    }
}
