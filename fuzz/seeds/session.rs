//! Seeds of sessions: `bmp_message` and `bgp_message`.

use std::net::{IpAddr, Ipv4Addr};

use routewarden_core::{Asn, Timestamp};
use routewarden_wire::bmp::{
    PeerHeader, PeerType, RouteDistinguisher, Statistic, Tlv, information,
};
use routewarden_wire::encode::{self, OpenParts, PeerUpParts};
use routewarden_wire::{AddPathMode, AsnWidth, Notification, RawCapability};

use crate::{LOCAL, Outcome, PEER, updates};

fn open(asn: u32, mode: Option<AddPathMode>, padding: usize) -> Outcome<Vec<u8>> {
    let (v4, v6) = (encode::multiprotocol((1, 1)), encode::multiprotocol((2, 1)));
    let wide = asn.to_be_bytes();
    let add_path = mode.map(|mode| encode::add_path((1, 1), mode));
    let padding = vec![7; padding];
    let mut capabilities = vec![
        RawCapability { code: 1, value: &v4 },
        RawCapability { code: 1, value: &v6 },
        RawCapability { code: 2, value: &[] },
        RawCapability { code: 6, value: &[] },
        RawCapability { code: 9, value: &[3] },
        RawCapability { code: 64, value: &[0x80, 120, 0, 1, 1, 0x80] },
        encode::four_octet_asn(&wide),
    ];
    capabilities.extend(add_path.iter().map(|value| RawCapability { code: 69, value }));
    if !padding.is_empty() {
        capabilities.push(RawCapability { code: 200, value: &padding });
        capabilities.push(RawCapability { code: 201, value: &padding });
    }
    let parts =
        OpenParts { asn: Asn(asn), hold_time: 90, bgp_id: PEER, capabilities: &capabilities };
    Ok(encode::open(&parts)?)
}

fn peer(peer_type: PeerType, flags: u8, addr: IpAddr) -> PeerHeader {
    PeerHeader {
        peer_type,
        flags,
        distinguisher: RouteDistinguisher(if peer_type == PeerType::Global { 0 } else { 1 }),
        addr,
        asn: Asn(64496),
        bgp_id: PEER,
        time: Some(Timestamp::from_secs(1_893_456_000)),
    }
}

/// A session of each kind of peer, and the odd ones.
pub(crate) fn bmp() -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let text = [
        Tlv { tlv_type: information::SYS_NAME, value: b"r1" },
        Tlv { tlv_type: information::SYS_DESCR, value: b"a router" },
    ];
    let cease = Notification { code: 6, subcode: 2, data: b"\x04gone" };
    let cease = encode::notification(&cease)?;
    let sent = open(65551, Some(AddPathMode::Receive), 0)?;
    let received = open(64496, Some(AddPathMode::Send), 0)?;
    let kinds = [
        ("global-4", peer(PeerType::Global, 0, PEER.into()), LOCAL.into()),
        (
            "global-6-post",
            peer(PeerType::Global, 0x40, "2001:db8::1".parse()?),
            "2001:db8::2".parse()?,
        ),
        ("vrf-two-octets", peer(PeerType::RouteDistinguisher, 0x20, PEER.into()), LOCAL.into()),
        ("local-out", peer(PeerType::Local, 0x10, PEER.into()), LOCAL.into()),
        ("loc-rib", peer(PeerType::LocRib, 0x80, Ipv4Addr::UNSPECIFIED.into()), LOCAL.into()),
    ];
    for (name, peer, local_addr) in kinds {
        let mut session = encode::bmp_initiation(&text)?;
        session.extend(encode::bmp_peer_up(&PeerUpParts {
            peer,
            local_addr,
            ports: [179, 40_000],
            opens: [&sent, &received],
            tlvs: &text[..1],
        })?);
        let width = if peer.flags & 0x20 != 0 { AsnWidth::Two } else { AsnWidth::Four };
        for (_, body) in updates(width)?.iter().take(5) {
            let update = encode::message(2, body)?;
            session.extend(encode::bmp_route_monitoring(&peer, &update)?);
        }
        let numbers = [
            7_u32.to_be_bytes().to_vec(),
            9_u64.to_be_bytes().to_vec(),
            vec![0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 5],
        ];
        let counters: Vec<Statistic<'_>> = (7..)
            .zip(&numbers)
            .map(|(stat_type, value)| Statistic { stat_type, family: None, number: None, value })
            .collect();
        session.extend(encode::bmp_statistics(&peer, &counters)?);
        session.extend(encode::bmp_peer_down(&peer, 3, &cease)?);
        session.extend(encode::bmp_termination(&[Tlv { tlv_type: 1, value: &[0, 0] }])?);
        all.push((name.to_owned(), session));
    }
    let global = peer(PeerType::Global, 0, PEER.into());
    let downs: [(u8, &[u8]); 6] =
        [(1, &cease), (2, &[0, 24]), (4, &[]), (5, &[]), (6, &[0, 3, 0, 1, b'v']), (99, &[1])];
    let mut session = Vec::new();
    for (reason, data) in downs {
        session.extend(encode::bmp_peer_down(&global, reason, data)?);
    }
    all.push(("downs".to_owned(), session));
    let keepalive = encode::keepalive();
    let mirrored = [Tlv { tlv_type: 1, value: &[0, 0] }, Tlv { tlv_type: 0, value: &keepalive }];
    all.push(("mirroring".to_owned(), encode::bmp_route_mirroring(&global, &mirrored)?));
    let not_update = encode::bmp_route_monitoring(&global, &keepalive)?;
    all.push(("monitoring-keepalive".to_owned(), not_update));
    all.push(("unknown-type".to_owned(), encode::bmp_message(77, &[1, 2])?));
    all.push(("version-4".to_owned(), vec![4, 0, 0, 0, 6, 4]));
    all.push(("length-max".to_owned(), vec![3, 0xff, 0xff, 0xff, 0xff, 0]));
    Ok(all)
}

/// What speakers send.
pub(crate) fn bgp() -> Outcome<Vec<(String, Vec<u8>)>> {
    let mut all = Vec::new();
    let opens = [
        ("plain", open(64496, None, 0)?),
        ("add-path", open(65551, Some(AddPathMode::Both), 0)?),
        ("extended-parameters", open(65551, None, 200)?),
    ];
    for (name, open) in opens {
        let mut session = open;
        session.extend(encode::keepalive());
        for (_, body) in updates(AsnWidth::Four)? {
            session.extend(encode::message(2, &body)?);
        }
        session.extend(encode::message(5, &[0, 1, 0, 1])?);
        session.extend(encode::shutdown("gone fishing"));
        all.push((name.to_owned(), session));
    }
    all.push(("version-5".to_owned(), encode::message(1, &[5; 10])?));
    all.push(("unknown-type".to_owned(), encode::message(9, &[])?));
    all.push(("length-18".to_owned(), [&[0xff; 16][..], &[0, 18, 4]].concat()));
    all.push(("no-marker".to_owned(), vec![0; 19]));
    all.push(("long".to_owned(), encode::message(2, &vec![0; 5000])?));
    Ok(all)
}
