use super::*;
use crate::facts::OriginTable;
use crate::facts::vrp::TrustAnchors;
use serde_json::json;

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

const NOW: u32 = 1_700_000_000;
const HOUR: u32 = 3_600;

/// A VRP as (prefix, `max_len`, ASN, trust anchor, hours of life left at [`NOW`], 0 for unknown).
type Entry<'a> = (&'a str, u8, u32, &'a str, u32);

fn table(entries: &[Entry<'_>]) -> VrpTable {
    let mut anchors = TrustAnchors::default();
    let vrps = entries.iter().map(|&(prefix, max_len, asn, ta, hours)| {
        let vrp = Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta: anchors.intern(ta) };
        (vrp, if hours == 0 { 0 } else { NOW + hours * HOUR })
    });
    let vrps = vrps.collect();
    VrpTable::from_expiring(vrps).with_trust_anchors(anchors)
}

fn constituency() -> Constituency {
    let members = json!([
        {
            "id": "isp", "name": "Example ISP", "asns": [64496, 64497],
            "prefixes": ["192.0.2.0/24", "198.51.100.0/22", "2001:db8::/32"],
            "upstreams": [64500, 64501]
        },
        {"id": "clinic", "prefixes": [{"prefix": "192.0.2.128/25", "origins": [64496]}]},
        {"id": "silent", "prefixes": ["203.0.113.0/24"]}
    ]);
    Constituency::new("", serde_json::from_value(members).unwrap()).unwrap()
}

fn findings(old: &[Entry<'_>], new: &[Entry<'_>], routes: &[(&str, u32)]) -> Vec<RoaFinding> {
    let (old, new) = (table(old), table(new));
    let diff = VrpDiff::between(&old, &new);
    let routes = routes.iter().map(|&(prefix, asn)| (p(prefix), Asn(asn))).collect();
    let routes = OriginTable::from_entries(routes);
    let old = RunVrps { table: &old, at: Some(Timestamp::from_secs(NOW - HOUR)) };
    let new = RunVrps { table: &new, at: Some(Timestamp::from_secs(NOW)) };
    roa_changes(&diff, old, new, &constituency(), &routes.standing())
}

fn text(findings: &[RoaFinding]) -> Vec<String> {
    let one = |f: &RoaFinding| {
        let prefixes: Vec<String> = f.prefixes.iter().map(Prefix::to_string).collect();
        let member = f.member.as_deref().unwrap_or("-");
        format!("{:?} {member} {} {}", f.kind, f.asn.map_or(0, |asn| asn.0), prefixes.join(" "))
    };
    findings.iter().map(one).collect()
}

#[test]
fn a_foreign_asn_is_told_and_one_roa_of_many_prefixes_is_one_finding() {
    let own = ("192.0.2.0/24", 24, 64496, "ripe", 0);
    let found = findings(
        &[own],
        &[own, ("192.0.2.0/25", 25, 64666, "ripe", 0), ("2001:db8::/48", 48, 64666, "ripe", 0)],
        &[("192.0.2.0/24", 64496)],
    );
    assert_eq!(text(&found), ["ForeignAsn isp 64666 192.0.2.0/25 2001:db8::/48"]);
    assert_eq!((found[0].vrps, found[0].before.len(), found[0].after.len()), (2, 1, 2));
    assert_eq!(&*found[0].trust_anchor, "ripe");
    assert!(
        found[0].reason.starts_with("2 VRPs were added that authorise AS64666 in the space of")
    );
    // A less-specific one reaches the members below as far as its maxLength does.
    let above = |max_len| findings(&[], &[("192.0.2.0/23", max_len, 64666, "ripe", 0)], &[]);
    assert_eq!(text(&above(23)), [""; 0]);
    assert_eq!(text(&above(24)), ["ForeignAsn isp 64666 192.0.2.0/24"]);
    assert_eq!(
        text(&above(25)),
        ["ForeignAsn clinic 64666 192.0.2.128/25", "ForeignAsn isp 64666 192.0.2.0/24"]
    );
    // Nobody said who may originate this; that one is outside; and this is a member's AS.
    for (prefix, asn) in [("203.0.113.0/24", 64666), ("10.0.0.0/8", 64666), ("192.0.2.0/24", 64497)]
    {
        assert_eq!(text(&findings(&[], &[(prefix, 24, asn, "ripe", 0)], &[])), [""; 0]);
    }
    // It went from one trust anchor to another.
    let moved = |ta| [("192.0.2.0/24", 24, 64666, ta, 0)];
    assert_eq!(text(&findings(&moved("arin"), &moved("ripe"), &[])), [""; 0]);
}

