//! What incidents cost: a coefficient for how long each lasted, and their weighted sum (design page
//! on MANRS, section 2.1).

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

/// Largest number of units of a [`Penalty`], 2^53: so far every whole number is an exact `f64`.
pub const PENALTY_UNITS_MAX: u64 = 1 << 53;

/// Steps of the duration coefficient `c(d)`, as a profile gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DurationSteps {
    /// What lasts less than this counts one half, in seconds.
    pub short_below_secs: u32,
    /// Each time this has passed whole counts one more, in seconds.
    pub step_secs: u32,
}

impl DurationSteps {
    /// `c(d)`: 0 for what lasted no time, one half below the first step, else 1 and one more for
    /// each whole step of time. At exactly 24 h it is 2, as in the prototype of 2018.
    pub fn coefficient(self, lasted: Duration) -> Coefficient {
        if lasted.is_zero() {
            return Coefficient::default();
        }
        if lasted < Duration::from_secs(u64::from(self.short_below_secs)) {
            return Coefficient { halves: 1 };
        }
        let steps = lasted.as_secs().checked_div(u64::from(self.step_secs)).unwrap_or_default();
        Coefficient { halves: steps.saturating_add(1).saturating_mul(2) }
    }
}

/// A duration coefficient, in exact halves. Serialised as a number of points, as `0.5`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Coefficient {
    halves: u64,
}

impl Coefficient {
    /// In points.
    pub fn points(self) -> f64 {
        exact(self.halves) / 2.0
    }
}

impl Serialize for Coefficient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

/// A raw penalty: the sum of coefficients, each times its weight in per cent. Kept in exact units of
/// 1/200 point, at most [`PENALTY_UNITS_MAX`]; lower is better. Serialised as a number of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Penalty {
    units: u64,
}

/// Units of one point: halves times per cent.
const UNITS_PER_POINT: u64 = 200;

impl Penalty {
    /// A coefficient at a weight of `percent`.
    pub fn weighted(coefficient: Coefficient, percent: u8) -> Self {
        Self::from_units(coefficient.halves.saturating_mul(u64::from(percent)))
    }

    /// Whole points.
    pub fn from_points(points: u32) -> Self {
        Self::from_units(u64::from(points) * UNITS_PER_POINT)
    }

    fn from_units(units: u64) -> Self {
        Penalty { units: units.min(PENALTY_UNITS_MAX) }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Penalty) -> Self {
        Self::from_units(self.units.saturating_add(other.units))
    }

    /// In points: 3.5 for incidents of 29 minutes, 13 hours and 25 hours.
    pub fn points(self) -> f64 {
        exact(self.units) / exact(UNITS_PER_POINT)
    }
}

impl Serialize for Penalty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

#[expect(clippy::cast_precision_loss, reason = "f64 holds whole numbers up to 2^53 exactly")]
fn exact(number: u64) -> f64 {
    number.min(PENALTY_UNITS_MAX) as f64
}
