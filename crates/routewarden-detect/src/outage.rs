//! Prefixes that those who had them have no more.
//!
//! A prefix is watched from the first withdrawal on while most vantage points have it. It is lost
//! when nearly all of them withdrew it within half an hour, and back when half of them have it
//! again. A route whose session went down counts as still there: nobody said that it is gone.

use hashbrown::HashMap;
use routewarden_core::{Asn, Prefix, Timestamp};
use serde::{Deserialize, Serialize};

type Hasher = foldhash::fast::FixedState;

/// Withdrawals that are further apart than this are no one loss.
const WINDOW_SECS: i64 = 1_800;
/// A prefix is lost when at most this share of those who had it still has it, in percent.
const LOST_PERCENT: usize = 10;
/// It is back when this share has it again, in percent.
const BACK_PERCENT: usize = 50;
/// Fewest vantage point ASes that must have had it.
const WITNESSES_MIN: usize = 3;
/// Share of the full feeds that must have had it, in percent.
const SEEN_PERCENT: usize = 50;
/// Most prefixes watched at once and most losses remembered, each.
const PREFIXES_MAX: usize = 1_000_000;

/// Who has the prefix at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// Vantage point ASes with a route from the origin of the watched route.
    pub(crate) of_origin: usize,
    /// Vantage point ASes with any route.
    pub(crate) of_any: usize,
}

/// A loss of a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    pub(crate) prefix: Prefix,
    pub(crate) origin: Asn,
    /// First withdrawal.
    pub(crate) from: Timestamp,
    /// When it was as good as gone.
    pub(crate) lost_at: Timestamp,
    /// When it was back; `None` while it is not.
    pub(crate) until: Option<Timestamp>,
    /// Vantage point ASes that had it, and those that kept it at the lowest.
    pub(crate) had: usize,
    pub(crate) kept: usize,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Watch {
    origin: Asn,
    had: usize,
    since: Timestamp,
    /// Position of the loss it became.
    loss: Option<usize>,
}

/// All losses of one shard.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outages {
    watched: HashMap<Prefix, Watch, Hasher>,
    losses: Vec<Loss>,
}

impl Outages {
    /// Origin of the route that is watched.
    pub(crate) fn origin(&self, prefix: &Prefix) -> Option<Asn> {
        self.watched.get(prefix).map(|watch| watch.origin)
    }

    /// A vantage point withdrew its route from `origin`. `now` is who has it after that, of
    /// `full_feeds` vantage points that send the whole table.
    pub(crate) fn on_withdrawal(
        &mut self,
        (time, prefix, origin): (Timestamp, Prefix, Asn),
        now: Presence,
        full_feeds: usize,
    ) {
        let before = now.of_origin + 1;
        let is_new = match self.watched.get(&prefix) {
            None => true,
            Some(watch) => {
                watch.loss.is_none()
                    && (time.secs_since(watch.since) > WINDOW_SECS || before > watch.had)
            }
        };
        if is_new {
            self.watched.remove(&prefix);
            let is_widely_seen =
                before >= WITNESSES_MIN && before * 100 >= full_feeds * SEEN_PERCENT;
            if !is_widely_seen || self.watched.len() >= PREFIXES_MAX {
                return;
            }
            self.watched.insert(prefix, Watch { origin, had: before, since: time, loss: None });
        }
        let Some(watch) = self.watched.get_mut(&prefix) else { return };
        match watch.loss {
            Some(at) => {
                if let Some(loss) = self.losses.get_mut(at) {
                    loss.kept = loss.kept.min(now.of_origin);
                }
            }
            None if is_lost(watch.had, now) && self.losses.len() < PREFIXES_MAX => {
                watch.loss = Some(self.losses.len());
                self.losses.push(Loss {
                    prefix,
                    origin: watch.origin,
                    from: watch.since,
                    lost_at: time,
                    until: None,
                    had: watch.had,
                    kept: now.of_origin,
                });
            }
            None => {}
        }
    }

