//! The lines of `bgpdump -m`.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use routewarden_core::AddressFamily;

use crate::{
    Attributes, Element, ElementKind, Header, Message, Nlri, RawRecord, Record, Safi,
    for_each_element, mrt,
};

/// Well-known communities that have a name in `bgpdump` (RFC 1997 "Well-known Communities").
const NO_EXPORT: (u16, u16) = (0xffff, 0xff01);
const NO_ADVERTISE: (u16, u16) = (0xffff, 0xff02);
const LOCAL_AS: (u16, u16) = (0xffff, 0xff03);

/// What stands for a missing next hop: `INADDR_NONE`.
const NO_NEXT_HOP: Ipv4Addr = Ipv4Addr::BROADCAST;

/// Writes records as `bgpdump -m` does: one line an element, fields divided by `|`, routes with
/// path identifiers in the `_AP` form. Keeps a scratch buffer between records.
#[derive(Clone, Debug, Default)]
pub struct BgpdumpWriter {
    has_large_communities: bool,
    scratch: Vec<u8>,
}

impl BgpdumpWriter {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether large communities stand in a field of their own after the communities, as with
    /// `bgpdump -m -l`. Without it they are left out.
    #[must_use]
    pub fn with_large_communities(mut self, has_large_communities: bool) -> Self {
        self.has_large_communities = has_large_communities;
        self
    }

    /// Appends the lines of a record; entries that cannot be read give none. Fails only when
    /// `out` does.
    pub fn write_record(
        &mut self,
        raw: &RawRecord<'_>,
        record: &Record<'_>,
        out: &mut impl Write,
    ) -> fmt::Result {
        let mut result = Ok(());
        for_each_element(raw, record, |element| {
            if let Ok(element) = element
                && result.is_ok()
            {
                result = self.write_element(&raw.header, record, &element, out);
            }
        });
        result
    }

    fn write_element(
        &mut self,
        header: &Header,
        record: &Record<'_>,
        element: &Element<'_>,
        out: &mut impl Write,
    ) -> fmt::Result {
        let nlri = element.kind.nlri();
        let letter = match element.kind {
            ElementKind::TableEntry { .. } => "B",
            ElementKind::Announcement { .. } => "A",
            ElementKind::Withdrawal { .. } => "W",
            ElementKind::StateChange { .. } => "STATE",
        };
        out.write_str(match record {
            Record::Rib(_) => "TABLE_DUMP2",
            Record::TableDump(_) => "TABLE_DUMP",
            _ if header.mrt_type == mrt::BGP4MP_ET => "BGP4MP_ET",
            _ => "BGP4MP",
        })?;
        if element.is_local {
            out.write_str("_LOCAL")?;
        }
        if nlri.is_some_and(|nlri| nlri.path_id.is_some()) {
            out.write_str("_AP")?;
        }
        write!(out, "|{}", header.secs)?;
        if let Some(micros) = header.micros {
            write!(out, ".{micros:06}")?;
        }
        let peer = Addr(element.peer_addr);
        write!(out, "|{letter}|{peer}|{}|", element.peer_asn.0)?;
        if let ElementKind::StateChange { old, new } = element.kind {
            return writeln!(out, "{}|{}", old.0, new.0);
        }
        let Some(nlri) = nlri else { return Ok(()) };
        write!(out, "{}/{}", Addr(nlri.prefix.addr()), nlri.prefix.len())?;
        if let Some(path_id) = nlri.path_id {
            write!(out, "|{path_id}")?;
        }
        match element.kind.attributes() {
            None => writeln!(out),
            Some(attributes) => {
                let is_mp = is_mp_ipv4(record, nlri);
                self.write_attributes(attributes, nlri.prefix.family(), is_mp, out)
            }
        }
    }

    /// From the path to the end of the line.
    fn write_attributes(
        &mut self,
        attributes: &Attributes<'_>,
        family: AddressFamily,
        is_mp_ipv4: bool,
        out: &mut impl Write,
    ) -> fmt::Result {
        out.write_char('|')?;
        if let Some(path) = attributes.as_path(&mut self.scratch) {
            write!(out, "{path}")?;
        }
        let origin = attributes.origin().map_or("INCOMPLETE", crate::RouteOrigin::name);
        let next_hop = next_hop(attributes, family);
        write!(out, "|{origin}|{}|", Addr(next_hop))?;
        let local_pref = attributes.local_pref().unwrap_or(0);
        let med = attributes.med().unwrap_or(0);
        if is_mp_ipv4 {
            // These two are printed as signed numbers there.
            write!(out, "{}|{}|", local_pref.cast_signed(), med.cast_signed())?;
        } else {
            write!(out, "{local_pref}|{med}|")?;
        }
        write_communities(attributes, out)?;
        if self.has_large_communities {
            write_large_communities(attributes, out)?;
        }
        let atomic = if attributes.atomic_aggregate() { "AG" } else { "NAG" };
        write!(out, "|{atomic}|")?;
        // An aggregator of 255.255.255.255 is taken for none there.
        if let Some(aggregator) = attributes.aggregator().filter(|a| a.addr != NO_NEXT_HOP) {
            write!(out, "{} {}", aggregator.asn.0, aggregator.addr)?;
        }
        writeln!(out, "|")
    }
}

