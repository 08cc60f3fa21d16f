//! Our OPEN, and whether the neighbour's will do (RFC 4271 §6.2).

use std::time::Duration;

use routewarden_core::{AddressFamily, Asn};
use routewarden_wire::encode::{self, OpenParts};
use routewarden_wire::notification::open_error;
use routewarden_wire::open::PARAMETER_CAPABILITIES;
use routewarden_wire::{
    AddPathMode, Error, FamilySet, Negotiated, Open, RawCapability, Safi, capability,
};

use super::config::{BgpConfig, BgpNeighbourConfig};

/// AFI and SAFI of what we take.
const FAMILIES: [(u16, u8); 2] = [(1, 1), (2, 1)];

/// Our OPEN.
pub(super) fn our_open(config: &BgpConfig, neighbour: &BgpNeighbourConfig) -> Vec<u8> {
    let families = FAMILIES.map(encode::multiprotocol);
    let asn = config.local_asn.0.to_be_bytes();
    let add_path = FAMILIES.map(|family| encode::add_path(family, AddPathMode::Receive)).concat();
    let multiprotocol = capability::code::MULTIPROTOCOL;
    let mut capabilities: Vec<RawCapability<'_>> =
        families.iter().map(|value| RawCapability { code: multiprotocol, value }).collect();
    capabilities.push(RawCapability { code: capability::code::EXTENDED_MESSAGE, value: &[] });
    capabilities.push(encode::four_octet_asn(&asn));
    if neighbour.ask_end_of_rib {
        // No flags, no restart time, no families.
        let code = capability::code::GRACEFUL_RESTART;
        capabilities.push(RawCapability { code, value: &[0, 0] });
    }
    if neighbour.add_path {
        capabilities.push(RawCapability { code: capability::code::ADD_PATH, value: &add_path });
    }
    let parts = OpenParts {
        asn: config.local_asn,
        hold_time: config.hold_secs,
        bgp_id: config.router_id,
        capabilities: &capabilities,
    };
    // Cannot fail: the capabilities are short.
    encode::open(&parts).unwrap_or_default()
}

/// What both agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Agreed {
    pub(super) negotiated: Negotiated,
    /// `None`: no KEEPALIVEs, and none are waited for.
    pub(super) hold_time: Option<Duration>,
}

/// Why an OPEN will not do: what the neighbour is told, and the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Subcode of an OPEN message error.
    pub(super) subcode: u8,
    pub(super) data: Vec<u8>,
    pub(super) kind: &'static str,
    pub(super) text: String,
}

impl Refusal {
    fn new(subcode: u8, kind: &'static str, text: String) -> Self {
        Refusal { subcode, data: Vec::new(), kind, text }
    }
}

/// Checks the neighbour's OPEN against ours.
pub(super) fn check_open(
    config: &BgpConfig,
    neighbour: &BgpNeighbourConfig,
    ours: &Open<'_>,
    theirs: Result<Open<'_>, Error>,
) -> Result<Agreed, Refusal> {
    let theirs = theirs
        .map_err(|error| Refusal::new(open_error::UNSPECIFIC, error.kind(), error.to_string()))?;
    if theirs.version != 4 {
        let text = format!("BGP version {}", theirs.version);
        let refusal = Refusal::new(open_error::VERSION, "bgp_open_version", text);
        return Err(Refusal { data: 4_u16.to_be_bytes().to_vec(), ..refusal });
    }
    check_asn(neighbour, &theirs)?;
    if theirs.bgp_id.is_unspecified() || theirs.bgp_id == config.router_id {
        // RFC 6286 allows our own to a neighbour of another AS; it is a mistake all the same
        // only within one.
        if theirs.bgp_id.is_unspecified() || neighbour.asn == config.local_asn {
            let text = format!("BGP identifier {}", theirs.bgp_id);
            return Err(Refusal::new(open_error::BGP_ID, "bgp_open_bgp_id", text));
        }
    }
    if matches!(theirs.hold_time, 1 | 2) {
        let text = format!("hold time of {} s", theirs.hold_time);
        return Err(Refusal::new(open_error::HOLD_TIME, "bgp_open_hold_time", text));
    }
    let unknown = theirs.parameters().find(|one| one.parameter_type != PARAMETER_CAPABILITIES);
    if let Some(parameter) = unknown {
        let text = format!("optional parameter {}", parameter.parameter_type);
        return Err(Refusal::new(open_error::PARAMETER, "bgp_open_parameter", text));
    }
    let negotiated = Negotiated::of(ours, &theirs);
    if !has_unicast(negotiated.families) {
        let data = FAMILIES.map(|family| {
            let value = encode::multiprotocol(family);
            [&[capability::code::MULTIPROTOCOL, 4][..], &value].concat()
        });
        let text = "neither IPv4 nor IPv6 unicast".to_owned();
        let refusal = Refusal::new(open_error::CAPABILITY, "bgp_open_capability", text);
        return Err(Refusal { data: data.concat(), ..refusal });
    }
    let secs = theirs.hold_time.min(config.hold_secs);
    let hold_time = (secs > 0).then(|| Duration::from_secs(u64::from(secs)));
    Ok(Agreed { negotiated, hold_time })
}

fn has_unicast(families: FamilySet) -> bool {
    [AddressFamily::Ipv4, AddressFamily::Ipv6]
        .iter()
        .any(|&family| families.contains(family, Safi::Unicast))
}

