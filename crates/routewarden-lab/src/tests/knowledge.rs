//! What formats learnt later: attributes, ranges, facts that change, members, further expectations.

use super::*;

#[test]
fn attributes_reach_the_events_and_tell_routes_apart() {
    let scenario = scenario(
        r#"
[[event]]
at = 2030-01-01T00:00:01Z
announce = ["192.0.2.0/24"]
paths = ["64497 64511 otc=64511", "+1 64497 64511", "+2 64497 64511 communities=65535:666"]
"#,
    )
    .unwrap();
    let batch = scenario.update_batches().next().unwrap();
    let route = |event: &routewarden_core::RouteEvent| match event.kind {
        RouteEventKind::Announcement { attributes, .. } => {
            let route = RouteAttributes::decode(batch.attributes(attributes)).unwrap();
            (route.as_path.to_string(), route.otc, route.communities.to_vec())
        }
        other => panic!("{other:?}"),
    };
    let path = || "64497 64511".to_owned();
    assert_eq!(
        batch.events.iter().map(route).collect::<Vec<_>>(),
        [
            (path(), Some(Asn(64511)), vec![]),
            (path(), None, vec![]),
            (path(), None, vec![255, 255, 2, 154]),
        ]
    );
}

#[test]
fn ranges_stand_for_their_prefixes_everywhere() {
    let scenario = scenario(
        r#"
[[facts.vrp]]
prefix = "192.0.2.0/25*2"
asn = 64511
[[facts.origin]]
prefix = "192.0.2.0/26*4"
asns = [64511, 64510]
[[table]]
prefixes = ["192.0.2.0/25*2 64511"]
paths = ["64497 *"]
[[event]]
at = 2030-01-01T00:00:01Z
withdraw = ["192.0.2.0/25*2"]
"#,
    )
    .unwrap();
    assert_eq!(
        lines([scenario.table_batch()]),
        ["0 1 T 192.0.2.0/25 64497 64511 0", "0 1 T 192.0.2.128/25 64497 64511 0"]
    );
    assert_eq!(lines(scenario.update_batches()), ["1 1 W 192.0.2.0/25", "1 1 W 192.0.2.128/25"]);
    let vrps = scenario.facts.vrps.iter();
    assert_eq!(
        vrps.map(|vrp| (vrp.prefix.to_string(), vrp.max_length)).collect::<Vec<_>>(),
        [("192.0.2.0/25".to_owned(), 25), ("192.0.2.128/25".to_owned(), 25)]
    );
    assert_eq!(scenario.facts.origins.len(), 4);
    assert_eq!(scenario.facts.origins[3].prefix.to_string(), "192.0.2.192/26");
}

const CHANGES: &str = r#"
[facts]
route_servers = [64502]
[[facts.vrp]]
prefix = "192.0.2.0/24"
asn = 64511
trust_anchor = "one"
expires = 2030-01-02T00:00:00Z
[[facts.vrp]]
prefix = "192.0.2.0/24"
asn = 64511
trust_anchor = "two"
[[facts.aspa]]
customer = 64511
providers = [64496, 64497]
[[facts.relation]]
provider = 64496
customer = 64511
confidence = 70
[[event]]
at = 2030-01-01T00:00:05Z
announce = ["192.0.2.0/25"]
paths = ["64497 64511"]
[[event]]
at = 2030-01-01T00:00:03Z
aspas = { add = [{ customer = 64511, providers = [0] }, { customer = 64510, providers = [64496] }] }
[[event]]
at = 2030-01-01T00:00:05Z
vrps = { add = [{ prefix = "192.0.2.0/24", asn = 64510, max_length = 25 }], remove = [{ prefix = "192.0.2.0/24", asn = 64511, trust_anchor = "two" }] }
[[event]]
at = 2030-01-01T00:00:05Z
withdraw = ["192.0.2.0/25"]
[[event]]
at = 2030-01-01T00:00:09Z
vrps = { remove = [{ prefix = "192.0.2.0/24", asn = 64511 }] }
[[event]]
at = 2030-01-01T00:00:09Z
aspas = { remove = [64511] }
"#;

