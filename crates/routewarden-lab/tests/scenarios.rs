//! Every scenario of the repository is readable and keeps the rules of `scenarios/README.md`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use routewarden_core::{
    Asn, EventBatch, Prefix, RouteAttributes, RouteEvent, RouteEventKind, Timestamp,
};
use routewarden_lab::{Constituency, Scenario};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path) -> Scenario {
    let text = fs::read_to_string(folder.join("scenario.toml")).unwrap();
    Scenario::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}

fn all() -> Vec<Scenario> {
    folders().iter().map(|folder| read(folder)).collect()
}

fn events(scenario: &Scenario) -> impl Iterator<Item = (&EventBatch, RouteEvent)> {
    std::iter::once(scenario.table_batch())
        .chain(scenario.update_batches())
        .flat_map(|batch| batch.events.iter().map(move |event| (batch, *event)))
}

/// Prefix of the event, and the ASNs of its path if it has one.
fn route(batch: &EventBatch, event: RouteEvent) -> Option<(Prefix, Vec<Asn>)> {
    match event.kind {
        RouteEventKind::Announcement { prefix, attributes }
        | RouteEventKind::TableEntry { prefix, attributes, .. } => {
            let attributes = RouteAttributes::decode(batch.attributes(attributes)).unwrap();
            Some((prefix, attributes.as_path.asns().collect()))
        }
        RouteEventKind::Withdrawal { prefix } => Some((prefix, Vec::new())),
        _ => None,
    }
}

#[test]
fn every_scenario_is_readable_and_named_as_its_folder() {
    let folders = folders();
    assert!(folders.len() >= 130, "{}", folders.len());
    for folder in folders {
        let scenario = read(&folder);
        assert_eq!(folder.file_name().unwrap().to_str(), Some(scenario.id.as_str()));
        let story = fs::read_to_string(folder.join(&scenario.story)).unwrap();
        assert!(story.lines().count() <= 80, "{}: story too long", folder.display());
        let is_dated = scenario.id.starts_with(|c: char| c.is_ascii_digit());
        assert_eq!(scenario.is_reconstruction, is_dated, "{}", scenario.id);
        assert_eq!(scenario.is_reconstruction, !scenario.sources.is_empty(), "{}", scenario.id);
        let is_silent = scenario.id.starts_with("silent-");
        assert_eq!(scenario.expectations.is_empty(), is_silent, "{}", scenario.id);
        assert!(events(&scenario).count() > 0);
    }
}

#[test]
fn enough_situations_must_stay_silent() {
    let silent: Vec<_> = all().into_iter().filter(|s| s.expectations.is_empty()).collect();
    assert!(silent.len() >= 60);
    for scenario in silent {
        assert!(scenario.unexpected_confidence_min <= 50, "{}", scenario.id);
    }
}

#[test]
fn expected_members_are_members() {
    for scenario in all() {
        let members = match &scenario.constituency {
            Some(Constituency::Members(members)) => members.as_slice(),
            _ => &[],
        };
        for member in scenario.expectations.iter().filter_map(|expected| expected.member.as_ref()) {
            assert!(members.iter().any(|known| known.id == *member), "{}: {member}", scenario.id);
        }
    }
}

/// The list of published incidents stands beside the repository, where it is present at all.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
#[test]
fn every_listed_incident_has_its_scenario() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Ok(list) = fs::read_to_string(repository.join("../shared/data/incidents/incidents.json"))
    else {
        assert!(std::env::var_os("CI").is_none(), "the list of incidents is missing");
        eprintln!("skipped: no list of incidents beside the repository");
        return;
    };
    let ids: Vec<&str> =
        list.split("\"id\": \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), 26);
    let all = all();
    for id in ids {
        // The first one was named before the list was made.
        let end = if id == "youtube-2008" { "-youtube" } else { id };
        let mut found = all.iter().filter(|s| s.is_reconstruction && s.id.ends_with(end));
        assert!(found.next().is_some() && found.next().is_none(), "{id}");
    }
}

/// RFC 5737, RFC 3849 and RFC 9637 prefixes; RFC 5398 and RFC 6996 ASNs. Beside them default
/// routes, IPv4-mapped prefixes, AS2 where a prepend is mistyped, and a published beacon, which
/// concern nobody.
#[test]
fn invented_scenarios_use_documentation_resources() {
    let prefixes = |texts: &[&str]| -> Vec<Prefix> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let documentation =
        ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"];
    let space = prefixes(&documentation);
    let defaults = prefixes(&["0.0.0.0/0", "::/0"]);
    let others = prefixes(&["::ffff:0:0/96", "84.205.64.0/24"]);
    for scenario in all() {
        // Documentation space is bogon: what shows bogons needs other space around them.
        if scenario.is_reconstruction || scenario.id.starts_with("bogon-") {
            continue;
        }
        assert!(!scenario.bogons, "{}: bogon checks would find it", scenario.id);
        for (prefix, asns) in events(&scenario).filter_map(|(batch, event)| route(batch, event)) {
            let is_covered = space.iter().chain(&others).any(|known| known.covers(&prefix));
            assert!(is_covered || defaults.contains(&prefix), "{}: {prefix}", scenario.id);
            for asn in asns {
                let is_invented = matches!(asn.0, 64496..=65534 | 65536..=65551 | 2 | 12654);
                assert!(is_invented, "{}: {asn}", scenario.id);
            }
        }
    }
}

#[test]
fn the_youtube_scenario_states_the_published_facts() {
    let folder = folders().into_iter().find(|path| path.ends_with("2008-02-24-youtube")).unwrap();
    let scenario = read(&folder);
    let (culprit, victim) = (Asn(17557), Asn(36561));
    let prefix = |text: &str| text.parse::<Prefix>().unwrap();
    let mut seen_by = BTreeSet::new();
    let mut hijacked_now = BTreeSet::new();
    let mut firsts: Vec<(Prefix, Asn, Timestamp)> = Vec::new();
    let mut last_hijacked = Timestamp::default();
    for (batch, event) in events(&scenario) {
        let Some((prefix, asns)) = route(batch, event) else { continue };
        let peer = scenario.peers[usize::try_from(event.peer).unwrap()].asn;
        if prefix == "208.65.153.0/24".parse().unwrap() {
            if asns.last() == Some(&culprit) {
                assert!(asns.contains(&Asn(3491)));
                seen_by.insert(peer);
                hijacked_now.insert(peer);
            } else if hijacked_now.remove(&peer) {
                last_hijacked = event.time;
            }
        }
        if let Some(&origin) = asns.last()
            && !firsts.iter().any(|&(p, o, _)| (p, o) == (prefix, origin))
        {
            firsts.push((prefix, origin, event.time));
        }
    }
    let first = |text: &str, origin: Asn| {
        let found = firsts.iter().find(|&&(p, o, _)| (p, o) == (prefix(text), origin));
        found.map(|(_, _, time)| time.to_string())
    };
    assert_eq!(first("208.65.153.0/24", culprit).unwrap(), "2008-02-24T18:47:57Z");
    assert_eq!(first("208.65.153.0/24", victim).unwrap(), "2008-02-24T20:07:25Z");
    assert_eq!(first("208.65.153.0/25", victim).unwrap(), "2008-02-24T20:18:43Z");
    assert_eq!(first("208.65.153.128/25", victim).unwrap(), "2008-02-24T20:18:43Z");
    assert_eq!(first("208.65.152.0/22", victim).unwrap(), scenario.start.to_string());
    assert_eq!(last_hijacked.to_string(), "2008-02-24T21:01:34Z");
    assert_eq!(seen_by.len(), 36);
    assert!(hijacked_now.is_empty());
}
