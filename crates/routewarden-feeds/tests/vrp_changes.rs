//! Two validator runs half an hour apart, the difference that rpkilog found between them, and the
//! routes of the world.
#![expect(clippy::print_stderr, reason = "tests say when real data is missing")]
#![expect(clippy::unwrap_used, reason = "clippy exempts test functions only")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use routewarden_core::facts::vrp::{TrustAnchorId, TrustAnchors};
use routewarden_core::facts::{
    Constituency, OriginTable, RoaFinding, RoaFindingKind, RunVrps, Sourced, StateChange, Vrp,
    VrpDiff, VrpTable, roa_changes,
};
use routewarden_core::{Asn, Origin, Prefix};
use routewarden_feeds::facts::{load_constituency, load_file, load_origins, load_vrps};

const OLD: &str = "rpki/rpkiclient_summary_20250720T093135Z.json.bz2";
const NEW: &str = "rpki/rpkiclient_summary_20250720T100145Z.json.bz2";
const DIFF: &str = "rpki/rpkiclient_vrpdiff_20250720T100145Z.json.bz2";
const ROUTES: &str = "origins/dfz-v4-prefix-origin.2021.csv.gz";

fn vrps(name: &str) -> Option<Sourced<VrpTable>> {
    let path = common::data(name)?;
    Some(load_file(&path, None, load_vrps).unwrap().facts)
}

fn routes() -> Option<OriginTable> {
    let path = common::data(ROUTES)?;
    Some(load_file(&path, None, load_origins).unwrap().facts.table)
}

fn constituency(toml: &str) -> Constituency {
    load_constituency(Path::new("test"), None, &mut toml.as_bytes()).unwrap().facts.table
}

/// The table with some VRPs left out and others added.
fn changed(table: &VrpTable, keep: impl Fn(&Vrp) -> bool, more: &[(Vrp, &str)]) -> VrpTable {
    let mut anchors = TrustAnchors::default();
    let mut entries: Vec<(Vrp, u32)> = table
        .iter_expiring()
        .filter(|(vrp, _)| keep(vrp))
        .map(|(vrp, expires)| {
            (Vrp { ta: anchors.intern(table.trust_anchor(&vrp)), ..vrp }, expires)
        })
        .collect();
    for &(vrp, ta) in more {
        entries.push((Vrp { ta: anchors.intern(ta), ..vrp }, 0));
    }
    VrpTable::from_expiring(entries).with_trust_anchors(anchors)
}

/// A VRP of the difference file: trust anchor, prefix, AS, `max_len`; and its expiry.
fn roa(value: &serde_json::Value) -> ((String, Prefix, Asn, u8), u32) {
    let number = |field: &str| u32::try_from(value[field].as_u64().unwrap()).unwrap();
    let prefix = value["prefix"].as_str().unwrap().parse().unwrap();
    let ta = value["ta"].as_str().unwrap().to_owned();
    let max_len = u8::try_from(number("maxLength")).unwrap();
    ((ta, prefix, Asn(number("asn")), max_len), number("expires"))
}

/// rpkilog counts a VRP, told by trust anchor, prefix, ASN and maxLength, that is new (`NEW`), gone
/// (`DELETE`), or in both runs with another expiry (`REPLACE`).
#[test]
fn the_difference_is_that_of_rpkilog() {
    let [Some(old), Some(new)] = [OLD, NEW].map(vrps) else { return };
    let path = common::data(DIFF).unwrap();
    let diff = VrpDiff::between(&old, &new);
    let mut ours = BTreeMap::new();
    let key = |vrp: &Vrp| (diff.trust_anchor(vrp).to_owned(), vrp.prefix, vrp.asn, vrp.max_len);
    ours.extend(diff.renewed().iter().map(|r| (key(&r.vrp), (Some(r.before), Some(r.after)))));
    let expiry = |table: &VrpTable, wanted: &Vrp| {
        let is_it = |vrp: &Vrp| {
            table.trust_anchor(vrp) == diff.trust_anchor(wanted)
                && (vrp.prefix, vrp.asn, vrp.max_len) == (wanted.prefix, wanted.asn, wanted.max_len)
        };
        table.iter_expiring().find(|(vrp, _)| is_it(vrp)).map(|(_, expires)| expires)
    };
    ours.extend(diff.added().iter().map(|vrp| (key(vrp), (None, expiry(&new, vrp)))));
    ours.extend(diff.removed().iter().map(|vrp| (key(vrp), (expiry(&old, vrp), None))));

    let file = bzip2::read::BzDecoder::new(std::fs::File::open(path).unwrap());
    let document: serde_json::Value = serde_json::from_reader(file).unwrap();
    let mut theirs = BTreeMap::new();
    for change in document["vrp_diffs"].as_array().unwrap() {
        let [before, after] = ["old_roa", "new_roa"].map(|side| change.get(side).map(roa));
        let key = before.as_ref().or(after.as_ref()).unwrap().0.clone();
        let expires = [&before, &after].map(|side| side.as_ref().map(|(_, expires)| *expires));
        theirs.insert(key, (expires[0], expires[1]));
        if let (Some(before), Some(after)) = (before, after) {
            assert_eq!(before.0, after.0, "a REPLACE is of one VRP");
        }
    }
    assert_eq!(Some(diff.len() as u64), document["metadata"]["diff_count"].as_u64());
    assert_eq!(ours, theirs);
    let counts = (diff.added().len(), diff.removed().len(), diff.renewed().len());
    assert_eq!(counts, (9, 6, 10_193));
    let totals: Vec<_> =
        diff.anchors().iter().map(|a| (&*a.name, a.before, a.after, a.added, a.removed)).collect();
    assert_eq!(
        totals,
        [
            ("afrinic", 26_326, 26_326, 0, 0),
            ("apnic", 153_201, 153_203, 3, 1),
            ("arin", 203_995, 203_996, 2, 1),
            ("lacnic", 39_011, 39_011, 0, 0),
            ("ripe", 300_988, 300_988, 4, 4),
        ]
    );
}

