//! Readiness over a small store and a small table.

use std::collections::BTreeMap;

use routewarden_core::facts::{
    FactKind, FactSource, Facts, Organisation, OrganisationTable, Sourced, TrustAnchorId, Vrp,
    VrpTable,
};
use routewarden_core::{Asn, Prefix};

use std::sync::atomic::{AtomicI64, Ordering};

use routewarden_store::{GivenVerdict, Verdict, restore};

use super::*;
use crate::readiness::{Announced, Beside, References, Row, ToKeep};

fn sourced<T>(kind: FactKind, table: T) -> Sourced<T> {
    let source = FactSource {
        kind,
        name: "made up".to_owned(),
        sha256: None,
        date: None,
        entries: 1,
        skipped: BTreeMap::new(),
    };
    Sourced { table, source }
}

/// Two networks of the Netherlands.
fn facts() -> Facts {
    let organisation = Organisation { id: "O".into(), country: "NL".into(), ..<_>::default() };
    let asns = [64_496, 64_497].map(|asn| (Asn(asn), "O".into())).into();
    let organisations = OrganisationTable::from_records(vec![organisation], asns);
    let prefix = "192.0.2.0/24".parse().unwrap();
    let vrp = |asn| Vrp { prefix, max_len: 24, asn: Asn(asn), ta: TrustAnchorId::default() };
    Facts {
        organisations: Some(sourced(FactKind::Organisations, organisations)),
        vrps: Some(sourced(FactKind::Vrps, VrpTable::from_vrps(vec![vrp(64_496)]))),
        ..Facts::default()
    }
}

/// A survey of a table with two prefixes of one network and one of another.
pub(super) fn survey(observatory: &Observatory) {
    let route = |prefix: &str, asn| (prefix.parse::<Prefix>().unwrap(), Asn(asn));
    let routes = vec![
        route("192.0.2.0/24", 64_496),
        route("198.51.100.0/24", 64_496),
        route("192.0.2.0/24", 64_497),
    ];
    let announced = Announced::of_table(routes, at(3_600), 5);
    let references = References::new(facts(), Beside::default());
    let kept = observatory.renew(references, announced, at(3_600)).unwrap();
    assert_eq!(kept.len(), 4, "routes, inputs, and scores by two profiles: {kept:?}");
}

fn action<'a>(network: &'a Value, id: &str) -> &'a Value {
    network["actions"].as_array().unwrap().iter().find(|action| action["id"] == id).unwrap()
}

fn metric<'a>(network: &'a Value, id: &str) -> &'a Value {
    network["metrics"].as_array().unwrap().iter().find(|metric| metric["id"] == id).unwrap()
}