#[test]
fn facts_change_between_batches() {
    let scenario = scenario(CHANGES).unwrap();
    assert_eq!(scenario.facts.route_servers, [Asn(64502)]);
    assert_eq!(scenario.facts.aspas[0].providers, [Asn(64496), Asn(64497)]);
    assert_eq!(scenario.facts.relations[0].confidence, Some(70));
    let expires = "2030-01-02T00:00:00Z".parse().unwrap();
    assert_eq!(scenario.facts.vrps[0].expires, Some(expires));
    let texts: Vec<String> = scenario
        .steps()
        .iter()
        .map(|step| match step {
            Step::Events(batch) => {
                format!("{} peers {}", batch.new_peers.len(), lines([batch]).join(", "))
            }
            Step::Facts(change) => {
                let vrp = |fact: &VrpFact| {
                    format!("{} {} {:?}", fact.asn, fact.max_length, fact.trust_anchor)
                };
                format!(
                    "{} {:?} {:?} {:?} {:?}",
                    change.time,
                    change.vrps_added.iter().map(vrp).collect::<Vec<_>>(),
                    change.vrps_removed.iter().map(vrp).collect::<Vec<_>>(),
                    change.aspas_added.iter().map(|aspa| aspa.customer.0).collect::<Vec<_>>(),
                    change.aspas_removed,
                )
            }
        })
        .collect();
    assert_eq!(
        texts,
        [
            "2030-01-01T00:00:03Z [] [] [64511, 64510] []",
            "4 peers 5 1 A 192.0.2.0/25 64497 64511",
            "2030-01-01T00:00:05Z [\"AS64510 25 None\"] [\"AS64511 24 Some(\\\"two\\\")\"] [] []",
            "0 peers 5 1 W 192.0.2.0/25",
            "2030-01-01T00:00:09Z [] [\"AS64511 24 Some(\\\"one\\\")\"] [] []",
            "2030-01-01T00:00:09Z [] [] [] [Asn(64511)]",
        ]
    );
}

#[test]
fn facts_alone_leave_one_empty_batch_with_all_peers() {
    let scenario = scenario(
        r#"
[[event]]
at = 2030-01-01T00:00:05Z
vrps = { add = [{ prefix = "192.0.2.0/24", asn = 64510 }] }
"#,
    )
    .unwrap();
    assert!(matches!(scenario.steps(), [Step::Facts(_), Step::Events(_)]));
    assert_eq!(scenario.update_batches().next().unwrap().new_peers, scenario.peers);
}

#[test]
fn a_constituency_is_a_file_or_members() {
    let file = |name: &str| {
        let head = HEAD.replace("bogons = false", &format!("constituency = \"{name}\""));
        Scenario::parse(&head)
    };
    let given = file("members.toml").unwrap().constituency;
    assert_eq!(given, Some(Constituency::File("members.toml".to_owned())));
    for name in ["", "../x", "/x", ".", "..", "a/b", "c:x", "a\\\\b"] {
        let error = file(name).unwrap_err();
        assert_eq!(error.line(), Some(5), "{error}");
    }
    let inline = scenario(
        r#"
[[constituency.member]]
id = "bank"
name = "Example Bank"
asns = [64511]
prefixes = ["192.0.2.0/24"]
countries = ["CH"]
criticality = "tier0"
upstreams = [64496]
[[constituency.member]]
id = "dns"
asns = [64510]
origins = [64510, 64509]
"#,
    );
    let Some(Constituency::Members(members)) = inline.unwrap().constituency else { panic!() };
    assert_eq!(members[0].name, "Example Bank");
    assert_eq!(members[0].criticality.as_deref(), Some("tier0"));
    assert_eq!((&*members[0].asns, &*members[0].origins), (&[Asn(64511)][..], &[Asn(64511)][..]));
    assert_eq!((members[0].prefixes.len(), &*members[0].upstreams), (1, &[Asn(64496)][..]));
    assert_eq!(members[1].name, "dns");
    assert_eq!(members[1].origins, [Asn(64510), Asn(64509)]);
    assert_eq!(scenario("").unwrap().constituency, None);
}

fn expecting(text: &str) -> Result<Scenario, Error> {
    Scenario::parse(&HEAD.replace("silent = true", text))
}

#[test]
fn faulty_expectations_name_their_line() {
    let first = HEAD.lines().position(|line| line == "silent = true").unwrap() + 1;
    for (text, line, words) in [
        ("culprit = 1", -1, "has a kind"),
        ("kind = \"moas\"\nleak = { type = 7, by = 1 }", 1, "types 1 to 6"),
        ("kind = \"moas\"\nleak = { type = 1 }", 1, "missing field `by`"),
        ("kind = \"moas\"\nrole = \"victim\"", 1, "no meaning"),
        (
            "kind = \"moas\"\nmember = \"m\"\nrole = \"hero\"",
            2,
            "expected victim, culprit, on_path",
        ),
        ("kind = \"moas\"\nstate = \"over\"", 1, "spreading, ongoing, mitigated, ended"),
        ("kind = \"moas\"\ncaused_by = 1", 1, "another expectation, from 1 to 1"),
        ("kind = \"moas\"\nnot_caused_by = 0", 1, "another expectation"),
        ("kind = \"moas\"\nconfidence_max = 101", 1, "at most 100"),
        ("kind = \"moas\"\nseverity_min = 101", 1, "at most 100"),
        ("kind = \"moas\"\nbelow = 50", 1, "no meaning"),
        ("silent = true\nbelow = 101", 1, "at most 100"),
        ("silent = true\nbelow = 50\nstate = \"ended\"", -1, "stands alone"),
        ("silent = true\nbelow = 50\nprefix_count = 1", -1, "stands alone"),
    ] {
        let error = expecting(text).expect_err(text);
        assert!(error.to_string().contains(words), "{text}\n{error}");
        assert_eq!(error.line(), first.checked_add_signed(line), "{text}\n{error}");
    }
    let both = HEAD
        .replace("bogons = false", "unexpected_confidence_min = 40")
        .replace("silent = true", "silent = true\nbelow = 50");
    assert!(Scenario::parse(&both).unwrap_err().to_string().contains("no meaning"));
}

