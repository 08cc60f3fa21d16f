//! A store with made-up incidents.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "made-up numbers, all small"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_detect::{IncidentKind, SeverityClass};
use routewarden_store::{AsnRole, IncidentVersion, STORE_FILE, Store};
use serde_json::{Value, json};

/// Incidents of a tick.
const TICK: usize = 10_000;
/// Two years of incidents.
pub(crate) const SECS: u32 = 63_072_000;
/// When they begin: 27 November 2024.
pub(crate) const T0: u32 = 1_732_665_600;
/// One of so many has not ended.
const OPEN_ONE_OF: usize = 1_000;
/// One of so many touches a member of the constituency.
const MEMBER_ONE_OF: u32 = 20;
/// Lines of evidence of an incident: with the rest some 2 kB of JSON.
const EVIDENCE: usize = 8;

/// Small numbers are far more often than large ones.
pub(crate) fn skewed(random: &mut fastrand::Rng, below: u32) -> u32 {
    let part = random.f64();
    (part * part * part * f64::from(below)) as u32
}

/// An AS by its rank.
pub(crate) fn asn(rank: u32) -> Asn {
    // Private use (RFC 6996): there are too few for documentation.
    Asn(4_200_000_000 + rank)
}

/// A prefix by its rank, below `2001:db8::/32`.
pub(crate) fn prefix(rank: u32, len: u8) -> Option<Prefix> {
    Prefix::v6((0x2001_0db8_u128 << 96) | (u128::from(rank) << 72), len)
}

/// A country by its rank.
pub(crate) fn country(rank: u32) -> String {
    let letter = |n: u32| char::from(b'A' + (n % 26) as u8);
    [letter(rank / 26), letter(rank)].iter().collect()
}

/// The class by its rank: the worst are the fewest.
pub(crate) fn class(rank: u32) -> SeverityClass {
    SeverityClass::of([5, 30, 50, 70, 95].get(rank as usize).copied().unwrap_or_default())
}

/// Fills the store in a folder, when there is none.
pub(crate) fn fill(folder: &Path, count: usize) -> Result<Value> {
    let file = folder.join(STORE_FILE);
    if file.exists() {
        return Ok(json!({ "octets": std::fs::metadata(file)?.len() }));
    }
    let mut random = fastrand::Rng::with_seed(1);
    let mut store = Store::open(folder)?;
    let begun = Instant::now();
    let mut slowest = Duration::ZERO;
    for from in (0..count).step_by(TICK) {
        let numbers = from..count.min(from + TICK);
        let versions = numbers.map(|n| incident(&mut random, n, n as f64 / count as f64));
        let versions = versions.collect::<Result<Vec<_>>>()?;
        let tick = Instant::now();
        let recorded = store.record(versions, Timestamp::from_secs(T0 + SECS))?;
        slowest = slowest.max(tick.elapsed());
        ensure!(recorded.refused.is_empty(), "{:?}", recorded.refused);
    }
    Ok(json!({
        "octets": std::fs::metadata(file)?.len(),
        "filled_in_secs": begun.elapsed().as_secs_f64(),
        "slowest_tick_secs": slowest.as_secs_f64(),
    }))
}

/// As they come: `part` tells how far the two years have gone.
fn incident(random: &mut fastrand::Rng, n: usize, part: f64) -> Result<IncidentVersion> {
    let first_seen = Timestamp::from_secs(T0 + (f64::from(SECS) * part) as u32 / 60 * 60);
    let is_open = n.is_multiple_of(OPEN_ONE_OF);
    let kinds = IncidentKind::ALL;
    let kind =
        kinds.get(skewed(random, kinds.len() as u32) as usize).map_or("", |kind| kind.name());
    let asns = [AsnRole::Culprit, AsnRole::Victim, AsnRole::Propagator]
        .map(|role| (asn(skewed(random, 80_000)), role));
    let count = 1 + skewed(random, 6);
    let member = format!("member-{}", skewed(random, 50));
    let members = if random.u32(..MEMBER_ONE_OF) == 0 { vec![member] } else { Vec::new() };
    let prefixes: Vec<Prefix> =
        (0..count).filter_map(|_| prefix(skewed(random, 1 << 20), random.u8(40..=56))).collect();
    let body = body(n, first_seen, &asns, &prefixes, &members);
    Ok(IncidentVersion {
        id: format!("RW-{n:08}-{:08x}", random.u32(..)),
        key: format!("{kind}|{n}"),
        kind: kind.to_owned(),
        state: if is_open { "ongoing" } else { "ended" }.to_owned(),
        class: class(skewed(random, 5)).name().to_owned(),
        confidence: random.u8(..=100),
        severity: random.u8(..=100),
        first_seen,
        last_seen: first_seen.plus_secs(600),
        ended_at: (!is_open).then(|| first_seen.plus_secs(900)),
        asns: asns.to_vec(),
        prefixes,
        countries: vec![country(skewed(random, 200))],
        members,
        report: false,
        is_withdrawn: false,
        body: serde_json::value::to_raw_value(&body)?,
    })
}

/// What the detector would say of it, as far as the API reads it, and as long.
fn body(
    n: usize,
    at: Timestamp,
    asns: &[(Asn, AsnRole)],
    prefixes: &[Prefix],
    members: &[String],
) -> Value {
    let names = asns.iter().map(|(asn, _)| (asn.0.to_string(), format!("AS-NUMBER-{n}").into()));
    let paths = prefixes.iter().map(|prefix| {
        json!({ "time": at, "collector": "rrc04", "peer_asn": 64511, "peer_addr": "192.0.2.1",
                "prefix": prefix, "path": "64511 64497 64496 4200000000" })
    });
    let line = json!({ "rule": "origin_never_seen", "weight": 20,
        "text": "The origin has not been seen with this prefix in the last year of tables.",
        "facts": { "origin": 64496, "days": 365 } });
    let touched = members
        .iter()
        .map(|member| json!({ "member": member, "name": "Member", "role": "victim" }));
    json!({
        "prefix_count": prefixes.len(),
        "standing": false,
        "vantage_points": { "seen": 9, "of": 11, "peak": 9, "now": 0 },
        "rov": { "state": "not_found", "reason": null },
        "constituency": touched.collect::<Vec<_>>(),
        "as_names": names.collect::<serde_json::Map<_, _>>(),
        "sample_paths": paths.collect::<Vec<_>>(),
        "countermeasures": [],
        "evidence": vec![line; EVIDENCE],
    })
}
