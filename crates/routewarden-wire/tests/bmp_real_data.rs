//! BMP as real routers sent it: every stream gives the counts of `EXPECTED.tsv`, and every UPDATE
//! in it is read.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails by panicking and tells on the console what it skipped"
)]

mod common;

use std::collections::BTreeMap;

use routewarden_wire::bmp::{PeerHeader, PeerType, PeerUpForms, RouteDistinguisher};
use routewarden_wire::{BmpMessage, RawBmpMessage};

/// What the messages of a stream are.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stream {
    /// Messages by type: 0 to 6.
    types: [u64; 7],
    octets: u64,
    announced: u64,
    withdrawn: u64,
    end_of_ribs: u64,
    /// Updates with warnings.
    with_warnings: u64,
    warnings: BTreeMap<&'static str, u64>,
    errors: BTreeMap<String, u64>,
    peers: BTreeMap<(PeerType, RouteDistinguisher, std::net::IpAddr), PeerUpForms>,
}

impl Stream {
    fn read(octets: &[u8]) -> Self {
        let mut stream = Stream::default();
        let mut rest = octets;
        while let Some(raw) = RawBmpMessage::next(rest, stream.octets).unwrap() {
            stream.types[usize::from(raw.message_type)] += 1;
            match raw.decode() {
                Ok(message) => stream.message(&message, raw.offset),
                Err(error) => *stream.errors.entry(error.to_string()).or_default() += 1,
            }
            stream.octets += raw.octets() as u64;
            rest = &rest[raw.octets()..];
        }
        stream
    }

    fn message(&mut self, message: &BmpMessage<'_>, offset: u64) {
        let key = |peer: &PeerHeader| (peer.peer_type, peer.distinguisher, peer.addr);
        match message {
            BmpMessage::PeerUp(up) => {
                self.peers.insert(key(&up.peer), up.forms());
            }
            BmpMessage::Statistics(report) => {
                assert_eq!(report.iter().count(), report.count as usize);
            }
            BmpMessage::Initiation(tlvs) => assert!(tlvs.iter().count() > 0),
            BmpMessage::RouteMonitoring(routes) => {
                let view = routes.peer.view();
                let forms = self.peers.get(&key(&routes.peer)).copied().unwrap_or_default();
                match routes.decode_update(forms.of(view), offset) {
                    Err(error) => *self.errors.entry(error.to_string()).or_default() += 1,
                    Ok((update, mut warnings)) => {
                        warnings.merge(update.warnings());
                        self.with_warnings += u64::from(!warnings.is_empty());
                        for warning in warnings.iter() {
                            *self.warnings.entry(warning.kind()).or_default() += 1;
                        }
                        self.announced += update.announced().count() as u64;
                        self.withdrawn += update.withdrawn().count() as u64;
                        self.end_of_ribs += u64::from(update.end_of_rib().is_some());
                    }
                }
            }
            _ => {}
        }
    }

    fn messages(&self) -> u64 {
        self.types.iter().sum()
    }
}

#[test]
fn all_router_streams_give_the_counts_that_others_give() {
    let Some(data) = common::shared_data() else { return };
    let folder = data.join("live/pmacct-bmp");
    let table = std::fs::read_to_string(folder.join("EXPECTED.tsv")).unwrap();
    let (mut files, mut messages, mut updates) = (0, 0, 0);
    let (mut with_warnings, mut warnings, mut errors) = (0, BTreeMap::new(), BTreeMap::new());
    for line in table.lines().skip(1) {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |column: usize| cells[column].parse::<u64>().unwrap();
        let octets = std::fs::read(folder.join(cells[2])).unwrap();
        let stream = Stream::read(&octets);
        let expected: Vec<u64> = (5..12).map(number).collect();
        assert_eq!(stream.types.as_slice(), expected, "{}", cells[2]);
        assert_eq!((stream.messages(), stream.octets), (number(4), number(12)), "{}", cells[2]);
        files += 1;
        messages += stream.messages();
        updates += stream.types[0];
        with_warnings += stream.with_warnings;
        for (kind, count) in stream.warnings {
            *warnings.entry(kind).or_default() += count;
        }
        for (error, count) in stream.errors {
            *errors.entry(format!("{}: {error}", cells[2])).or_default() += count;
        }
    }
    println!("{messages} messages, {updates} updates, {with_warnings} with warnings {warnings:?}");
    assert_eq!((files, messages, updates), (66, 14_833, 10_392));
    assert_eq!(errors, BTreeMap::<String, u64>::new());
    assert_eq!(with_warnings, 5_763);
    let kinds = [
        // Path identifiers in a Loc-RIB whose OPENs deny it (Cisco).
        ("add_path_guessed", 4),
        // Two octets an ASN where the header says four (6WIND).
        ("as_path_malformed", 7),
        // VPN, labelled and EVPN routes.
        ("family_unsupported", 5_480),
        // Cisco puts TLVs behind the UPDATE.
        ("message_trailing", 200),
        // Routes of 6WIND's peer 0.0.0.0, which are its own, without NEXT_HOP; those of its Loc-RIB
        // count all the same.
        ("next_hop_missing", 279),
    ];
    assert_eq!(warnings, BTreeMap::from(kinds));
}

#[test]
fn lab_recordings_of_frr_and_gobgp() {
    let Some(data) = common::shared_data() else { return };
    // Messages by type and End-of-RIBs, as a walk over the headers by other means counts them. The
    // first file of each is FRR's, which sends each route before and after its policy, and no
    // End-of-RIB; the second is GoBGP's.
    let expected = [
        ("plain/col/bmp.0", [91, 45, 5, 5, 1, 0, 0], 0),
        ("plain/col/bmp.1", [41, 0, 0, 4, 1, 0, 0], 2),
        ("roles/col/bmp.0", [63, 45, 6, 5, 1, 0, 0], 0),
        ("roles/col/bmp.1", [25, 0, 0, 4, 1, 0, 0], 2),
        ("roles-leaker-without/col/bmp.0", [61, 25, 5, 5, 1, 0, 0], 0),
        ("roles-leaker-without/col/bmp.1", [26, 0, 0, 4, 1, 0, 0], 2),
    ];
    for (file, types, end_of_ribs) in expected {
        let octets = std::fs::read(data.join("lab/recordings").join(file)).unwrap();
        let stream = Stream::read(&octets);
        assert_eq!((stream.types, stream.end_of_ribs), (types, end_of_ribs), "{file}");
        assert_eq!(stream.octets, octets.len() as u64);
        assert_eq!((stream.with_warnings, &stream.errors), (0, &BTreeMap::new()), "{file}");
        assert_eq!(stream.announced + stream.withdrawn, types[0] - end_of_ribs, "{file}");
    }
}
