//! Seeds of `rib_snapshot` and `rib_ops`.

use routewarden_core::rib::AdjRibIn;
use routewarden_core::{AsPathBuf, Asn, Peer, PeerTable, Prefix, RouteAttributes, Timestamp};

use super::{Outcome, PEER, p};

fn peer(number: u32) -> Peer {
    let addr = if number == 0 { PEER.into() } else { "2001:db8::1".parse().expect("an address") };
    Peer { collector: "route-views2".to_owned(), asn: Asn(64496 + number), addr }
}

fn announce(rib: &mut AdjRibIn, peers: &mut PeerTable, number: u32, prefix: Prefix, secs: u32) {
    let path = AsPathBuf::sequence([Asn(64496 + number), Asn(64500 + secs % 3)]);
    let set = RouteAttributes {
        otc: (number > 0).then_some(Asn(64496)),
        communities: if secs.is_multiple_of(2) { &[0xfb, 0xf0, 0, 1] } else { &[] },
        ..RouteAttributes::from_path(path.as_path())
    };
    let mut octets = Vec::new();
    assert!(set.encode(&mut octets));
    let time = Timestamp::from_secs_micros(secs, number * 16);
    let id = peers.intern(&peer(number));
    rib.tick(time);
    rib.hear(time, id);
    rib.announce((time, id), prefix, &octets, &mut |_| 0);
}

fn saved(rib: &AdjRibIn, peers: &PeerTable) -> Outcome<Vec<u8>> {
    let mut out = Vec::new();
    rib.save(peers, &mut out)?;
    Ok(out)
}

/// Names and octets of snapshots.
pub(crate) fn snapshots() -> Outcome<Vec<(&'static str, Vec<u8>)>> {
    let (mut rib, mut peers) = (AdjRibIn::default(), PeerTable::default());
    let mut all = vec![("empty", saved(&rib, &peers)?)];
    announce(&mut rib, &mut peers, 0, p("192.0.2.0/24"), 100);
    all.push(("one-route", saved(&rib, &peers)?));
    for (secs, prefix) in (101..).zip(["0.0.0.0/0", "192.0.2.128/25", "::/0", "2001:db8::1/128"]) {
        announce(&mut rib, &mut peers, secs % 2, p(prefix), secs);
        announce(&mut rib, &mut peers, 1, p(prefix), secs + 2);
    }
    all.push(("two-peers", saved(&rib, &peers)?));
    let second = peers.intern(&peer(1));
    rib.session_mut(second).on_down(Timestamp::from_secs(200));
    rib.session_mut(second).on_up(Timestamp::from_secs(210));
    announce(&mut rib, &mut peers, 1, p("192.0.2.128/25"), 212);
    all.push(("in-transfer", saved(&rib, &peers)?));
    for prefix in ["192.0.2.0/24", "198.51.100.0/24"] {
        rib.withdraw((Timestamp::from_secs(213), peers.intern(&peer(0))), p(prefix));
    }
    rib.withdraw((Timestamp::from_secs(212), peers.intern(&peer(0))), p("198.51.100.0/24"));
    all.push(("withdrawals", saved(&rib, &peers)?));
    let mut cut = saved(&rib, &peers)?;
    cut.truncate(cut.len() - 5);
    all.push(("cut", cut));
    Ok(all)
}

/// Names and octets of events: what, whose, which prefix, when.
pub(crate) fn events() -> Vec<(&'static str, Vec<u8>)> {
    let announcements =
        |what: u8| (0..36).flat_map(move |n| [what ^ n << 6, n, n * 7, 128 | n % 3]);
    let withdrawals = || (0..36).flat_map(|n| [4, n, n * 7, 128 | n % 5]);
    let resets = || (0..15).flat_map(|n| [6 + (n % 3) * 8, n, 0, 128]);
    let save = |who: u8| [7, who, 0, 0].into_iter();
    vec![
        ("announce", announcements(0).collect()),
        ("withdraw", announcements(0).chain(withdrawals()).collect()),
        ("late", announcements(1).chain([4, 0, 0, 128, 0, 0, 0, 20, 4, 0, 0, 9]).collect()),
        ("reset", announcements(0).chain(resets()).chain(announcements(0)).collect()),
        (
            "save",
            announcements(0).chain(withdrawals()).chain(save(0)).chain(announcements(2)).collect(),
        ),
        (
            "renumber",
            announcements(0).chain(save(255)).chain(resets()).chain(withdrawals()).collect(),
        ),
    ]
}
