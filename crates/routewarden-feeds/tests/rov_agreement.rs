//! Route origin validation of real routes against the prefix arithmetic of the `rpki` crate.
#![expect(clippy::print_stderr, reason = "tests say when real data is missing")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy exempts test functions only"
)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use routewarden_core::facts::{RovState, VrpTable};
use routewarden_core::{Asn, Origin, Prefix};
use routewarden_feeds::facts::{load_file, load_origins, load_vrps};
use rpki::resources::addr::{MaxLenPrefix, Prefix as RpkiPrefix};

/// Routes compared.
const ROUTES: usize = 100_000;

type Route = (Prefix, Asn);

/// A file of the shared data, when it is there. In CI it must be.
fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(file);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "missing: {}", path.display());
    eprintln!("skipped: {} is missing", path.display());
    None
}

fn routes_of(path: &Path, is_wanted: impl Fn(&Prefix) -> bool) -> Vec<Route> {
    let table = load_file(path, None, load_origins).unwrap().facts.table;
    let wanted = table.iter().filter(|(prefix, _)| is_wanted(prefix));
    wanted.flat_map(|(prefix, origins)| origins.iter().map(move |&asn| (prefix, asn))).collect()
}

/// `count` of the routes, evenly spaced.
fn sample(routes: &[Route], count: usize) -> impl Iterator<Item = Route> + '_ {
    (0..count).map(move |at| routes[at * routes.len() / count])
}

/// VRPs by prefix, all in the types of the `rpki` crate.
struct Reference {
    vrps: HashMap<RpkiPrefix, Vec<(MaxLenPrefix, u32)>>,
}

impl Reference {
    fn new(table: &VrpTable) -> Self {
        let mut vrps: HashMap<RpkiPrefix, Vec<_>> = HashMap::new();
        for vrp in table.iter() {
            let prefix = RpkiPrefix::new(vrp.prefix.addr(), vrp.prefix.len()).unwrap();
            let payload = MaxLenPrefix::new(prefix, Some(vrp.max_len)).unwrap();
            vrps.entry(prefix).or_default().push((payload, vrp.asn.0));
        }
        Reference { vrps }
    }

    /// RFC 6811 §2 with candidates found by asking for every less-specific in turn.
    fn state(&self, prefix: RpkiPrefix, origin: Option<u32>) -> RovState {
        let lengths = 0..=prefix.len();
        let less_specifics =
            lengths.map(|len| RpkiPrefix::new_relaxed(prefix.addr(), len).unwrap());
        let candidates = less_specifics.filter_map(|less| self.vrps.get(&less)).flatten();
        let covering: Vec<_> =
            candidates.filter(|(payload, _)| payload.prefix().covers(prefix)).collect();
        let matches = |(payload, asn): &&(MaxLenPrefix, u32)| {
            *asn != 0 && Some(*asn) == origin && prefix.len() <= payload.resolved_max_len()
        };
        if covering.is_empty() {
            RovState::NotFound
        } else if covering.iter().any(matches) {
            RovState::Valid
        } else {
            RovState::Invalid
        }
    }
}

/// Agreements as valid, invalid, not found.
fn agreements(
    table: &VrpTable,
    reference: &Reference,
    routes: impl Iterator<Item = (Prefix, Origin)>,
) -> [usize; 3] {
    let mut counts = [0; 3];
    for (prefix, origin) in routes {
        let rpki_prefix = RpkiPrefix::new(prefix.addr(), prefix.len()).unwrap();
        let expected = reference.state(rpki_prefix, origin.asn().map(|asn| asn.0));
        assert_eq!(table.state(&prefix, origin).0, expected, "{prefix} {origin:?}");
        let of_state = match expected {
            RovState::Valid => 0,
            RovState::Invalid => 1,
            RovState::NotFound => 2,
        };
        counts[of_state] += 1;
    }
    counts
}

#[test]
fn rfc6811_agrees_with_the_rpki_crate_on_real_routes() {
    let vrps = shared("data/rpki/rpkiclient_summary_20250720T100145Z.json.bz2");
    let v4 = shared("data/origins/dfz-v4-prefix-origin.2021.csv.gz");
    let v6 = shared("data/origins/pyasn.ipasn6_20151101.dat.gz");
    let (Some(vrps), Some(v4), Some(v6)) = (vrps, v4, v6) else { return };
    let table = load_file(&vrps, None, load_vrps).unwrap().facts.table;
    let reference = Reference::new(&table);
    let v6 = routes_of(&v6, |prefix| !prefix.is_ipv4());
    let v4 = routes_of(&v4, Prefix::is_ipv4);
    let routes: Vec<Route> = sample(&v4, ROUTES - v6.len()).chain(v6.iter().copied()).collect();

    let as_seen = routes.iter().map(|&(prefix, asn)| (prefix, Origin::As(asn)));
    // Half of each prefix: longer than many a maxLength.
    let halves = routes.iter().filter_map(|&(prefix, asn)| {
        Some((Prefix::new(prefix.addr(), prefix.len() + 1)?, Origin::As(asn)))
    });
    let sets = routes.iter().map(|&(prefix, _)| (prefix, Origin::Set));
    let counts = [
        agreements(&table, &reference, as_seen),
        agreements(&table, &reference, halves),
        agreements(&table, &reference, sets),
    ];
    assert_eq!(counts, [[42_944, 10_605, 46_451], [12_511, 41_281, 45_972], [0, 53_549, 46_451]]);
}
