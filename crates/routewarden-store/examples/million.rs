//! Records many made-up incidents and measures pages of lists, as the API asks for them.
//!
//! `cargo run --release -p routewarden-store --example million -- FOLDER [INCIDENTS]`
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "made-up numbers, all small"
)]
#![expect(clippy::print_stdout, reason = "a measurement, for people to read")]
#![expect(clippy::disallowed_methods, reason = "a measurement needs the clock")]

use std::path::Path;
use std::time::{Duration, Instant};

use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_store::{
    AsnRole, Cursor, IncidentFilter, IncidentVersion, PrefixMatch, STORE_FILE, Store, StoreError,
    StoreReader,
};
use serde_json::value::RawValue;

const KINDS: [&str; 8] = [
    "origin_hijack",
    "subprefix_hijack",
    "route_leak",
    "forged_link",
    "outage",
    "bogon",
    "rpki_invalid",
    "flap",
];
const CLASSES: [&str; 5] = ["info", "low", "medium", "high", "critical"];
/// Incidents of a tick.
const TICK: usize = 10_000;
/// Pages measured for each filter.
const PAGES: usize = 300;
const PAGE: usize = 100;
/// Two years of incidents.
const SECS: u32 = 63_072_000;
const T0: u32 = 1_732_752_000;

/// Small numbers are far more often than large ones.
fn skewed(random: &mut fastrand::Rng, below: u32) -> u32 {
    let part = random.f64();
    (part * part * part * f64::from(below)) as u32
}

fn asn(n: u32) -> Asn {
    // Private use (RFC 6996): there are too few for documentation.
    Asn(4_200_000_000 + n)
}

fn prefix(n: u32, len: u8) -> Option<Prefix> {
    Prefix::v6((0x2001_0db8_u128 << 96) | (u128::from(n) << 72), len)
}

/// As they come: `part` tells how far the two years have gone.
fn incident(random: &mut fastrand::Rng, n: usize, part: f64) -> IncidentVersion {
    let first_seen = Timestamp::from_secs(T0 + (f64::from(SECS) * part) as u32 / 60 * 60);
    let lasts = random.usize(..1_000) == 0;
    let kind = KINDS.get(skewed(random, 8) as usize).copied().unwrap_or_default();
    let class = CLASSES.get(skewed(random, 5) as usize).copied().unwrap_or_default();
    let count = 1 + skewed(random, 6);
    let text = format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(600));
    let letter = |n: u32| char::from(b'A' + (n % 26) as u8);
    let country = skewed(random, 200);
    IncidentVersion {
        id: format!("inc-{n:08x}-{}", random.u32(..)),
        key: format!("{kind}|{n}"),
        kind: kind.to_owned(),
        state: if lasts { "ongoing" } else { "ended" }.to_owned(),
        class: class.to_owned(),
        confidence: random.u8(..=100),
        severity: random.u8(..=100),
        first_seen,
        last_seen: first_seen.plus_secs(600),
        ended_at: (!lasts).then(|| first_seen.plus_secs(900)),
        asns: vec![
            (asn(skewed(random, 80_000)), AsnRole::Culprit),
            (asn(skewed(random, 80_000)), AsnRole::Victim),
        ],
        prefixes: (0..count)
            .filter_map(|_| prefix(skewed(random, 1 << 20), random.u8(40..=56)))
            .collect(),
        countries: vec![[letter(country / 26), letter(country)].iter().collect()],
        report: false,
        is_withdrawn: false,
        body: RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()),
    }
}

fn fill(folder: &Path, count: usize) -> Result<(), StoreError> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut store = Store::open(folder)?;
    let begin = Instant::now();
    let mut slowest = Duration::ZERO;
    for tick in 0..count / TICK {
        let versions = (0..TICK)
            .map(|n| {
                let n = tick * TICK + n;
                incident(&mut random, n, n as f64 / count as f64)
            })
            .collect::<Vec<_>>();
        let tick = Instant::now();
        store.record(versions, Timestamp::from_secs(T0 + SECS))?;
        slowest = slowest.max(tick.elapsed());
    }
    let secs = begin.elapsed().as_secs_f64();
    println!("{count} incidents recorded in {secs:.1} s, slowest tick of {TICK} {slowest:.2?}");
    for small in [1, 100, 1_000] {
        let versions = (0..small).map(|n| incident(&mut random, count + n + small, 1.0)).collect();
        let tick = Instant::now();
        store.record(versions, Timestamp::from_secs(T0 + SECS))?;
        println!("a tick of {small} more {:.2?}", tick.elapsed());
    }
    Ok(())
}

