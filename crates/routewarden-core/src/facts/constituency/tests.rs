use super::*;
use proptest::prelude::*;
use serde_json::json;

fn p(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn members(document: serde_json::Value) -> Vec<Member> {
    serde_json::from_value(document).unwrap()
}

/// An operator with a hospital among its customers, and a bank of two sites.
fn sample() -> Constituency {
    let members = members(json!([
        {
            "id": "isp", "name": "Example ISP", "asns": [64497, "AS64496", 64496],
            "prefixes": ["192.0.2.0/24", "2001:db8::/32"], "upstreams": [64510, 64500],
            "countries": ["NL"]
        },
        {
            "id": "hospital", "criticality": "tier0",
            "prefixes": [{"prefix": "192.0.2.128/25", "origins": [64496]}]
        },
        {
            "id": "bank", "asns": [64499], "countries": ["NL", "BE"],
            "prefixes": [
                "198.51.100.0/24",
                {"prefix": "203.0.113.0/25", "criticality": "tier0"},
                {"prefix": "203.0.113.128/25", "origins": [64501, 64499], "criticality": "other"}
            ]
        }
    ]));
    Constituency::new("Example", members).unwrap()
}

fn ids<'a>(holdings: impl Iterator<Item = Holding<'a>>) -> Vec<String> {
    holdings.map(|h| format!("{} {}", h.member.id, h.listed.prefix)).collect()
}

#[test]
fn the_nearest_listed_prefix_holds_and_more_specifics_belong_to_it() {
    let sample = sample();
    assert_eq!(ids(sample.covering(&p("192.0.2.0/25"))), ["isp 192.0.2.0/24"]);
    assert_eq!(ids(sample.covering(&p("192.0.2.192/26"))), ["hospital 192.0.2.128/25"]);
    assert_eq!(ids(sample.covering(&p("192.0.0.0/16"))), [""; 0]);
    assert_eq!(
        ids(sample.covered(&p("192.0.0.0/16"))),
        ["isp 192.0.2.0/24", "hospital 192.0.2.128/25"]
    );
    assert_eq!(sample.prefix_count(), 6);
}

#[test]
fn expected_origins_are_the_listed_ones_else_the_member_s() {
    let sample = sample();
    let origins = |text| sample.expected_origins(&p(text)).map(<[Asn]>::to_vec);
    assert_eq!(origins("192.0.2.0/26"), Some(vec![Asn(64496), Asn(64497)]));
    assert_eq!(origins("192.0.2.128/32"), Some(vec![Asn(64496)]));
    assert_eq!(origins("203.0.113.128/25"), Some(vec![Asn(64499), Asn(64501)]));
    assert_eq!(origins("203.0.112.0/23"), None);
    let bare = members(json!([{"id": "bare", "prefixes": ["192.0.2.0/24"]}]));
    let bare = Constituency::new("", bare).unwrap();
    assert_eq!(bare.expected_origins(&p("192.0.2.0/24")), None);
    assert_eq!(ids(bare.covering(&p("192.0.2.0/24"))), ["bare 192.0.2.0/24"]);
}

#[test]
fn a_prefix_of_two_members_has_the_origins_of_both() {
    let both = members(json!([
        {"id": "b", "asns": [64497], "prefixes": ["192.0.2.0/24"], "upstreams": [64500]},
        {"id": "a", "asns": [64496, 64497], "prefixes": ["192.0.2.0/24"], "criticality": "other"}
    ]));
    let both = Constituency::new("", both).unwrap();
    assert_eq!(ids(both.covering(&p("192.0.2.0/24"))), ["a 192.0.2.0/24", "b 192.0.2.0/24"]);
    assert_eq!(
        both.expected_origins(&p("192.0.2.0/24")),
        Some([Asn(64496), Asn(64497)].as_slice())
    );
    let of_asn: Vec<&str> = both.members_of_asn(Asn(64497)).map(|m| &*m.id).collect();
    assert_eq!(of_asn, ["a", "b"]);
    assert_eq!(both.expected_upstreams(Asn(64497)), Some([Asn(64500)].as_slice()));
    assert_eq!(both.expected_upstreams(Asn(64496)), None);
    assert_eq!(both.criticality_of_asn(Asn(64497)), Some(Criticality::Member));
}

