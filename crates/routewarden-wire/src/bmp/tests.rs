//! What a router may do wrong, and `decode ∘ encode = id`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::collection::vec;
use proptest::prelude::*;
use routewarden_core::{Asn, Timestamp};

use super::*;
use crate::encode::{self, OpenParts, PeerUpParts};
use crate::{AddPathMode, FamilySet, Negotiated, Notification, Open, RawCapability, Safi};

fn peer() -> PeerHeader {
    PeerHeader {
        peer_type: PeerType::Global,
        flags: 0,
        distinguisher: RouteDistinguisher(0),
        addr: Ipv4Addr::new(192, 0, 2, 1).into(),
        asn: Asn(64496),
        bgp_id: Ipv4Addr::new(192, 0, 2, 1),
        time: Some(Timestamp::from_secs_micros(1_700_000_000, 5)),
    }
}

fn decode(octets: &[u8]) -> Result<BmpMessage<'_>, Error> {
    let raw = RawBmpMessage::next(octets, 0)?.unwrap();
    assert_eq!(raw.octets(), octets.len());
    raw.decode()
}

#[test]
fn a_message_is_cut_off_once_it_is_whole() {
    let octets = [encode::bmp_initiation(&[]).unwrap(), vec![3]].concat();
    for until in 0..6 {
        assert!(RawBmpMessage::next(&octets[..until], 0).unwrap().is_none());
    }
    assert_eq!(RawBmpMessage::next(&octets, 0).unwrap().unwrap().octets(), 6);
}

#[test]
fn lengths_and_versions_that_cannot_be_end_the_session() {
    let head = |version: u8, length: u32| [&[version][..], &length.to_be_bytes(), &[0]].concat();
    let kind = |octets: &[u8]| {
        let error = RawBmpMessage::next(octets, 9).unwrap_err();
        assert_eq!(error.offset(), 9);
        error.kind()
    };
    assert_eq!(kind(&[4]), "bmp_version");
    assert_eq!(kind(&head(3, 5)), "bmp_message_length");
    let most = u32::try_from(BMP_MESSAGE_OCTETS_MAX).unwrap();
    assert!(RawBmpMessage::next(&head(3, most), 0).unwrap().is_none());
    assert_eq!(kind(&head(3, most + 1)), "bmp_message_length");
    assert_eq!(kind(&head(3, u32::MAX)), "bmp_message_length");
}

#[test]
fn a_length_that_lies_inside_is_told_with_its_place() {
    let place = |octets: &[u8]| match decode(octets) {
        Err(Error::Malformed { at, part, .. }) => (at, part.kind()),
        other => panic!("{other:?}"),
    };
    let tlv = encode::bmp_message(4, &[0, 2, 0, 9, b'a']).unwrap();
    assert_eq!(place(&tlv), (6, "malformed_bmp_tlv"));
    let short = encode::bmp_message(0, &[0; 41]).unwrap();
    assert_eq!(place(&short), (6, "malformed_bmp_peer_header"));
    let none = encode::bmp_peer_down(&peer(), 2, &[0]).unwrap();
    assert_eq!(place(&none), (49, "malformed_bmp_peer_down"));
    let keepalive = encode::bmp_peer_down(&peer(), 3, &encode::keepalive()).unwrap();
    assert_eq!(place(&keepalive), (49, "malformed_bmp_peer_down"));
    let parts = OpenParts {
        asn: Asn(64496),
        hold_time: 90,
        bgp_id: Ipv4Addr::LOCALHOST,
        capabilities: &[],
    };
    let open = encode::open(&parts).unwrap();
    let up = PeerUpParts {
        peer: peer(),
        local_addr: Ipv4Addr::new(192, 0, 2, 2).into(),
        ports: [179, 40_000],
        opens: [&open, &open[..28]],
        tlvs: &[],
    };
    // 6 + 42 + 20 and the first OPEN.
    assert_eq!(place(&encode::bmp_peer_up(&up).unwrap()), (68 + 29, "malformed_bmp_peer_up"));
}