#[test]
fn silence_may_tolerate_what_is_unsure() {
    let scenario = expecting("silent = true\nbelow = 50").unwrap();
    let unsure = Observed { confidence: 49, ..Observed::default() };
    assert_eq!(scenario.check(&[unsure]), []);
    let surer = Observed { confidence: 50, ..Observed::default() };
    assert_eq!(scenario.check(&[surer]), [Mismatch::Unexpected { incident: 0 }]);
}

fn leak() -> Observed {
    let touched =
        |member: &str, role: &str| MemberRole { member: member.to_owned(), role: role.to_owned() };
    let triple = Leak { rfc7908_type: Some(1), from: Some(Asn(1)), by: Asn(2), to: Some(Asn(3)) };
    Observed {
        id: "one".to_owned(),
        kind: "route_leak".to_owned(),
        leak: Some(triple),
        link: Some((Asn(5), Asn(4))),
        artemis_class: Some("S|1|-|-".to_owned()),
        constituency: vec![touched("bank", "on_path"), touched("dns", "victim")],
        state: "ended".to_owned(),
        confidence: 60,
        severity: 40,
        ..Observed::default()
    }
}

#[test]
fn further_fields_are_compared() {
    let text = |line: &str| format!("kind = \"route_leak\"\n{line}");
    for (line, field) in [
        ("leak = { type = 1, from = 1, by = 2, to = 3 }", None),
        ("leak = { by = 2 }", None),
        ("leak = { type = 2, by = 2 }", Some("leak")),
        ("leak = { from = 9, by = 2 }", Some("leak")),
        ("leak = { by = 9 }", Some("leak")),
        ("leak = { by = 2, to = 9 }", Some("leak")),
        ("link = { a = 4, b = 5 }", None),
        ("link = { a = 5, b = 4 }", None),
        ("link = { a = 4, b = 6 }", Some("link")),
        ("artemis_class = \"S|1|-|-\"", None),
        ("artemis_class = \"S|0|-|-\"", Some("artemis_class")),
        ("state = \"ended\"", None),
        ("state = \"ongoing\"", Some("state")),
        ("member = \"bank\"", None),
        ("member = \"bank\"\nrole = \"on_path\"", None),
        ("member = \"bank\"\nrole = \"victim\"", Some("role")),
        ("confidence_max = 60", None),
        ("confidence_max = 59", Some("confidence_max")),
        ("severity_min = 40\nseverity_max = 40", None),
        ("severity_min = 41", Some("severity_min")),
        ("severity_max = 39", Some("severity_max")),
    ] {
        let mismatches = expecting(&text(line)).unwrap().check(&[leak()]);
        let fields = mismatches.iter().map(|mismatch| match mismatch {
            Mismatch::Field { field, .. } => Some(*field),
            other => panic!("{line}: {other}"),
        });
        assert_eq!(fields.collect::<Vec<_>>(), field.map(Some).into_iter().collect::<Vec<_>>());
    }
    let other = expecting(&text("member = \"isp\"")).unwrap();
    assert_eq!(other.check(&[leak()])[0], Mismatch::Missing { expectation: 0 });
    let bare = Observed { leak: None, link: None, artemis_class: None, ..leak() };
    let all = "leak = { by = 2 }\nlink = { a = 4, b = 5 }\nartemis_class = \"S|1|-|-\"";
    assert_eq!(expecting(&text(all)).unwrap().check(&[bare]).len(), 3);
}

#[test]
fn causes_are_other_expectations() {
    let pair = |line: &str| {
        let text = format!("kind = \"route_leak\"\n[[expect]]\nkind = \"prefix_outage\"\n{line}");
        expecting(&text).unwrap()
    };
    let outage = Observed { id: "two".to_owned(), kind: "prefix_outage".to_owned(), ..leak() };
    let caused = Observed { causes: vec!["one".to_owned()], ..outage.clone() };
    let field = |field| vec![Mismatch::Field { expectation: 1, incident: 1, field }];
    assert_eq!(pair("caused_by = 1").check(&[leak(), caused.clone()]), []);
    assert_eq!(pair("caused_by = 1").check(&[leak(), outage.clone()]), field("caused_by"));
    assert_eq!(pair("not_caused_by = 1").check(&[leak(), outage]), []);
    assert_eq!(pair("not_caused_by = 1").check(&[leak(), caused]), field("not_caused_by"));
}
