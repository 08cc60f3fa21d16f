//! Decodes MRT files with bgpkit-parser, reading every field of every element.

use std::fmt::Write;
use std::io::Read;

use bgpkit_parser::models::{
    AsPath, AsPathSegment, Community, ElemType, ExtendedCommunity, MetaCommunity,
};
use bgpkit_parser::{BgpElem, BgpkitParser};
use routewarden_bench::hash::{Fields, Routes};
use routewarden_bench::run::{self, Decoders, Input, Sum};

fn main() -> anyhow::Result<()> {
    run::main(&Decoders { each: decode, runs: None, digest })
}

fn decode(input: Input<'_>) -> Sum {
    match input {
        Input::Memory(octets) => sum(BgpkitParser::from_reader(octets)),
        Input::Stream(read) => sum(BgpkitParser::from_reader(read)),
    }
}

fn sum(parser: BgpkitParser<impl Read>) -> Sum {
    let mut sum = Sum::default();
    for element in parser {
        let mut fields = Fields::new();
        read(&mut fields, &element);
        sum.elements += 1;
        sum.digest = sum.digest.wrapping_add(fields.finish());
    }
    sum
}

fn read(fields: &mut Fields, element: &BgpElem) {
    fields.number(element.timestamp.to_bits());
    fields.number(element.elem_type == ElemType::ANNOUNCE);
    fields.number(u32::from(element.peer_asn));
    fields.addr(element.peer_ip);
    fields.addr(element.prefix.prefix.addr());
    fields.number(element.prefix.prefix.prefix_len());
    fields.optional(element.prefix.path_id);
    for segment in element.as_path.iter().flat_map(|path| &path.segments) {
        let (kind, asns): (u8, _) = match segment {
            AsPathSegment::AsSet(asns) => (1, asns),
            AsPathSegment::AsSequence(asns) => (2, asns),
            AsPathSegment::ConfedSequence(asns) => (3, asns),
            AsPathSegment::ConfedSet(asns) => (4, asns),
        };
        fields.number(kind);
        asns.iter().for_each(|&asn| fields.number(u32::from(asn)));
    }
    fields.optional(element.origin.map(|origin| origin as u8));
    match element.next_hop {
        Some(addr) => fields.addr(addr),
        None => fields.number(u64::MAX),
    }
    fields.optional(element.med);
    fields.optional(element.local_pref);
    fields.number(element.atomic);
    fields.optional(element.aggr_asn.map(u32::from));
    fields.optional(element.aggr_ip.map(u32::from));
    for community in element.communities.iter().flatten() {
        read_community(fields, community);
    }
    fields.optional(element.only_to_customer.map(u32::from));
}

fn read_community(fields: &mut Fields, community: &MetaCommunity) {
    match community {
        MetaCommunity::Plain(Community::NoExport) => fields.number(0xffff_ff01_u32),
        MetaCommunity::Plain(Community::NoAdvertise) => fields.number(0xffff_ff02_u32),
        MetaCommunity::Plain(Community::NoExportSubConfed) => fields.number(0xffff_ff03_u32),
        MetaCommunity::Plain(Community::Custom(asn, value)) => {
            fields.number(u32::from(*asn) << 16 | u32::from(*value));
        }
        MetaCommunity::Large(large) => {
            fields.number(large.global_admin);
            large.local_data.iter().for_each(|&part| fields.number(part));
        }
        MetaCommunity::Extended(ExtendedCommunity::Raw(octets)) => fields.octets(octets),
        MetaCommunity::Extended(extended) => fields.number(u8::from(extended.community_type())),
        MetaCommunity::Ipv6Extended(extended) => fields.addr(extended.global_admin.into()),
    }
}

fn digest(input: Input<'_>) -> Sum {
    match input {
        Input::Memory(octets) => digest_of(BgpkitParser::from_reader(octets)),
        Input::Stream(read) => digest_of(BgpkitParser::from_reader(read)),
    }
}

fn digest_of(parser: BgpkitParser<impl Read>) -> Sum {
    let mut routes = Routes::default();
    let mut elements = 0;
    let mut line = String::new();
    for element in parser {
        line.clear();
        if write_line(&mut line, &element).is_ok() {
            routes.add(&line);
            elements += 1;
        }
    }
    Sum { elements, digest: routes.finish() }
}

fn write_line(line: &mut String, element: &BgpElem) -> std::fmt::Result {
    #[expect(clippy::cast_possible_truncation, reason = "microseconds stay below 2^53")]
    let micros = (element.timestamp * 1e6).round() as i64;
    let kind = if element.elem_type == ElemType::ANNOUNCE { 'A' } else { 'W' };
    let (addr, asn) = (element.peer_ip, u32::from(element.peer_asn));
    write!(line, "{micros}|{addr}|{asn}|{kind}|{}|", element.prefix.prefix)?;
    element.as_path.as_ref().map_or(Ok(()), |path| write_path(line, path))
}

/// Its own text leaves the brackets of confederation segments out.
fn write_path(line: &mut String, path: &AsPath) -> std::fmt::Result {
    for (index, segment) in path.segments.iter().enumerate() {
        let (open, between, close, asns) = match segment {
            AsPathSegment::AsSequence(asns) => ("", " ", "", asns),
            AsPathSegment::AsSet(asns) => ("{", ",", "}", asns),
            AsPathSegment::ConfedSequence(asns) => ("(", " ", ")", asns),
            AsPathSegment::ConfedSet(asns) => ("[", ",", "]", asns),
        };
        line.push_str(if index > 0 { " " } else { "" });
        line.push_str(open);
        for (position, &asn) in asns.iter().enumerate() {
            line.push_str(if position > 0 { between } else { "" });
            write!(line, "{}", u32::from(asn))?;
        }
        line.push_str(close);
    }
    Ok(())
}