fn revalidate_all(old: &VrpTable, new: &VrpTable, routes: &OriginTable) -> Vec<StateChange> {
    let pairs = routes.iter().flat_map(|(prefix, asns)| asns.iter().map(move |a| (prefix, *a)));
    let states = pairs.map(|(prefix, asn)| {
        let origin = Origin::As(asn);
        let (before, after) = (old.state(&prefix, origin).0, new.state(&prefix, origin).0);
        StateChange { prefix, origin, before, after }
    });
    states.filter(|change| change.before != change.after).collect()
}

/// Only the routes that a changed VRP covers are looked at, and that is enough.
#[test]
fn standing_routes_are_revalidated_where_vrps_changed() {
    let [Some(old), Some(new)] = [OLD, NEW].map(vrps) else { return };
    let routes = routes().unwrap();
    let check = |new: &VrpTable, what: &str| {
        let outcome = VrpDiff::between(&old, new).revalidate(&old, new, &routes.standing());
        let full = revalidate_all(&old, new, &routes);
        assert_eq!(outcome.changed, full, "{what}");
        (outcome.touched, outcome.changed.len())
    };
    assert_eq!(check(&new, "half an hour"), (1, 0));
    let is_ripe = |vrp: &Vrp| old.trust_anchor(vrp) == "ripe";
    let (touched, changes) = check(&changed(&old, |vrp| !is_ripe(vrp), &[]), "without RIPE");
    assert!(touched > 100_000 && changes > 50_000, "{touched} {changes}");
}

fn findings(old: &Sourced<VrpTable>, new: &VrpTable, whose: &Constituency) -> Vec<RoaFinding> {
    let diff = VrpDiff::between(old, new);
    let at = old.source.date;
    let (old, new) = (RunVrps { table: old, at }, RunVrps { table: new, at });
    roa_changes(&diff, old, new, whose, &routes().unwrap().standing())
}

/// Of the real run of 09:31, with a change made by us: a ROA for 8.8.8.0/24 with an AS that has no
/// business there, and a trust anchor that vanishes.
#[test]
fn a_foreign_roa_and_a_lost_trust_anchor_are_one_finding_each() {
    let Some(old) = vrps(OLD) else { return };
    let whose = constituency(
        "[[member]]\nid = \"google\"\nasns = [15169]\nprefixes = [\"8.8.8.0/24\"]\n\
         [[member]]\nid = \"ripe\"\nasns = [3333]\nprefixes = [\"193.0.0.0/21\"]\n",
    );
    assert_eq!(findings(&old, &old, &whose), []);

    let prefix: Prefix = "8.8.8.0/24".parse().unwrap();
    let foreign = Vrp { prefix, max_len: 24, asn: Asn(64_666), ta: TrustAnchorId::default() };
    let with_foreign = changed(&old, |_| true, &[(foreign, "arin")]);
    let found = findings(&old, &with_foreign, &whose);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].kind, found[0].member.as_deref()),
        (RoaFindingKind::ForeignAsn, Some("google"))
    );
    assert_eq!((found[0].asn, &found[0].prefixes[..]), (Some(Asn(64_666)), &[prefix][..]));
    assert_eq!(&*found[0].trust_anchor, "arin");

    let is_ripe = |vrp: &Vrp| old.trust_anchor(vrp) == "ripe";
    let found = findings(&old, &changed(&old, |vrp| !is_ripe(vrp), &[]), &whose);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].kind, found[0].vrps), (RoaFindingKind::TrustAnchorLoss, 300_988));

    // Below the limit, the member's own loss is told.
    let holder: Prefix = "193.0.0.0/21".parse().unwrap();
    let found = findings(&old, &changed(&old, |vrp| vrp.prefix != holder, &[]), &whose);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].kind, found[0].asn), (RoaFindingKind::Removed, Some(Asn(3333))));
}
