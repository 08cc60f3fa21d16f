//! Every PDU, and every lie about one.

use super::*;

fn round_trip(version: u8, body: PduBody) -> Vec<u8> {
    let pdu = Pdu { version, body };
    let mut octets = Vec::new();
    encode(&pdu, &mut octets);
    let size = octets.len();
    assert_eq!(decode(&octets), Ok(Some((pdu, size))));
    for cut in 0..size {
        assert_eq!(decode(&octets[..cut]), Ok(None), "cut at {cut}");
    }
    octets
}

fn vrp(prefix: &str, max_len: u8) -> Vrp {
    let prefix = prefix.parse().unwrap();
    Vrp { prefix, max_len, asn: Asn(64496), ta: TrustAnchorId::default() }
}

#[test]
fn every_pdu_is_read_as_it_was_written() {
    let (session, serial) = (0xb230, 7);
    let intervals = Some(Intervals { refresh: 3600, retry: 600, expire: 7200 });
    round_trip(0, PduBody::SerialNotify { session, serial });
    round_trip(1, PduBody::SerialQuery { session, serial });
    round_trip(2, PduBody::ResetQuery);
    round_trip(1, PduBody::CacheResponse { session });
    round_trip(1, PduBody::CacheReset);
    for announce in [true, false] {
        round_trip(0, PduBody::Prefix { announce, vrp: vrp("192.0.2.0/24", 25) });
        round_trip(1, PduBody::Prefix { announce, vrp: vrp("2001:db8::/32", 128) });
        let (identifier, asn) = ([7; 20], Asn(64496));
        let key = Box::from([1, 2, 3]);
        round_trip(1, PduBody::RouterKey { announce, identifier, asn, key });
    }
    round_trip(0, PduBody::EndOfData { session, serial, intervals: None });
    round_trip(1, PduBody::EndOfData { session, serial, intervals });
    let (pdu, text) = (Box::from([2, 2]), "näh".into());
    round_trip(1, PduBody::ErrorReport { code: 4, pdu, text });
}

/// The octets of the earlier layout are those that StayRTR 0.5.1 sends.
#[test]
fn both_layouts_of_aspas_are_told_apart() {
    let providers: Box<[Asn]> = Box::from([Asn(64497), Asn(64498)]);
    let aspa = |announce, layout, providers: &[Asn]| PduBody::Aspa {
        announce,
        layout,
        customer: Asn(64496),
        providers: providers.into(),
    };
    let old = AspaLayout::Draft10 { family: 0 };
    let octets = round_trip(2, aspa(true, old, &providers));
    let sent = [
        2, 11, 0, 0, 0, 0, 0, 24, 1, 0, 0, 2, 0, 0, 0xfb, 0xf0, 0, 0, 0xfb, 0xf1, 0, 0, 0xfb, 0xf2,
    ];
    assert_eq!(octets, sent);
    round_trip(2, aspa(false, old, &providers));
    round_trip(2, aspa(false, AspaLayout::Draft10 { family: 1 }, &[]));
    let octets = round_trip(2, aspa(true, AspaLayout::Current, &providers));
    assert_eq!(octets[..12], [2, 11, 1, 0, 0, 0, 0, 20, 0, 0, 0xfb, 0xf0]);
    assert_eq!(round_trip(2, aspa(false, AspaLayout::Current, &[])).len(), 12);
}

fn fault(octets: &[u8]) -> &'static str {
    decode(octets).unwrap_err().kind()
}

#[test]
fn lies_have_names() {
    assert_eq!(fault(&[3, 3, 0, 0, 0, 0, 0, 8]), "rtr_version");
    assert_eq!(fault(&[1, 5, 0, 0, 0, 0, 0, 8]), "rtr_type");
    assert_eq!(fault(&[0, 9, 0, 0, 0, 0, 0, 40]), "rtr_type");
    assert_eq!(fault(&[1, 11, 0, 0, 0, 0, 0, 24]), "rtr_type");
    assert_eq!(fault(&[1, 10, 0, 0, 0xff, 0, 0, 0]), "rtr_too_long");
    for length in [0, 7, 9] {
        assert_eq!(fault(&[1, 3, 0, 0, 0, 0, 0, length]), "rtr_length");
    }
    assert_eq!(fault(&[1, 7, 0, 0, 0, 0, 0, 12]), "rtr_length");
    assert_eq!(fault(&[2, 11, 1, 0, 0, 0, 0, 17]), "rtr_length");
    let prefix = |len, max_len, last| {
        [1, 4, 0, 0, 0, 0, 0, 20, 1, len, max_len, 0, 192, 0, 2, last, 0, 0, 0xfb, 0xf0]
    };
    assert_eq!(fault(&prefix(33, 33, 0)), "rtr_prefix");
    assert_eq!(fault(&prefix(24, 23, 0)), "rtr_prefix");
    assert_eq!(fault(&prefix(24, 33, 0)), "rtr_prefix");
    assert_eq!(fault(&prefix(24, 24, 1)), "rtr_host_bits");
    let inner = [1, 10, 0, 0, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0];
    assert_eq!(
        decode(&inner).unwrap_err(),
        PduError::Length { pdu_type: 10, length: 0, offset: 13 }
    );
    let miscounted = [2, 11, 0, 0, 0, 0, 0, 20, 1, 0, 0, 2, 0, 0, 0xfb, 0xf0, 0, 0, 0xfb, 0xf1];
    assert_eq!(fault(&miscounted), "rtr_length");
    assert_eq!(fault(&[2, 11, 1, 0, 0, 0, 0, 12, 0, 0, 0xfb, 0xf0]), "rtr_providers");
    let mut many = vec![2, 11, 1, 0];
    let length = 12 + 4 * (ASPA_PROVIDERS_MAX + 1);
    many.extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
    many.resize(length, 1);
    assert_eq!(fault(&many), "rtr_providers");
}
