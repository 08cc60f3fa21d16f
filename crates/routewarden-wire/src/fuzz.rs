//! Bodies of the fuzz targets: plain functions that must not panic on any input. The targets
//! under `fuzz/` call them; a stable test runs them over damaged records.

use routewarden_core::{AsPath, Asn};

use crate::bmp::PeerUpForms;
use crate::encode::OpenParts;
use crate::update::HEADER_OCTETS;
use crate::{
    AsnWidth, Attributes, BGP_EXTENDED_MESSAGE_OCTETS_MAX, BGP_MESSAGE_OCTETS_MAX, BgpMessage,
    BgpdumpWriter, BmpMessage, Counts, FamilySet, Limits, MrtDecoder, MrtReader, Negotiated, Open,
    RawBgpMessage, RawBmpMessage, RawCapability, Record, SessionContext, Update, UpdateForm,
    encode,
};

/// Longest record that the target reads; keeps the memory of a run small.
const RECORD_OCTETS_MAX: u32 = 1 << 20;

/// Reads the octets as an MRT stream and everything in it. UPDATEs without faults must encode to
/// the octets they were read from.
pub fn mrt_record(octets: &[u8]) {
    let limits = Limits { record_octets_max: RECORD_OCTETS_MAX };
    let mut reader = MrtReader::new(octets, limits);
    let mut decoder = MrtDecoder::new();
    let (mut counts, mut writer) = (Counts::new(), BgpdumpWriter::new());
    let mut text = String::new();
    while let Some(raw) = reader.next_record() {
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) => {
                counts.add_error(&error);
                continue;
            }
        };
        let decoded = decoder.decode(&raw);
        counts.add(&raw, &decoded);
        let Ok(decoded) = decoded else { continue };
        text.clear();
        assert!(writer.write_record(&raw, &decoded.value, &mut text).is_ok());
        match &decoded.value {
            Record::Rib(rib) => {
                for entry in rib.entries().flatten() {
                    read_all(&entry.attributes());
                }
            }
            Record::TableDump(dump) => {
                for entry in dump.entries().flatten() {
                    read_all(&entry.attributes());
                }
            }
            Record::Message(message) => {
                if let Some(update) = message.update() {
                    read_update(update);
                }
            }
            _ => {}
        }
    }
    assert!(counts.errors().values().sum::<u64>() <= octets.len() as u64);
}

/// Reads the octets as a BMP session and everything in it. What a message is cut into are its own
/// octets, and the session moves on by them.
pub fn bmp_message(octets: &[u8]) {
    let (mut rest, mut offset) = (octets, 0);
    let mut forms = PeerUpForms::default();
    while let Ok(Some(raw)) = RawBmpMessage::next(rest, offset) {
        let message = raw.decode();
        if let Ok(BmpMessage::PeerUp(up)) = &message {
            forms = up.forms();
        }
        match message {
            Ok(message) => read_bmp(&message, forms, offset),
            Err(error) => assert_eq!(error.offset(), offset),
        }
        let octets = raw.octets();
        rest = rest.get(octets..).unwrap_or_default();
        offset += u64::try_from(octets).unwrap_or(u64::MAX);
    }
}

fn read_bmp(message: &BmpMessage<'_>, forms: PeerUpForms, offset: u64) {
    let text = match message {
        BmpMessage::RouteMonitoring(routes) => {
            let path_ids = forms.of(routes.peer.view());
            match routes.decode_update(path_ids, offset) {
                Ok((update, _)) => read_update(&update),
                Err(error) => assert_eq!(error.offset(), offset),
            }
            routes.peer.distinguisher.to_string()
        }
        BmpMessage::Statistics(report) => format!("{:?}", report.iter().count()),
        BmpMessage::PeerDown(down) => format!("{down:?}{}", down.reason.name()),
        BmpMessage::PeerUp(up) => {
            read_open(&up.sent);
            read_open(&up.received);
            format!("{:?}", up.tlvs.iter().count())
        }
        BmpMessage::Initiation(tlvs) | BmpMessage::Termination(tlvs) => {
            // Whole TLVs are all there is.
            let sum: usize = tlvs.iter().map(|tlv| 4 + tlv.value.len()).sum();
            assert_eq!(sum, tlvs.octets().len());
            format!("{:?}", tlvs.value(2))
        }
        other => format!("{other:?}"),
    };
    std::hint::black_box(text);
}

