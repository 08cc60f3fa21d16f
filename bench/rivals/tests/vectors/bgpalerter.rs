//! Every set of updates of the vectors, with its alert ids: those expected and no others.
//!
//! Prefixes of the ids are made canonical first: the original counts 2.2.2.3/22 and 2.2.2.5/22 as two.
//! The vectors hold one withdrawal of each prefix; as they say, four peers send it. They have no
//! expectation for `rpki` and `roas`: for the former what design and names of the set tell is
//! checked, with VRPs of ours; of the latter they have no data (see the tests of that module). Texts
//! of alarms are nowhere checked.

use std::collections::BTreeSet;

use routewarden_core::facts::{TrustAnchorId, Vrp, VrpTable};
use routewarden_core::{Asn, PrefixMap, RouteAttributes};
use routewarden_rivals::bgpalerter::{
    Config, LengthRule, Monitor, MonitoredAs, PathRule, Quorum, Rule,
};
use routewarden_rivals::update::Update;
use routewarden_rivals::{Bgpalerter, Rival};
use serde_json::Value;

use crate::{asn, asns, list, path, peer, prefix, time, vectors};

fn one_or_more(value: &Value) -> Vec<Asn> {
    if value.is_array() { asns(value) } else { vec![asn(value)] }
}

fn monitors(value: &Value) -> Vec<Monitor> {
    let of = |name: &Value| match name.as_str().unwrap() {
        "basic-hijack-detection" => Monitor::Hijack,
        "prefix-detection" => Monitor::NewPrefix,
        "withdrawal-detection" => Monitor::Visibility,
        "rpki-monitor" => Monitor::Rpki,
        other => panic!("{other} is no monitor"),
    };
    list(value).iter().map(of).collect()
}

fn path_rules(value: &Value) -> Vec<PathRule> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| value.as_u64().map(|n| n.try_into().unwrap());
    let of = |value: &Value| PathRule {
        matches: text(&value["match"]),
        matches_not: text(&value["notMatch"]),
        length: LengthRule { max: number(&value["maxLength"]), min: number(&value["minLength"]) },
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(all) => all.iter().map(of).collect(),
        one => vec![of(one)],
    }
}

fn config(document: &Value, file: &str) -> Config {
    let all = &document["config_files"][file];
    let mut rules: PrefixMap<Rule> = PrefixMap::default();
    for (name, value) in all.as_object().unwrap().iter().filter(|(name, _)| *name != "options") {
        *rules.get_or_default(prefix(name)) = Rule {
            asns: one_or_more(&value["asn"]),
            ignores_more_specifics: value["ignoreMorespecifics"] == true,
            ignored: value["ignore"] == true,
            excluded: monitors(&value["excludeMonitors"]),
            included: monitors(&value["includeMonitors"]),
            paths: path_rules(&value["path"]),
        };
    }
    let monitored =
        all["options"]["monitorASns"].as_object().unwrap().iter().map(|(name, value)| {
            let neighbours = MonitoredAs {
                upstreams: asns(&value["upstreams"]),
                downstreams: asns(&value["downstreams"]),
            };
            (Asn(name.parse().unwrap()), Some(neighbours))
        });
    let given = &document["config"];
    let quorum =
        |name: &str| given["thresholdMinPeers"][name].as_u64().unwrap().try_into().unwrap();
    Config {
        rules,
        // Only one of the two files declares neighbours; without, that monitor is not loaded.
        monitored: monitored.collect(),
        quorum: Quorum {
            hijack: quorum("hijack"),
            new_prefix: quorum("newprefix"),
            visibility: quorum("visibility"),
            path: quorum("path"),
            misconfiguration: quorum("misconfiguration"),
            neighbours: quorum("neighbors"),
            rpki: quorum("rpki"),
        },
        fade_off_secs: given["fadeOffSeconds"].as_i64().unwrap(),
        // The vectors do not say how often the original's test looks.
        fade_check_secs: 1,
        ..Config::default()
    }
}

/// Valid in the original's test: the first for the set `hijack`, the others for `rpki`.
fn vrps() -> VrpTable {
    let of = |(name, asn): (&str, u32)| {
        let prefix = prefix(name);
        Vrp { prefix, max_len: prefix.len(), asn: Asn(asn), ta: TrustAnchorId::default() }
    };
    let all = [("193.0.0.0/21", 3333), ("82.112.100.0/24", 2914), ("103.21.244.0/23", 0)];
    VrpTable::from_vrps(all.map(of).to_vec())
}

/// Shows a message of the vectors at a time, as if `address` had sent it when given.
fn show(detector: &mut Bgpalerter, message: &Value, secs: u64, address: Option<&str>) {
    let data = &message["data"];
    let path = path(&data["path"]);
    let address = address.unwrap_or_else(|| data["peer"].as_str().unwrap());
    let peer = peer(path.as_path().neighbor().unwrap_or_default(), address);
    let mut take = |name: &Value, route| {
        let prefix = prefix(name.as_str().unwrap());
        detector.show(&Update { time: time(secs), peer: &peer, prefix, route });
    };
    for name in list(&data["announcements"]).iter().flat_map(|one| list(&one["prefixes"])) {
        take(name, Some(RouteAttributes::from_path(path.as_path())));
    }
    for name in list(&data["withdrawals"]) {
        take(name, None);
    }
}

