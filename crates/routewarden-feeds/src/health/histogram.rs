//! A distribution that forgets.

/// Buckets: zero, and one for each power of two.
const BUCKETS: usize = 26;

/// Weights of values by powers of two. Older ones count less because younger ones are given more:
/// the weight of the present grows, and all are scaled down together before it overflows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Histogram {
    weights: [f32; BUCKETS],
}

impl Histogram {
    /// Adds a value.
    pub(super) fn push(&mut self, value: u32, weight: f32) {
        let bucket = value.checked_ilog2().map_or(0, |power| power as usize + 1);
        if let Some(held) = self.weights.get_mut(bucket.min(BUCKETS - 1)) {
            *held += weight;
        }
    }

    /// The value below which that part of the weight lies, between the ends of its bucket by the
    /// part of the bucket's weight; `None` without any weight.
    pub(super) fn quantile(&self, part: f32) -> Option<f32> {
        let total: f32 = self.weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let mut rest = total * part;
        let mut ends = (0.0, 1.0);
        let mut last = 0.0;
        for &weight in &self.weights {
            if weight > 0.0 {
                if rest <= weight {
                    // Nothing but zero lies in the first bucket.
                    let width = if ends.0 > 0.0 { ends.1 - ends.0 } else { 0.0 };
                    return Some(ends.0 + width * (rest / weight));
                }
                last = ends.1;
            }
            rest -= weight;
            ends = if ends.0 > 0.0 { (ends.1, ends.1 * 2.0) } else { (1.0, 2.0) };
        }
        Some(last)
    }

    pub(super) fn scale(&mut self, by: f32) {
        for weight in &mut self.weights {
            *weight *= by;
        }
    }

    pub(super) fn clear(&mut self) {
        self.weights = [0.0; BUCKETS];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_in_the_bucket_of_the_value() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for value in [0, 0, 0, 5, 100, 100, 100, 100] {
            histogram.push(value, 1.0);
        }
        assert_eq!(histogram.quantile(0.3), Some(0.0));
        assert_eq!(histogram.quantile(0.5), Some(8.0));
        assert!((64.0..=128.0).contains(&histogram.quantile(0.9).unwrap()));
        assert_eq!(histogram.quantile(1.0), Some(128.0));
        histogram.scale(0.5);
        assert_eq!(histogram.quantile(0.5), Some(8.0));
        histogram.push(u32::MAX, 1000.0);
        assert!(histogram.quantile(0.5).unwrap() > 1e7);
        histogram.clear();
        assert_eq!(histogram.quantile(0.5), None);
    }

    #[test]
    fn what_is_old_counts_less() {
        let mut histogram = Histogram::default();
        let mut weight = 1.0;
        for value in [1000; 20].into_iter().chain([3; 20]) {
            histogram.push(value, weight);
            weight *= 1.1;
        }
        assert!(histogram.quantile(0.8).unwrap() < 4.0);
    }
}
