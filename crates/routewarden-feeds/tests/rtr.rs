//! The RTR client against caches that are right, odd and hostile.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: helpers outside of #[test] functions"
)]

mod common;
mod rtr_cache;

use rtr_cache::{
    Client, FakeCache, NOW, PATIENCE, SESSION, Session, StoppedClock, announce, end, withdraw,
};
use std::sync::Arc;
use std::time::Duration;

use routewarden_core::Asn;
use routewarden_core::facts::{FactKind, TrustAnchorId, Vrp};
use routewarden_feeds::facts::refresh::{FactBoard, FactFeed, FactTable, RefreshContext};
use routewarden_feeds::facts::rpki::{self, RpkiConfig};
use routewarden_feeds::facts::rtr::pdu::{AspaLayout, Pdu, PduBody, code};
use routewarden_feeds::facts::rtr::{EXPIRE_DEFAULT, RtrTables};
use routewarden_feeds::facts::{load_file, load_vrps};
use routewarden_feeds::live::SourceState;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

const QUERY: PduBody = PduBody::ResetQuery;

fn serial_query(serial: u32) -> PduBody {
    PduBody::SerialQuery { session: SESSION, serial }
}

fn aspa(announce: bool, layout: AspaLayout, providers: &[u32]) -> PduBody {
    let providers = providers.iter().copied().map(Asn).collect();
    PduBody::Aspa { announce, layout, customer: Asn(64496), providers }
}

fn providers(tables: &RtrTables) -> Option<Vec<u32>> {
    let named = tables.aspas.as_ref().unwrap().providers(Asn(64496))?;
    Some(named.iter().map(|asn| asn.0).collect())
}

fn prefixes(tables: &RtrTables) -> Vec<String> {
    tables.vrps.iter().map(|vrp| vrp.prefix.to_string()).collect()
}

async fn expect(session: &mut Session, version: u8, body: PduBody) {
    assert_eq!(session.recv().await, Some(Pdu { version, body }));
}

/// A client with `192.0.2.0/24` and `198.51.100.0/24` of serial 1.
async fn with_two() -> (FakeCache, Session, Client) {
    let (cache, config) = FakeCache::bind().await;
    let mut client = Client::start(config);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let both = vec![announce("192.0.2.0/24", 64496), announce("198.51.100.0/24", 64497)];
    session.respond((SESSION, 1), both).await;
    assert_eq!(client.next().await.vrps.len(), 2);
    (cache, session, client)
}

#[tokio::test]
async fn a_notify_brings_what_changed_and_nothing_counts_before_its_end() {
    let (_cache, mut session, mut client) = with_two().await;
    session.send(2, [PduBody::SerialNotify { session: SESSION, serial: 2 }]).await;
    expect(&mut session, 2, serial_query(1)).await;
    let records = [announce("203.0.113.0/24", 64498), withdraw("192.0.2.0/24", 64496)];
    let response = PduBody::CacheResponse { session: SESSION };
    session.send(2, std::iter::once(response).chain(records)).await;
    // All of it is heard, and none of it counts.
    client.until(|status| status.pdus == 8).await;
    assert!(!client.tables.has_changed().unwrap());
    session.send(2, [end(SESSION, 2)]).await;
    let tables = client.next().await;
    assert_eq!(prefixes(&tables), ["198.51.100.0/24", "203.0.113.0/24"]);
    assert_eq!((tables.session, tables.serial, tables.version), (SESSION, 2, 2));
    assert_eq!(tables.vrps.source.name, "RTR test, session 45616, serial 2");
    let status = client.snapshot();
    assert_eq!((status.vrps, status.serial, status.is_stale), (2, Some(2), false));
    let later = client.status.snapshot(NOW.plus_secs(i64::from(EXPIRE_DEFAULT) + 1));
    assert_eq!((later.is_stale, later.age_secs), (true, Some(7201)));
    client.stop().await;
}

