//! Readiness over a small store and a small table.

use std::collections::BTreeMap;

use routewarden_core::facts::{
    FactKind, FactSource, Facts, Organisation, OrganisationTable, Sourced, TrustAnchorId, Vrp,
    VrpTable,
};
use routewarden_core::{Asn, Prefix};

use super::*;
use crate::readiness::{Announced, Beside, References};

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
