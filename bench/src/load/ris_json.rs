//! Messages of RIS Live as JSON text.

use std::fmt::Write as _;

use anyhow::Result;
use routewarden_core::{SegmentKind, Timestamp};
use routewarden_wire::{RouteOrigin, Update};
use serde_json::{Map, Value, json};

use super::recording::{Peer, decode_update};

/// What stands before the time.
const BEFORE_TIME: &str = r#"{"type":"ris_message","data":{"timestamp":"#;
/// What stands between time and number.
const BEFORE_ID: &str = r#","id":""#;
/// Digits of the time: seconds and hundredths.
const TIME_DIGITS: usize = 13;
/// Hexadecimal digits of the number.
const ID_DIGITS: usize = 16;

/// A message with room for time and number, to be filled in with [`fill`].
pub(super) fn update(peer: &Peer, message: &[u8]) -> Result<Vec<u8>> {
    let mut fields = common(peer, "UPDATE");
    if let Some(update) = decode_update(message) {
        parsed(&update, &mut fields);
    }
    let mut raw = String::with_capacity(message.len() * 2);
    for octet in message {
        write!(raw, "{octet:02X}")?;
    }
    fields.insert("raw".into(), raw.into());
    Ok(with_room(fields))
}

/// A `RIS_PEER_STATE` with the same room.
pub(super) fn peer_state(peer: &Peer, is_up: bool) -> Vec<u8> {
    let mut fields = common(peer, "RIS_PEER_STATE");
    fields.insert("state".into(), if is_up { "connected" } else { "down" }.into());
    with_room(fields)
}

fn common(peer: &Peer, kind: &str) -> Map<String, Value> {
    let fields = [
        ("peer", peer.addr.to_string()),
        ("peer_asn", peer.asn.0.to_string()),
        ("host", format!("{}.ripe.net", peer.collector)),
        ("type", kind.to_owned()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn with_room(fields: Map<String, Value>) -> Vec<u8> {
    let rest = Value::Object(fields).to_string();
    let (time, id) = ("0".repeat(TIME_DIGITS), "0".repeat(ID_DIGITS));
    // The first octet of `rest` is its brace.
    let rest = rest.get(1..).unwrap_or_default();
    format!("{BEFORE_TIME}{time}{BEFORE_ID}{id}\",{rest}}}").into_bytes()
}

/// Writes time and number into a message.
pub(super) fn fill(message: &mut [u8], time: Timestamp, id: u64) {
    let hundredths = time.micros().rem_euclid(1_000_000) / 10_000;
    let texts = [
        (BEFORE_TIME.len(), format!("{:010}.{hundredths:02}", time.secs())),
        (BEFORE_TIME.len() + TIME_DIGITS + BEFORE_ID.len(), format!("{id:016x}")),
    ];
    for (at, text) in texts {
        if let Some(field) = message.get_mut(at..at + text.len()) {
            field.copy_from_slice(text.as_bytes());
        }
    }
}

/// The fields that repeat what the octets say.
fn parsed(update: &Update<'_>, fields: &mut Map<String, Value>) {
    let attributes = update.attributes();
    let mut scratch = Vec::new();
    if let Some(path) = attributes.as_path(&mut scratch) {
        let segments = path.segments().flat_map(|segment| {
            let asns: Vec<Value> = segment.asns().map(|asn| asn.0.into()).collect();
            if segment.kind == SegmentKind::Sequence { asns } else { vec![Value::Array(asns)] }
        });
        fields.insert("path".into(), segments.collect());
    }
    let communities: Vec<Value> =
        attributes.communities().map(|(high, low)| json!([high, low])).collect();
    if !communities.is_empty() {
        fields.insert("community".into(), communities.into());
    }
    let origin = match attributes.origin() {
        Some(RouteOrigin::Igp) => Some("IGP"),
        Some(RouteOrigin::Egp) => Some("EGP"),
        Some(RouteOrigin::Incomplete) => Some("INCOMPLETE"),
        None => None,
    };
    if let Some(origin) = origin {
        fields.insert("origin".into(), origin.into());
    }
    let prefixes = |v4: bool| -> Vec<Value> {
        let of_family = update.announced().filter(|nlri| nlri.prefix.is_ipv4() == v4);
        of_family.map(|nlri| nlri.prefix.to_string().into()).collect()
    };
    let announcements: Vec<Value> = [
        (true, attributes.next_hop()),
        (false, attributes.mp_next_hop()),
    ]
    .into_iter()
    .filter_map(|(v4, next_hop)| Some((prefixes(v4), next_hop?)))
    .filter(|(prefixes, _)| !prefixes.is_empty())
    .map(|(prefixes, next_hop)| json!({"next_hop": next_hop.to_string(), "prefixes": prefixes}))
    .collect();
    fields.insert("announcements".into(), announcements.into());
    let withdrawals = update.withdrawn().map(|nlri| Value::from(nlri.prefix.to_string()));
    fields.insert("withdrawals".into(), withdrawals.collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::Asn;

    #[test]
    fn a_message_is_what_the_service_sends() {
        let peer =
            Peer { collector: "rrc12".into(), asn: Asn(64496), addr: "192.0.2.1".parse().unwrap() };
        let message = super::super::marker::victims_announcement(1, peer.asn).unwrap();
        let mut text = update(&peer, &message).unwrap();
        fill(&mut text, Timestamp::from_secs_micros(1_795_432_610, 120_000), 0x2a);
        let read: Value = serde_json::from_slice(&text).unwrap();
        let data = &read["data"];
        assert_eq!(read["type"], "ris_message");
        assert_eq!(data["timestamp"], 1_795_432_610.12);
        assert_eq!(data["id"], "000000000000002a");
        assert_eq!(data["host"], "rrc12.ripe.net");
        assert_eq!(data["path"], json!([64496, 64497]));
        assert_eq!(data["announcements"][0]["prefixes"], json!(["2001:db8:100::/40"]));
        assert_eq!(data["raw"].as_str().unwrap().len(), message.len() * 2);
        let mut state = peer_state(&peer, false);
        fill(&mut state, Timestamp::from_secs(1_795_432_610), 0);
        let state: Value = serde_json::from_slice(&state).unwrap();
        assert_eq!(state["data"]["state"], "down");
    }
}
