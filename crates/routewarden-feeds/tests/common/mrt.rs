//! Small MRT files made by hand (RFC 6396, RFC 4271), documentation resources only.

/// A record of type BGP4MP, subtype and body given.
pub(crate) fn record(secs: u32, mrt_type: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    let mut octets = secs.to_be_bytes().to_vec();
    octets.extend(mrt_type.to_be_bytes());
    octets.extend(subtype.to_be_bytes());
    octets.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    octets.extend(body);
    octets
}

/// Peer 192.0.2.`peer`, AS 64496 + `peer`, as a four-octet BGP4MP header.
fn ends(peer: u8) -> Vec<u8> {
    let mut octets = (64496 + u32::from(peer)).to_be_bytes().to_vec();
    octets.extend(64511u32.to_be_bytes());
    octets.extend([0, 0, 0, 1, 192, 0, 2, peer, 192, 0, 2, 254]);
    octets
}

/// A `BGP4MP_MESSAGE_AS4` with an UPDATE: 198.51.`third`.0/24 withdrawn or announced.
pub(crate) fn update(secs: u32, peer: u8, withdrawn: &[u8], announced: &[u8]) -> Vec<u8> {
    let prefixes =
        |thirds: &[u8]| -> Vec<u8> { thirds.iter().flat_map(|&t| [24, 198, 51, t]).collect() };
    let withdrawn = prefixes(withdrawn);
    let attributes = if announced.is_empty() {
        Vec::new()
    } else {
        let mut octets = vec![0x40, 1, 1, 0, 0x40, 2, 10, 2, 2];
        octets.extend((64496 + u32::from(peer)).to_be_bytes());
        octets.extend(65550u32.to_be_bytes());
        octets.extend([0x40, 3, 4, 192, 0, 2, peer]);
        octets
    };
    let mut body = u16::try_from(withdrawn.len()).unwrap().to_be_bytes().to_vec();
    body.extend(&withdrawn);
    body.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
    body.extend(&attributes);
    body.extend(prefixes(announced));
    message(secs, peer, 2, &body)
}

/// Any BGP message.
pub(crate) fn message(secs: u32, peer: u8, message_type: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = ends(peer);
    octets.extend([0xff; 16]);
    octets.extend(u16::try_from(19 + body.len()).unwrap().to_be_bytes());
    octets.push(message_type);
    octets.extend(body);
    record(secs, 16, 4, &octets)
}

/// `BGP4MP_STATE_CHANGE_AS4`.
pub(crate) fn state_change(secs: u32, peer: u8, old: u16, new: u16) -> Vec<u8> {
    let mut octets = ends(peer);
    octets.extend(old.to_be_bytes());
    octets.extend(new.to_be_bytes());
    record(secs, 16, 5, &octets)
}

/// A `TABLE_DUMP_V2` with the peers 1 and 2 and one entry of each for 198.51.`third`.0/24.
pub(crate) fn table(secs: u32, thirds: &[u8]) -> Vec<u8> {
    let mut peers = vec![192, 0, 2, 254, 0, 0, 0, 2];
    for peer in [1, 2] {
        peers.extend([2, 0, 0, 0, peer, 192, 0, 2, peer]);
        peers.extend((64496 + u32::from(peer)).to_be_bytes());
    }
    let mut octets = record(secs, 13, 1, &peers);
    for (sequence, &third) in (0u32..).zip(thirds) {
        let mut body = sequence.to_be_bytes().to_vec();
        body.extend([24, 198, 51, third, 0, 2]);
        for peer in [0u16, 1] {
            body.extend(peer.to_be_bytes());
            body.extend((secs - 60).to_be_bytes());
            body.extend([0, 17, 0x40, 1, 1, 0, 0x40, 2, 10, 2, 2]);
            body.extend((64497 + u32::from(peer)).to_be_bytes());
            body.extend(65550u32.to_be_bytes());
        }
        octets.extend(record(secs, 13, 2, &body));
    }
    octets
}
