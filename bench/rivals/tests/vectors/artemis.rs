//! 29 cases of 94 steps. Of each step are checked: whether it raises a hijack; its class, hijacker,
//! configured prefix, validation tag and annotation; and of the stored hijack: whether it is active
//! or withdrawn, the peers that saw it, those that withdrew it, the ASes infected. All exactly.
//!
//! Not in the vectors, so not checked: class P, ignoring by thresholds, configuration by itself.
//! The VRPs of the original's test are not in them either; the one used here is ours, made after
//! the tags expected.

use std::collections::BTreeSet;

use routewarden_core::facts::{TrustAnchorId, Vrp, VrpTable};
use routewarden_core::{Asn, RouteAttributes};
use routewarden_rivals::artemis::{
    Artemis, AsnSet, CommunityTest, Hijack, Level, RpkiTag, Rule, expand,
};
use routewarden_rivals::update::Update;
use serde_json::Value;

use crate::{asn, asns, list, path, peer, prefix, time, vectors};

fn asn_set(value: &Value) -> AsnSet {
    let mut set = AsnSet::default();
    for item in list(value) {
        let text = item.as_str().map_or_else(|| item.to_string(), str::to_owned);
        set.add(&text).unwrap();
    }
    set
}

fn communities(value: &Value) -> Vec<(u16, u16)> {
    let pair = |text: &Value| {
        let (high, low) = text.as_str().unwrap().split_once(':').unwrap();
        (high.parse().unwrap(), low.parse().unwrap())
    };
    list(value).iter().map(pair).collect()
}

fn level(value: &Value) -> Level {
    let (name, tests) = value.as_object().unwrap().iter().next().unwrap();
    let test = |value: &Value| CommunityTest {
        with: communities(&value["in"]),
        without: communities(&value["out"]),
    };
    Level { name: name.clone(), tests: list(tests).iter().map(test).collect() }
}

fn rule(value: &Value) -> Rule {
    let prefixes = list(&value["prefixes"]).iter();
    Rule {
        prefixes: prefixes.flat_map(|text| expand(text.as_str().unwrap()).unwrap()).collect(),
        origins: asn_set(&value["origin_asns"]),
        neighbours: asn_set(&value["neighbors"]),
        no_export: list(&value["policies"]).iter().any(|policy| policy == "no-export"),
        levels: list(&value["community_annotations"]).iter().map(level).collect(),
        ..Rule::default()
    }
}

fn detector(document: &Value, case: &Value) -> Artemis {
    let config = case["config"].as_str().unwrap();
    let mut rules: Vec<Rule> =
        list(&document["configs"][config]["rules"]).iter().map(rule).collect();
    if case["case"] == "as_set" {
        // The original asks a registry for the members of a set; as the notes of the vectors say.
        let asked = rules.iter_mut().find(|rule| rule.prefixes == [prefix("10.0.30.0/24")]);
        asked.unwrap().neighbours = AsnSet::of(&[Asn(42)]);
    }
    let vrp = Vrp {
        prefix: prefix("139.91.0.0/16"),
        max_len: 16,
        asn: Asn(8522),
        ta: TrustAnchorId::default(),
    };
    let is_validating = config.starts_with("rpki");
    Artemis::new(rules, is_validating.then(|| VrpTable::from_vrps(vec![vrp])))
}

/// Shows the update; the hijack it raised or renewed.
fn step(artemis: &mut Artemis, update: &Value) -> Option<usize> {
    let pairs = list(&update["communities"]).iter();
    let communities: Vec<u8> = pairs
        .flat_map(|pair| [asn(&pair["asn"]).0, asn(&pair["value"]).0])
        .flat_map(|half| u16::try_from(half).unwrap().to_be_bytes())
        .collect();
    let path = path(&update["path"]);
    let route =
        RouteAttributes { communities: &communities, ..RouteAttributes::from_path(path.as_path()) };
    artemis.take(&Update {
        time: time(update["timestamp"].as_u64().unwrap()),
        peer: &peer(asn(&update["peer_asn"]), "192.0.2.1"),
        prefix: prefix(update["prefix"].as_str().unwrap()),
        route: (update["type"] == "A").then_some(route),
    })
}

fn assert_state(hijack: &Hijack, state: &Value, name: &str) {
    let set = |value: &Value| asns(value).into_iter().collect::<BTreeSet<Asn>>();
    for (field, expected) in state.as_object().unwrap() {
        match field.as_str() {
            "active" => assert_eq!(Value::from(hijack.is_active), *expected, "{name}"),
            "withdrawn" => assert_eq!(Value::from(!hijack.is_active), *expected, "{name}"),
            "peers_seen" => assert_eq!(hijack.peers_seen, set(expected), "{name}"),
            "asns_inf" => assert_eq!(hijack.infected, set(expected), "{name}"),
            "peers_withdrawn" => {
                assert_eq!(
                    hijack.peers_withdrawn().collect::<BTreeSet<_>>(),
                    set(expected),
                    "{name}"
                );
            }
            other => panic!("{name}: {other} is not checked"),
        }
    }
}

fn assert_hijack(hijack: &Hijack, expected: &Value, name: &str) {
    assert_eq!(hijack.class.to_string(), expected["type"], "{name}");
    let hijacker = hijack.hijacker.map_or(-1, |asn| i64::from(asn.0));
    assert_eq!(Value::from(hijacker), expected["hijacker"], "{name}");
    assert_eq!(hijack.configured.to_string(), expected["configured_prefix"], "{name}");
    let tag = hijack.rpki.map(RpkiTag::name);
    assert_eq!(Value::from(tag), expected["rpki"], "{name}");
    let annotation = hijack.annotation.clone();
    assert_eq!(Value::from(annotation), expected["annotation"], "{name}");
}

#[test]
fn every_step_of_every_case() {
    let Some(document) = vectors("artemis.json") else { return };
    let (mut cases, mut steps) = (0, 0);
    for case in list(&document["cases"]) {
        let mut artemis = detector(&document, case);
        let mut last = None;
        for (number, vector) in list(&case["steps"]).iter().enumerate() {
            let name = format!("{} step {}", case["case"], number + 1);
            let raised = step(&mut artemis, &vector["update"]);
            let expected = &vector["expect"];
            assert_eq!(raised.is_some(), expected.is_object(), "{name}: {expected}");
            last = raised.or(last);
            let hijack = last.map(|index| &artemis.hijacks()[index]);
            if raised.is_some() {
                assert_hijack(hijack.unwrap(), expected, &name);
            }
            if vector["state"].is_object() {
                assert_state(hijack.unwrap(), &vector["state"], &name);
            }
            steps += 1;
        }
        cases += 1;
    }
    assert_eq!((cases, steps), (29, 94));
}
