mod continuing;
mod faults;
mod periods;
mod property;
mod queries;
mod readiness;
mod recording;
mod retained;
mod trails;
mod verdicts;

use routewarden_core::{Asn, Timestamp};
use rusqlite::Connection;
use serde_json::value::{RawValue, to_raw_value};
use tempfile::TempDir;

use crate::tables::TABLES;
use crate::{AsnRole, IncidentVersion, Store, Tick};

/// A day in 2026 on which all tests take place.
pub(crate) const T0: u32 = 1_795_824_000;

pub(crate) fn at(secs: u32) -> Timestamp {
    Timestamp::from_secs(T0 + secs)
}

pub(crate) fn body(text: &str) -> Box<RawValue> {
    to_raw_value(&serde_json::json!({ "text": text, "score": 0.1 + 0.2 })).unwrap()
}

/// A hijack of 192.0.2.0/24 by AS64496 from AS64500, seen at `at(0)`.
pub(crate) fn hijack(id: &str) -> IncidentVersion {
    IncidentVersion {
        id: id.to_owned(),
        key: "origin_hijack|64496|64500".to_owned(),
        kind: "origin_hijack".to_owned(),
        state: "ongoing".to_owned(),
        class: "high".to_owned(),
        confidence: 90,
        severity: 70,
        first_seen: at(0),
        last_seen: at(10),
        ended_at: None,
        asns: vec![(Asn(64496), AsnRole::Culprit), (Asn(64500), AsnRole::Victim)],
        prefixes: vec!["192.0.2.0/24".parse().unwrap()],
        countries: vec!["NL".to_owned()],
        members: vec!["example".to_owned()],
        report: true,
        is_withdrawn: false,
        body: body(id),
    }
}

/// The same, over.
pub(crate) fn ended(version: &IncidentVersion, secs: u32) -> IncidentVersion {
    IncidentVersion { state: "ended".to_owned(), ended_at: Some(at(secs)), ..version.clone() }
}

pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) store: Store,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Fixture { dir, store }
    }

    /// As after a restart of the program.
    pub(crate) fn reopened(self) -> Self {
        let Fixture { dir, store } = self;
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        Fixture { dir, store }
    }

    pub(crate) fn record(&mut self, versions: Vec<IncidentVersion>) -> Tick {
        self.store.record(versions, at(100)).unwrap()
    }

    /// Asserts that the journal is whole and gives the very tables that are there.
    pub(crate) fn assert_rebuilds(&mut self) {
        self.store.verify().unwrap();
        let live = dump(&self.store.conn);
        self.store.rebuild().unwrap();
        assert_eq!(dump(&self.store.conn), live);
    }
}

/// Every value of every table, as SQL has it.
pub(crate) fn dump(conn: &Connection) -> Vec<String> {
    let mut lines = Vec::new();
    for table in TABLES {
        let mut rows = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let count = rows.column_count();
        let mut rows = rows.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..count).map(|n| row.get_ref(n).unwrap()).collect();
            lines.push(format!("{table} {values:?}"));
        }
    }
    lines
}
