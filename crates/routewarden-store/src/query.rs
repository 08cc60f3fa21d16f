//! Which incidents are asked for, as SQL.

use std::fmt;
use std::str::FromStr;

use routewarden_core::{Asn, Prefix, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::StoreError;
use crate::tables::{first_address, last_address};
use crate::version::AsnRole;

/// Most incidents in one page.
pub const PAGE_MAX: usize = 1_000;
/// Matches of a prefix up to which they are gathered and sorted. Beyond, incidents are walked in
/// their order: then matches are so dense that a page is soon full.
const GATHERED_MAX: i64 = 10_000;

/// How a prefix that is asked for stands to one of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrefixMatch {
    /// It is the same.
    Exact,
    /// The incident's is the same or covers it.
    Covering,
    /// The incident's is the same or a more-specific.
    Covered,
}

/// Which incidents are asked for: those that meet all that is given.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Whether it lasts.
    pub is_open: Option<bool>,
    /// State.
    pub state: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Class of the severity.
    pub class: Option<String>,
    /// An AS, in a role or in any.
    pub asn: Option<(Asn, Option<AsnRole>)>,
    /// A prefix.
    pub prefix: Option<(Prefix, PrefixMatch)>,
    /// Two-letter code of a country.
    pub country: Option<String>,
    /// First seen at that time or later.
    pub first_seen_from: Option<Timestamp>,
    /// First seen before that time.
    pub first_seen_before: Option<Timestamp>,
}

/// Where a page ended: the next begins after it. Its text form is opaque to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) first_seen: i64,
    pub(crate) number: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        let (first_seen, number) = text.split_once('.').ok_or(CursorParseError)?;
        let number_of = |text: &str| text.parse().map_err(|_| CursorParseError);
        Ok(Cursor { first_seen: number_of(first_seen)?, number: number_of(number)? })
    }
}

/// Which part of the order a statement walks. What was first seen at the time of the cursor is walked
/// by itself: `SQLite` would use the time alone of a comparison of both, and many may share one.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// All of it.
    All,
    /// What was first seen at the same time as the cursor's, and comes after it.
    SameTime(Cursor),
    /// What was first seen before the cursor's.
    Before(Cursor),
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

/// The table `d` whose order is walked, or whose rows are gathered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Driver {
    Asns,
    Countries,
    /// Rows of one prefix, in order.
    Prefix,
    /// Rows of several prefixes, to be sorted.
    Prefixes,
    Incidents,
}

impl Driver {
    /// The one for a filter; may count what matches a prefix.
    pub(crate) fn of(conn: &Connection, filter: &IncidentFilter) -> Result<Self, StoreError> {
        Ok(match filter {
            IncidentFilter { asn: Some(_), .. } => Driver::Asns,
            IncidentFilter { prefix: Some((_, PrefixMatch::Exact)), .. } => Driver::Prefix,
            IncidentFilter { prefix: Some((prefix, relation)), .. }
                if is_few(conn, prefix, *relation)? =>
            {
                Driver::Prefixes
            }
            IncidentFilter { country: Some(_), .. } => Driver::Countries,
            _ => Driver::Incidents,
        })
    }

    const fn table(self) -> &'static str {
        match self {
            Driver::Asns => "incident_asns",
            Driver::Countries => "incident_countries",
            Driver::Prefix | Driver::Prefixes => "incident_prefixes",
            Driver::Incidents => "incidents",
        }
    }
}

