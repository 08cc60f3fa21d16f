//! The time of day: what is sent bears it.

use std::time::{SystemTime, UNIX_EPOCH};

use routewarden_core::Timestamp;

/// Now, by the wall.
#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let secs = u32::try_from(since.as_secs()).unwrap_or(u32::MAX);
    Timestamp::from_secs_micros(secs, since.subsec_micros())
}
