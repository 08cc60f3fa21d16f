//! Which incidents are asked for, as SQL.

use routewarden_core::{Asn, Prefix, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::StoreError;
use crate::order::{Cursor, Order, Part, Rank};
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

/// Which incidents are asked for, those that meet all that is given, and in which order.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Their order.
    pub order: Order,
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
    /// Id of a member of the constituency.
    pub member: Option<String>,
    /// Whether it touches any member.
    pub touches_members: Option<bool>,
    /// First seen at that time or later.
    pub first_seen_from: Option<Timestamp>,
    /// First seen before that time.
    pub first_seen_before: Option<Timestamp>,
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
    Members,
    Countries,
    /// Rows of one prefix, in order.
    Prefix,
    /// Rows of several prefixes, to be sorted.
    Prefixes,
    /// Open incidents by how bad or how sure they are.
    Ranked(Rank),
    Incidents,
}

impl Driver {
    /// The one for a filter: where several would do, the one with the fewest rows.
    pub(crate) fn of(conn: &Connection, filter: &IncidentFilter) -> Result<Self, StoreError> {
        if let Some(rank) = filter.order.rank() {
            return Ok(Driver::Ranked(rank));
        }
        let candidates = Self::candidates(filter);
        if let &[only] = candidates.as_slice()
            && only != Driver::Prefixes
        {
            return Ok(only);
        }
        let mut best = (i64::MAX, Driver::Incidents);
        for driver in candidates {
            let rows = driver.rows(conn, filter)?;
            let is_gathered_well = driver != Driver::Prefixes || rows <= GATHERED_MAX;
            if is_gathered_well && rows < best.0 {
                best = (rows, driver);
            }
        }
        Ok(best.1)
    }

    /// Those with rows for what is asked for.
    fn candidates(filter: &IncidentFilter) -> Vec<Self> {
        let touches_members = filter.member.is_some() || filter.touches_members == Some(true);
        let prefix = filter.prefix.map(|(_, relation)| match relation {
            PrefixMatch::Exact => Driver::Prefix,
            PrefixMatch::Covering | PrefixMatch::Covered => Driver::Prefixes,
        });
        let parts = [
            filter.asn.map(|_| Driver::Asns),
            prefix,
            touches_members.then_some(Driver::Members),
            filter.country.as_ref().map(|_| Driver::Countries),
        ];
        parts.into_iter().flatten().collect()
    }

    /// How many of its rows would be walked for the last page; counted to a little above
    /// [`GATHERED_MAX`].
    fn rows(self, conn: &Connection, filter: &IncidentFilter) -> Result<i64, StoreError> {
        let mut query = Query::new("1", self);
        query.span(filter, Part::All);
        match self {
            Driver::Asns => query.asn(self, filter),
            Driver::Members => query.members(self, filter),
            Driver::Countries => query.country(self, filter),
            Driver::Prefix | Driver::Prefixes => query.prefix(self, filter),
            Driver::Ranked(_) | Driver::Incidents => {}
        }
        query.and(" LIMIT ?", [(GATHERED_MAX + 1).into()]);
        let sql = format!("SELECT count(*) FROM ({})", query.sql);
        let values = params_from_iter(query.values);
        Ok(conn.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?)
    }

    const fn table(self) -> &'static str {
        match self {
            Driver::Asns => "incident_asns d",
            Driver::Members => "incident_members d",
            Driver::Countries => "incident_countries d",
            Driver::Prefix | Driver::Prefixes => "incident_prefixes d",
            Driver::Ranked(rank) => rank.table(),
            Driver::Incidents => "incidents d",
        }
    }
}

impl Query {
    fn new(what: &str, driver: Driver) -> Self {
        let sql = format!("SELECT {what} FROM {} WHERE 1", driver.table());
        Query { sql, values: Vec::new() }
    }

