//! Programmes compiled in, what makes none, and who keeps to them.

use std::collections::BTreeSet;

use super::*;
use crate::{
    ActionState, Conformance, ConformanceState, ContactKind, DOCUMENT_OCTETS_MAX, DocumentError,
    IrrCoverage, NoData, PROGRAMMES_MAX, Programmes, RpkiCounts, SpoofingTests,
};

fn conformance(
    programme: &str,
    events: Vec<Event>,
    inputs: &AsInputs,
    declared: &[&str],
) -> Conformance {
    let readiness = readiness_of(CULPRIT, "manrs-2024", events, inputs);
    let declared = declared.iter().map(|&id| id.to_owned()).collect();
    Programmes::built_in().unwrap().named(programme).unwrap().conformance(&readiness, &declared)
}

fn state_of(conformance: &Conformance, action: &str) -> (ActionState, String) {
    let action = conformance.actions.iter().find(|held| held.id == action).unwrap();
    (action.state, action.why.clone())
}

/// With a contact and all routes RPKI-valid.
fn good() -> AsInputs {
    AsInputs {
        rpki: Ok(RpkiCounts { valid: 4, not_found: 0, invalid: 0 }),
        contacts: Ok(BTreeSet::from([ContactKind::PeeringDbNoc])),
        ..AsInputs::default()
    }
}

#[test]
fn the_programmes_compiled_in_are_those_of_manrs() {
    let programmes = Programmes::built_in().unwrap();
    let shapes: Vec<_> = programmes
        .programmes
        .iter()
        .map(|held| {
            let mandatory = held.actions.iter().filter(|action| action.is_mandatory).count();
            (held.id.as_str(), held.actions.len(), mandatory, held.least_actions)
        })
        .collect();
    let expected =
        [("net-ops", 4, 3, 3), ("ixp", 5, 2, 3), ("cdn-cloud", 6, 5, 5), ("vendors", 2, 2, 2)];
    assert_eq!(shapes, expected);
    assert_eq!(programmes.named("cdns").unwrap().id, "cdn-cloud");
    assert_eq!(programmes.named("none"), None);
}

#[test]
fn an_operator_needs_actions_one_three_and_four() {
    let found = conformance("net-ops", Vec::new(), &good(), &[]);
    assert_eq!(found.state, ConformanceState::Conformant);
    assert_eq!(state_of(&found, "filtering").1, "A1 is 100 %, ready; aspiring is needed");
    let (state, why) = state_of(&found, "anti-spoofing");
    assert_eq!(state, ActionState::NoData);
    assert_eq!(
        why,
        "not declared; A2 has no data (no sessions of CAIDA Spoofer given); aspiring is needed"
    );

    let hijacks = conformance("net-ops", vec![hijack("a", 0, 3_600)], &good(), &["filtering"]);
    assert_eq!(hijacks.state, ConformanceState::NonConformant);
    let (state, why) = state_of(&hijacks, "filtering");
    assert_eq!(
        (state, why.as_str()),
        (ActionState::NotMet, "A1 is 48.5 %, lagging; aspiring is needed")
    );

    let spoofing = Ok(SpoofingTests { tests: 1, received_prefixes: 5 });
    let recommended = conformance("net-ops", Vec::new(), &AsInputs { spoofing, ..good() }, &[]);
    assert_eq!(state_of(&recommended, "anti-spoofing").0, ActionState::NotMet);
    assert_eq!(recommended.state, ConformanceState::Conformant);
}

#[test]
fn what_is_not_known_is_neither() {
    let found = conformance("net-ops", Vec::new(), &AsInputs::default(), &[]);
    assert_eq!(found.state, ConformanceState::NoData);
    let declared = ["coordination", "routing-information"];
    let found = conformance("net-ops", Vec::new(), &AsInputs::default(), &declared);
    assert_eq!(found.state, ConformanceState::Conformant);
    let (state, why) = state_of(&found, "coordination");
    assert_eq!(state, ActionState::Declared);
    assert!(why.starts_with("declared by the participant; A3 has no data"), "{why}");
}

