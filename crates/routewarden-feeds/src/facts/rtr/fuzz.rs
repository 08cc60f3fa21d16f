//! Bodies for the fuzzer, which a test replays on every run.

use super::exchange::{Exchange, Held, Step};
use super::pdu::{self, PDU_OCTETS_MAX, PduBody};
use super::records::Records;

/// Reads arbitrary octets as what a cache sends: PDU by PDU, then as the answers to queries.
///
/// # Panics
/// When something does not hold: what is read is not read again from what is written of it, or a
/// table is not what its records say.
pub fn rtr_pdu(data: &[u8]) {
    let Some((&version, stream)) = data.split_first() else { return };
    let mut records = Records::default();
    let held = Held { version: version % 3, session: 0xb230, serial: 1 };
    let mut exchange = Exchange::new(version % 3, (version & 0x80 != 0).then_some(held));
    drop(exchange.ask());
    let mut rest = stream;
    while let Ok(Some((pdu, octets))) = pdu::decode(rest) {
        assert!((pdu::HEADER_OCTETS..=PDU_OCTETS_MAX).contains(&octets));
        let mut written = Vec::new();
        pdu::encode(&pdu, &mut written);
        // Octets that are not UTF-8 may take three times the room.
        let is_text = matches!(pdu.body, PduBody::ErrorReport { .. });
        assert!(is_text || written.len() == octets);
        if written.len() <= PDU_OCTETS_MAX {
            assert!(pdu::decode(&written) == Ok(Some((pdu.clone(), written.len()))));
        }
        rest = rest.get(octets..).unwrap_or_default();
        match exchange.take(pdu, &records) {
            Ok(Step::Commit(pending, ..)) => {
                records.commit(pending);
                let (vrps, aspas) = records.tables();
                let (vrps_held, aspas_held) = records.len();
                assert!(vrps.len() == vrps_held && aspas.len() <= aspas_held);
                drop(exchange.ask());
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
}
