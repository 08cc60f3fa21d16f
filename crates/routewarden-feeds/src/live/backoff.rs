//! How long to wait before trying again.

use std::time::Duration;

/// Waits that double from a least to a most, each with jitter, so that many clients of a server
/// that comes back do not come at once.
#[derive(Clone, Debug)]
pub struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits between `least` and `most`.
    pub fn new(least: Duration, most: Duration) -> Self {
        Backoff { least, most, next: least }
    }

    /// The next wait: between half of the current step and all of it.
    pub fn next_wait(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.most);
        step.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// The last attempt went well: the next failure waits the least.
    pub fn reset(&mut self) {
        self.next = self.least;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_start_anew_after_a_success() {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(8));
        let mut backoff = Backoff::new(least, most);
        for step in [1, 2, 4, 8, 8] {
            let wait = backoff.next_wait();
            let step = Duration::from_secs(step);
            assert!(wait >= step / 2 && wait <= step, "{wait:?} of {step:?}");
        }
        backoff.reset();
        assert!(backoff.next_wait() <= least);
    }
}