    /// The numbers of at most `limit` incidents of a part, in order.
    pub(crate) fn page(driver: Driver, filter: &IncidentFilter, part: Part, limit: usize) -> Self {
        let mut query = Query::new("d.number", driver);
        if let Driver::Ranked(rank) = driver {
            query.ranked(rank, part);
        }
        query.span(filter, part);
        query.plain(driver, filter);
        query.asn(driver, filter);
        query.members(driver, filter);
        query.country(driver, filter);
        query.prefix(driver, filter);
        if driver == Driver::Prefixes {
            query.and(" GROUP BY d.first_seen, d.number", []);
        }
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query.and(&format!(" ORDER BY {} LIMIT ?", filter.order.terms("d")), [limit.into()]);
        query
    }

    fn and(&mut self, sql: &str, values: impl IntoIterator<Item = Value>) {
        self.sql.push_str(sql);
        self.values.extend(values);
    }

    /// Only open ones have these orders.
    fn ranked(&mut self, rank: Rank, part: Part) {
        self.and(" AND d.is_open = 1", []);
        let column = rank.column();
        match part {
            Part::All => {}
            Part::SameTime(cursor) | Part::SameRank(cursor) => {
                self.and(&format!(" AND d.{column} = ?"), [cursor.rank.into()]);
            }
            Part::OtherRank(rank) => self.and(&format!(" AND d.{column} < ?"), [rank.into()]),
        }
    }

    fn span(&mut self, filter: &IncidentFilter, part: Part) {
        let mut from = filter.first_seen_from.map(Timestamp::micros);
        let mut before = filter.first_seen_before.map(Timestamp::micros);
        match (part, filter.order) {
            (Part::All | Part::OtherRank(_), _) => {}
            (Part::SameTime(Cursor { first_seen, number, .. }), order) => {
                let sign = if order == Order::OldestFirst { ">" } else { "<" };
                let sql = format!(" AND d.first_seen = ? AND d.number {sign} ?");
                self.and(&sql, [first_seen.into(), number.into()]);
            }
            // One bound, since `SQLite` would use only one of two, and perhaps the worse.
            (Part::SameRank(Cursor { first_seen, .. }), Order::OldestFirst) => {
                let after = first_seen.saturating_add(1);
                from = Some(from.map_or(after, |from| from.max(after)));
            }
            (Part::SameRank(Cursor { first_seen, .. }), _) => {
                before = Some(before.map_or(first_seen, |before| before.min(first_seen)));
            }
        }
        if let Some(from) = from {
            self.and(" AND d.first_seen >= ?", [from.into()]);
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

    fn asn(&mut self, driver: Driver, filter: &IncidentFilter) {
        let Some((asn, role)) = filter.asn else { return };
        let role = role.map(|role| format!(" AND roles & {} <> 0", role.bit())).unwrap_or_default();
        self.part(driver == Driver::Asns, "incident_asns", &format!("asn = ?{role}"), asn.0);
    }

    fn members(&mut self, driver: Driver, filter: &IncidentFilter) {
        let mut drives = driver == Driver::Members;
        if let Some(member) = &filter.member {
            self.part(drives, "incident_members", "member = ?", member.clone());
            drives = false;
        }
        match filter.touches_members {
            Some(true) => self.part(drives, "incident_members", "member = ?", String::new()),
            Some(false) => self.and(
                " AND NOT EXISTS (SELECT 1 FROM incident_members \
                 WHERE number = d.number AND member = '')",
                [],
            ),
            None => {}
        }
    }

    fn country(&mut self, driver: Driver, filter: &IncidentFilter) {
        let Some(country) = &filter.country else { return };
        let drives = driver == Driver::Countries;
        self.part(drives, "incident_countries", "country = ?", country.clone());
    }

    /// A condition on a table of parts: the one that drives, or one where each incident is looked up.
    fn part(&mut self, drives: bool, table: &str, test: &str, value: impl Into<Value>) {
        let sql = if drives {
            format!(" AND {test}")
        } else {
            format!(" AND EXISTS (SELECT 1 FROM {table} WHERE number = d.number AND {test})")
        };
        self.and(&sql, [value.into()]);
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
