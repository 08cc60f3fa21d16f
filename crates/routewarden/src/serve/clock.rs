//! The one clock of the program: it never goes back, and a jump of the machine's does not carry it
//! along at once.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use routewarden_core::Timestamp;
use routewarden_feeds::live::Clock;

/// A difference from the machine's clock up to this is made good at once, forwards.
const STEP_MICROS_MAX: i64 = 500_000;
/// A greater difference counts only after it has stood for so long: then the machine's clock was
/// set right, and ours was wrong.
const TRUSTED_AFTER: Duration = Duration::from_mins(5);

/// Runs with the machine's steady clock, from the time of day at the start, and follows the
/// machine's time of day as far as that is believable.
pub(crate) struct SteadyClock<S = Box<dyn TimeSource>> {
    state: Mutex<State>,
    source: S,
}

#[derive(Debug)]
struct State {
    /// Time of day at `since`.
    base: i64,
    since: Duration,
    last: i64,
    /// Since when the machine's time of day differs.
    differs_since: Option<Duration>,
    jumps: u64,
}

/// Where times come from.
pub(crate) trait TimeSource: Send + Sync {
    /// Time of day in microseconds since 1970.
    fn wall(&self) -> i64;
    /// Time since some moment; never goes back.
    fn steady(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub(crate) struct Machine {
    started: Instant,
}

impl TimeSource for Machine {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    fn wall(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    fn steady(&self) -> Duration {
        self.started.elapsed()
    }
}

impl TimeSource for Box<dyn TimeSource> {
    fn wall(&self) -> i64 {
        (**self).wall()
    }

    fn steady(&self) -> Duration {
        (**self).steady()
    }
}

impl SteadyClock {
    /// Follows the machine.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    pub(crate) fn of_machine() -> Self {
        SteadyClock::new(Box::new(Machine { started: Instant::now() }))
    }

    /// Follows the clock of an archive that is played.
    pub(crate) fn of_archive(time: impl TimeSource + 'static) -> Self {
        SteadyClock::new(Box::new(time))
    }
}

impl<S: TimeSource> SteadyClock<S> {
    fn new(source: S) -> Self {
        let (base, since) = (source.wall(), source.steady());
        let state = State { base, since, last: base, differs_since: None, jumps: 0 };
        SteadyClock { state: Mutex::new(state), source }
    }

    /// Seconds that the machine's time of day is ahead of this clock, and how often it jumped.
    pub(crate) fn difference(&self) -> (i64, u64) {
        let now = self.now();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        ((self.source.wall() - now.micros()) / 1_000_000, state.jumps)
    }
}

impl State {
    fn now(&mut self, wall: i64, steady: Duration) -> i64 {
        let elapsed = steady.saturating_sub(self.since).as_micros();
        let ours = self.base.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX));
        let ahead = wall - ours;
        if ahead.abs() <= STEP_MICROS_MAX {
            self.differs_since = None;
            if ahead > 0 {
                (self.base, self.since) = (wall, steady);
            }
        } else {
            if self.differs_since.is_none() {
                self.jumps += 1;
            }
            let since = *self.differs_since.get_or_insert(steady);
            if ahead > 0 && steady.saturating_sub(since) >= TRUSTED_AFTER {
                (self.base, self.since, self.differs_since) = (wall, steady, None);
            }
        }
        let elapsed = steady.saturating_sub(self.since).as_micros();
        let ours = self.base.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX));
        self.last = ours.max(self.last);
        self.last
    }
}

impl<S: TimeSource> Clock for SteadyClock<S> {
    fn now(&self) -> Timestamp {
        let (wall, steady) = (self.source.wall(), self.source.steady());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Timestamp::from_micros(state.now(wall, steady))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    #[derive(Default)]
    struct Hands {
        wall: AtomicI64,
        steady: AtomicU64,
    }

    impl TimeSource for &Hands {
        fn wall(&self) -> i64 {
            self.wall.load(Ordering::Relaxed)
        }

        fn steady(&self) -> Duration {
            Duration::from_micros(self.steady.load(Ordering::Relaxed))
        }
    }

    impl Hands {
        fn pass(&self, secs: i64) {
            self.wall.fetch_add(secs * 1_000_000, Ordering::Relaxed);
            self.steady.fetch_add(secs.unsigned_abs() * 1_000_000, Ordering::Relaxed);
        }

        fn jump(&self, secs: i64) {
            self.wall.fetch_add(secs * 1_000_000, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_jump_of_the_machines_clock_is_not_followed_until_it_has_stood() {
        let hands = Hands::default();
        hands.jump(1_000_000);
        let clock = SteadyClock::new(&hands);
        let secs = || clock.now().secs() - 1_000_000;
        hands.pass(10);
        assert_eq!(secs(), 10);
        hands.jump(86_400);
        assert_eq!((secs(), clock.difference()), (10, (86_400, 1)));
        hands.pass(200);
        assert_eq!(secs(), 210);
        hands.jump(-86_400);
        hands.pass(200);
        assert_eq!((secs(), clock.difference()), (410, (0, 1)));
        hands.jump(86_400);
        assert_eq!(secs(), 410);
        hands.pass(300);
        assert_eq!(secs(), 86_400 + 710);
        // Backwards it only goes on at its own pace.
        hands.jump(-3_600);
        assert_eq!(secs(), 86_400 + 710);
        hands.pass(400);
        assert_eq!((secs(), clock.difference().0), (86_400 + 1_110, -3_600));
    }
}