#[test]
fn a_removed_roa_is_told_when_routes_are_valid_no_more() {
    let roa = ("198.51.100.0/22", 24, 64496, "ripe", 0);
    let routes = [("198.51.100.0/24", 64496), ("198.51.101.0/24", 64496), ("198.51.102.0/24", 7)];
    let found = findings(&[roa], &[], &routes);
    assert_eq!(text(&found), ["Removed isp 64496 198.51.100.0/24 198.51.101.0/24"]);
    assert_eq!((found[0].before.len(), found[0].after.len()), (1, 0));
    // Another VRP keeps one of them valid.
    let other = ("198.51.101.0/24", 24, 64496, "ripe", 0);
    assert_eq!(text(&findings(&[roa], &[other], &routes)), ["Removed isp 64496 198.51.100.0/24"]);
    let both = ("198.51.100.0/22", 25, 64496, "ripe", 0);
    assert_eq!(text(&findings(&[roa, both], &[both], &routes)), [""; 0]);
    // Without routes, what is listed serves.
    assert_eq!(text(&findings(&[roa], &[], &[])), ["Removed isp 64496 198.51.100.0/22"]);
    // A VRP that was not the member's.
    assert_eq!(text(&findings(&[("198.51.100.0/22", 24, 7, "ripe", 0)], &[], &routes)), [""; 0]);
}

#[test]
fn a_raised_max_len_is_told_when_nothing_is_announced_so_long() {
    let roa = |max_len| [("198.51.100.0/22", max_len, 64496, "ripe", 0)];
    let routes = [("198.51.100.0/22", 64496), ("198.51.100.0/23", 64496)];
    let loosened = |from, to| text(&findings(&roa(from), &roa(to), &routes));
    assert_eq!(loosened(22, 24), ["Loosened isp 64496 198.51.100.0/22"]);
    assert_eq!(loosened(22, 23), [""; 0]);
    assert_eq!(loosened(24, 23), [""; 0]);
    assert_eq!(text(&findings(&[], &roa(24), &routes)), [""; 0], "new, not raised");
}

#[test]
fn as0_is_told_wherever_it_covers_members() {
    let as0 = |prefix| text(&findings(&[], &[(prefix, 24, 0, "ripe", 0)], &[]));
    assert_eq!(as0("198.51.100.0/24"), ["As0Added isp 0 198.51.100.0/24"]);
    assert_eq!(as0("203.0.113.0/24"), ["As0Added silent 0 203.0.113.0/24"]);
    assert_eq!(
        as0("192.0.2.0/23"),
        ["As0Added clinic 0 192.0.2.128/25", "As0Added isp 0 192.0.2.0/24"]
    );
    assert_eq!(as0("10.0.0.0/8"), [""; 0]);
}

/// Ten VRPs of others, all with so many hours left.
fn others<'a>(prefixes: &'a [String], ta: &'a str, hours: u32) -> Vec<Entry<'a>> {
    prefixes.iter().map(|prefix| (prefix.as_str(), 24, 64999, ta, hours)).collect()
}

