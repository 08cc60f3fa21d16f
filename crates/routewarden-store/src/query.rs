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
const GATHERED_MAX: i64 = 5_000;

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
/// by itself: SQLite would use the time alone of a comparison of both, and many may share one.
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

/// The table whose order is walked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    Asns,
    Countries,
    ExactPrefix,
    Incidents,
}

impl Query {
    /// At most `limit` incidents of a part, newest first.
    pub(crate) fn page(
        conn: &Connection,
        columns: &str,
        filter: &IncidentFilter,
        part: Part,
        limit: usize,
    ) -> Result<Self, StoreError> {
        let driver = match filter {
            IncidentFilter { asn: Some(_), .. } => Driver::Asns,
            IncidentFilter { prefix: Some((_, PrefixMatch::Exact)), .. } => Driver::ExactPrefix,
            IncidentFilter { country: Some(_), .. } => Driver::Countries,
            _ => Driver::Incidents,
        };
        let (table, order) = match driver {
            Driver::Asns => ("incident_asns d CROSS JOIN incidents i USING (number)", "d"),
            Driver::Countries => {
                ("incident_countries d CROSS JOIN incidents i USING (number)", "d")
            }
            Driver::ExactPrefix => {
                ("incident_prefixes d CROSS JOIN incidents i USING (number)", "d")
            }
            Driver::Incidents => ("incidents i", "i"),
        };
        let mut query =
            Query { sql: format!("SELECT {columns} FROM {table} WHERE 1"), values: Vec::new() };
        query.span(order, filter, part);
        query.plain(filter);
        query.asn(driver, filter);
        query.country(driver, filter);
        query.prefix(conn, driver, filter)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query.and(
            &format!(" ORDER BY {order}.first_seen DESC, {order}.number DESC LIMIT ?"),
            [limit.into()],
        );
        Ok(query)
    }

    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    fn span(&mut self, order: &str, filter: &IncidentFilter, part: Part) {
        if let Some(from) = filter.first_seen_from {
            self.and(&format!(" AND {order}.first_seen >= ?"), [from.micros().into()]);
        }
        if let Some(before) = filter.first_seen_before {
            self.and(&format!(" AND {order}.first_seen < ?"), [before.micros().into()]);
        }
        match part {
            Part::All => {}
            Part::SameTime(Cursor { first_seen, number }) => {
                let sql = format!(" AND {order}.first_seen = ? AND {order}.number < ?");
                self.and(&sql, [first_seen.into(), number.into()]);
            }
            Part::Before(Cursor { first_seen, .. }) => {
                self.and(&format!(" AND {order}.first_seen < ?"), [first_seen.into()]);
            }
        }
    }

    fn plain(&mut self, filter: &IncidentFilter) {
        match filter.is_open {
            Some(true) => self.and(" AND i.ended_at IS NULL", []),
            Some(false) => self.and(" AND i.ended_at IS NOT NULL", []),
            None => {}
        }
        for (column, value) in
            [("kind", &filter.kind), ("class", &filter.class), ("state", &filter.state)]
        {
            if let Some(value) = value {
                self.and(&format!(" AND i.{column} = ?"), [value.clone().into()]);
            }
        }
    }

    fn asn(&mut self, driver: Driver, filter: &IncidentFilter) {
        let Some((asn, role)) = filter.asn else { return };
        debug_assert!(driver == Driver::Asns, "an AS is always walked");
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
             WHERE c.number = i.number AND c.country = ?)"
        };
        self.and(sql, [country.clone().into()]);
    }

    fn prefix(
        &mut self,
        conn: &Connection,
        driver: Driver,
        filter: &IncidentFilter,
    ) -> Result<(), StoreError> {
        let Some((prefix, relation)) = &filter.prefix else { return Ok(()) };
        let (test, values) = prefix_test(prefix, *relation);
        if driver == Driver::ExactPrefix {
            self.and(&format!(" AND {}", test.replace("p.", "d.")), values);
        } else if driver == Driver::Incidents && is_few(conn, &test, &values)? {
            let sql =
                format!(" AND i.number IN (SELECT p.number FROM incident_prefixes p WHERE {test})");
            self.and(&sql, values);
        } else {
            let sql = format!(
                " AND EXISTS (SELECT 1 FROM incident_prefixes p \
                 WHERE p.number = i.number AND {test})"
            );
            self.and(&sql, values);
        }
        Ok(())
    }
}

/// The condition on a row `p` of prefixes.
fn prefix_test(prefix: &Prefix, relation: PrefixMatch) -> (String, Vec<Value>) {
    let blob = |octets: [u8; 17]| Value::from(octets.to_vec());
    match relation {
        PrefixMatch::Exact => (
            "p.first = ? AND p.len = ?".to_owned(),
            vec![blob(first_address(prefix)), i64::from(prefix.len()).into()],
        ),
        PrefixMatch::Covered => (
            "p.first BETWEEN ? AND ? AND p.len >= ?".to_owned(),
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
            (format!("(p.first, p.len) IN (VALUES {places})"), wider)
        }
    }
}

/// Whether so few rows match that they can be gathered and sorted.
fn is_few(conn: &Connection, test: &str, values: &[Value]) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM incident_prefixes p WHERE {test} LIMIT {})",
        GATHERED_MAX + 1
    );
    let count: i64 =
        conn.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
    Ok(count <= GATHERED_MAX)
}
