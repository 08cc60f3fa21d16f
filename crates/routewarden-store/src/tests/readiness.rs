//! Readiness of periods: open ones are replaced, closed ones are not, and what was changed shows.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use routewarden_core::facts::Sha256;

use super::*;
use crate::{
    JournalKind, READINESS_INPUTS_OCTETS_MAX, READINESS_RECORDS_MAX, READINESS_ROUTES_OCTETS_MAX,
    READINESS_SCORE_OCTETS_MAX, READINESS_SOURCES_OCTETS_MAX, ReadinessAbout, ReadinessInputs,
    ReadinessScores, RetentionPolicy, StoreError, TimeSpan, check_backup, restore,
};

const DAY: u32 = 86_400;
const PROFILE: &str = "manrs-2024";

/// The 30 days from so many months after the first on.
fn month(n: u32) -> TimeSpan {
    TimeSpan { from: at(n * 30 * DAY), until: at((n + 1) * 30 * DAY) }
}

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn inputs(n: u32, data: &str) -> ReadinessInputs {
    let sources = json(r#"[{"input":"vrps"}]"#);
    ReadinessInputs::new(month(n), data.as_bytes().to_vec(), sources, at(n * 30 * DAY)).unwrap()
}

fn about(profile: &str, n: u32) -> ReadinessAbout {
    ReadinessAbout {
        profile: profile.to_owned(),
        period: month(n),
        profile_sha256: Sha256([1; 32]),
        inputs_sha256: Sha256([2; 32]),
        events_sha256: Sha256([3; 32]),
        measured_at: at(n * 30 * DAY),
    }
}

/// Scores of so many networks from AS64496 on.
fn scores(profile: &str, n: u32, (ases, score): (u32, &str)) -> ReadinessScores {
    let all = (0..ases).map(|asn| (Asn(64496 + asn), json(&format!("[{asn},{score}]"))));
    ReadinessScores::new(about(profile, n), &all.collect()).unwrap()
}

impl Fixture {
    fn put_inputs(&mut self, n: u32, data: &str, closes: bool) -> Result<(), StoreError> {
        self.store.put_readiness_inputs(&inputs(n, data), closes, at(99))
    }

    fn put_scores(&mut self, n: u32, ases: u32, score: &str) {
        self.store.put_readiness_scores(&scores(PROFILE, n, (ases, score)), at(99)).unwrap();
    }

    fn kinds(&self) -> Vec<&'static str> {
        let rows = self.store.reader().unwrap().journal(1, 100).unwrap();
        rows.iter().map(|row| JournalKind::from_name(&row.kind).unwrap().name()).collect()
    }
}

