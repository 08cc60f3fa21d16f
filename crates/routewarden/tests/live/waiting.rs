//! Time, and waiting for what shall come.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use routewarden_core::Timestamp;

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Now, by the wall.
#[expect(clippy::disallowed_methods, reason = "seconds from a router's act to its report")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_secs_micros(since.as_secs().try_into().unwrap(), since.subsec_micros())
}

/// Seconds from `earlier` to `later`.
#[expect(clippy::cast_precision_loss, reason = "seconds of a test")]
pub(crate) fn seconds_between(earlier: Timestamp, later: Timestamp) -> f64 {
    (later.micros() - earlier.micros()) as f64 / 1e6
}

/// Looks until `look` finds something, at most so long; else fails with what it saw last.
#[expect(clippy::disallowed_methods, reason = "a deadline that the wall's jumps do not move")]
pub(crate) fn wait_for<T, Seen: Debug>(
    what: &str,
    at_most: Duration,
    mut look: impl FnMut() -> Result<T, Seen>,
) -> T {
    let start = Instant::now();
    loop {
        match look() {
            Ok(found) => return found,
            Err(seen) if start.elapsed() > at_most => {
                panic!("{what}: not within {at_most:?}; last seen: {seen:?}")
            }
            Err(_) => thread::sleep(LOOK_EVERY),
        }
    }
}
