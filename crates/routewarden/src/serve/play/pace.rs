//! The clock of what is played.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use routewarden_core::Timestamp;

use super::Speed;
use crate::serve::clock::TimeSource;

/// Tells the time of the archive.
#[derive(Debug)]
pub(crate) struct ArchiveTime {
    begun: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Time at `since`.
    base: Timestamp,
    since: Instant,
    /// Seconds of the archive in a second; 0: it stands until it is set.
    speed: f64,
}

impl State {
    fn now(&self) -> Timestamp {
        let passed = self.since.elapsed().mul_f64(self.speed);
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        Timestamp::from_micros(self.base.micros().saturating_add(passed))
    }
}

impl ArchiveTime {
    /// Begins at a time of the archive; it stands there until [`ArchiveTime::start`].
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    pub(crate) fn at(begun: Timestamp) -> Self {
        let state = State { base: begun, since: Instant::now(), speed: 0.0 };
        ArchiveTime { begun, state: Mutex::new(state) }
    }

    /// Runs from now on; with [`Speed::Max`], where it is set.
    pub(crate) fn start(&self, speed: Speed) {
        self.go_on(match speed {
            Speed::Times(times) => times,
            Speed::Max => 0.0,
        });
    }

    /// From now on it runs by itself, a second in a second.
    pub(crate) fn end(&self) {
        self.go_on(1.0);
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    fn go_on(&self, speed: f64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { base: state.now(), since: Instant::now(), speed };
    }

    /// Goes forward to a time, never back.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    pub(crate) fn reach(&self, time: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = State { base: state.now().max(time), since: Instant::now(), ..*state };
    }

    /// How long until it has come to a time; zero when it has, `None` when it stands.
    pub(crate) fn until(&self, time: Timestamp) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = time.micros().saturating_sub(state.now().micros());
        match u64::try_from(missing) {
            Err(_) | Ok(0) => Some(Duration::ZERO),
            Ok(_) if state.speed <= 0.0 => None,
            Ok(micros) => Duration::try_from_secs_f64(
                Duration::from_micros(micros).as_secs_f64() / state.speed,
            )
            .ok(),
        }
    }

    /// Now.
    pub(crate) fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).now()
    }
}

impl TimeSource for ArchiveTime {
    fn wall(&self) -> i64 {
        self.now().micros()
    }

    fn steady(&self) -> Duration {
        let passed = self.now().micros().saturating_sub(self.begun.micros());
        Duration::from_micros(u64::try_from(passed).unwrap_or(0))
    }
}

impl TimeSource for std::sync::Arc<ArchiveTime> {
    fn wall(&self) -> i64 {
        ArchiveTime::wall(self)
    }

    fn steady(&self) -> Duration {
        ArchiveTime::steady(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_is_set_and_never_goes_back() {
        let at = |secs: u32| Timestamp::from_secs(1_200_000_000 + secs);
        let time = ArchiveTime::at(at(0));
        time.start(Speed::Max);
        assert_eq!((time.now(), time.until(at(5))), (at(0), None));
        time.reach(at(5));
        time.reach(at(3));
        assert_eq!((time.now(), time.until(at(5))), (at(5), Some(Duration::ZERO)));
        assert_eq!(time.steady(), Duration::from_secs(5));
        time.start(Speed::Times(1_000.0));
        let left = time.until(at(1_000_005)).unwrap();
        assert!(left <= Duration::from_secs(1_000) && left > Duration::from_mins(15), "{left:?}");
        time.end();
        assert!(time.now() >= at(5));
    }
}