/// StayRTR raises its serial number whenever it looks at its file.
#[tokio::test]
async fn a_response_without_a_change_gives_no_new_table() {
    let (_cache, mut session, client) = with_two().await;
    for serial in [2, 3] {
        session.send(2, [PduBody::SerialNotify { session: SESSION, serial }]).await;
        expect(&mut session, 2, serial_query(serial - 1)).await;
        let records = [announce("203.0.113.0/24", 64498), withdraw("203.0.113.0/24", 64498)];
        session.respond((SESSION, serial), records.to_vec()).await;
        client.until(|status| status.serial == Some(serial)).await;
    }
    assert!(!client.tables.has_changed().unwrap());
    client.stop().await;
}

#[tokio::test]
async fn aspas_of_both_layouts_arrive_are_replaced_and_withdrawn() {
    let (cache, config) = FakeCache::bind().await;
    let mut client = Client::start(config);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let (v4, v6) = (AspaLayout::Draft10 { family: 0 }, AspaLayout::Draft10 { family: 1 });
    session.respond((SESSION, 1), vec![aspa(true, v4, &[64497]), aspa(true, v6, &[64498])]).await;
    assert_eq!(providers(client.next().await.as_ref()), Some(vec![64497, 64498]));
    let mut change = async |serial, records: Vec<PduBody>| {
        session.send(2, [PduBody::SerialNotify { session: SESSION, serial }]).await;
        expect(&mut session, 2, serial_query(serial - 1)).await;
        session.respond((SESSION, serial), records).await;
        providers(client.next().await.as_ref())
    };
    assert_eq!(change(2, vec![aspa(true, v4, &[64499])]).await, Some(vec![64498, 64499]));
    // As StayRTR does it: the new one, then what it has replaced.
    let replaced = vec![aspa(true, v4, &[64511]), aspa(false, v4, &[64499])];
    assert_eq!(change(3, replaced).await, Some(vec![64498, 64511]));
    assert_eq!(change(4, vec![aspa(false, v6, &[64498])]).await, Some(vec![64511]));
    let current = AspaLayout::Current;
    let both = vec![aspa(false, v4, &[64511]), aspa(true, current, &[64500, 64501])];
    assert_eq!(change(5, both).await, Some(vec![64500, 64501]));
    assert_eq!(change(6, vec![aspa(true, current, &[64501])]).await, Some(vec![64501]));
    assert_eq!(change(7, vec![aspa(false, current, &[])]).await, None);
    client.stop().await;
}

#[tokio::test]
async fn an_older_version_is_taken_as_told_as_answered_and_as_a_closed_connection_hints() {
    let (cache, config) = FakeCache::bind().await;
    let mut client = Client::start(config);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let text = "unsupported".into();
    let report = PduBody::ErrorReport { code: code::UNSUPPORTED_VERSION, pdu: [].into(), text };
    session.send(1, [report]).await;
    let mut session = cache.accept().await;
    expect(&mut session, 1, QUERY).await;
    drop(session);
    // Twice may be chance.
    for _ in 0..2 {
        let mut session = cache.accept().await;
        expect(&mut session, 1, QUERY).await;
    }
    let mut session = cache.accept().await;
    expect(&mut session, 0, QUERY).await;
    let records = [
        PduBody::CacheResponse { session: 1 },
        announce("192.0.2.0/24", 64496),
        PduBody::EndOfData { session: 1, serial: 1, intervals: None },
    ];
    session.send(0, records).await;
    let tables = client.next().await;
    assert_eq!((tables.version, tables.aspas.is_none()), (0, true));
    drop(session);
    // The next session begins at the top again, and an answer may be of a lower version.
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let record = announce("2001:db8::/32", 64496);
    session.send(1, [PduBody::CacheResponse { session: 2 }, record, end(2, 1)]).await;
    assert_eq!(client.next().await.version, 1);
    client.stop().await;
}

/// StayRTR closes what connects while it reads its file at the start.
#[tokio::test]
async fn a_cache_that_is_slow_to_start_is_not_taken_for_an_older_one() {
    let (cache, session, client) = with_two().await;
    drop(session);
    for _ in 0..4 {
        let mut session = cache.accept().await;
        expect(&mut session, 2, serial_query(1)).await;
    }
    client.stop().await;
}