#[test]
fn inputs_are_replaced_until_the_period_is_closed() {
    let mut fixture = Fixture::new();
    fixture.put_inputs(0, "first", false).unwrap();
    fixture.put_inputs(0, "second", false).unwrap();
    assert_eq!(fixture.store.head().seq, 0);
    let reader = fixture.store.reader().unwrap();
    let (told, data) = reader.readiness_inputs(month(0)).unwrap().unwrap();
    assert_eq!((data.as_slice(), told.octets, told.is_closed), (&b"second"[..], 6, false));
    assert_eq!(told.sources, r#"[{"input":"vrps"}]"#);

    fixture.put_inputs(0, "third", true).unwrap();
    let head = fixture.store.head();
    assert_eq!(fixture.kinds(), ["readiness_closed"]);
    // The same again is no change, as after a kill between the write and the answer.
    fixture.put_inputs(0, "third", true).unwrap();
    let refused = fixture.put_inputs(0, "fourth", false).unwrap_err();
    assert_eq!(refused.kind(), "period_closed");
    assert_eq!(fixture.store.head(), head);
    fixture.put_inputs(1, "next", false).unwrap();
    let periods = reader.readiness_periods().unwrap();
    let told: Vec<_> = periods.iter().map(|it| (it.period, it.is_closed)).collect();
    assert_eq!(told, [(month(1), false), (month(0), true)]);
    assert_eq!(periods[1].sha256, inputs(0, "third").sha256());
    assert_eq!(reader.readiness_inputs(month(7)).unwrap(), None);
    fixture.store.verify().unwrap();
}

#[test]
fn rows_of_closed_periods_are_neither_changed_nor_deleted_nor_replaced() {
    let mut fixture = Fixture::new();
    fixture.put_inputs(0, "closed", true).unwrap();
    for sql in [
        "UPDATE readiness_inputs SET data = x'00'",
        "UPDATE readiness_inputs SET seq = NULL",
        "DELETE FROM readiness_inputs",
        "INSERT OR REPLACE INTO readiness_inputs \
         SELECT id, since, until, x'00', sources, sha256, measured_at, seq FROM readiness_inputs",
        "INSERT OR REPLACE INTO readiness_inputs \
         SELECT 9, since, until, x'00', sources, sha256, measured_at, NULL FROM readiness_inputs",
    ] {
        let error = fixture.store.conn.execute(sql, ()).unwrap_err();
        assert!(error.to_string().contains("the period is closed"), "{sql}: {error}");
    }
    fixture.store.verify().unwrap();
}

#[test]
fn scores_are_replaced_as_a_whole_and_read_by_network_and_by_period() {
    let mut fixture = Fixture::new();
    fixture.put_scores(0, 600, "0.1");
    fixture.put_scores(0, 300, "0.2");
    fixture.put_scores(1, 700, "0.3");
    let other = scores("routewarden-1", 1, (1, "0.9"));
    fixture.store.put_readiness_scores(&other, at(99)).unwrap();
    let reader = fixture.store.reader().unwrap();
    let of = |n: u32| {
        let history = reader.readiness_of(Asn(64496 + n), PROFILE).unwrap();
        history.into_iter().map(|(it, json)| (it.about.period, json)).collect::<Vec<_>>()
    };
    assert_eq!(of(5), [(month(0), "[5,0.2]".to_owned()), (month(1), "[5,0.3]".to_owned())]);
    assert_eq!(of(650), [(month(1), "[650,0.3]".to_owned())]);
    assert_eq!(of(700), []);
    assert_eq!(reader.readiness_of(Asn(1), PROFILE).unwrap(), []);

    let mut seen = Vec::new();
    let mut page = |after, count: usize| {
        seen.clear();
        let each = |asn: Asn, json: &str| {
            seen.push((asn.0 - 64496, json.to_owned()));
            if seen.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let record = reader.visit_readiness((PROFILE, month(1)), after, each).unwrap();
        (record.map(|it| it.ases), seen.clone())
    };
    let (ases, all) = page(None, usize::MAX);
    assert_eq!((ases, all.len()), (Some(700), 700));
    assert_eq!(page(Some(Asn(64496 + 254)), 3).1, all[255..258]);
    let none = |_: Asn, _: &str| ControlFlow::Continue(());
    assert_eq!(reader.visit_readiness(("none", month(1)), None, none).unwrap(), None);

    let records = reader.readiness_records().unwrap();
    let told: Vec<_> =
        records.iter().map(|it| (it.about.profile.as_str(), it.about.period)).collect();
    assert_eq!(told, [(PROFILE, month(1)), ("routewarden-1", month(1)), (PROFILE, month(0))]);
    assert_eq!(records[0].about, about(PROFILE, 1));
    assert_eq!(records[0].scores_sha256, scores(PROFILE, 1, (700, "0.3")).sha256());
    let blocks = "SELECT count(*) FROM readiness_blocks";
    let blocks: i64 = fixture.store.conn.query_row(blocks, (), |row| row.get(0)).unwrap();
    assert_eq!(blocks, 2 + 3 + 1);
}

#[test]
fn scores_of_a_closed_period_are_told_in_the_journal_whenever_they_are_others() {
    let mut fixture = Fixture::new();
    fixture.put_inputs(0, "in", false).unwrap();
    fixture.put_scores(0, 3, "0.1");
    assert_eq!(fixture.store.head().seq, 0);
    fixture.put_inputs(0, "in", true).unwrap();
    assert_eq!(fixture.kinds(), ["readiness_closed", "readiness_scored"]);
    fixture.put_scores(0, 3, "0.1");
    assert_eq!(fixture.store.head().seq, 2, "the same writes nothing");
    fixture.put_scores(0, 3, "0.2");
    let other = scores("routewarden-1", 0, (1, "0.9"));
    fixture.store.put_readiness_scores(&other, at(99)).unwrap();
    assert_eq!(fixture.store.head().seq, 4);
    assert!(fixture.store.reader().unwrap().readiness_records().unwrap()[0].is_closed);
    fixture.assert_rebuilds();
}

#[test]
fn what_was_changed_in_a_closed_period_is_told() {
    for (sql, what) in [
        ("UPDATE readiness_inputs SET data = x'00'", "readiness inputs"),
        ("UPDATE readiness_inputs SET sources = '[]'", "readiness inputs"),
        ("UPDATE readiness_inputs SET measured_at = 1", "readiness inputs"),
        ("UPDATE readiness_inputs SET seq = NULL", "readiness inputs"),
        ("DELETE FROM readiness_inputs", "readiness inputs"),
        ("UPDATE readiness_scores SET measured_at = 1", "readiness scores"),
        ("UPDATE readiness_scores SET events_sha256 = zeroblob(32)", "readiness scores"),
        ("UPDATE readiness_scores SET seq = NULL", "readiness scores"),
        ("UPDATE readiness_blocks SET data = x'01' WHERE first > 64496", "readiness scores"),
        ("DELETE FROM readiness_blocks WHERE first > 64496", "readiness scores"),
        ("DELETE FROM readiness_scores", "readiness scores"),
    ] {
        let mut fixture = Fixture::new();
        fixture.put_scores(0, 300, "0.1");
        fixture.put_inputs(0, "in", true).unwrap();
        let drop_triggers = "DROP TRIGGER closed_inputs_are_never_changed; \
                             DROP TRIGGER closed_inputs_are_never_cut";
        fixture.store.conn.execute_batch(drop_triggers).unwrap();
        fixture.store.verify().unwrap();
        fixture.store.conn.execute_batch(sql).unwrap();
        let error = fixture.store.verify().unwrap_err();
        assert!(
            matches!(error, StoreError::RecordChanged { what: told, .. } if told == what),
            "{sql}: {error}"
        );
        let path = fixture.dir.path().join("backup.db");
        let refused = fixture.store.reader().unwrap().backup(&path).unwrap_err();
        assert_eq!(refused.kind(), "record_changed", "{sql}");
    }
}

#[test]
fn inputs_that_are_not_what_was_kept_are_not_given() {
    let mut fixture = Fixture::new();
    fixture.put_inputs(0, "in", false).unwrap();
    fixture.store.conn.execute("UPDATE readiness_inputs SET data = x'00'", ()).unwrap();
    let read = fixture.store.reader().unwrap().readiness_inputs(month(0)).unwrap_err();
    assert_eq!(read.kind(), "record_changed");
    fixture.put_scores(0, 1, "0.1");
    fixture.store.conn.execute("UPDATE readiness_blocks SET data = x'00'", ()).unwrap();
    let read = fixture.store.reader().unwrap().readiness_of(Asn(64496), PROFILE).unwrap_err();
    assert_eq!(read.kind(), "damaged");
}

#[test]
fn what_exceeds_a_limit_is_refused() {
    let at_0 = month(0);
    let new = |octets, sources: usize| {
        let sources = json(&format!("\"{}\"", "s".repeat(sources - 2)));
        ReadinessInputs::new(at_0, vec![0; octets], sources, at(0)).map(drop)
    };
    new(READINESS_INPUTS_OCTETS_MAX, READINESS_SOURCES_OCTETS_MAX).unwrap();
    assert_eq!(new(READINESS_INPUTS_OCTETS_MAX + 1, 2).unwrap_err().kind(), "over_limit");
    assert_eq!(new(1, READINESS_SOURCES_OCTETS_MAX + 1).unwrap_err().kind(), "over_limit");
    let empty = TimeSpan { from: at(1), until: at(1) };
    let error = ReadinessInputs::new(empty, Vec::new(), json("[]"), at(0)).unwrap_err();
    assert_eq!(error.kind(), "time_out_of_range");

    let one = |octets: usize| {
        let text = format!("\"{}\"", "s".repeat(octets - 2));
        let scores = BTreeMap::from([(Asn(1), json(&text))]);
        ReadinessScores::new(about(PROFILE, 0), &scores).map(drop)
    };
    one(READINESS_SCORE_OCTETS_MAX).unwrap();
    assert_eq!(one(READINESS_SCORE_OCTETS_MAX + 1).unwrap_err().kind(), "over_limit");
    let many = (0..=250_000).map(|asn| (Asn(asn), json("0"))).collect();
    let error = ReadinessScores::new(about(PROFILE, 0), &many).unwrap_err();
    assert_eq!(error.kind(), "over_limit");

    let mut fixture = Fixture::new();
    let routes = vec![0; READINESS_ROUTES_OCTETS_MAX + 1];
    let error = fixture.store.put_readiness_routes(at(0), &routes, at(0)).unwrap_err();
    assert_eq!(error.kind(), "over_limit");
}

#[test]
fn there_are_only_so_many_periods() {
    let mut fixture = Fixture::new();
    let insert = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1) \
                  INSERT INTO readiness_inputs (since, until, data, sources, sha256, measured_at) \
                  SELECT n, n + 1, x'', '[]', zeroblob(32), 0 FROM n";
    let count = i64::try_from(READINESS_RECORDS_MAX).unwrap() - 1;
    fixture.store.conn.execute(insert, [count]).unwrap();
    fixture.put_inputs(0, "last", false).unwrap();
    assert_eq!(fixture.put_inputs(1, "more", false).unwrap_err().kind(), "over_limit");
    fixture.put_inputs(0, "again", true).unwrap();
}

#[test]
fn what_is_old_goes_and_what_is_left_verifies() {
    let mut fixture = Fixture::new();
    for n in 0..4 {
        fixture.put_scores(n, 3, "0.1");
        fixture.put_inputs(n, "in", n < 3).unwrap();
    }
    // Scored anew, long ago: the first row about it may go, the last may not.
    fixture.put_scores(2, 3, "0.2");
    let policy = RetentionPolicy { incident_days: 10, journal_days: 10, readiness_months: 2 };
    // 62 days before this the second ended a day ago, and the third goes on.
    let taken = fixture.store.retention(policy, at((60 + 1 + 62) * DAY)).unwrap();
    assert_eq!((taken.readiness, taken.journal_rows), (4, 5));
    let reader = fixture.store.reader().unwrap();
    let left: Vec<_> = reader.readiness_periods().unwrap().iter().map(|it| it.period).collect();
    assert_eq!(left, [month(3), month(2)]);
    assert_eq!(reader.readiness_records().unwrap().len(), 2);
    let history = reader.readiness_of(Asn(64496), PROFILE).unwrap();
    assert_eq!(history.len(), 2);
    fixture.assert_rebuilds();
    let blocks = "SELECT count(*) FROM readiness_blocks";
    let blocks: i64 = fixture.store.conn.query_row(blocks, (), |row| row.get(0)).unwrap();
    assert_eq!(blocks, 2);
}

#[test]
fn routes_are_kept_of_the_month_and_the_one_before() {
    let mut fixture = Fixture::new();
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let months = ["2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"].map(time);
    for (n, month) in (0u8..).zip(months) {
        fixture.store.put_readiness_routes(month, &[n], at(0)).unwrap();
        fixture.store.put_readiness_routes(month, &[n, n], at(n.into())).unwrap();
    }
    let policy = RetentionPolicy { incident_days: 10, journal_days: 10, readiness_months: 2 };
    let left = |fixture: &Fixture| {
        let reader = fixture.store.reader().unwrap();
        months.map(|month| reader.readiness_routes(month).unwrap())
    };
    fixture.store.retention(policy, time("2026-11-30T23:59:59Z")).unwrap();
    assert_eq!(left(&fixture)[0], Some((vec![0, 0], at(0))));
    fixture.store.retention(policy, time("2026-12-31T12:00:00Z")).unwrap();
    assert_eq!(left(&fixture), [None, Some((vec![1, 1], at(1))), Some((vec![2, 2], at(2)))]);
}

#[test]
fn a_backup_has_the_same_octets() {
    let mut fixture = Fixture::new();
    fixture.record(vec![hijack("a")]);
    fixture.put_scores(0, 300, "0.1");
    fixture.put_inputs(0, "in", true).unwrap();
    fixture.put_inputs(1, "next", false).unwrap();
    fixture.store.put_readiness_routes(at(0), b"routes", at(9)).unwrap();
    let everything = |store: &Store| {
        let reader = store.reader().unwrap();
        let mut all = Vec::new();
        let each = |asn: Asn, json: &str| {
            all.push((asn, json.to_owned()));
            ControlFlow::Continue(())
        };
        let record = reader.visit_readiness((PROFILE, month(0)), None, each).unwrap();
        let inputs = [0, 1].map(|n| reader.readiness_inputs(month(n)).unwrap().unwrap());
        (all, record, inputs, reader.readiness_routes(at(0)).unwrap())
    };
    let backup = fixture.dir.path().join("backup.db");
    let report = fixture.store.reader().unwrap().backup(&backup).unwrap();
    assert_eq!(check_backup(&backup).unwrap(), report);
    let other = TempDir::new().unwrap();
    restore(&backup, other.path(), false).unwrap();
    let restored = Store::open(other.path()).unwrap();
    assert_eq!(everything(&restored), everything(&fixture.store));
    restored.verify().unwrap();
    fixture.assert_rebuilds();
    assert_eq!(everything(&restored), everything(&fixture.store));
}
