//! How often somebody may try to log in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use routewarden_core::Timestamp;

/// Seconds after which attempts are forgotten, all at once.
pub const ATTEMPT_WINDOW_SECS: i64 = 900;
/// Most attempts in that time from one place: an IPv4 address, or a /64 of IPv6.
pub const ATTEMPTS_PER_PLACE_MAX: u32 = 10;
/// Most attempts in that time with one name, but from places where it was right before.
pub const ATTEMPTS_PER_NAME_MAX: u32 = 20;
/// Most attempts in that time of all together, but from places where the name was right before.
pub const ATTEMPTS_MAX: u32 = 600;
/// Most pairs of place and name that are remembered to have been right.
pub const KNOWN_MAX: usize = 1_000;

/// Too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// Seconds after which it may be tried again.
    pub(crate) retry_after: u64,
    /// Whether it is the first in this window that is refused because of this limit.
    pub(crate) is_first: bool,
}

/// A limit that is reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Limit {
    Place(IpAddr),
    Name(String),
    All,
}

/// The attempts of the present window. What was right does not count. What is remembered is bounded
/// by the limits themselves: beyond [`ATTEMPTS_MAX`] nothing new is.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    since: Timestamp,
    all: u32,
    by_place: BTreeMap<IpAddr, u32>,
    by_name: BTreeMap<String, u32>,
    /// Limits whose being reached was told of.
    told: BTreeSet<Limit>,
    /// Places where a name was right; the oldest first.
    known: VecDeque<(IpAddr, String)>,
}

impl Attempts {
    /// Counts an attempt, before it is known how it ends: many at once would else all be taken.
    /// Whether a name is that of a user makes no difference.
    pub(crate) fn begin(
        &mut self,
        place: IpAddr,
        name: &str,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        if !(0..ATTEMPT_WINDOW_SECS).contains(&now.secs_since(self.since)) {
            let known = std::mem::take(&mut self.known);
            *self = Attempts { since: now, known, ..Attempts::default() };
        }
        let is_known = self.is_known(place, name);
        if let Some(limit) = self.reached(place, name, is_known) {
            let rest = ATTEMPT_WINDOW_SECS - now.secs_since(self.since);
            let is_first = self.told.insert(limit);
            return Err(TooMany { retry_after: rest.unsigned_abs(), is_first });
        }
        *self.by_place.entry(place).or_default() += 1;
        if !is_known {
            self.all += 1;
            *self.by_name.entry(name.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn reached(&self, place: IpAddr, name: &str, is_known: bool) -> Option<Limit> {
        let of_name = self.by_name.get(name).copied().unwrap_or_default();
        if self.by_place.get(&place).copied().unwrap_or_default() >= ATTEMPTS_PER_PLACE_MAX {
            Some(Limit::Place(place))
        } else if is_known {
            None
        } else if of_name >= ATTEMPTS_PER_NAME_MAX {
            Some(Limit::Name(name.to_owned()))
        } else {
            (self.all >= ATTEMPTS_MAX).then_some(Limit::All)
        }
    }

    /// It was right: the attempt does not count.
    pub(crate) fn was_right(&mut self, place: IpAddr, name: &str) {
        let is_known = self.is_known(place, name);
        let of_all = (!is_known).then_some(&mut self.all);
        let of_name = self.by_name.get_mut(name).filter(|_| !is_known);
        let counts = [self.by_place.get_mut(&place), of_all, of_name];
        for count in counts.into_iter().flatten() {
            *count = count.saturating_sub(1);
        }
        if is_known {
            return;
        }
        if self.known.len() >= KNOWN_MAX {
            self.known.pop_front();
        }
        self.known.push_back((place, name.to_owned()));
    }

    fn is_known(&self, place: IpAddr, name: &str) -> bool {
        self.known.iter().any(|(known, of)| *known == place && of == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(1_000_000 + secs)
    }

    #[test]
    fn a_place_may_try_so_often_and_again_in_the_next_window() {
        let mut attempts = Attempts::default();
        for n in 0..ATTEMPTS_PER_PLACE_MAX {
            assert_eq!(attempts.begin(place(1), &n.to_string(), at(0)), Ok(()));
        }
        let refused =
            |attempts: &mut Attempts, secs| attempts.begin(place(1), "x", at(secs)).unwrap_err();
        assert_eq!(refused(&mut attempts, 0), TooMany { retry_after: 900, is_first: true });
        assert_eq!(refused(&mut attempts, 890), TooMany { retry_after: 10, is_first: false });
        assert_eq!(attempts.begin(place(2), "x", at(890)), Ok(()));
        assert_eq!(attempts.begin(place(1), "x", at(900)), Ok(()));
    }

    #[test]
    fn a_name_may_be_tried_so_often_but_where_it_was_right_before() {
        let mut attempts = Attempts::default();
        attempts.begin(place(0), "anna", at(0)).unwrap();
        attempts.was_right(place(0), "anna");
        for n in 1..=ATTEMPTS_PER_NAME_MAX {
            attempts.begin(place(n), "anna", at(1)).unwrap();
        }
        assert!(attempts.begin(place(99), "anna", at(1)).unwrap_err().is_first);
        assert_eq!(attempts.begin(place(99), "vera", at(1)), Ok(()));
        for _ in 0..ATTEMPTS_PER_PLACE_MAX {
            assert_eq!(attempts.begin(place(0), "anna", at(1)), Ok(()));
        }
        assert!(attempts.begin(place(0), "anna", at(1)).is_err(), "its own limit stays");
    }

    #[test]
    fn what_was_right_does_not_count() {
        let mut attempts = Attempts::default();
        for _ in 0..100 {
            attempts.begin(place(1), "anna", at(0)).unwrap();
            attempts.was_right(place(1), "anna");
        }
        // Nor does it forgive what was wrong.
        for n in 0..ATTEMPTS_PER_PLACE_MAX {
            attempts.begin(place(1), "root", at(0)).unwrap();
            if n + 1 < ATTEMPTS_PER_PLACE_MAX {
                attempts.begin(place(1), "anna", at(0)).unwrap();
                attempts.was_right(place(1), "anna");
            }
        }
        assert!(attempts.begin(place(1), "root", at(0)).is_err());
    }

    #[test]
    fn many_places_with_many_names_reach_the_limit_of_all() {
        let mut attempts = Attempts::default();
        attempts.begin(place(0), "anna", at(0)).unwrap();
        attempts.was_right(place(0), "anna");
        for n in 1..=ATTEMPTS_MAX {
            attempts.begin(place(n), &n.to_string(), at(0)).unwrap();
        }
        for n in 10_000..20_000 {
            let refused = attempts.begin(place(n), &n.to_string(), at(0)).unwrap_err();
            assert_eq!(refused.is_first, n == 10_000);
        }
        assert_eq!(attempts.begin(place(0), "anna", at(0)), Ok(()));
        let most = usize::try_from(ATTEMPTS_MAX).unwrap() + 1;
        assert!(attempts.by_place.len() <= most && attempts.by_name.len() <= most);
        assert!(attempts.told.len() <= 1);
        for n in 0..2 * u32::try_from(KNOWN_MAX).unwrap() {
            attempts.was_right(place(n), "anna");
        }
        assert_eq!(attempts.known.len(), KNOWN_MAX);
    }
}