#[test]
fn one_half_of_routing_information_is_enough_and_an_unknown_half_may_be() {
    let irr = |registered| AsInputs {
        irr: Ok(IrrCoverage { announced: 4, exact: registered, covered: 0 }),
        rpki: Err(NoData::NothingAnnounced),
        ..good()
    };
    let state = |inputs: &AsInputs| {
        let found = conformance("net-ops", Vec::new(), inputs, &[]);
        (state_of(&found, "routing-information").0, found.state)
    };
    assert_eq!(state(&irr(4)), (ActionState::Met, ConformanceState::Conformant));
    assert_eq!(state(&irr(1)), (ActionState::NoData, ConformanceState::NoData));
    let none =
        AsInputs { rpki: Ok(RpkiCounts { not_found: 4, ..RpkiCounts::default() }), ..irr(1) };
    assert_eq!(state(&none), (ActionState::NotMet, ConformanceState::NonConformant));
}

#[test]
fn an_exchange_needs_one_and_two_and_another() {
    let state =
        |declared: &[&str]| conformance("ixps", Vec::new(), &AsInputs::default(), declared).state;
    assert_eq!(state(&["filtering", "promotion"]), ConformanceState::NoData);
    assert_eq!(state(&["filtering", "promotion", "tools"]), ConformanceState::Conformant);
    assert_eq!(state(&["filtering", "platform", "tools"]), ConformanceState::NoData);
}

#[test]
fn a_profile_without_scores_gives_no_data() {
    let readiness = readiness_of(CULPRIT, "manrs-2018", Vec::new(), &good());
    let programmes = Programmes::built_in().unwrap();
    let found = programmes.named("net-ops").unwrap().conformance(&readiness, &BTreeSet::new());
    assert_eq!(found.state, ConformanceState::NoData);
    assert!(state_of(&found, "filtering").1.contains("manrs-2018 has no score A1"));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let altered = |from: &str, to: &str| {
        assert!(Programmes::BUILT_IN_TEXT.contains(from), "{from}");
        Programmes::parse(&Programmes::BUILT_IN_TEXT.replacen(from, to, 1)).unwrap_err()
    };
    for (from, to, message) in [
        (
            "least_actions = 3",
            "least_actions = 2",
            "net-ops.least_actions: 2 is not between 3 and 4",
        ),
        (
            "least_actions = 3",
            "least_actions = 5",
            "net-ops.least_actions: 5 is not between 3 and 4",
        ),
        ("id = \"ixp\"", "id = \"net-ops\"", "net-ops: this id is given twice"),
        ("\"ixps\"", "\"vendors\"", "vendors: this id is given twice"),
        ("id = \"anti-spoofing\"", "id = \"filtering\"", "filtering: this id is given twice"),
        ("class = \"aspiring\"", "class = \"no_data\"", "net-ops.filtering: no_data cannot be"),
        ("scores = [\"A1\"]", "scores = []", "net-ops.filtering: 0 is not between 1 and 64"),
        ("least_actions", "least_action", "line 11: unknown field"),
    ] {
        let error = altered(from, to).to_string();
        assert!(error.contains(message), "{to}: {error}");
    }
    let long = " ".repeat(DOCUMENT_OCTETS_MAX + 1);
    assert!(matches!(Programmes::parse(&long), Err(DocumentError::TooLong { .. })));
    let many = (0..=PROGRAMMES_MAX).fold(Programmes::BUILT_IN_TEXT.to_owned(), |text, number| {
        let action = format!("[[programme.action]]\nid = \"x{number}\"\ntitle = \"\"\n");
        text + &action + "is_mandatory = false\n"
    });
    let error = Programmes::parse(&many).unwrap_err();
    assert_eq!(error.to_string(), "vendors: 35 is not between 1 and 32");
}
