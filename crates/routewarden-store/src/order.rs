//! The orders of lists, and the places in them at which pages end.

use std::fmt;
use std::str::FromStr;

use crate::reader::IncidentSummary;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// First seen last first.
    #[default]
    NewestFirst,
    /// First seen first first.
    OldestFirst,
    /// Of those that have not ended only: the highest severity first, then the newest.
    WorstFirst,
    /// Of those that have not ended only: the highest confidence first, then the newest.
    SurestFirst,
}

impl Order {
    /// What comes before the time.
    pub(crate) const fn rank(self) -> Option<Rank> {
        match self {
            Order::NewestFirst | Order::OldestFirst => None,
            Order::WorstFirst => Some(Rank::Severity),
            Order::SurestFirst => Some(Rank::Confidence),
        }
    }

    /// The terms of `ORDER BY` for the table of that name.
    pub(crate) fn terms(self, table: &str) -> String {
        let by_time = |way: &str| format!("{table}.first_seen {way}, {table}.number {way}");
        match (self, self.rank()) {
            (Order::OldestFirst, _) => by_time("ASC"),
            (_, None) => by_time("DESC"),
            (_, Some(rank)) => format!("{table}.{} DESC, {}", rank.column(), by_time("DESC")),
        }
    }
}

/// A number from 0 to 100 by which open incidents are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rank {
    Severity,
    Confidence,
}

impl Rank {
    pub(crate) const fn column(self) -> &'static str {
        match self {
            Rank::Severity => "severity",
            Rank::Confidence => "confidence",
        }
    }

    /// The table with the index that has this order.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Rank::Severity => "incidents d INDEXED BY incidents_open_by_severity",
            Rank::Confidence => "incidents d INDEXED BY incidents_open_by_confidence",
        }
    }

    const fn of(self, incident: &IncidentSummary) -> u8 {
        match self {
            Rank::Severity => incident.severity,
            Rank::Confidence => incident.confidence,
        }
    }
}

/// Where a page ended: the next begins after it. Its text form is opaque to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Of orders that have one.
    pub(crate) rank: Option<u8>,
    pub(crate) first_seen: i64,
    pub(crate) number: i64,
}

impl Cursor {
    /// The place after an incident.
    pub(crate) fn after(order: Order, incident: &IncidentSummary) -> Self {
        Cursor {
            rank: order.rank().map(|rank| rank.of(incident)),
            first_seen: incident.first_seen.micros(),
            number: incident.number,
        }
    }

    /// Whether it is of a list in that order.
    pub const fn fits(&self, order: Order) -> bool {
        self.rank.is_some() == order.rank().is_some()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rank) = self.rank {
            write!(f, "{rank}.")?;
        }
        write!(f, "{}.{}", self.first_seen, self.number)
    }
}

/// What made a text no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor that a page ended with")]
pub struct CursorParseError;

impl FromStr for Cursor {
    type Err = CursorParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.').rev();
        let mut number = || parts.next()?.parse::<i64>().ok();
        let (Some(last), Some(first_seen)) = (number(), number()) else {
            return Err(CursorParseError);
        };
        let rank = parts.next().map(|rank| rank.parse().map_err(|_| CursorParseError));
        let cursor = Cursor { rank: rank.transpose()?, first_seen, number: last };
        parts.next().map_or(Ok(cursor), |_| Err(CursorParseError))
    }
}

/// Which part of the order a statement walks. What is the same as the cursor's is walked by itself:
/// `SQLite` would use the first column alone of a comparison of several, and many may share one value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// All of it.
    All,
    /// What has the same rank and was first seen at the same time as the cursor's, and comes after it.
    SameTime(Cursor),
    /// What has the same rank, was first seen at another time, and comes after the cursor's.
    SameRank(Cursor),
    /// What has another rank, and comes after the cursor's.
    OtherRank(u8),
}

impl Part {
    /// The parts of what comes after a cursor, in order.
    pub(crate) fn after(cursor: Option<Cursor>) -> Vec<Self> {
        let Some(cursor) = cursor else { return vec![Part::All] };
        let other = cursor.rank.map(Part::OtherRank);
        [Part::SameTime(cursor), Part::SameRank(cursor)].into_iter().chain(other).collect()
    }
}