/// Whether the route is an IPv4 one of `MP_REACH_NLRI`.
fn is_mp_ipv4(record: &Record<'_>, nlri: Nlri) -> bool {
    let Record::Message(Message { bgp: crate::BgpMessage::Update(update), .. }) = record else {
        return false;
    };
    let [plain, mp] = update.announced_fields();
    let is_ipv4 = nlri.prefix.is_ipv4() && mp.family() == AddressFamily::Ipv4 && !mp.is_empty();
    is_ipv4 && (nlri.safi == Safi::Multicast || plain.is_empty())
}

fn next_hop(attributes: &Attributes<'_>, family: AddressFamily) -> IpAddr {
    let plain = attributes.next_hop_ipv4().map(IpAddr::V4);
    let found = match family {
        AddressFamily::Ipv4 => plain.or_else(|| attributes.mp_next_hop()),
        AddressFamily::Ipv6 => attributes.mp_next_hop().or(plain),
    };
    found.unwrap_or(IpAddr::V4(NO_NEXT_HOP))
}

fn write_communities(attributes: &Attributes<'_>, out: &mut impl Write) -> fmt::Result {
    let mut separator = "";
    for community in attributes.communities() {
        out.write_str(separator)?;
        separator = " ";
        match community {
            NO_EXPORT => out.write_str("no-export")?,
            NO_ADVERTISE => out.write_str("no-advertise")?,
            LOCAL_AS => out.write_str("local-AS")?,
            (asn, value) => write!(out, "{asn}:{value}")?,
        }
    }
    Ok(())
}

fn write_large_communities(attributes: &Attributes<'_>, out: &mut impl Write) -> fmt::Result {
    let mut separator = "|";
    for [global, first, second] in attributes.large_communities() {
        write!(out, "{separator}{global}:{first}:{second}")?;
        separator = " ";
    }
    if separator == "|" { out.write_char('|') } else { Ok(()) }
}

/// An address as `bgpdump` writes it. Unlike RFC 5952 §4.2.2 a single zero group is shortened
/// too, and IPv4-compatible addresses (RFC 4291 §2.5.5.1) get dots.
struct Addr(IpAddr);

/// The bits of an IPv6 address that an embedded IPv4 address takes.
const LOW_32_BITS: u128 = 0xffff_ffff;

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addr = match self.0 {
            IpAddr::V4(addr) => return write!(f, "{addr}"),
            IpAddr::V6(addr) => addr,
        };
        let dotted = Ipv4Addr::from_bits(u32::try_from(addr.to_bits() & LOW_32_BITS).unwrap_or(0));
        match addr.segments() {
            [0, 0, 0, 0, 0, 0xffff, _, _] => write!(f, "::ffff:{dotted}"),
            [0, 0, 0, 0, 0, 0, high, low] if high > 0 || low > 1 => write!(f, "::{dotted}"),
            groups => write_groups(&groups, f),
        }
    }
}

/// Groups with the first of the longest zero runs shortened.
fn write_groups(groups: &[u16], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let zeros_at = |at: usize| groups.iter().skip(at).take_while(|&&group| group == 0).count();
    let longest = (0..groups.len()).map(zeros_at).max().unwrap_or(0);
    let run = (0..groups.len()).find(|&at| longest > 0 && zeros_at(at) == longest);
    for (at, group) in groups.iter().enumerate() {
        match run {
            Some(start) if at == start => f.write_str(if at == 0 { "::" } else { ":" })?,
            Some(start) if at > start && at < start + longest => {}
            _ => {
                write!(f, "{group:x}")?;
                if at + 1 < groups.len() {
                    f.write_char(':')?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_bgpdump_does() {
        for text in [
            "fe80::",
            "::",
            "::1",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "::192.0.2.1",
            "2001:7f8:30::2:1:0:8447",
            "2001:db8:1:2:3:4:5::",
            "::2001:db8:1:2:3:4:5",
            "192.0.2.1",
        ] {
            let addr: IpAddr = text.parse().unwrap();
            assert_eq!(Addr(addr).to_string(), text);
        }
    }
}
