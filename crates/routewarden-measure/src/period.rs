//! The time that is measured: a calendar month, or the days before a moment.

use std::str::FromStr;

use routewarden_core::Timestamp;
use serde::Serialize;

/// Longest period, in days.
pub const PERIOD_DAYS_MAX: u16 = 366;

const SECS_PER_DAY: i64 = 86_400;

/// From `from` (included) to `until` (excluded), in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Period {
    from: Timestamp,
    until: Timestamp,
}

/// Why there is no such period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// It ends before, or as soon as, it begins.
    #[error("the period ends before it begins")]
    Empty,
    /// It is longer than [`PERIOD_DAYS_MAX`].
    #[error("the period is longer than {} days", PERIOD_DAYS_MAX)]
    TooLong,
    /// No month from 1970-01 to 9999-11.
    #[error("not a month: expected 2026-10")]
    NoMonth,
}

impl Period {
    /// From `from` to `until`.
    pub fn new(from: Timestamp, until: Timestamp) -> Result<Self, PeriodError> {
        if until <= from {
            return Err(PeriodError::Empty);
        }
        if until > from.plus_secs(i64::from(PERIOD_DAYS_MAX) * SECS_PER_DAY) {
            return Err(PeriodError::TooLong);
        }
        Ok(Period { from, until })
    }

    /// A calendar month, the period of MANRS: `month` from 1 to 12.
    pub fn month(year: u16, month: u8) -> Result<Self, PeriodError> {
        let (next_year, next_month) =
            if month == 12 { (year.saturating_add(1), 1) } else { (year, month.saturating_add(1)) };
        let first = |year: u16, month: u8| -> Result<Timestamp, PeriodError> {
            let is_month = (1970..=9999).contains(&year) && (1..=12).contains(&month);
            let day = is_month.then(|| format!("{year:04}-{month:02}-01").parse().ok());
            day.flatten().ok_or(PeriodError::NoMonth)
        };
        Self::new(first(year, month)?, first(next_year, next_month)?)
    }

    /// The `days` before `until`.
    pub fn rolling(days: u16, until: Timestamp) -> Result<Self, PeriodError> {
        Self::new(until.plus_secs(-i64::from(days) * SECS_PER_DAY), until)
    }

    /// As far as it has passed at `now`: what still lasts then ends then.
    pub fn up_to(self, now: Timestamp) -> Result<Self, PeriodError> {
        Self::new(self.from, self.until.min(now))
    }

    /// Its first moment.
    pub fn from(self) -> Timestamp {
        self.from
    }

    /// The first moment after it.
    pub fn until(self) -> Timestamp {
        self.until
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    /// Reads a month, as `2026-10`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (year, month) = text.split_once('-').ok_or(PeriodError::NoMonth)?;
        let is_plain = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|octet| octet.is_ascii_digit())
        };
        if !is_plain(year, 4) || !is_plain(month, 2) {
            return Err(PeriodError::NoMonth);
        }
        let year = year.parse().map_err(|_| PeriodError::NoMonth)?;
        let month = month.parse().map_err(|_| PeriodError::NoMonth)?;
        Self::month(year, month)
    }
}
