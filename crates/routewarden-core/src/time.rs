//! Event time.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z, without leap seconds.
///
/// Text form is RFC 3339: `2008-02-24T18:47:57Z`, with six decimals only when needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

const MICROS_PER_SEC: i64 = 1_000_000;
const SECS_PER_DAY: i64 = 86_400;

impl Timestamp {
    /// From whole seconds since the epoch.
    pub const fn from_secs(secs: u32) -> Self {
        Timestamp { micros: secs as i64 * MICROS_PER_SEC }
    }

    /// From seconds and microseconds, as in the MRT extended timestamp header (RFC 6396 §3).
    pub const fn from_secs_micros(secs: u32, micros: u32) -> Self {
        Timestamp { micros: secs as i64 * MICROS_PER_SEC + micros as i64 }
    }

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Timestamp { micros }
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.micros
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.micros.div_euclid(MICROS_PER_SEC)
    }

    /// This moment without parts of a second, for texts.
    #[must_use]
    pub const fn to_the_second(self) -> Self {
        Timestamp { micros: self.micros - self.micros.rem_euclid(MICROS_PER_SEC) }
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn secs_since(self, earlier: Timestamp) -> i64 {
        (self.micros - earlier.micros).div_euclid(MICROS_PER_SEC)
    }

    /// This moment moved by whole seconds, saturating.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        Timestamp { micros: self.micros.saturating_add(secs.saturating_mul(MICROS_PER_SEC)) }
    }
}

/// Days since the epoch to (year, month, day), proleptic Gregorian.
/// Algorithm: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Inverse of [`civil_from_days`].
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.secs();
        let (year, month, day) = civil_from_days(secs.div_euclid(SECS_PER_DAY));
        let rest = secs.rem_euclid(SECS_PER_DAY);
        let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.micros.rem_euclid(MICROS_PER_SEC) {
            0 => f.write_str("Z"),
            micros => write!(f, ".{micros:06}Z"),
        }
    }
}

/// What made a text no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampParseError {
    /// Not `YYYY-MM-DDTHH:MM[:SS[.ffffff]]Z`, `YYYY-MM-DD`, or Unix seconds.
    #[error("not a time: expected 2008-02-24T18:47:57Z, 2008-02-24, or seconds since 1970")]
    Malformed,
}

impl FromStr for Timestamp {
    type Err = TimestampParseError;

    /// Reads RFC 3339 in UTC (seconds may be left out), a date, or Unix seconds.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or(TimestampParseError::Malformed)
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Timestamp::from_secs);
    }
    let (date, clock) = match text.split_once(['T', 't', ' ']) {
        Some((date, clock)) => {
            (date, clock.strip_suffix(['Z', 'z']).or(clock.strip_suffix("+00:00"))?)
        }
        None => (text, "00:00"),
    };
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (field(&mut date, 4)?, field(&mut date, 2)?, field(&mut date, 2)?);
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (field(&mut clock, 2)?, field(&mut clock, 2)?);
    let (second, micros) = match clock.next() {
        None => (0, 0),
        Some(text) => match text.split_once('.') {
            None => (number(text, 2)?, 0),
            Some((second, fraction)) => (number(second, 2)?, micros_of(fraction)?),
        },
    };
    let days = days_from_civil(year, month, day);
    let real_date = civil_from_days(days) == (year, month, day);
    if !real_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let secs = days * SECS_PER_DAY + hour * 3_600 + minute * 60 + second;
    Some(Timestamp { micros: secs * MICROS_PER_SEC + micros })
}

fn field<'a>(parts: &mut impl Iterator<Item = &'a str>, digits: usize) -> Option<i64> {
    number(parts.next()?, digits)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn micros_of(fraction: &str) -> Option<i64> {
    let kept: String = fraction.chars().chain("000000".chars()).take(6).collect();
    (!fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit()))
        .then(|| kept.parse().ok())
        .flatten()
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        self.micros.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Ok(Timestamp { micros: i64::deserialize(deserializer)? });
        }
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc3339_text() {
        let hijack = Timestamp::from_secs(1_203_878_877);
        assert_eq!(hijack.to_string(), "2008-02-24T18:47:57Z");
        for text in ["2008-02-24T18:47:57Z", "2008-02-24 18:47:57+00:00", "1203878877"] {
            assert_eq!(text.parse(), Ok(hijack), "{text}");
        }
        assert_eq!("2008-02-24T18:47Z".parse::<Timestamp>().unwrap().secs(), 1_203_878_820);
        assert_eq!(Timestamp::from_secs_micros(0, 5).to_string(), "1970-01-01T00:00:00.000005Z");
        for bad in ["", "2008-02-30", "2008-2-3", "2008-02-24T25:00Z", "2008-02-24T18:47:57", "x"] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(secs: u32, micros in 0u32..1_000_000) {
            let time = Timestamp::from_secs_micros(secs, micros);
            prop_assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        }
    }
}