#[tokio::test]
async fn a_cache_that_forgot_is_asked_for_everything() {
    let (cache, mut session, mut client) = with_two().await;
    session.send(2, [PduBody::SerialNotify { session: SESSION, serial: 9 }]).await;
    expect(&mut session, 2, serial_query(1)).await;
    session.send(2, [PduBody::CacheReset]).await;
    expect(&mut session, 2, QUERY).await;
    session.respond((SESSION, 9), vec![announce("192.0.2.0/24", 64496)]).await;
    assert_eq!(client.next().await.vrps.len(), 1);
    // A lost connection is continued where it was.
    drop(session);
    let mut session = cache.accept().await;
    expect(&mut session, 2, serial_query(9)).await;
    // A new session: the data stays until the new one is complete.
    session.send(2, [PduBody::CacheResponse { session: 7 }]).await;
    assert_eq!(session.error().await, Some(code::CORRUPT_DATA));
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    session.send(2, [PduBody::CacheResponse { session: 7 }, announce("::/0", 64496)]).await;
    client.until(|status| status.pdus >= 9).await;
    assert!(!client.tables.has_changed().unwrap());
    session.send(2, [end(7, 1)]).await;
    let tables = client.next().await;
    assert_eq!((prefixes(&tables), tables.session), (vec!["::/0".to_owned()], 7));
    client.stop().await;
}

#[tokio::test]
async fn without_data_the_cache_is_asked_again() {
    let (cache, config) = FakeCache::bind().await;
    let mut client = Client::start(config);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let report = PduBody::ErrorReport { code: code::NO_DATA, pdu: [].into(), text: "".into() };
    session.send(2, [report]).await;
    // The cache has data before the retry interval is over, and says so. The version is not agreed
    // upon, so that only an answer counts.
    drop(session);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    session.respond((SESSION, 1), vec![announce("192.0.2.0/24", 64496)]).await;
    assert_eq!(client.next().await.vrps.len(), 1);
    client.stop().await;
}

/// StayRTR answers so when all that its file has is expired: that must not take all VRPs away.
#[tokio::test]
async fn a_response_without_any_record_is_no_data() {
    let (cache, session, mut client) = with_two().await;
    drop(session);
    let mut session = cache.accept().await;
    expect(&mut session, 2, serial_query(1)).await;
    session.send(2, [PduBody::CacheReset]).await;
    expect(&mut session, 2, QUERY).await;
    session.respond((7, 1), Vec::new()).await;
    client.until(|status| status.faults.contains_key("rtr_no_records")).await;
    assert_eq!(client.snapshot().vrps, 2);
    session.send(2, [PduBody::SerialNotify { session: 7, serial: 2 }]).await;
    expect(&mut session, 2, QUERY).await;
    session.respond((7, 2), vec![announce("192.0.2.0/24", 64496)]).await;
    let tables = client.next().await;
    assert_eq!((tables.vrps.len(), tables.session), (1, 7));
    client.stop().await;
}

