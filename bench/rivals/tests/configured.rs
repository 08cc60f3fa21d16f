//! The rivals, configured from a table as their own set-up would, on batches of events.
#![expect(clippy::unwrap_used, reason = "test code: a panic is a failed test")]

use routewarden_core::{
    AsPathBuf, Asn, EventBatch, Peer, PeerId, PeerTable, RouteAttributes, RouteEvent,
    RouteEventKind, Timestamp,
};
use routewarden_rivals::{Artemis, Bgpalerter, Naive, Rival, StartingTable};

const PEERS: [u32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// Every peer announces the prefix with its own ASN before the path, or withdraws it.
fn batch(secs: u32, prefix: &str, path: Option<&[u32]>) -> EventBatch {
    let mut batch = EventBatch::default();
    let prefix = prefix.parse().unwrap();
    for (peer, asn) in (0..).zip(PEERS) {
        let kind = match path {
            None => RouteEventKind::Withdrawal { prefix },
            Some(path) => {
                let asns = std::iter::once(asn).chain(path.iter().copied());
                let path = AsPathBuf::sequence(asns.map(Asn));
                let attributes = RouteAttributes::from_path(path.as_path());
                let attributes = batch.push_attributes(&attributes).unwrap();
                RouteEventKind::Announcement { prefix, attributes }
            }
        };
        batch.events.push(RouteEvent { time: Timestamp::from_secs(secs), peer, kind });
    }
    batch
}

/// What each rival says of the event, as `KIND CULPRIT`, after a table of two prefixes.
fn said(prefix: &str, path: Option<&[u32]>) -> Vec<Vec<String>> {
    let mut table = StartingTable::default();
    for (prefix, path) in [("192.0.2.0/24", [20, 64500]), ("198.51.100.0/24", [20, 64501])] {
        let batch = batch(100, prefix, Some(&path));
        table.learn(&batch, 0..batch.events.len());
    }
    let mut peers = PeerTable::default();
    let ids: Vec<PeerId> = (0..)
        .zip(PEERS)
        .map(|(number, asn)| {
            let addr = [198, 51, 100, number].into();
            peers.intern(&Peer { collector: "test".to_owned(), asn: Asn(asn), addr })
        })
        .collect();
    let mut rivals: [Box<dyn Rival>; 3] = [
        Box::new(Artemis::from_table(&table, None)),
        Box::new(Bgpalerter::from_table(&table, None, peers.len())),
        Box::new(Naive::new(&table)),
    ];
    let batch = batch(200, prefix, path);
    let mut all = Vec::new();
    for rival in &mut rivals {
        rival.apply(&batch, 0..batch.events.len(), &ids, &peers);
        let alarms = rival.alarms().into_iter();
        let text = |asn: Option<Asn>| asn.map_or("-".to_owned(), |asn| asn.to_string());
        all.push(
            alarms.map(|alarm| format!("{} {}", alarm.kind.name(), text(alarm.culprit))).collect(),
        );
    }
    all
}

#[test]
fn what_the_table_shows_is_no_alarm() {
    let nothing: [&[&str]; 3] = [&[], &[], &[]];
    assert_eq!(said("192.0.2.0/24", Some(&[20, 64500])), nothing);
    assert_eq!(said("203.0.113.0/24", Some(&[20, 30])), nothing, "nobody's prefix");
}

#[test]
fn hijacks_of_origin_sub_prefix_and_neighbour() {
    let hijack = "origin_hijack AS64510";
    let [artemis, bgpalerter, naive] = [&[hijack][..], &[hijack], &[hijack]];
    assert_eq!(said("192.0.2.0/24", Some(&[20, 64510])), [artemis, bgpalerter, naive]);

    let hijack = "sub_prefix_hijack AS64510";
    assert_eq!(said("192.0.2.0/25", Some(&[20, 64510])), [[hijack], [hijack], [hijack]]);

    let forged = "forged_origin AS64510";
    let expected: [&[&str]; 3] = [&[forged], &[forged], &[]];
    assert_eq!(said("192.0.2.0/24", Some(&[20, 64510, 64500])), expected);
}

#[test]
fn own_more_specific_withdrawal_and_new_origination() {
    let own = "same_path_more_specific -";
    let expected: [&[&str]; 3] = [&[own], &[own], &[]];
    assert_eq!(said("192.0.2.0/25", Some(&[20, 64500])), expected);

    let expected: [&[&str]; 3] = [&[], &["prefix_outage -"], &[]];
    assert_eq!(said("192.0.2.0/24", None), expected);

    let expected: [&[&str]; 3] = [&[], &["unexpected_origination AS64500"], &[]];
    assert_eq!(said("203.0.113.0/24", Some(&[20, 64500])), expected);
}
