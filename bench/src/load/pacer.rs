//! An even rate: a token bucket, filled by slots.

use std::time::{Duration, Instant};

/// Between two looks at the bucket.
pub const SLOT: Duration = Duration::from_millis(10);

/// Tells how much may be sent now, so that it becomes so much a second.
#[derive(Debug)]
pub struct Pacer {
    rate: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
    overflowed: f64,
}

impl Pacer {
    /// So many a second. What was missed is made good later, up to `burst` seconds' worth.
    pub fn new(rate: f64, burst: Duration, now: Instant) -> Self {
        let burst = rate * burst.max(SLOT).as_secs_f64();
        Pacer { rate, burst, tokens: 0.0, filled: now, overflowed: 0.0 }
    }

    /// What may be sent at `now`; it counts as sent.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
    pub fn take(&mut self, now: Instant) -> u64 {
        self.tokens += self.rate * now.duration_since(self.filled).as_secs_f64();
        self.filled = now;
        if self.tokens > self.burst {
            self.overflowed += self.tokens - self.burst;
            self.tokens = self.burst;
        }
        let whole = self.tokens.floor();
        self.tokens -= whole;
        whole as u64
    }

    /// What the rate asked for and was given up, because the receiver was too slow for too long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "never negative")]
    pub fn given_up(&self) -> u64 {
        self.overflowed as u64
    }

    /// How long to wait from `now` until the next slot.
    pub fn until_next_slot(&self, now: Instant) -> Duration {
        SLOT.saturating_sub(now.duration_since(self.filled))
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a start to count from")]
mod tests {
    use super::*;

    #[test]
    fn what_was_missed_is_made_good_up_to_the_burst() {
        let start = Instant::now();
        let mut pacer = Pacer::new(1_000.0, Duration::from_millis(100), start);
        assert_eq!(pacer.take(start), 0);
        assert_eq!(pacer.take(start + SLOT), 10);
        assert_eq!(pacer.take(start + SLOT * 5), 40);
        assert_eq!(pacer.given_up(), 0);
        // A second later: a tenth of it is made good.
        assert_eq!(pacer.take(start + SLOT * 105), 100);
        assert_eq!(pacer.given_up(), 900);
        assert_eq!(pacer.until_next_slot(start + SLOT * 105 + SLOT / 4), SLOT * 3 / 4);
    }
}