/// Ids of the alerts of one monitor, sorted.
fn ids(detector: &Bgpalerter, monitor: Monitor) -> BTreeSet<String> {
    let alerts = detector.alerts().iter().filter(|(id, _)| id.monitor == monitor);
    alerts.map(|(id, _)| id.to_string()).collect()
}

/// Expected ids with their prefix made canonical.
fn expected(document: &Value, set: &str) -> BTreeSet<String> {
    let canonical = |id: &Value| {
        let is_prefix = |part: &&str| part.contains('/');
        let parts: Vec<String> = id
            .as_str()
            .unwrap()
            .split('-')
            .map(|part| if is_prefix(&part) { prefix(part).to_string() } else { part.to_owned() })
            .collect();
        parts.join("-")
    };
    list(&document["expected_alert_ids"][set]).iter().map(canonical).collect()
}

fn main_config(document: &Value) -> Config {
    config(document, document["config"]["prefixes"].as_str().unwrap())
}

#[test]
fn hijack_newprefix_path_misconfiguration_and_neighbours() {
    let Some(document) = vectors("bgpalerter.json") else { return };
    let sets = [
        ("hijack", "hijack", Monitor::Hijack, "prefixes"),
        ("newprefix", "newprefix", Monitor::NewPrefix, "prefixes"),
        ("path", "path", Monitor::Path, "prefixes"),
        ("misconfiguration", "misconfiguration", Monitor::Misconfiguration, "prefixes"),
        ("path-neighbors", "neighbors", Monitor::Neighbours, "neighbors"),
    ];
    for (set, name, monitor, file) in sets {
        let config = config(&document, document["config"][file].as_str().unwrap());
        let mut detector = Bgpalerter::new(config, Some(vrps()));
        let messages = list(&document["updates"][set]);
        assert!(!messages.is_empty());
        for message in messages {
            show(&mut detector, message, 1_000, None);
        }
        assert_eq!(ids(&detector, monitor), expected(&document, name), "{set}");
    }
}

#[test]
fn visibility_needs_four_peers() {
    let Some(document) = vectors("bgpalerter.json") else { return };
    let mut detector = Bgpalerter::new(main_config(&document), None);
    for (number, address) in ["124.0.0.1", "124.0.0.2", "124.0.0.3", "124.0.0.4"].iter().enumerate()
    {
        assert_eq!(ids(&detector, Monitor::Visibility), BTreeSet::new(), "{number} peers");
        for message in list(&document["updates"]["visibility"]) {
            show(&mut detector, message, 1_000, Some(address));
        }
    }
    assert_eq!(ids(&detector, Monitor::Visibility), expected(&document, "visibility"));
}

#[test]
fn what_is_below_the_quorum_fades() {
    let Some(document) = vectors("bgpalerter.json") else { return };
    for (after_secs, alerts) in [(6, 1), (14, 0)] {
        let mut detector = Bgpalerter::new(main_config(&document), None);
        let messages = list(&document["updates"]["fade"]);
        let (fourth, three) = messages.split_last().unwrap();
        assert_eq!(three.len(), 3);
        for message in three {
            show(&mut detector, message, 1_000, None);
        }
        show(&mut detector, fourth, 1_000 + after_secs, None);
        assert_eq!(ids(&detector, Monitor::Visibility).len(), alerts, "{after_secs} s");
    }
}

#[test]
fn an_alert_is_not_sent_again_within_the_interval() {
    let Some(document) = vectors("bgpalerter.json") else { return };
    let mut detector = Bgpalerter::new(main_config(&document), Some(vrps()));
    for (secs, alerts) in [(1_000, 3), (1_100, 3), (15_400, 3), (15_401, 6)] {
        for message in list(&document["updates"]["hijack"]) {
            show(&mut detector, message, secs, None);
        }
        let hijacks = detector.alerts().iter().filter(|(id, _)| id.monitor == Monitor::Hijack);
        assert_eq!(hijacks.count(), alerts, "at {secs}");
    }
}

#[test]
fn rpki_invalid_uncovered_and_no_longer_covered() {
    let Some(document) = vectors("bgpalerter.json") else { return };
    let set = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<BTreeSet<_>>();
    for alerts_uncovered in [false, true] {
        let config = Config { alerts_uncovered, ..main_config(&document) };
        let mut detector = Bgpalerter::new(config, Some(vrps()));
        let messages = list(&document["updates"]["rpki"]);
        for message in messages {
            show(&mut detector, message, 1_000, None);
        }
        let invalid = "13335-103.21.244.0/24-invalid";
        let uncovered = "2914-8.8.8.0/22-uncovered";
        let expected = if alerts_uncovered { set(&[invalid, uncovered]) } else { set(&[invalid]) };
        assert_eq!(ids(&detector, Monitor::Rpki), expected);
        // The VRPs are gone: what was valid is told of when it is announced anew, and not before.
        detector.replace_roas(time(1_500), &[]);
        assert_eq!(ids(&detector, Monitor::Rpki), expected);
        for message in messages {
            show(&mut detector, message, 2_000, None);
        }
        let gone = ids(&detector, Monitor::Rpki);
        assert!(gone.contains("2914-82.112.100.0/24-disappeared"), "{gone:?}");
    }
}