/// Reads the octets as what a BGP speaker sends, with and without RFC 8654. OPENs that it takes
/// encode to OPENs that say the same.
pub fn bgp_message(octets: &[u8]) {
    for octets_max in [BGP_MESSAGE_OCTETS_MAX, BGP_EXTENDED_MESSAGE_OCTETS_MAX] {
        let (mut rest, mut offset) = (octets, 0);
        let mut form = UpdateForm {
            asn_width: AsnWidth::Four,
            path_ids: FamilySet::NONE,
            may_guess: false,
            may_lack_next_hop: false,
        };
        while let Ok(Some(raw)) = RawBgpMessage::next(rest, offset, octets_max) {
            assert!(raw.octets() <= octets_max);
            match raw.decode(form) {
                Ok(BgpMessage::Open(_)) => {
                    if let Ok(open) = raw.decode_open() {
                        read_open(&open);
                        form = Negotiated::of(&open, &open).form();
                    }
                }
                Ok(BgpMessage::Update(update)) => read_update(&update),
                Ok(BgpMessage::Notification(notification)) => {
                    std::hint::black_box((notification.name(), notification.shutdown_text()));
                }
                Ok(other) => {
                    std::hint::black_box(other);
                }
                Err(error) => assert_eq!(error.offset(), offset),
            }
            let octets = raw.octets();
            rest = rest.get(octets..).unwrap_or_default();
            offset += u64::try_from(octets).unwrap_or(u64::MAX);
        }
    }
}

fn read_open(open: &Open<'_>) {
    let capabilities: Vec<RawCapability<'_>> = open.raw_capabilities().collect();
    std::hint::black_box((open.asn(), open.families(), open.capabilities().count()));
    let (asn, hold_time, bgp_id) = (Asn(u32::from(open.asn_field)), open.hold_time, open.bgp_id);
    let parts = OpenParts { asn, hold_time, bgp_id, capabilities: &capabilities };
    let Ok(octets) = encode::open(&parts) else { return };
    let body = octets.get(HEADER_OCTETS..).unwrap_or_default();
    // Of another version than 4 nothing is read.
    if let Ok(again) = Open::decode(body)
        && open.version == 4
    {
        assert!(again.capabilities().eq(open.capabilities()));
        assert_eq!((again.asn(), again.bgp_id), (open.asn(), open.bgp_id));
    }
}

/// Reads the octets as the body of an UPDATE, in all four kinds of session.
pub fn bgp_update(octets: &[u8]) {
    for asn_width in [AsnWidth::Two, AsnWidth::Four] {
        for has_path_ids in [false, true] {
            let context = SessionContext { asn_width, has_path_ids };
            if let Some(update) = Update::decode(octets, context) {
                read_update(&update);
                if update.warnings().is_empty() {
                    assert_eq!(encoded(&update).as_deref(), Some(octets));
                }
            }
        }
    }
}

fn read_update(update: &Update<'_>) {
    read_all(update.attributes());
    // Faults move prefixes from the announcements to the withdrawals and lose none.
    let sent: usize = [update.announced_fields(), update.withdrawn_fields()]
        .iter()
        .flatten()
        .map(|field| field.iter().count())
        .sum();
    assert_eq!(update.announced().count() + update.withdrawn().count(), sent);
    if update.is_treated_as_withdraw() {
        assert_eq!(update.announced().count(), 0);
    }
    // By fields and one by one they are the same routes in the same order.
    let mut by_fields = Vec::new();
    update.for_each_field(|field, is_announced| {
        field.for_each(|nlri| by_fields.push((is_announced, nlri)));
    });
    let withdrawn = update.withdrawn().map(|nlri| (false, nlri));
    let announced = update.announced().map(|nlri| (true, nlri));
    assert_eq!(by_fields, withdrawn.chain(announced).collect::<Vec<_>>());
}

fn encoded(update: &Update<'_>) -> Option<Vec<u8>> {
    let [withdrawn, _] = update.withdrawn_fields().map(|field| field.iter().collect::<Vec<_>>());
    let [announced, _] = update.announced_fields().map(|field| field.iter().collect::<Vec<_>>());
    encode::update(&withdrawn, update.attributes().octets(), &announced).ok()
}

fn read_all(attributes: &Attributes<'_>) {
    let mut scratch = Vec::new();
    let path = attributes.as_path(&mut scratch);
    if let Some(path) = path {
        assert!(AsPath::from_wire(path.as_wire()).is_ok());
    }
    let mut octets = Vec::new();
    let mut scratch = Vec::new();
    let route = attributes.route(&mut scratch);
    if route.encode(&mut octets) {
        assert_eq!(routewarden_core::RouteAttributes::decode(&octets), Some(route));
    }
    let numbers = [attributes.med(), attributes.local_pref(), attributes.otc().map(|asn| asn.0)];
    let hops = (attributes.next_hop(), attributes.mp_next_hop_link_local());
    let lists = attributes.communities().count()
        + attributes.large_communities().count()
        + attributes.ext_communities().count()
        + attributes.ipv6_ext_communities().count()
        + attributes.cluster_list().count()
        + attributes.raw().count();
    let rest = (attributes.origin(), attributes.aggregator(), attributes.originator_id());
    std::hint::black_box((numbers, hops, lists, rest));
}

#[cfg(test)]
mod tests;