#[tokio::test]
async fn before_the_first_survey_it_says_so() {
    let server = Server::unsurveyed();
    let answer = server.ask("/readiness/ases").await;
    assert_eq!(answer.problem().1, "measuring");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(server.ask("/readiness/profiles").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_network_shows_its_figures_and_what_is_missing() {
    let server = Server::filled();
    let network = server.ask("/readiness/ases/64496").await.json();
    assert_eq!(network["profile"], "manrs-2024");
    assert_eq!(network["country"], "NL");
    let rpki = metric(&network, "M7RPKI");
    assert_eq!(rpki["raw"], 0.5);
    assert_eq!(rpki["inputs"], json!({ "valid": 1, "not_found": 1, "invalid": 0 }));
    assert_eq!(rpki["routes"], json!([{ "prefix": "198.51.100.0/24", "state": "not_found" }]));
    assert!(rpki["formula"].as_str().unwrap().contains("valid"), "{rpki}");
    assert_eq!(action(&network, "A4-RPKI")["class"], "lagging");
    let irr = metric(&network, "M7IRR");
    assert_eq!((&irr["state"], &irr["score"]), (&json!("no_data"), &Value::Null));
    assert_eq!(irr["no_data_text"], "no route objects given");
    assert_eq!(action(&network, "A4-IRR")["class"], "no_data");
}

#[tokio::test]
async fn groups_have_means_of_those_with_data() {
    let server = Server::filled();
    let groups = server.ask("/readiness/groups/country").await.json();
    let nl = &groups["groups"][0];
    assert_eq!(
        (&nl["id"], &nl["name"], &nl["ases"]),
        (&json!("NL"), &json!("Netherlands"), &json!(2))
    );
    let rpki = nl["scores"].as_array().unwrap().iter().find(|s| s["id"] == "A4-RPKI").unwrap();
    assert_eq!(rpki["mean"], 0.25, "of 0.5 and 0");
    let classes = json!({ "ready": 0, "aspiring": 0, "lagging": 2, "no_data": 0 });
    assert_eq!(rpki["classes"], classes);
    let region = server.ask("/readiness/groups/region/western-europe").await.json();
    assert_eq!(region["group"]["ases"], 2);
    let nobody = server.ask("/readiness/groups/country/FR").await.problem();
    assert_eq!((nobody.0, nobody.1.as_str()), (404, "no_group"));
    let wrong = server.ask("/readiness/groups/planet").await.problem();
    assert_eq!((wrong.0, wrong.2.as_str()), (400, "by"));
}

#[tokio::test]
async fn ranks_are_honest_and_pages_go_on() {
    let server = Server::filled();
    let path = "/readiness/ases?score=A4-RPKI&order=best&limit=1";
    let first = server.ask(path).await.json();
    assert_eq!(first["ases"][0]["asn"], 64496);
    assert_eq!(first["ases"][0]["rank"], json!({ "place": 1, "of": 2, "ties": 1 }));
    let next = first["next"].as_u64().unwrap();
    let second = server.ask(&format!("{path}&after={next}")).await.json();
    assert_eq!(second["ases"][0]["asn"], 64497);
    assert_eq!(second["ases"][0]["rank"]["place"], 2);
    let none = server.ask("/readiness/ases?score=A9").await.problem();
    assert_eq!((none.0, none.1.as_str()), (404, "no_score"));
}

#[tokio::test]
async fn networks_stand_side_by_side_and_go_out_as_tables() {
    let server = Server::filled();
    let both = server.ask("/readiness/compare?asns=64496,64999,64497").await.json();
    assert_eq!(both["ases"].as_array().unwrap().len(), 2);
    assert_eq!(both["missing_asns"], json!([64999]));
    let csv = server.ask("/readiness/export?by=country&id=NL").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        csv.body.starts_with("asn,name,country,profile,from,until,A1,A1 class,"),
        "{}",
        csv.body
    );
    assert_eq!(csv.body.lines().count(), 3);
    let one = server.ask("/readiness/export?by=as&id=64496&format=json").await.json();
    assert_eq!(one["ases"].as_array().unwrap().len(), 1);
    let report = server.ask("/readiness/report?by=country&id=NL").await;
    assert_eq!(report.header("content-type"), "text/html; charset=utf-8");
    assert!(report.body.contains("<h1>Netherlands</h1>"), "{}", report.body);
    assert!(report.header("content-security-policy").contains("default-src 'none'"));
}

#[tokio::test]
async fn a_month_without_a_measurement_is_not_made_up() {
    let server = Server::filled();
    let missing = server.ask("/readiness/ases?period=2020-01").await.problem();
    assert_eq!((missing.0, missing.1.as_str()), (404, "not_measured"));
    let ahead = server.ask("/readiness/ases?period=2199-01").await.problem();
    assert_eq!((ahead.0, ahead.1.as_str()), (404, "not_measured"));
    let wrong = server.ask("/readiness/ases?period=8d").await.problem();
    assert_eq!((wrong.0, wrong.2.as_str()), (400, "period"));
}

/// A clock that a test moves on.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// The first incident as a detector gives it: a hijack of an hour.
fn whole_hijack() -> IncidentVersion {
    let evidence: [Value; 0] = [];
    let incident = json!({
        "id": id(1), "kind": "origin_hijack", "culprits": [64_496], "victims": [64_500],
        "propagators": [64_510], "prefixes": ["203.0.113.0/24"], "prefix_count": 1,
        "covering_prefixes": [], "first_seen": at(1), "last_seen": at(3_000),
        "ended_at": at(3_601), "exposure_secs": 3_600, "recurrences": 0, "state": "ended",
        "standing": false, "vantage_points": { "seen": 9, "of": 10, "peak": 9, "now": 0 },
        "confidence": 90, "severity": 70, "severity_class": "high", "rov": {},
        "constituency": [], "related": [],
        "feeds": { "sessions": 10, "lost": 0, "degraded": false },
        "evidence": evidence, "counter_evidence": evidence, "countermeasures": [],
        "sample_paths": [], "as_names": {},
    });
    let body = serde_json::value::to_raw_value(&incident).unwrap();
    IncidentVersion { body, ended_at: Some(at(3_601)), ..hijack(1) }
}

/// Writes what is to be kept, as the engine does.
fn keep(store: &mut Store, kept: Vec<ToKeep>, now: Timestamp) {
    for kept in kept {
        match kept {
            ToKeep::Inputs(inputs, closes) => store.put_readiness_inputs(&inputs, closes, now),
            ToKeep::Scores(scores) => store.put_readiness_scores(&scores, now),
            ToKeep::Routes(month, octets) => store.put_readiness_routes(month, &octets, now),
        }
        .unwrap();
    }
}

/// Everything that is measured of all networks, as octets.
fn octets(observatory: &Observatory, period: &str) -> Vec<u8> {
    let held = observatory.measured("manrs-2024", period).unwrap();
    let survey = &held.measured.survey;
    let rows: Vec<Row<'_>> = survey.ases.iter().map(|known| Row::of(survey, known)).collect();
    let rows: Vec<_> = rows.iter().map(|row| &row.readiness).collect();
    serde_json::to_vec(&rows).unwrap()
}

/// The month is closed when it is over, and is the same whatever the facts say by then, from a backup,
/// and after a verdict that was withdrawn.
#[test]
fn a_month_that_is_over_stays_as_it_was() {
    let mut server = Server::new();
    let route = |prefix: &str| (prefix.parse::<Prefix>().unwrap(), Asn(64_496));
    let announced = |time| Announced::of_table(vec![route("192.0.2.0/24")], time, 5);
    let folder = server.dir.path().to_owned();
    let moved = Arc::new(Moved(AtomicI64::new(at(7_200).micros())));
    let clock: Arc<dyn Clock> = Arc::<Moved>::clone(&moved);
    let observatory = Observatory::new(folder, Arc::clone(&clock));
    let references = References::new(facts(), Beside::default());
    let kept = observatory.renew(references, announced(at(7_200)), at(7_200)).unwrap();
    keep(&mut server.store, kept, at(7_200));

    // After the last survey of November: it is found when the month is closed.
    server.record(vec![whole_hijack()]);
    // In December nothing is known any more.
    let december = at(4 * 86_400);
    moved.0.store(december.micros(), Ordering::Relaxed);
    let references = References::new(Facts::default(), Beside::default());
    let kept = observatory.renew(references, announced(december), december).unwrap();
    let closes = kept.iter().filter(|kept| matches!(kept, ToKeep::Inputs(_, true))).count();
    assert_eq!(closes, 1, "November is closed: {kept:?}");
    keep(&mut server.store, kept, december);
    let first = octets(&observatory, "2026-11");
    let text = String::from_utf8(first.clone()).unwrap();
    let networks: Vec<Value> = serde_json::from_slice(&first).unwrap();
    let asns: Vec<&Value> = networks.iter().map(|network| &network["asn"]).collect();
    assert_eq!(
        asns,
        [64_496, 64_510],
        "who announced, and who only passed the hijack on, once each"
    );
    assert_eq!(metric(&networks[1], "M7RPKI")["no_data"]["reason"], "input_missing");
    assert!(text.contains(r#""id":"M7RPKI","raw":1.0"#), "the VRPs of November: {text}");
    assert!(text.contains(r#""id":"M2","raw":1.0"#), "{text}");
    assert_eq!(octets(&observatory, "2026-11"), first);

    let (backup, restored) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let file = backup.path().join("backup.db");
    server.store.reader().unwrap().backup(&file).unwrap();
    restore(&file, restored.path(), false).unwrap();
    let again = Observatory::new(restored.path().to_owned(), clock);
    let references = References::new(Facts::default(), Beside::default());
    drop(again.renew(references, announced(december), december).unwrap());
    assert_eq!(octets(&again, "2026-11"), first, "from a backup");

    let (note, by) = (String::new(), "alice".to_owned());
    let verdict = GivenVerdict { verdict: Verdict::FalsePositive, note, by, at: december };
    server.store.put_verdict(&id(1), verdict, december).unwrap();
    observatory.judged();
    assert_ne!(octets(&observatory, "2026-11"), first, "a verdict holds of a closed month");
    // The next survey keeps the scores anew.
    let kept_score = |server: &mut Server, observatory: &Observatory| {
        let references = References::new(Facts::default(), Beside::default());
        let kept = observatory.renew(references, announced(december), december).unwrap();
        // Two profiles each, of December and of November.
        let count = kept.iter().filter(|kept| matches!(kept, ToKeep::Scores(_))).count();
        keep(&mut server.store, kept, december);
        let rows = observatory.kept("manrs-2024", "2026-11").unwrap().unwrap();
        (count, rows.first().unwrap().1.scores["A1"])
    };
    assert_eq!(kept_score(&mut server, &observatory), (4, Some(1.0)));
    assert_eq!(kept_score(&mut server, &observatory).0, 2, "nobody has judged since");
    server.store.withdraw_verdict(&id(1), "alice", december, december).unwrap();
    observatory.judged();
    assert_eq!(octets(&observatory, "2026-11"), first);
    assert_ne!(kept_score(&mut server, &observatory).1, Some(1.0));
}

/// What programs that read MANRS's Observatory need: all five figures, and classes by its names.
#[tokio::test]
async fn the_observatorys_own_shape() {
    let server = Server::filled();
    let ask = async |query: &str| {
        let path = format!("/readiness/observatory/v2/scores/summary{query}");
        let answer = server.ask(&path).await;
        let status = answer.status.as_u16();
        (status, if status == 200 { answer.json() } else { Value::Null })
    };
    let (status, world) = ask("?month=2026-11-01T00:00:00Z").await;
    assert_eq!(status, 200, "{world}");
    let figures = world["scores"]["keyFigures"].as_array().unwrap();
    let ids: Vec<&str> = figures.iter().map(|figure| figure["id"].as_str().unwrap()).collect();
    let expected = [
        "filtering",
        "antiSpoofing",
        "coordination",
        "routingInformationIRR",
        "routingInformationRPKI",
    ];
    assert_eq!(ids, expected);
    for figure in figures {
        let severities = figure["severities"].as_array().unwrap();
        let ids: Vec<&str> = severities.iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["ready", "aspiring", "lagging", "no_data_available"]);
        let shares = severities.iter().map(|one| one["percentage"].as_f64().unwrap());
        assert!((shares.sum::<f64>() - 1.0).abs() < 1e-9, "{figure}");
    }
    let of_as = ask("?asn=64496").await;
    assert_eq!(of_as.0, 200);
    let rpki = &of_as.1["scores"]["keyFigures"][4];
    let held = server.observatory.measured("manrs-2024", "2026-11").unwrap();
    let surveyed = held.measured.survey.surveyed(Asn(64_496)).unwrap();
    let readiness = held.measured.survey.readiness(surveyed);
    let score = readiness.actions.iter().find(|action| action.id == "A4-RPKI").unwrap().score;
    assert_eq!(rpki["value"].as_f64(), score.map(routewarden_measure::Score::fraction));
    assert_eq!(ask("?region=NL").await.1, ask("?country=nl").await.1, "region takes a country");
    assert_eq!(ask("?country=ZZ").await.0, 404);
    assert_eq!(ask("?asn=4200000000").await.0, 404);
    for bad in ["?month=2026-11-02", "?country=nld", "?asn=x", "?economy=NL", "?region=N1"] {
        assert_eq!(ask(bad).await.0, 400, "{bad}");
    }
}
