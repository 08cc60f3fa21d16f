//! `readiness` on the command line, over real incidents.

use serde_json::Value;

use crate::program::{routewarden, shared_data};

/// The incidents of 2008-02-24, as `detect` writes them.
struct Day {
    _folder: tempfile::TempDir,
    incidents: String,
    organisations: String,
}

impl Day {
    fn of_youtube() -> Option<Self> {
        let rib = shared_data("mrt/route-views2-20080224.1600.rib.bz2")?;
        let updates = shared_data("mrt/route-views2-20080224")?;
        let organisations = shared_data("asorg/20080402.as-org2info.jsonl.gz")?;
        let args = ["detect", "-q", "--format", "jsonl", "--rib", &rib, "--orgs", &organisations];
        let ran = routewarden(args.into_iter().chain([updates.as_str()])).expect(0);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incidents.jsonl");
        std::fs::write(&path, ran.stdout).unwrap();
        let incidents = path.to_string_lossy().into_owned();
        Some(Day { _folder: folder, incidents, organisations })
    }

    fn readiness(&self, more: &[&str]) -> Value {
        let args = ["readiness", "-q", "--format", "json", "--incidents", &self.incidents];
        let facts = ["--orgs", self.organisations.as_str()];
        let ran = routewarden(args.iter().chain(&facts).chain(more)).expect(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    fn hijack(&self) -> String {
        let text = std::fs::read_to_string(&self.incidents).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let is_it = |one: &Value| one["kind"] == "sub_prefix_hijack" && one["culprits"][0] == 17557;
        lines.into_iter().find(is_it).unwrap()["id"].as_str().unwrap().to_owned()
    }
}

fn metric<'a>(network: &'a Value, id: &str) -> &'a Value {
    network["metrics"].as_array().unwrap().iter().find(|metric| metric["id"] == id).unwrap()
}

fn score<'a>(network: &'a Value, id: &str) -> &'a Value {
    &network["actions"].as_array().unwrap().iter().find(|action| action["id"] == id).unwrap()["score"]
}

/// 2 h 13 min: coefficient 1, for the culprit and for whom it passed.
#[test]
fn the_hijack_of_youtube_costs_both_a_point_and_a_verdict_gives_it_back() {
    let Some(day) = Day::of_youtube() else { return };
    let hijack = day.hijack();
    for (asn, id) in [("AS17557", "M2"), ("AS3491", "M2C")] {
        let network = day.readiness(&[asn, "--month", "2008-02"]);
        let counted = metric(&network, id);
        assert_eq!(counted["raw"], 1.0, "{counted}");
        assert_eq!(counted["state"], "scored");
        let incident = &counted["incidents"][0];
        assert_eq!(incident["coefficient"], 1.0);
        assert_eq!(incident["events"], Value::from(vec![hijack.clone()]));
        let judged = day.readiness(&[asn, "--month", "2008-02", "--false-positive", &hijack]);
        let judged = metric(&judged, id);
        assert_eq!((&judged["raw"], &judged["score"]), (&Value::from(0.0), &Value::from(1.0)));
        assert_eq!(judged["dismissed"][0]["event"], Value::from(hijack.clone()));
    }
    let pakistan = day.readiness(&["AS17557"]);
    assert_eq!(score(&pakistan, "A1"), 0.485_577_427);
    assert_eq!(pakistan["period"]["id"], "2008-02", "the month of the incidents");
}

#[test]
fn what_is_not_given_has_no_data_and_says_why() {
    let Some(day) = Day::of_youtube() else { return };
    let network = day.readiness(&["AS17557"]);
    for (id, text) in [
        ("M7IRR", "no route objects given"),
        ("M5", "no sessions of CAIDA Spoofer given"),
        ("M7RPKI", "no VRPs given"),
        ("M8", "no contacts given"),
    ] {
        let metric = metric(&network, id);
        assert_eq!((&metric["state"], &metric["raw"]), (&Value::from("no_data"), &Value::Null));
        assert_eq!(metric["no_data_text"], text);
    }
    for id in ["A2", "A3", "A4-IRR", "A4-RPKI"] {
        assert!(score(&network, id).is_null(), "{id}");
    }
    let country = day.readiness(&["--country", "PK"]);
    assert_eq!(country["group"]["name"], "Pakistan");
}