/// Each in a response to a Serial Query: the kind counted, and the code reported.
#[tokio::test]
async fn faults_end_the_session_and_leave_the_data() {
    let long = |pdu_type: u8| vec![2, pdu_type, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let records = |bodies: &[PduBody]| {
        let mut octets = Vec::new();
        for body in bodies {
            let pdu = Pdu { version: 2, body: body.clone() };
            routewarden_feeds::facts::rtr::pdu::encode(&pdu, &mut octets);
        }
        octets
    };
    let twice = announce("203.0.113.0/24", 64496);
    let cases = [
        ("rtr_duplicate_announcement", Some(7), records(&[announce("192.0.2.0/24", 64496)])),
        ("rtr_duplicate_announcement", Some(7), records(&[twice.clone(), twice])),
        ("rtr_unknown_withdrawal", Some(6), records(&[withdraw("192.0.2.0/24", 64499)])),
        ("rtr_unknown_withdrawal", Some(6), records(&[aspa(false, AspaLayout::Current, &[])])),
        ("rtr_unexpected_pdu", Some(3), records(&[PduBody::ResetQuery])),
        ("rtr_unexpected_pdu", Some(3), records(&[PduBody::CacheReset])),
        ("rtr_session_changed", Some(0), records(&[end(SESSION + 1, 2)])),
        ("rtr_too_long", Some(0), long(10)),
        ("rtr_length", Some(0), vec![2, 4, 0, 0, 0, 0, 0, 19]),
        ("rtr_type", Some(5), vec![2, 99, 0, 0, 0, 0, 0, 8]),
        ("rtr_version", Some(4), vec![9, 4, 0, 0, 0, 0, 0, 20]),
        ("rtr_version_changed", Some(8), vec![1, 3, 0, 0, 0, 0, 0, 8]),
        (
            "rtr_error_report",
            None,
            records(&[PduBody::ErrorReport { code: 1, pdu: [].into(), text: "no".into() }]),
        ),
    ];
    for (kind, reported, octets) in cases {
        let (cache, mut session, mut client) = with_two().await;
        session.send(2, [PduBody::SerialNotify { session: SESSION, serial: 2 }]).await;
        expect(&mut session, 2, serial_query(1)).await;
        session.send(2, [PduBody::CacheResponse { session: SESSION }]).await;
        session.send(2, [announce("198.51.100.0/25", 64496)]).await;
        session.raw(&octets).await;
        assert_eq!(session.error().await, reported, "{kind}");
        let status = client.until(|status| status.faults.contains_key(kind)).await;
        assert_eq!((status.vrps, status.serial), (2, Some(1)), "{kind}");
        assert!(!client.tables.has_changed().unwrap(), "{kind}");
        let mut session = cache.accept().await;
        expect(&mut session, 2, QUERY).await;
        session.respond((SESSION, 2), vec![announce("198.51.100.0/25", 64496)]).await;
        assert_eq!(client.next().await.vrps.len(), 1, "{kind}");
        client.stop().await;
    }
}

#[tokio::test]
async fn a_cut_pdu_is_told_from_a_quiet_end() {
    let (cache, session, client) = with_two().await;
    drop(session);
    let status = client.until(|status| status.faults.contains_key("rtr_closed")).await;
    assert!(!status.last_fault.unwrap().1.contains("inside"));
    let mut session = cache.accept().await;
    session.raw(&[2, 3, 0]).await;
    assert_eq!(session.recv().await.unwrap().body, serial_query(1));
    drop(session);
    let status = client.until(|status| status.faults["rtr_closed"] == 2).await;
    assert!(status.last_fault.unwrap().1.contains("inside a PDU"));
    assert_eq!(status.state, SourceState::Waiting);
    client.stop().await;
}

#[tokio::test]
async fn silence_and_endless_responses_end() {
    let (cache, config) = FakeCache::bind().await;
    let client =
        Client::start(routewarden_feeds::facts::rtr::RtrCache { silence_secs: 1, ..config });
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    client.until(|status| status.faults.contains_key("rtr_silent")).await;
    assert_eq!(session.error().await, None);
    // Without an end, the next session finds nothing of it.
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    session.send(2, [PduBody::CacheResponse { session: 1 }]).await;
    let endless = (0..50_000u32)
        .map(|number| announce(&format!("{}/24", std::net::Ipv4Addr::from(number << 8)), 64496));
    session.send(2, endless).await;
    client.until(|status| status.faults["rtr_silent"] == 2).await;
    assert_eq!(client.snapshot().vrps, 0);
    client.stop().await;
}

/// All VRPs of a day held, one changes: how long until a reader sees it. Measured in November 2026
/// on two shared cores: 0.1 s; the limit leaves room for a machine that is busy.
#[tokio::test]
async fn one_change_among_all_vrps_is_seen_at_once() {
    let Some(path) = common::data("rpki/rpkiclient_summary_20250720T093135Z.json.bz2") else {
        return;
    };
    let all = load_file(&path, None, load_vrps).unwrap().facts.table;
    let plain = |vrp: Vrp| Vrp { ta: TrustAnchorId::default(), ..vrp };
    let mut all: Vec<Vrp> = all.iter().map(plain).collect();
    all.dedup();
    let count = all.len();
    let (cache, config) = FakeCache::bind().await;
    let mut client = Client::start(config);
    let mut session = cache.accept().await;
    expect(&mut session, 2, QUERY).await;
    let started = Instant::now();
    let records = all.into_iter().map(|vrp| PduBody::Prefix { announce: true, vrp }).collect();
    session.respond((SESSION, 1), records).await;
    assert_eq!(client.next().await.vrps.len(), count);
    let loaded = started.elapsed();
    session.send(2, [PduBody::SerialNotify { session: SESSION, serial: 2 }]).await;
    expect(&mut session, 2, serial_query(1)).await;
    let started = Instant::now();
    session.respond((SESSION, 2), vec![announce("192.0.2.0/24", 64496)]).await;
    assert_eq!(client.next().await.vrps.len(), count + 1);
    let changed = started.elapsed();
    eprintln!("{count} VRPs in {loaded:?}, one more in {changed:?}");
    assert!(changed < Duration::from_secs(3), "{changed:?}");
    client.stop().await;
}

#[tokio::test]
async fn the_preferred_source_counts_and_local_exceptions_apply() {
    let folder = tempfile::tempdir().unwrap();
    let (file, slurm) = (folder.path().join("vrps.json"), folder.path().join("slurm.json"));
    std::fs::write(&file, r#"{"roas":[{"asn":64496,"prefix":"192.0.2.0/24"}]}"#).unwrap();
    let exceptions = |asn| {
        let text = format!(
            r#"{{"slurmVersion":1,"validationOutputFilters":{{"prefixFilters":[]}},
            "locallyAddedAssertions":{{"prefixAssertions":[{{"asn":{asn},"prefix":"2001:db8::/32"}}]}}}}"#
        );
        std::fs::write(&slurm, text).unwrap();
    };
    exceptions(64500);
    let (cache, rtr) = FakeCache::bind().await;
    let feed = FactFeed::new("file", FactKind::Vrps, file.to_str().unwrap());
    let config = RpkiConfig { rtr: vec![rtr], files: vec![feed], slurm: vec![slurm.clone()] };
    let (updates, mut receiver) = mpsc::channel(1);
    let context = RefreshContext {
        updates,
        board: FactBoard::default(),
        clock: Arc::new(StoppedClock),
        cancel: CancellationToken::new(),
        now: Arc::default(),
        cache_dir: folder.path().to_owned(),
        proxy: None,
    };
    let (now, cancel) = (Arc::clone(&context.now), context.cancel.clone());
    let task = tokio::spawn(rpki::run(config.clone(), rpki::handles(&config), context));
    let mut next = async || {
        let update = async {
            loop {
                // A call that nobody waits for yet is lost: call again.
                now.notify_waiters();
                let wait = Duration::from_millis(20);
                if let Ok(update) = tokio::time::timeout(wait, receiver.recv()).await {
                    return update.unwrap();
                }
            }
        };
        let update = tokio::time::timeout(PATIENCE, update).await.expect("an update in time");
        let FactTable::Rpki { vrps, .. } = update.table else { panic!("{update:?}") };
        let asns: Vec<u32> = vrps.iter().map(|vrp| vrp.asn.0).collect();
        (vrps.source.name.clone(), asns, update.version.rtr)
    };
    let mut session = cache.accept().await;
    let name = "vrps.json with SLURM".to_owned();
    assert_eq!(next().await, (name, vec![64496, 64500], None));
    session.respond((SESSION, 1), vec![announce("192.0.2.0/24", 64497)]).await;
    let name = "RTR test, session 45616, serial 1 with SLURM".to_owned();
    assert_eq!(next().await, (name.clone(), vec![64497, 64500], Some((SESSION, 1))));
    exceptions(64501);
    assert_eq!(next().await, (name, vec![64497, 64501], Some((SESSION, 1))));
    // What cannot be used does not take away what is in force: only a new serial gives news.
    std::fs::write(&slurm, "{").unwrap();
    session.send(2, [PduBody::SerialNotify { session: SESSION, serial: 2 }]).await;
    session.respond((SESSION, 2), vec![withdraw("192.0.2.0/24", 64497)]).await;
    let name = "RTR test, session 45616, serial 2 with SLURM".to_owned();
    assert_eq!(next().await, (name, vec![64501], Some((SESSION, 2))));
    cancel.cancel();
    tokio::time::timeout(PATIENCE, task).await.expect("it stops").unwrap();
}
