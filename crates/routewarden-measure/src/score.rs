//! Scores from 0 to 1, and the class of a score (design page on MANRS, section 2.3).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Penalty;

/// Billionths of the whole.
const WHOLE: u32 = 1_000_000_000;

/// A score from 0 (worst) to 1 (best), kept in whole billionths so that it compares and adds
/// exactly. Serialised as a number, as `0.36`.
///
/// Shares are rounded down: no score is 1, or of a class, that is not wholly so. The curve of
/// penalties is rounded to the nearest: its root and its power are the only inexact steps of this
/// crate, and their last bits, which differ between C libraries, do not survive the rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Score {
    billionths: u32,
}

impl Score {
    /// The worst.
    pub const ZERO: Score = Score { billionths: 0 };
    /// The best.
    pub const ONE: Score = Score { billionths: WHOLE };

    /// Per cent, at most 100.
    pub fn from_percent(percent: u8) -> Self {
        Score { billionths: u32::from(percent.min(100)) * (WHOLE / 100) }
    }

    /// The nearest score to a number; what lies outside 0 to 1 is brought inside. Not a number
    /// gives 0.
    pub fn nearest(fraction: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=1 before; a cast of NaN gives 0"
        )]
        let billionths = (fraction.clamp(0.0, 1.0) * f64::from(WHOLE)).round() as u32;
        Score { billionths }
    }

    /// `numerator / denominator`, brought inside 0 to 1, rounded down; 0 when `denominator` is 0.
    pub fn of_ratio(numerator: i64, denominator: u64) -> Self {
        let scaled = i128::from(numerator) * i128::from(WHOLE);
        let quotient = scaled.checked_div_euclid(i128::from(denominator)).unwrap_or_default();
        let billionths = quotient.clamp(0, i128::from(WHOLE));
        Score { billionths: u32::try_from(billionths).unwrap_or_default() }
    }

    /// The decay curve of penalties: `h ^ sqrt(raw / 0.5)`, where `h` is the score of a raw penalty
    /// of 0.5. With `h` = 0.6 it goes through the published points: raw 0.5 is 60 %, 1 about 49 %,
    /// 2 is 36 %.
    pub fn of_penalty(raw: Penalty, half_point: Score) -> Self {
        let halves = raw.points() * 2.0;
        Self::nearest(half_point.fraction().powf(halves.sqrt()))
    }

    /// From 0 to 1.
    pub fn fraction(self) -> f64 {
        f64::from(self.billionths) / f64::from(WHOLE)
    }

    /// In per cent with one decimal, as `48.5`: rounded down, so that no text is of a class that the
    /// score is not.
    pub fn percent_text(self) -> String {
        let tenths = self.billionths / (WHOLE / 1_000);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// As [`Score::percent_text`], for sentences: without a decimal that is 0.
    pub fn percent_words(self) -> String {
        let text = self.percent_text();
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    }

    /// From 0 to 1,000,000,000, for exact means.
    pub fn billionths(self) -> u32 {
        self.billionths
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.fraction())
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fraction = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&fraction) {
            return Ok(Self::nearest(fraction));
        }
        Err(serde::de::Error::custom("a score lies between 0 and 1"))
    }
}

/// Class of a score. Where each begins is the profile's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadinessClass {
    /// Nothing is known: neither good nor bad.
    NoData,
    /// Below aspiring.
    Lagging,
    /// Between the two.
    Aspiring,
    /// At or above the upper threshold.
    Ready,
}

impl ReadinessClass {
    /// The serialised name.
    pub const fn name(self) -> &'static str {
        match self {
            ReadinessClass::NoData => "no_data",
            ReadinessClass::Lagging => "lagging",
            ReadinessClass::Aspiring => "aspiring",
            ReadinessClass::Ready => "ready",
        }
    }
}
