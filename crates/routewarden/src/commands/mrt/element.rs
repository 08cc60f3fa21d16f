//! One element as a JSON object or a row.

use std::io::{self, Write};
use std::net::IpAddr;

use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_wire::{Attributes, Element, ElementKind};
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct ElementText {
    time: Timestamp,
    #[serde(rename = "type")]
    kind: &'static str,
    peer_asn: Asn,
    peer_addr: IpAddr,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_local: bool,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    route: Option<RouteText>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    attributes: Option<AttributesText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    originated: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_state: Option<&'static str>,
}

#[derive(Serialize)]
struct RouteText {
    prefix: Prefix,
    safi: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_id: Option<u32>,
}

#[derive(Serialize)]
struct AttributesText {
    as_path: String,
    origin_asn: Option<Asn>,
    origin: Option<&'static str>,
    next_hop: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    med: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local_pref: Option<u32>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    atomic_aggregate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregator: Option<(Asn, IpAddr)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    communities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    large_communities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extended_communities: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otc: Option<Asn>,
}

impl AttributesText {
    fn of(attributes: &Attributes<'_>, scratch: &mut Vec<u8>) -> Self {
        let path = attributes.as_path(scratch);
        AttributesText {
            as_path: path.map(|path| path.to_string()).unwrap_or_default(),
            origin_asn: path.and_then(|path| path.origin()),
            origin: attributes.origin().map(routewarden_wire::RouteOrigin::name),
            next_hop: attributes.next_hop(),
            med: attributes.med(),
            local_pref: attributes.local_pref(),
            atomic_aggregate: attributes.atomic_aggregate(),
            aggregator: attributes.aggregator().map(|by| (by.asn, IpAddr::V4(by.addr))),
            communities: attributes.communities().map(|(a, b)| format!("{a}:{b}")).collect(),
            large_communities: attributes
                .large_communities()
                .map(|[a, b, c]| format!("{a}:{b}:{c}"))
                .collect(),
            extended_communities: attributes
                .ext_communities()
                .map(|octets| format!("{:016x}", u64::from_be_bytes(octets)))
                .collect(),
            otc: attributes.otc(),
        }
    }
}

impl ElementText {
    pub(super) fn of(element: &Element<'_>, scratch: &mut Vec<u8>) -> Self {
        let route = element.kind.nlri().map(|nlri| RouteText {
            prefix: nlri.prefix,
            safi: nlri.safi.name(),
            path_id: nlri.path_id,
        });
        let (originated, states) = match element.kind {
            ElementKind::TableEntry { originated, .. } => (Some(originated), None),
            ElementKind::StateChange { old, new } => (None, Some((old.name(), new.name()))),
            ElementKind::Announcement { .. } | ElementKind::Withdrawal { .. } => (None, None),
        };
        ElementText {
            time: element.time,
            kind: element.kind.name(),
            peer_asn: element.peer_asn,
            peer_addr: element.peer_addr,
            is_local: element.is_local,
            route,
            attributes: element.kind.attributes().map(|a| AttributesText::of(a, scratch)),
            originated,
            old_state: states.map(|(old, _)| old),
            new_state: states.map(|(_, new)| new),
        }
    }

    pub(super) fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }

    /// `time  type  peer  prefix  path`
    pub(super) fn write_row(&self, out: &mut impl Write) -> io::Result<()> {
        let prefix = self.route.as_ref().map(|r| r.prefix.to_string()).unwrap_or_default();
        let multicast = if self.route.as_ref().is_some_and(|r| r.safi == "multicast") {
            " (multicast)"
        } else {
            ""
        };
        let detail = match (&self.attributes, self.old_state, self.new_state) {
            (Some(attributes), ..) => attributes.as_path.clone(),
            (None, Some(old), Some(new)) => format!("{old} -> {new}"),
            _ => String::new(),
        };
        let peer = format!("{} {}", self.peer_asn, self.peer_addr);
        let line =
            format!("{}  {:12}  {peer:28}  {prefix:18}{multicast}  {detail}", self.time, self.kind);
        writeln!(out, "{}", line.trim_end())
    }
}