#[test]
fn a_vrp_expires_when_it_falls_behind_those_of_its_trust_anchor() {
    let prefixes: Vec<String> = (0..10).map(|n| format!("10.0.{n}.0/24")).collect();
    let expiring = |hours, of_others| {
        let mut vrps = others(&prefixes, "ripe", of_others);
        vrps.push(("192.0.2.0/24", 24, 64496, "ripe", hours));
        text(&findings(&vrps, &vrps, &[]))
    };
    // An anchor whose VRPs live for days: 24 hours count.
    let told = ["Expiring isp 64496 192.0.2.0/24"];
    assert_eq!(expiring(23, 120), told);
    assert_eq!(expiring(22, 120), [""; 0], "told an hour before");
    assert_eq!(expiring(25, 120), [""; 0]);
    // One that renews all of them every night: half of what is left in the middle.
    assert_eq!(expiring(17, 18), [""; 0]);
    assert_eq!(expiring(8, 18), told);
    assert_eq!(expiring(0, 18), [""; 0], "not known");
}

#[test]
fn the_loss_of_a_trust_anchor_is_one_finding() {
    let prefixes: Vec<String> = (0..9).map(|n| format!("10.0.{n}.0/24")).collect();
    let mut old = others(&prefixes, "ripe", 120);
    old.push(("192.0.2.0/24", 24, 64496, "ripe", 120));
    let routes = [("192.0.2.0/24", 64496)];
    let found = findings(&old, &[], &routes);
    assert_eq!(text(&found), ["TrustAnchorLoss - 0 "]);
    assert_eq!(found[0].reason, "10 of 10 VRPs of trust anchor \"ripe\" are gone");
    // Two of ten are 20 %, not more.
    assert_eq!(text(&findings(&old, &old[..8], &routes)), ["Removed isp 64496 192.0.2.0/24"]);
    assert_eq!(text(&findings(&old, &old[..7], &routes)), ["TrustAnchorLoss - 0 "]);
    // What is added under it, and what other anchors lose, is told all the same.
    old.push(("198.51.100.0/22", 22, 64496, "arin", 0));
    let foreign = [("192.0.2.0/24", 24, 64666, "ripe", 0)];
    assert_eq!(
        text(&findings(&old, &foreign, &routes)),
        [
            "TrustAnchorLoss - 0 ",
            "ForeignAsn isp 64666 192.0.2.0/24",
            "Removed isp 64496 198.51.100.0/22"
        ]
    );
}

fn pairs(all: &[(Asn, Vec<Asn>)]) -> impl Iterator<Item = (Asn, &[Asn])> {
    all.iter().map(|(customer, providers)| (*customer, providers.as_slice()))
}

#[test]
fn aspa_changes_of_members_are_told_by_provider() {
    let changes = |old: &[(u32, &[u32])], new: &[(u32, &[u32])]| {
        let list = |all: &[(u32, &[u32])]| -> Vec<(Asn, Vec<Asn>)> {
            let asns = |providers: &[u32]| providers.iter().copied().map(Asn).collect();
            all.iter().map(|&(customer, providers)| (Asn(customer), asns(providers))).collect()
        };
        let (old, new) = (list(old), list(new));
        let found = aspa_changes(pairs(&old), pairs(&new), &constituency());
        found
            .iter()
            .map(|f| format!("{:?} {} {:?}", f.kind, f.customer, f.providers))
            .collect::<Vec<_>>()
    };
    assert_eq!(changes(&[(7, &[1])], &[(7, &[2])]), [""; 0]);
    assert_eq!(
        changes(&[(64496, &[64500])], &[(64496, &[64501, 64666])]),
        [
            "ForeignProvider AS64496 [Asn(64666)]",
            "ProviderAdded AS64496 [Asn(64501)]",
            "ProviderRemoved AS64496 [Asn(64500)]"
        ]
    );
    assert_eq!(changes(&[], &[(64497, &[0])]), ["Added AS64497 [Asn(0)]"]);
    assert_eq!(changes(&[(64497, &[64500])], &[]), ["Removed AS64497 [Asn(64500)]"]);
    let same: &[(u32, &[u32])] = &[(64496, &[64500, 64501])];
    assert_eq!(changes(same, same), [""; 0]);
}