impl Query {
    /// The numbers of at most `limit` incidents of a part, newest first.
    pub(crate) fn page(driver: Driver, filter: &IncidentFilter, part: Part, limit: usize) -> Self {
        let sql = format!("SELECT d.number FROM {} d WHERE 1", driver.table());
        let mut query = Query { sql, values: Vec::new() };
        query.span(filter, part);
        query.plain(driver, filter);
        query.asn(filter);
        query.country(driver, filter);
        query.prefix(driver, filter);
        if driver == Driver::Prefixes {
            query.and(" GROUP BY d.first_seen, d.number", []);
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query.and(" ORDER BY d.first_seen DESC, d.number DESC LIMIT ?", [limit.into()]);
        query
    }

    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn span(&mut self, filter: &IncidentFilter, part: Part) {
        if let Some(from) = filter.first_seen_from {
            self.and(" AND d.first_seen >= ?", [from.micros().into()]);
        }
        let mut before = filter.first_seen_before.map(Timestamp::micros);
        match part {
            Part::All => {}
            Part::SameTime(Cursor { first_seen, number }) => {
                let values = [first_seen.into(), number.into()];
                self.and(" AND d.first_seen = ? AND d.number < ?", values);
            }
            // One bound, since `SQLite` would use only one of two, and perhaps the worse.
            Part::Before(Cursor { first_seen, .. }) => {
                before = Some(before.map_or(first_seen, |before| before.min(first_seen)));
            }
        }
        if let Some(before) = before {
            self.and(" AND d.first_seen < ?", [before.into()]);
        }
    }

    fn plain(&mut self, driver: Driver, filter: &IncidentFilter) {
        match filter.is_open {
            Some(true) => self.and(" AND d.is_open = 1", []),
            Some(false) => self.and(" AND d.is_open = 0", []),
            None => {}
        }
        // Few are open: their index is the best whatever else is asked for. A plus keeps SQLite
        // from the others.
        let is_by_open = driver == Driver::Incidents && filter.is_open == Some(true);
        let plus = if is_by_open { "+" } else { "" };
        for (column, value) in
            [("kind", &filter.kind), ("class", &filter.class), ("state", &filter.state)]
        {
            if let Some(value) = value {
                self.and(&format!(" AND {plus}d.{column} = ?"), [value.clone().into()]);
            }
        }
    }

    fn asn(&mut self, filter: &IncidentFilter) {
        let Some((asn, role)) = filter.asn else { return };
        self.and(" AND d.asn = ?", [asn.0.into()]);
        if let Some(role) = role {
            self.and(" AND d.roles & ? <> 0", [role.bit().into()]);
        }
    }

    fn country(&mut self, driver: Driver, filter: &IncidentFilter) {
        let Some(country) = &filter.country else { return };
        let sql = if driver == Driver::Countries {
            " AND d.country = ?"
        } else {
            " AND EXISTS (SELECT 1 FROM incident_countries c \
             WHERE c.number = d.number AND c.country = ?)"
        };
        self.and(sql, [country.clone().into()]);
    }

    fn prefix(&mut self, driver: Driver, filter: &IncidentFilter) {
        let Some((prefix, relation)) = &filter.prefix else { return };
        if matches!(driver, Driver::Prefix | Driver::Prefixes) {
            let (test, values) = prefix_test("d", prefix, *relation);
            self.and(&format!(" AND {test}"), values);
        } else {
            let (test, values) = match relation {
                // An incident has few prefixes: looked at one by one, not looked up.
                PrefixMatch::Covering => (
                    "p.first <= ? AND p.last >= ?".to_owned(),
                    vec![blob(first_address(prefix)), blob(last_address(prefix))],
                ),
                _ => prefix_test("p", prefix, *relation),
            };
            let sql = format!(
                " AND EXISTS (SELECT 1 FROM incident_prefixes p \
                 WHERE p.number = d.number AND {test})"
            );
            self.and(&sql, values);
        }
    }
}

fn blob(octets: [u8; 17]) -> Value {
    Value::from(octets.to_vec())
}

/// The condition on a row of prefixes.
fn prefix_test(row: &str, prefix: &Prefix, relation: PrefixMatch) -> (String, Vec<Value>) {
    match relation {
        PrefixMatch::Exact => (
            format!("{row}.first = ? AND {row}.len = ?"),
            vec![blob(first_address(prefix)), i64::from(prefix.len()).into()],
        ),
        PrefixMatch::Covered => (
            format!("{row}.first BETWEEN ? AND ? AND {row}.len >= ?"),
            vec![
                blob(first_address(prefix)),
                blob(last_address(prefix)),
                i64::from(prefix.len()).into(),
            ],
        ),
        // A prefix has no more than 128 less-specifics: each is looked up.
        PrefixMatch::Covering => {
            let wider: Vec<Value> = (0..=prefix.len())
                .filter_map(|len| prefix.less_specific(len))
                .flat_map(|wider| [blob(first_address(&wider)), i64::from(wider.len()).into()])
                .collect();
            let places = vec!["(?, ?)"; wider.len() / 2].join(", ");
            (format!("({row}.first, {row}.len) IN (VALUES {places})"), wider)
        }
    }
}

/// Whether so few rows match that they can be gathered and sorted.
fn is_few(conn: &Connection, prefix: &Prefix, relation: PrefixMatch) -> Result<bool, StoreError> {
    let (test, values) = prefix_test("p", prefix, relation);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM incident_prefixes p WHERE {test} LIMIT {})",
        GATHERED_MAX + 1
    );
    let count: i64 =
        conn.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(count <= GATHERED_MAX)
}