    /// A vantage point announced a watched prefix; `now` is who has it after that.
    pub(crate) fn on_announcement(&mut self, time: Timestamp, prefix: &Prefix, now: Presence) {
        let Some(watch) = self.watched.get(prefix) else { return };
        let is_back = now.of_origin * 100 >= watch.had * BACK_PERCENT;
        if let Some(loss) = watch.loss.and_then(|at| self.losses.get_mut(at)) {
            if is_back {
                loss.until = Some(time);
                self.watched.remove(prefix);
            }
        } else if now.of_origin >= watch.had {
            self.watched.remove(prefix);
        }
    }

    /// Forgets losses that were over before `before`, and what is watched since long before it in
    /// vain; gives the number of losses.
    pub(crate) fn retire(&mut self, before: Timestamp) -> usize {
        let is_kept = |loss: &Loss| loss.until.is_none_or(|until| until >= before);
        let mut places = Vec::with_capacity(self.losses.len());
        let mut next = 0;
        for loss in &self.losses {
            places.push(is_kept(loss).then_some(next));
            next += usize::from(is_kept(loss));
        }
        let forgotten = self.losses.len() - next;
        self.losses.retain(is_kept);
        self.watched.retain(|_, watch| match watch.loss {
            Some(at) => {
                watch.loss = places.get(at).copied().flatten();
                watch.loss.is_some()
            }
            None => watch.since >= before,
        });
        forgotten
    }

    /// In the order of their beginning to be lost.
    pub(crate) fn losses(&self) -> &[Loss] {
        &self.losses
    }
}

/// Whether so few have it that it is as good as gone, and no other origin has taken its place.
fn is_lost(had: usize, now: Presence) -> bool {
    now.of_origin * 100 <= had * LOST_PERCENT && now.of_any * 2 <= had
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn prefix() -> Prefix {
        "192.0.2.0/24".parse().unwrap()
    }

    fn withdraw(outages: &mut Outages, secs: u32, left: usize) {
        let now = Presence { of_origin: left, of_any: left };
        outages.on_withdrawal((at(secs), prefix(), Asn(64496)), now, 10);
    }

    fn announce(outages: &mut Outages, secs: u32, has: usize) {
        let now = Presence { of_origin: has, of_any: has };
        outages.on_announcement(at(secs), &prefix(), now);
    }

    #[test]
    fn lost_when_nearly_all_withdrew_and_back_when_half_have_it_again() {
        let mut outages = Outages::default();
        for left in (1..10).rev() {
            withdraw(&mut outages, 100 - u32::try_from(left).unwrap(), left);
        }
        assert_eq!(outages.losses().len(), 1);
        withdraw(&mut outages, 100, 0);
        announce(&mut outages, 200, 4);
        assert_eq!(outages.losses()[0].until, None);
        announce(&mut outages, 201, 5);
        let loss = &outages.losses()[0];
        assert_eq!((loss.from, loss.lost_at, loss.until), (at(91), at(99), Some(at(201))));
        assert_eq!((loss.had, loss.kept), (10, 0));
        assert_eq!(outages.origin(&prefix()), None);
    }

    #[test]
    fn slow_or_narrow_withdrawals_and_new_origins_are_no_loss() {
        let mut outages = Outages::default();
        for left in (0..10).rev() {
            withdraw(&mut outages, 2_000 * (10 - u32::try_from(left).unwrap()), left);
        }
        assert!(outages.losses().is_empty());
        // Seen by two of ten only.
        let mut outages = Outages::default();
        withdraw(&mut outages, 1, 1);
        withdraw(&mut outages, 2, 0);
        assert!(outages.losses().is_empty());
        // Another origin has it everywhere.
        let mut outages = Outages::default();
        for left in (0..10).rev() {
            let now = Presence { of_origin: left, of_any: 10 };
            outages.on_withdrawal((at(9), prefix(), Asn(64496)), now, 10);
        }
        assert!(outages.losses().is_empty());
    }
}
