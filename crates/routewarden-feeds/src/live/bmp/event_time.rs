//! When something happened, as far as the router can be believed.

use routewarden_core::Timestamp;

/// A router's clock may be so many seconds ahead of ours; beyond that the time of receipt is used.
pub const TIME_AHEAD_SECS_MAX: i64 = 60;
/// What a router tells may be so many seconds old; beyond that the time of receipt is used. Routes
/// that stood in its table for days come with the time they came in, and are news to us now.
pub const TIME_BEHIND_SECS_MAX: i64 = 900;

/// The time of an event, and why it is not the router's.
pub(super) fn event_time(
    told: Option<Timestamp>,
    received: Timestamp,
) -> (Timestamp, Option<&'static str>) {
    match told {
        None => (received, Some("bmp_time_missing")),
        Some(time) if time > received.plus_secs(TIME_AHEAD_SECS_MAX) => {
            (received, Some("bmp_time_ahead"))
        }
        Some(time) if time < received.plus_secs(-TIME_BEHIND_SECS_MAX) => {
            (received, Some("bmp_time_behind"))
        }
        Some(time) => (time, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_is_replaced() {
        let now = Timestamp::from_secs(1_800_000_000);
        let of = |secs: i64| event_time(Some(now.plus_secs(secs)), now);
        assert_eq!(of(0), (now, None));
        assert_eq!(of(TIME_AHEAD_SECS_MAX), (now.plus_secs(TIME_AHEAD_SECS_MAX), None));
        assert_eq!(of(TIME_AHEAD_SECS_MAX + 1), (now, Some("bmp_time_ahead")));
        assert_eq!(of(-TIME_BEHIND_SECS_MAX), (now.plus_secs(-TIME_BEHIND_SECS_MAX), None));
        assert_eq!(of(-TIME_BEHIND_SECS_MAX - 1), (now, Some("bmp_time_behind")));
        assert_eq!(event_time(None, now), (now, Some("bmp_time_missing")));
    }
}