#[test]
fn a_route_monitoring_without_an_update_is_malformed_and_ends_nothing() {
    let place = |message: &[u8]| {
        let octets = encode::bmp_route_monitoring(&peer(), message).unwrap();
        let Ok(BmpMessage::RouteMonitoring(routes)) = decode(&octets) else { panic!() };
        let result = routes.decode_update(FamilySet::NONE, 100);
        let error = result.map(|(update, _)| update.announced().count()).unwrap_err();
        assert_eq!(error.offset(), 100);
        error.kind()
    };
    assert_eq!(place(&[]), "malformed_bgp_header");
    assert_eq!(place(&encode::keepalive()), "malformed_bmp_route_monitoring");
    let update = encode::message(2, &[0; 4]).unwrap();
    assert_eq!(place(&update[..22]), "malformed_bgp_header");
    assert_eq!(place(&encode::message(2, &[0; 3]).unwrap()), "malformed_update");
}

#[test]
fn flags_say_view_and_width() {
    let with = |peer_type, flags| PeerHeader { peer_type, flags, ..peer() };
    assert_eq!(with(PeerType::Global, 0).view(), View::AdjRibInPre);
    assert_eq!(with(PeerType::Local, 0x40).view(), View::AdjRibInPost);
    assert_eq!(with(PeerType::Global, 0x10).view(), View::AdjRibOutPre);
    assert_eq!(with(PeerType::RouteDistinguisher, 0x50).view(), View::AdjRibOutPost);
    let loc = with(PeerType::LocRib, 0xa0);
    assert_eq!((loc.view(), loc.asn_width()), (View::LocRib, crate::AsnWidth::Four));
    assert!(loc.is_loc_rib_filtered());
    assert_eq!(with(PeerType::Global, 0x20).asn_width(), crate::AsnWidth::Two);
}

#[test]
fn distinguishers_are_written_by_their_type() {
    let text = |value: u64| RouteDistinguisher(value).to_string();
    assert_eq!(text(0x0000_fbf4_0000_0001), "64500:1");
    assert_eq!(text(0x0001_c000_0201_0007), "192.0.2.1:7");
    assert_eq!(text(0x0002_0001_0001_0003), "65537:3");
    assert_eq!(text(0x00ff_0000_0000_0001), "00ff000000000001");
}

#[test]
fn add_path_is_what_one_sends_and_the_other_takes() {
    let open = |mode| {
        let value = encode::add_path((1, 1), mode);
        let capabilities = [RawCapability { code: 69, value: &value }];
        let bgp_id = Ipv4Addr::LOCALHOST;
        let parts =
            OpenParts { asn: Asn(64496), hold_time: 90, bgp_id, capabilities: &capabilities };
        encode::open(&parts).unwrap()
    };
    let (send, receive) = (open(AddPathMode::Send), open(AddPathMode::Receive));
    let (send, receive) =
        (Open::decode(&send[19..]).unwrap(), Open::decode(&receive[19..]).unwrap());
    let ipv4 = (routewarden_core::AddressFamily::Ipv4, Safi::Unicast);
    let path_ids = Negotiated::of(&receive, &send).path_ids;
    assert!(path_ids.contains(ipv4.0, ipv4.1));
    assert!(Negotiated::of(&send, &receive).path_ids.is_empty());
    assert!(Negotiated::of(&send, &send).path_ids.is_empty());
    assert_eq!(Negotiated::loc_rib_path_ids(&send), path_ids);
}