#[test]
fn upstreams_are_checked_only_where_given() {
    let sample = sample();
    assert_eq!(sample.expected_upstreams(Asn(64496)), Some([Asn(64500), Asn(64510)].as_slice()));
    assert_eq!(sample.is_expected_upstream(Asn(64496), Asn(64500)), Some(true));
    assert_eq!(sample.is_expected_upstream(Asn(64496), Asn(64497)), Some(true), "its own AS");
    assert_eq!(sample.is_expected_upstream(Asn(64496), Asn(64505)), Some(false));
    assert_eq!(sample.is_expected_upstream(Asn(64499), Asn(64505)), None);
    assert_eq!(sample.is_expected_upstream(Asn(64511), Asn(64505)), None);
}

#[test]
fn criticality_is_the_highest_concerned() {
    let sample = sample();
    assert_eq!(sample.criticality_of(&p("192.0.2.0/25")), Some(Criticality::Member));
    assert_eq!(sample.criticality_of(&p("192.0.2.0/24")), Some(Criticality::Tier0));
    assert_eq!(sample.criticality_of(&p("203.0.113.192/26")), Some(Criticality::Other));
    assert_eq!(sample.criticality_of(&p("203.0.112.0/23")), Some(Criticality::Tier0));
    assert_eq!(sample.criticality_of(&p("100.64.0.0/24")), None);
    assert_eq!(sample.criticality_of(&p("0.0.0.0/0")), None);
    assert_eq!(sample.criticality_of_asn(Asn(64499)), Some(Criticality::Member));
    let factor = |criticality: Criticality| criticality.factor().to_string();
    let all = [Criticality::Tier0, Criticality::Member, Criticality::Other];
    assert_eq!(all.map(factor), ["1", "0.7", "0.4"]);
}

#[test]
fn touches_name_each_member_with_its_role() {
    let sample = sample();
    let touches = |culprits: &[u32], victims: &[u32], prefixes: &[&str], path: &[u32]| {
        let asns = |list: &[u32]| list.iter().copied().map(Asn).collect::<Vec<_>>();
        let prefixes: Vec<Prefix> = prefixes.iter().map(|text| p(text)).collect();
        let touches = sample.touches(&asns(culprits), &asns(victims), &prefixes, &asns(path));
        touches.iter().map(|t| format!("{} {:?}", t.member, t.role)).collect::<Vec<_>>()
    };
    assert_eq!(touches(&[64511], &[], &["100.64.0.0/10"], &[64511, 64505]), [""; 0]);
    assert_eq!(
        touches(&[64499], &[64497], &["192.0.2.0/24"], &[64499, 64496, 64500]),
        ["bank Culprit", "hospital Victim", "isp Victim"]
    );
    assert_eq!(
        touches(&[64511], &[], &["192.0.2.200/32"], &[64499]),
        ["bank OnPath", "hospital Victim"]
    );
    assert_eq!(touches(&[64499], &[64499], &[], &[64499]), ["bank Victim", "bank Culprit"]);
    let touch = &sample.touches(&[], &[Asn(64496)], &[], &[])[0];
    assert_eq!(
        serde_json::to_string(touch).unwrap(),
        r#"{"member":"isp","name":"Example ISP","role":"victim"}"#
    );
    assert_eq!(sample.members_of_country("NL").count(), 2);
}