/// RFC 4271 §6.2, RFC 6793 §4.2.3, RFC 7607.
fn check_asn(neighbour: &BgpNeighbourConfig, theirs: &Open<'_>) -> Result<(), Refusal> {
    let field = Asn(u32::from(theirs.asn_field));
    let is_consistent = match theirs.four_octet_asn() {
        // Those that do not fit two octets stand as AS_TRANS.
        Some(asn) => field == asn || field == Asn::TRANS,
        None => field != Asn::TRANS,
    };
    if is_consistent && theirs.asn() == neighbour.asn {
        return Ok(());
    }
    let text = format!("{} ({field} in two octets), not {}", theirs.asn(), neighbour.asn);
    Err(Refusal::new(open_error::PEER_AS, "bgp_open_asn", text))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn config(add_path: bool) -> BgpConfig {
        toml::from_str(&format!(
            "listen = [\"127.0.0.1:0\"]\nlocal_asn = 65551\nrouter_id = \"192.0.2.2\"\n\
             hold_secs = 30\n[[neighbours]]\naddress = \"192.0.2.1\"\nasn = 65550\n\
             add_path = {add_path}\n"
        ))
        .unwrap()
    }

    struct Theirs {
        version: u8,
        asn: u32,
        four_octets: Option<u32>,
        hold_time: u16,
        bgp_id: [u8; 4],
        more: Vec<(u8, Vec<u8>)>,
    }

    fn theirs() -> Theirs {
        let more = vec![(1, vec![0, 2, 0, 1])];
        let (asn, four_octets) = (65_550, Some(65_550));
        Theirs { version: 4, asn, four_octets, hold_time: 90, bgp_id: [192, 0, 2, 1], more }
    }

    fn outcome(theirs: &Theirs, add_path: bool) -> Result<Agreed, Refusal> {
        let wide = theirs.four_octets.unwrap_or(0).to_be_bytes();
        let mut capabilities: Vec<RawCapability<'_>> =
            theirs.more.iter().map(|(code, value)| RawCapability { code: *code, value }).collect();
        if theirs.four_octets.is_some() {
            capabilities.push(encode::four_octet_asn(&wide));
        }
        let mut open = encode::open(&OpenParts {
            asn: Asn(theirs.asn),
            hold_time: theirs.hold_time,
            bgp_id: Ipv4Addr::from(theirs.bgp_id),
            capabilities: &capabilities,
        })
        .unwrap();
        open[19] = theirs.version;
        let config = config(add_path);
        let ours = our_open(&config, &config.neighbours[0]);
        let ours = Open::decode(&ours[19..]).unwrap();
        check_open(&config, &config.neighbours[0], &ours, Open::decode(&open[19..]))
    }

    #[test]
    fn a_good_open_agrees_on_the_lesser_of_all() {
        let agreed = outcome(&theirs(), true).unwrap();
        assert_eq!(agreed.hold_time, Some(Duration::from_secs(30)));
        assert!(agreed.negotiated.path_ids.is_empty());
        assert!(!agreed.negotiated.has_extended_message);
        let never = outcome(&Theirs { hold_time: 0, ..theirs() }, true).unwrap();
        assert_eq!(never.hold_time, None);
        let more = vec![(6, vec![]), (69, vec![0, 1, 1, 2]), (64, vec![0x40, 120])];
        let sends = Theirs { more, ..theirs() };
        let agreed = outcome(&sends, true).unwrap().negotiated;
        assert!(agreed.path_ids.contains(AddressFamily::Ipv4, Safi::Unicast));
        assert!(agreed.has_extended_message);
        assert!(outcome(&sends, false).unwrap().negotiated.path_ids.is_empty());
    }

    #[test]
    fn only_what_is_configured_is_offered() {
        let offered = |add_path, ask_end_of_rib| {
            let mut config = config(add_path);
            config.neighbours[0].ask_end_of_rib = ask_end_of_rib;
            let open = our_open(&config, &config.neighbours[0]);
            let open = Open::decode(&open[19..]).unwrap();
            assert_eq!(open.asn(), Asn(65_551));
            open.raw_capabilities().map(|capability| capability.code).collect::<Vec<_>>()
        };
        assert_eq!(offered(false, false), [1, 1, 6, 65]);
        assert_eq!(offered(true, false), [1, 1, 6, 65, 69]);
        assert_eq!(offered(false, true), [1, 1, 6, 65, 64]);
    }

    #[test]
    fn what_will_not_do_is_refused_with_the_code_of_the_rfc() {
        let code = |theirs: Theirs| outcome(&theirs, false).unwrap_err().subcode;
        assert_eq!(code(Theirs { version: 3, ..theirs() }), open_error::VERSION);
        assert_eq!(code(Theirs { asn: 64_496, ..theirs() }), open_error::PEER_AS);
        assert_eq!(code(Theirs { four_octets: Some(65_549), ..theirs() }), open_error::PEER_AS);
        assert_eq!(code(Theirs { four_octets: None, ..theirs() }), open_error::PEER_AS);
        assert_eq!(code(Theirs { bgp_id: [0; 4], ..theirs() }), open_error::BGP_ID);
        assert_eq!(code(Theirs { hold_time: 2, ..theirs() }), open_error::HOLD_TIME);
        let vpn = vec![(1, vec![0, 1, 0, 128])];
        let refusal = outcome(&Theirs { more: vpn, ..theirs() }, false).unwrap_err();
        assert_eq!(refusal.subcode, open_error::CAPABILITY);
        assert_eq!(refusal.data, [1, 4, 0, 1, 0, 1, 1, 4, 0, 2, 0, 1]);
        assert_eq!(outcome(&Theirs { version: 5, ..theirs() }, false).unwrap_err().data, [0, 4]);
    }
}