fn measure(
    reader: &StoreReader,
    name: &str,
    mut filter: impl FnMut(&mut fastrand::Rng) -> IncidentFilter,
) -> Result<(), StoreError> {
    let mut random = fastrand::Rng::with_seed(2);
    let (mut times, mut work, mut rows) = (Vec::new(), Vec::new(), 0);
    for page in 0..PAGES {
        let filter = filter(&mut random);
        // Half of the pages are first ones, half are anywhere.
        let anywhere = format!("{}000000.1", T0 + random.u32(..SECS));
        let cursor: Option<Cursor> = anywhere.parse().ok().filter(|_| !page.is_multiple_of(2));
        let (begin, worked) = (Instant::now(), cpu_time());
        rows += reader.list(&filter, cursor, PAGE)?.incidents.len();
        work.push(cpu_time().saturating_sub(worked));
        times.push(begin.elapsed());
    }
    println!("{name}: {}; on the processor {}; rows {rows}", quantiles(times), quantiles(work));
    Ok(())
}

fn quantiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |percent: usize| {
        let n = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times.get(n).copied().unwrap_or_default()
    };
    format!("p50 {:.2?} p99 {:.2?} max {:.2?}", at(50), at(99), at(100))
}

/// Time that this thread has had a processor: what others do at the time does not count.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
    Duration::from_nanos(nanos)
}

fn lists(reader: &StoreReader) -> Result<(), StoreError> {
    let any = IncidentFilter::default;
    measure(reader, "all", |_| any())?;
    measure(reader, "open", |_| IncidentFilter { is_open: Some(true), ..any() })?;
    measure(reader, "open, critical", |_| IncidentFilter {
        is_open: Some(true),
        class: Some("critical".to_owned()),
        ..any()
    })?;
    measure(reader, "kind", |_| IncidentFilter { kind: Some("flap".to_owned()), ..any() })?;
    measure(reader, "kind, class, state", |_| IncidentFilter {
        kind: Some("flap".to_owned()),
        class: Some("critical".to_owned()),
        state: Some("ongoing".to_owned()),
        ..any()
    })?;
    measure(reader, "from a time on", |random| IncidentFilter {
        first_seen_before: Some(Timestamp::from_secs(T0 + random.u32(..SECS))),
        ..any()
    })?;
    let role = |random: &mut fastrand::Rng| random.bool().then_some(AsnRole::Victim);
    measure(reader, "the AS most often there, in a role", |random| IncidentFilter {
        asn: Some((asn(0), role(random))),
        ..any()
    })?;
    measure(reader, "any AS", |random| IncidentFilter {
        asn: Some((asn(skewed(random, 80_000)), None)),
        ..any()
    })?;
    measure(reader, "the AS most often there, rare kind and class", |_| IncidentFilter {
        asn: Some((asn(0), None)),
        kind: Some("flap".to_owned()),
        class: Some("critical".to_owned()),
        ..any()
    })?;
    measure(reader, "country", |_| IncidentFilter { country: Some("AA".to_owned()), ..any() })?;
    measure(reader, "country, rare kind and class", |_| IncidentFilter {
        country: Some("AB".to_owned()),
        kind: Some("flap".to_owned()),
        class: Some("critical".to_owned()),
        ..any()
    })?;
    prefixes(reader)
}

fn prefixes(reader: &StoreReader) -> Result<(), StoreError> {
    for (name, len, relation) in [
        ("exact /48", 48, PrefixMatch::Exact),
        ("covering a /64", 64, PrefixMatch::Covering),
        ("covered by a /48", 48, PrefixMatch::Covered),
        ("covered by a /44", 44, PrefixMatch::Covered),
        ("covered by a /40", 40, PrefixMatch::Covered),
        ("covered by a /36", 36, PrefixMatch::Covered),
        ("covered by the /32", 32, PrefixMatch::Covered),
    ] {
        measure(reader, name, |random| IncidentFilter {
            prefix: prefix(skewed(random, 1 << 20), len).map(|prefix| (prefix, relation)),
            ..IncidentFilter::default()
        })?;
    }
    Ok(())
}

fn main() -> Result<(), StoreError> {
    let mut args = std::env::args_os().skip(1);
    let folder = args.next().unwrap_or_else(|| ".".into());
    let folder = Path::new(&folder);
    let count = args.next().and_then(|count| count.to_str()?.parse().ok()).unwrap_or(1_000_000);
    if !folder.join(STORE_FILE).exists() {
        fill(folder, count)?;
    }
    println!("{} octets", std::fs::metadata(folder.join(STORE_FILE))?.len());
    let reader = StoreReader::open(folder)?;
    lists(&reader)?;
    let begin = Instant::now();
    let days = reader.counts(Timestamp::from_secs(0), Timestamp::from_secs(u32::MAX))?.len();
    println!("counts of {days} days, kinds and classes {:.2?}", begin.elapsed());
    Ok(())
}
