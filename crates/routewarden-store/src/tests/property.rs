//! Any sequence of versions gives a journal from which the same tables are made again.

use proptest::prelude::*;

use super::*;

fn version() -> impl Strategy<Value = IncidentVersion> {
    let times = (0u32..100_000, 0u32..100_000, proptest::option::of(0u32..200_000));
    let places = proptest::collection::vec((0u8..4, 22u8..=26), 0..4);
    let asns = proptest::collection::vec((64496u32..64500, 0u8..4), 0..4);
    (0u8..6, 0u8..2, times, places, asns, any::<(bool, f64)>()).prop_map(
        |(id, key, (from, long, ended), places, asns, (report, score))| IncidentVersion {
            key: format!("key{key}"),
            first_seen: at(from),
            last_seen: at(from + long),
            ended_at: ended.map(at),
            prefixes: places
                .into_iter()
                .map(|(net, len)| format!("203.0.{}.0/{len}", 112 + net).parse().unwrap())
                .collect(),
            asns: asns
                .into_iter()
                .map(|(asn, role)| {
                    let roles =
                        [AsnRole::Culprit, AsnRole::Victim, AsnRole::Propagator, AsnRole::Other];
                    (Asn(asn), roles[usize::from(role)])
                })
                .collect(),
            report,
            is_withdrawn: report && ended.is_some(),
            body: serde_json::value::to_raw_value(&score).unwrap(),
            ..hijack(&format!("id{id}"))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn rebuilt_tables_are_the_live_ones(
        runs in proptest::collection::vec(
            proptest::collection::vec(proptest::collection::vec(version(), 0..5), 0..4), 1..4),
    ) {
        let mut fixture = Fixture::new();
        for run in runs {
            fixture.store.forget_detector();
            for tick in run {
                fixture.record(tick);
                let keys = fixture.store.pending_reports(2).unwrap();
                fixture.store.mark_sent(&keys, at(1)).unwrap();
            }
        }
        fixture.assert_rebuilds();
    }

    #[test]
    fn recorded_twice_is_recorded_once(versions in proptest::collection::vec(version(), 0..6)) {
        // One version of an incident a tick, as from the detector.
        let mut versions = versions;
        versions.sort_by(|a, b| a.id.cmp(&b.id));
        versions.dedup_by(|a, b| a.id == b.id);
        let mut fixture = Fixture::new();
        fixture.record(versions.clone());
        let (head, tables) = (fixture.store.head(), dump(&fixture.store.conn));
        let again = fixture.record(versions);
        prop_assert!(again.recorded.is_empty(), "{:?}", again.recorded);
        prop_assert_eq!(fixture.store.head(), head);
        prop_assert_eq!(dump(&fixture.store.conn), tables);
    }
}