#[test]
fn faults_name_the_member() {
    let fault = |document| {
        let error = Constituency::new("", members(document)).unwrap_err();
        (error.position, error.fault)
    };
    assert_eq!(fault(json!([{"id": "a"}, {"id": "a"}])), (1, MemberFault::DuplicateId));
    assert_eq!(
        fault(json!([{"id": "a", "prefixes": [
            "192.0.2.0/24", "192.0.2.0/25", {"prefix": "192.0.2.0/24", "origins": [64496]}]}])),
        (0, MemberFault::DuplicatePrefix(p("192.0.2.0/24")))
    );
    let many: Vec<_> = (0..=MEMBERS_MAX).map(|n| json!({"id": n.to_string()})).collect();
    assert_eq!(fault(json!(many)), (MEMBERS_MAX, MemberFault::TooManyMembers));
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
    for (member, says) in [
        (json!({"name": "x"}), "missing field `id`"),
        (json!({"id": "a b"}), "letters, digits"),
        (json!({"id": "x".repeat(65)}), "letters, digits"),
        (json!({"id": "a", "asn": [1]}), "unknown field `asn`"),
        (json!({"id": "a", "asns": [0]}), "not reserved"),
        (json!({"id": "a", "asns": [-1]}), "not reserved"),
        (json!({"id": "a", "asns": [4_294_967_296_u64]}), "not reserved"),
        (json!({"id": "a", "asns": ["ASx"]}), "not reserved"),
        (json!({"id": "a", "asns": 64496}), "a list"),
        (json!({"id": "a", "prefixes": ["192.0.2.1/24"]}), "host bits"),
        (json!({"id": "a", "prefixes": ["0.0.0.0/0"]}), "default route"),
        (json!({"id": "a", "prefixes": [{"prefix": "::/0"}]}), "default route"),
        (json!({"id": "a", "prefixes": [{"origin": 1}]}), "unknown field `origin`"),
        (json!({"id": "a", "countries": ["nl"]}), "capital letters"),
        (json!({"id": "a", "criticality": "high"}), "unknown variant `high`"),
        (json!({"id": "a", "name": "\u{1b}[2J"}), "control characters"),
        (json!({"id": "a", "as_sets": ["x".repeat(501)]}), "at most 500"),
        (json!({"id": "a", "asns": vec![64496; LIST_ENTRIES_MAX + 1]}), "more than 10000"),
    ] {
        let error = serde_json::from_value::<Member>(member).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

proptest! {
    /// The look-ups equal naive searches through all members.
    #[test]
    fn equals_a_naive_search(
        held in prop::collection::vec((0u32..64, 1u8..=8, 0usize..3, 64496u32..64500), 0..40),
        asked in prop::collection::vec((0u32..64, 0u8..=8), 1..20),
    ) {
        let mut all: Vec<Member> = ["a", "b", "c"]
            .map(|id| Member { id: id.into(), ..Member::default() }).to_vec();
        for (bits, len, member, origin) in held {
            let prefix = Prefix::v4(bits << 26, len).unwrap();
            let list = &mut all[member].prefixes;
            if list.iter().all(|listed| listed.prefix != prefix) {
                list.push(MemberPrefix { prefix, origins: vec![Asn(origin)], criticality: None });
            }
        }
        let constituency = Constituency::new("", all.clone()).unwrap();
        let listed: Vec<(Prefix, &str, Asn)> = all.iter().flat_map(|member| {
            member.prefixes.iter().map(|l| (l.prefix, &*member.id, l.origins[0]))
        }).collect();
        for (bits, len) in asked {
            let asked = Prefix::v4(bits << 26, len).unwrap();
            let longest = listed.iter().filter(|l| l.0.covers(&asked)).map(|l| l.0.len()).max();
            let mut near: Vec<_> = listed.iter().copied()
                .filter(|l| l.0.covers(&asked) && Some(l.0.len()) == longest).collect();
            near.sort_unstable();
            let found: Vec<_> = constituency.covering(&asked)
                .map(|h| (h.listed.prefix, &*h.member.id, h.listed.origins[0])).collect();
            prop_assert_eq!(found, near.clone());
            let origins = sorted(near.iter().map(|l| l.2).collect());
            prop_assert_eq!(
                constituency.expected_origins(&asked).unwrap_or_default(), origins);
            let mut inside: Vec<_> =
                listed.iter().copied().filter(|l| asked.covers(&l.0)).collect();
            inside.sort_unstable();
            let found: Vec<_> = constituency.covered(&asked)
                .map(|h| (h.listed.prefix, &*h.member.id, h.listed.origins[0])).collect();
            prop_assert_eq!(found, inside);
        }
    }
}