/// Every AS of a table of the whole Internet, against all VRPs.
#[test]
fn every_network_is_measured_the_same_each_time() {
    let Some(origins) = shared_data("origins/dfz-v4-prefix-origin.2021.csv.gz") else { return };
    let Some(vrps) = shared_data("rpki/rpkiclient_summary_20250720T100145Z.json.bz2") else {
        return;
    };
    let args = ["readiness", "-q", "--all", "--month", "2021-05", "--format", "csv"];
    let facts = ["--origins", &origins, "--vrps", &vrps];
    let first = routewarden(args.into_iter().chain(facts)).expect(0).stdout;
    assert_eq!(first.lines().count(), 1 + 70_403, "a line of names, and a network a line");
    let second = routewarden(args.into_iter().chain(facts)).expect(0).stdout;
    assert!(first == second, "the same inputs give the same bytes");
    let header: Vec<&str> = first.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|held| *held == name).unwrap();
    assert!(column("A4-RPKI class") < column("M7RPKI raw"));
}

#[test]
fn what_cannot_be_measured_is_refused_in_words() {
    let wrong = |args: &[&str], says: &str| {
        let ran = routewarden(["readiness"].iter().chain(args)).expect(2);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    };
    wrong(&["AS64496"], "which time?");
    wrong(&["AS64496", "--month", "2026-13"], "--month 2026-13");
    wrong(&["AS64496", "--month", "2020-01", "--profile", "manrs-1999"], "no profile manrs-1999");
    wrong(&["--country", "FR", "--month", "2020-01"], "no network of FR");
    wrong(&["AS64496", "--window", "400d"], "expected days");
}

/// Nobody validated in 2008: by VRPs of today many routes are invalid, and large networks passed them on. No
/// route had OTC then, which says nothing of anybody.
#[test]
fn what_paths_tell_of_invalid_routes_and_otc() {
    let Some(rib) = shared_data("mrt/route-views2-20080224.1600.rib.bz2") else { return };
    let Some(vrps) = shared_data("rpki/rpkiclient_summary_20250720T100145Z.json.bz2") else {
        return;
    };
    let Some(relations) = shared_data("asrel/asrel_201806.txt.gz") else { return };
    let args = ["readiness", "-q", "AS1299", "AS3277", "--month", "2008-02", "--format", "json"];
    let facts = ["--routes", &rib, "--vrps", &vrps, "--relations", &relations];
    let profile = ["--profile", "routewarden-1"];
    let ran = routewarden(args.iter().chain(&facts).chain(&profile)).expect(0);
    let both: Value = serde_json::from_str(&ran.stdout).unwrap();
    for network in both["ases"].as_array().unwrap() {
        let rov = &network["rov"];
        assert_eq!(rov["verdict"], "passes", "{rov}");
        assert!(rov["n"].as_u64().unwrap() > 1_000, "{rov}");
        let otc = metric(network, "OTC");
        assert_eq!(otc["no_data_text"], "no routes with OTC given", "{otc}");
    }
    // The VRPs came with ASPAs. Telia buys from nobody that the relationships know.
    let aspa = metric(&both["ases"][0], "ASPA");
    assert_eq!(aspa["no_data"]["reason"], "too_few", "{aspa}");
    let inputs: Vec<&str> = both["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|source| source["input"].as_str().unwrap())
        .collect();
    assert_eq!(inputs, ["routes", "invalid_routes", "vrps", "aspas", "relations"]);
}

#[test]
fn the_observatorys_own_shape() {
    let Some(day) = Day::of_youtube() else { return };
    let args = ["readiness", "-q", "AS17557", "--format", "observatory", "--month", "2008-02"];
    let ran = routewarden(args.into_iter().chain(["--incidents", &day.incidents])).expect(0);
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let filtering = &summary["scores"]["keyFigures"][0];
    assert_eq!(filtering["id"], "filtering");
    assert!((filtering["value"].as_f64().unwrap() - 0.4855).abs() < 1e-4, "{filtering}");
    assert_eq!(filtering["severities"][2]["count"], 1, "lagging: {filtering}");
}

/// Pakistan Telecom did it, PCCW passed it on: neither is to be bought from without the other's word.
#[test]
fn networks_are_compared_with_reasons() {
    let Some(day) = Day::of_youtube() else { return };
    let args = ["compare", "-q", "AS17557", "AS3549", "--incidents", &day.incidents];
    let ran = routewarden(args.into_iter().chain(["--format", "json"])).expect(0);
    let both: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(both["ases"].as_array().unwrap().len(), 2);
    let candidates = both["candidates"].as_array().unwrap();
    assert!(candidates.iter().all(|one| one["score"].is_null()), "little is known: {both}");
    let reasons = candidates.iter().flat_map(|one| one["reasons"].as_array().unwrap());
    assert!(reasons.into_iter().any(|reason| reason["for"].is_null()));
    let table = routewarden(args).expect(0).stdout;
    assert!(table.contains("As an upstream:"), "{table}");
}
