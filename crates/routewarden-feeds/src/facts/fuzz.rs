//! Bodies for the fuzzer, which a test replays on every run.

use std::io::BufReader;
use std::path::Path;

use routewarden_core::facts::{IrrState, IrrTable};
use routewarden_core::{Origin, Timestamp};

use super::{
    FactsError, Load, Loaded, Rpki, SKIPPED_SAMPLES_MAX, load_as_names, load_constituency,
    load_contacts, load_delegations, load_irr, load_organisations, load_origins, load_participants,
    load_peering_db, load_relations, load_rpki, load_spoofer,
};

/// Runs one parser, chosen by `kind`, on arbitrary octets and checks what must always hold.
///
/// # Panics
/// When something does not hold.
pub fn facts(kind: u8, data: &[u8]) {
    match kind % 11 {
        0 => {
            if let Ok(loaded) = run(load_rpki, data) {
                let Rpki { vrps: table, aspas } = &loaded.facts.table;
                if let Some(aspas) = aspas {
                    assert!(aspas.source.entries == aspas.table.len() as u64);
                    assert!(aspas.iter().all(|(asn, named)| aspas.providers(asn) == Some(named)));
                }
                assert!(!table.is_empty() && table.len() as u64 == loaded.facts.source.entries);
                for vrp in table.iter().take(100) {
                    let family_bits = vrp.prefix.family().bits();
                    assert!((vrp.prefix.len()..=family_bits).contains(&vrp.max_len), "{vrp:?}");
                    let (state, reason) = table.state(&vrp.prefix, Origin::As(vrp.asn));
                    assert!(reason.is_none() || vrp.asn.0 == 0, "{vrp:?} {state:?}");
                }
            }
        }
        1 => {
            if let Ok(loaded) = run(load_origins, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|(prefix, origins)| table.origins(&prefix) == origins));
            }
        }
        2 => {
            if let Ok(loaded) = run(load_organisations, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|(asn, _)| table.siblings(asn).any(|other| other == asn)));
            }
        }
        3 => {
            if let Ok(loaded) = run(load_relations, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|link| {
                    table.relation(link.b, link.a) == Some(link.relation.reversed())
                }));
            }
        }
        4 => {
            if let Ok(loaded) = run(load_as_names, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|(asn, name)| table.name(asn) == Some(name)));
            }
        }
        5 => {
            if let Ok(loaded) = run(load_constituency, data) {
                let table = &loaded.facts.table;
                let mut listed = table.members().iter().flat_map(|member| &member.prefixes);
                assert!(listed.all(|l| table.covering(&l.prefix).any(|held| held.listed == l)));
            }
        }
        kind => facts_beside(kind, data),
    }
}

/// Facts that detection does not rest on.
fn facts_beside(kind: u8, data: &[u8]) {
    match kind {
        6 => {
            if let Ok(loaded) = run(load_delegations, data) {
                assert!(!loaded.facts.table.is_empty());
            }
        }
        7 => {
            if let Ok(loaded) = run(load_peering_db, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|network| table.network(network.asn) == Some(network)));
            }
        }
        8 => {
            if let Ok(loaded) = run(load_participants, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|entry| table.of(entry.asn).contains(entry)));
            }
        }
        9 => {
            if let Ok(loaded) = run(load_spoofer, data) {
                let table = &loaded.facts.table;
                for test in table.iter().take(100) {
                    let after = Timestamp::from_micros(test.at.micros() + 1);
                    let counts = table.tests(test.asn, test.at, after);
                    assert!(counts.tests > 0 && counts.received_prefixes <= counts.tests);
                }
            }
        }
        _ => {
            if let Ok(loaded) = run(load_contacts, data) {
                let table = &loaded.facts.table;
                assert!(table.iter().all(|(asn, roles)| table.roles(asn) == Some(roles)));
            }
        }
    }
}

/// Reads arbitrary octets as a dump of a routing registry and checks what must always hold.
///
/// # Panics
/// When something does not hold.
pub fn rpsl(data: &[u8]) {
    let Ok(loaded) = run(load_irr, data) else { return };
    let table = &loaded.facts.table;
    for route in table.routes().take(100) {
        let state = table.state(&route.prefix, Origin::As(route.origin));
        assert!(state == IrrState::Valid, "{route:?} {state:?}");
        assert!(table.covering(&route.prefix).any(|held| held == route));
    }
    let both = IrrTable::united([table, table]);
    assert!(both.counts() == table.counts());
    for name in ["AS-A", "AS-SET", "AS1:AS-A"] {
        let expansion = table.expand(name);
        assert!(table.members(name).is_some() || expansion.missing.contains(name));
    }
}

/// Two readings, whole and in small pieces, tell the same.
fn run<T>(load: Load<T>, data: &[u8]) -> Result<Loaded<T>, FactsError> {
    let path = Path::new("fuzz");
    let whole = load(path, None, &mut &*data);
    let pieces = load(path, None, &mut BufReader::with_capacity(7, data));
    match (&whole, &pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert!(whole.facts.source == pieces.facts.source && whole.samples == pieces.samples);
            assert!(whole.samples.len() <= SKIPPED_SAMPLES_MAX);
            assert!(whole.facts.source.entries > 0);
        }
        (Err(whole), Err(pieces)) => assert!(whole.kind() == pieces.kind(), "{whole} {pieces}"),
        _ => assert!(whole.is_ok() == pieces.is_ok(), "reading in pieces tells otherwise"),
    }
    whole
}
