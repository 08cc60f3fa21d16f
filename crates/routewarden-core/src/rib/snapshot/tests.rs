use super::*;
use crate::{AsPathBuf, Asn, Peer, PeerId, Prefix, Timestamp};
use std::net::Ipv4Addr;

fn peer(number: u8) -> Peer {
    let addr = Ipv4Addr::new(192, 0, 2, number).into();
    Peer { collector: "route-views2".to_owned(), asn: Asn(64_496), addr }
}

fn attributes(origin: u32) -> Vec<u8> {
    let path = AsPathBuf::sequence([Asn(64_496), Asn(origin)]);
    let mut octets = Vec::new();
    assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
    octets
}

fn peers(numbers: impl Iterator<Item = u8>) -> PeerTable {
    let mut table = PeerTable::default();
    for number in numbers {
        table.intern(&peer(number));
    }
    table
}

/// Routes of peers 0 to `peers` to `prefixes` prefixes, each with one of 50 attribute sets.
fn table(peers: &mut PeerTable, numbers: u8, prefixes: u32) -> AdjRibIn {
    let mut rib = AdjRibIn::default();
    for number in 0..numbers {
        let id = peers.intern(&peer(number));
        for n in 0..prefixes {
            let prefix = Prefix::v4(10 << 24 | n << 8, 24).unwrap();
            let time = Timestamp::from_secs_micros(1_000 + n, 32 * u32::from(number));
            rib.hear(time, id);
            rib.announce((time, id), prefix, &attributes(n % 50), &mut |_| 7);
        }
    }
    rib
}

fn save(rib: &AdjRibIn, peers: &PeerTable) -> Vec<u8> {
    let mut out = Vec::new();
    rib.save(peers, &mut out).unwrap();
    out
}

fn restore(octets: &[u8], limits: RibLimits) -> Result<(AdjRibIn, PeerTable), SnapshotError> {
    let mut peers = PeerTable::default();
    let rib = AdjRibIn::restore(&mut &octets[..], limits, &mut peers, &mut |_| 9)?;
    Ok((rib, peers))
}

#[test]
fn numbers_of_peers_do_not_show() {
    let (mut up, mut down) = (peers(0..40), peers((0..40).rev()));
    let octets = save(&table(&mut up, 40, 900), &up);
    assert_eq!(octets, save(&table(&mut down, 40, 900), &down));
    assert!(octets.len() > 2 * FRAME_OCTETS, "more than one frame of routes");
    let mut both = down.clone();
    let restored =
        AdjRibIn::restore(&mut octets.as_slice(), RibLimits::default(), &mut both, &mut |_| 9);
    let restored = restored.unwrap();
    assert_eq!((restored.route_count(), restored.prefix_count()), (36_000, 900));
    assert_eq!((restored.attributes().len(), both.len()), (50, 40));
    assert_eq!(save(&restored, &both), octets);
    let prefix = Prefix::v4(10 << 24 | 3 << 8, 24).unwrap();
    let first = restored.routes(&prefix).next().unwrap();
    assert_eq!((first.peer, first.time.micros()), (PeerId(0), 1_003_000_000 + 39 * 32));
    assert_eq!(restored.attributes().flags(first.attributes), 9, "flags are asked for anew");
}

#[test]
fn routes_of_one_prefix_may_fill_several_frames() {
    let mut rib = AdjRibIn::default();
    let mut names = PeerTable::default();
    for number in 0..200_u8 {
        let id = names.intern(&peer(number));
        let communities: Vec<u8> =
            (0..4_000).map(|n: u32| number.wrapping_add(n.to_le_bytes()[0])).collect();
        let path = AsPathBuf::sequence([Asn(1)]);
        let set = RouteAttributes {
            communities: &communities,
            ..RouteAttributes::from_path(path.as_path())
        };
        let mut octets = Vec::new();
        assert!(set.encode(&mut octets));
        let at = (Timestamp::from_secs(5), id);
        rib.hear(at.0, id);
        rib.announce(at, "::/0".parse().unwrap(), &octets, &mut |_| 0).unwrap();
    }
    let octets = save(&rib, &names);
    let (again, again_names) = restore(&octets, RibLimits::default()).unwrap();
    assert_eq!((again.route_count(), again.attributes().len()), (200, 200));
    assert_eq!(save(&again, &again_names), octets);
}

#[test]
fn a_frame_may_end_behind_any_route() {
    let mut names = PeerTable::default();
    let rib = table(&mut names, 2, 20_000);
    let octets = save(&rib, &names);
    assert!(octets.len() > 3 * FRAME_OCTETS);
    assert_eq!(restore(&octets, RibLimits::default()).unwrap().0.route_count(), 40_000);
}

#[test]
fn everything_is_released_after_a_restore() {
    let mut names = PeerTable::default();
    let octets = save(&table(&mut names, 3, 60), &names);
    let (mut rib, _) = restore(&octets, RibLimits::default()).unwrap();
    let held: Vec<_> = rib.prefixes().flat_map(|p| rib.routes(p).map(|r| (r.peer, *p))).collect();
    assert_eq!(held.len(), 180);
    for (peer, prefix) in held {
        assert!(rib.withdraw((Timestamp::from_secs(5_000), peer), prefix).is_some());
    }
    rib.advance(Timestamp::from_secs(10_000));
    assert_eq!((rib.route_count(), rib.prefix_count(), rib.attributes().len()), (0, 0, 0));
    assert_eq!(rib.session(PeerId(0)).unwrap().route_count(crate::AddressFamily::Ipv4), 0);
}

#[test]
fn limits_hold_for_what_is_read() {
    let mut names = PeerTable::default();
    let octets = save(&table(&mut names, 3, 60), &names);
    let exact = RibLimits { routes_max: 180, prefixes_max: 60, ..RibLimits::default() };
    assert!(restore(&octets, exact).is_ok());
    for limits in [RibLimits { routes_max: 179, ..exact }, RibLimits { prefixes_max: 59, ..exact }]
    {
        assert!(matches!(restore(&octets, limits), Err(SnapshotError::OverLimit { .. })));
    }
}

#[test]
fn faults_are_named() {
    let mut names = PeerTable::default();
    let octets = save(&table(&mut names, 1, 5), &names);
    let fault = |octets: &[u8]| restore(octets, RibLimits::default()).unwrap_err();
    assert!(matches!(fault(b"MRT table"), SnapshotError::NotASnapshot));
    assert!(matches!(fault(&octets[..4]), SnapshotError::Ended { offset: 0 }));
    assert!(matches!(fault(&octets[..14]), SnapshotError::Ended { offset: 12 }));
    assert!(matches!(fault(&octets[..octets.len() - 1]), SnapshotError::Ended { .. }));
    let mut other = octets.clone();
    other[11] = 2;
    assert!(matches!(fault(&other), SnapshotError::UnknownVersion(2)));
    let mut other = octets.clone();
    other[25] ^= 1;
    assert!(matches!(fault(&other), SnapshotError::Checksum { offset: 12 }));
    let mut huge = octets[..12].to_vec();
    huge.extend([0xff; 40]);
    assert!(matches!(fault(&huge), SnapshotError::Malformed { offset: 20, .. }));
    assert!(matches!(AdjRibIn::default().save(&PeerTable::default(), &mut Vec::new()), Ok(())));
    let rib = table(&mut names, 1, 1);
    let unnamed = rib.save(&PeerTable::default(), &mut Vec::new());
    assert!(matches!(unnamed, Err(SnapshotError::UnknownPeer(PeerId(0)))));
}