fn any_peer() -> impl Strategy<Value = PeerHeader> {
    let addr = prop_oneof![
        any::<u32>().prop_map(|addr| IpAddr::V4(Ipv4Addr::from(addr))),
        any::<u128>().prop_map(|addr| IpAddr::V6(Ipv6Addr::from(addr))),
    ];
    let time = (any::<u32>(), 0u32..1_000_000);
    (any::<u8>(), any::<u8>(), any::<u64>(), addr, any::<[u32; 2]>(), time).prop_map(
        |(kind, flags, distinguisher, addr, [asn, id], (secs, micros))| {
            let peer_type = PeerType::from_octet(kind % 5);
            let is_loc_rib = peer_type == PeerType::LocRib;
            let addr = if is_loc_rib { Ipv4Addr::UNSPECIFIED.into() } else { addr };
            let version = if addr.is_ipv6() { 0x80 } else { 0 };
            PeerHeader {
                peer_type,
                flags: if is_loc_rib { flags } else { flags & 0x7f | version },
                distinguisher: RouteDistinguisher(distinguisher),
                addr,
                asn: Asn(asn),
                bgp_id: Ipv4Addr::from(id),
                time: (secs != 0).then(|| Timestamp::from_secs_micros(secs, micros)),
            }
        },
    )
}

fn values() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    vec((any::<u16>(), vec(any::<u8>(), 0..40)), 0..5)
}

fn tlvs(values: &[(u16, Vec<u8>)]) -> Vec<Tlv<'_>> {
    values.iter().map(|(tlv_type, value)| Tlv { tlv_type: *tlv_type, value }).collect()
}

/// ASN, hold time, BGP identifier and capabilities.
type OpenValues = (u32, u16, u32, Vec<(u8, Vec<u8>)>);

fn any_open() -> impl Strategy<Value = OpenValues> {
    let capabilities = vec((any::<u8>(), vec(any::<u8>(), 0..60)), 0..12);
    (1..=u32::MAX, any::<u16>(), any::<u32>(), capabilities)
}

fn encoded_open(values: &OpenValues) -> Vec<u8> {
    let (asn, hold_time, bgp_id, capabilities) = values;
    let capabilities: Vec<RawCapability<'_>> =
        capabilities.iter().map(|(code, value)| RawCapability { code: *code, value }).collect();
    encode::open(&OpenParts {
        asn: Asn(*asn),
        hold_time: *hold_time,
        bgp_id: Ipv4Addr::from(*bgp_id),
        capabilities: &capabilities,
    })
    .unwrap()
}

fn assert_open(open: &Open<'_>, values: &OpenValues) {
    let (asn, hold_time, bgp_id, capabilities) = values;
    assert_eq!(u32::from(open.asn_field), u32::from(u16::try_from(*asn).unwrap_or(23456)));
    assert_eq!((open.version, open.hold_time), (4, *hold_time));
    assert_eq!(u32::from(open.bgp_id), *bgp_id);
    let read: Vec<(u8, Vec<u8>)> =
        open.raw_capabilities().map(|raw| (raw.code, raw.value.to_vec())).collect();
    assert_eq!(&read, capabilities);
}

proptest! {
    #[test]
    fn opens_are_read_as_written(values in any_open()) {
        let octets = encoded_open(&values);
        let raw = crate::RawBgpMessage::next(&octets, 0, 4096).unwrap().unwrap();
        prop_assert_eq!(raw.octets(), octets.len());
        assert_open(&raw.decode_open().unwrap(), &values);
    }

    #[test]
    fn notifications_are_read_as_written(
        codes in any::<[u8; 2]>(), data in vec(any::<u8>(), 0..300),
    ) {
        let [code, subcode] = codes;
        let notification = Notification { code, subcode, data: &data };
        let octets = encode::notification(&notification).unwrap();
        prop_assert_eq!(Notification::decode(&octets[19..]), Some(notification));
    }

    #[test]
    fn peer_ups_are_read_as_written(
        peer in any_peer(),
        ports in any::<[u16; 2]>(),
        opens in [any_open(), any_open()],
        more in values(),
    ) {
        let local_addr = peer.addr;
        let [sent, received] = [encoded_open(&opens[0]), encoded_open(&opens[1])];
        let more = tlvs(&more);
        let parts =
            PeerUpParts { peer, local_addr, ports, opens: [&sent, &received], tlvs: &more };
        let octets = encode::bmp_peer_up(&parts).unwrap();
        let Ok(BmpMessage::PeerUp(up)) = decode(&octets) else { panic!() };
        prop_assert_eq!((up.peer, up.local_addr), (peer, local_addr));
        prop_assert_eq!([up.local_port, up.remote_port], ports);
        assert_open(&up.sent, &opens[0]);
        assert_open(&up.received, &opens[1]);
        prop_assert_eq!(up.tlvs.iter().collect::<Vec<_>>(), more);
    }

    #[test]
    fn peer_downs_are_read_as_written(
        peer in any_peer(), event in any::<u16>(), data in vec(any::<u8>(), 0..50), reason in 1u8..9,
    ) {
        let note = Notification { code: 6, subcode: 2, data: &data };
        let info = [Tlv { tlv_type: information::TABLE_NAME, value: &data }];
        let tail = match reason {
            1 | 3 => encode::notification(&note).unwrap(),
            2 => event.to_be_bytes().to_vec(),
            6 => encode::bmp_termination(&info).unwrap().split_off(6),
            7 | 8 => data.clone(),
            _ => Vec::new(),
        };
        let octets = encode::bmp_peer_down(&peer, reason, &tail).unwrap();
        let Ok(BmpMessage::PeerDown(down)) = decode(&octets) else { panic!() };
        prop_assert_eq!(down.peer, peer);
        match (reason, down.reason) {
            (1, PeerDownReason::LocalNotification(read))
            | (3, PeerDownReason::RemoteNotification(read)) => prop_assert_eq!(read, note),
            (2, PeerDownReason::LocalEvent(read)) => prop_assert_eq!(read, event),
            (4, PeerDownReason::RemoteClosed) | (5, PeerDownReason::Deconfigured) => {}
            (6, PeerDownReason::LocalSystemClosed(tlvs)) => {
                prop_assert_eq!(tlvs.iter().collect::<Vec<_>>(), info);
            }
            (_, PeerDownReason::Unknown { data: read, .. }) => prop_assert_eq!(read, &tail[..]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_others_are_read_as_written(
        peer in any_peer(), values in values(), message in vec(any::<u8>(), 0..100),
    ) {
        let tlvs = tlvs(&values);
        let octets = encode::bmp_route_monitoring(&peer, &message).unwrap();
        let Ok(BmpMessage::RouteMonitoring(read)) = decode(&octets) else { panic!() };
        prop_assert_eq!((read.peer, read.message), (peer, &message[..]));
        let octets = encode::bmp_route_mirroring(&peer, &tlvs).unwrap();
        let Ok(BmpMessage::RouteMirroring(read)) = decode(&octets) else { panic!() };
        prop_assert_eq!((read.peer, read.tlvs.iter().collect::<Vec<_>>()), (peer, tlvs.clone()));
        let octets = encode::bmp_initiation(&tlvs).unwrap();
        let Ok(BmpMessage::Initiation(read)) = decode(&octets) else { panic!() };
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), tlvs.clone());
        let octets = encode::bmp_termination(&tlvs).unwrap();
        let Ok(BmpMessage::Termination(read)) = decode(&octets) else { panic!() };
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), tlvs);
    }

    #[test]
    fn counters_are_read_as_written(peer in any_peer(), numbers in vec(any::<(u16, u64)>(), 0..9)) {
        let values: Vec<[u8; 8]> = numbers.iter().map(|(_, number)| number.to_be_bytes()).collect();
        let counters: Vec<Statistic<'_>> = numbers
            .iter()
            .zip(&values)
            .map(|(&(stat_type, number), value)| {
                Statistic { stat_type, family: None, number: Some(number), value }
            })
            .collect();
        let octets = encode::bmp_statistics(&peer, &counters).unwrap();
        let Ok(BmpMessage::Statistics(read)) = decode(&octets) else { panic!() };
        prop_assert_eq!(read.iter().collect::<Vec<_>>(), counters);
    }
}
