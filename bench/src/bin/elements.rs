//! Decodes MRT files with `routewarden-wire`, reading every attribute of every element.

use std::fmt::Write;

use routewarden_bench::hash::{Fields, Routes};
use routewarden_bench::run::{self, Decoders, Input, Sum};
use routewarden_core::AsPath;
use routewarden_wire::{
    Attributes, Element, ElementKind, Limits, MrtDecoder, MrtReader, Nlri, RawRecord, Record, Run,
    RunKind, for_each_element, for_each_run,
};

fn main() -> anyhow::Result<()> {
    run::main(&Decoders { each: decode, runs: Some(decode_runs), digest })
}

fn for_each_record(input: Input<'_>, mut visit: impl FnMut(&RawRecord<'_>, &Record<'_>)) {
    let mut decoder = MrtDecoder::new();
    let mut decode = |raw: &RawRecord<'_>| {
        decoder.visit(raw, |decoded| {
            if let Ok(decoded) = decoded {
                visit(raw, decoded.value);
            }
        });
    };
    match input {
        Input::Memory(mut octets) => {
            while let Ok((raw, rest)) = RawRecord::from_octets(octets) {
                decode(&raw);
                octets = rest;
            }
        }
        Input::Stream(read) => {
            let mut reader = MrtReader::new(read, Limits::default());
            while let Some(raw) = reader.next_record() {
                if let Ok(raw) = raw {
                    decode(&raw);
                }
            }
        }
    }
}

fn for_each(input: Input<'_>, mut visit: impl FnMut(&Element<'_>)) {
    for_each_record(input, |raw, record| {
        for_each_element(raw, record, |element| {
            if let Ok(element) = &element {
                visit(element);
            }
        });
    });
}

/// Reads the attributes anew for every element.
fn decode(input: Input<'_>) -> Sum {
    let mut sum = Sum::default();
    let mut scratch = Vec::new();
    for_each(input, |element| {
        let Some(nlri) = element.kind.nlri() else { return };
        let mut fields = Fields::new();
        fields.number(element.time.micros().cast_unsigned());
        fields.number(element.peer_asn.0);
        fields.addr(element.peer_addr);
        if let ElementKind::TableEntry { originated, .. } = element.kind {
            fields.number(originated.micros().cast_unsigned());
        }
        if let Some(attributes) = element.kind.attributes() {
            read(&mut fields, attributes, &mut scratch);
        }
        prefix(&mut fields, nlri);
        sum.elements += 1;
        sum.digest = sum.digest.wrapping_add(fields.finish());
    });
    sum
}

/// Reads what the elements of a run have in common once; the digest is that of [`decode`].
fn decode_runs(input: Input<'_>) -> Sum {
    let mut sum = Sum::default();
    let mut scratch = Vec::new();
    for_each_record(input, |raw, record| {
        for_each_run(raw, record, |run| {
            if let Ok(run) = run {
                add_run(&mut sum, run, &mut scratch);
            }
        });
    });
    sum
}

fn add_run(sum: &mut Sum, run: &Run<'_>, scratch: &mut Vec<u8>) {
    let mut common = Fields::new();
    common.number(run.time.micros().cast_unsigned());
    common.number(run.peer_asn.0);
    common.addr(run.peer_addr);
    if let RunKind::TableEntry { originated, .. } = run.kind {
        common.number(originated.micros().cast_unsigned());
    }
    if let Some(attributes) = run.kind.attributes() {
        read(&mut common, attributes, scratch);
    }
    let mut add = |nlri| {
        let mut fields = common;
        prefix(&mut fields, nlri);
        sum.elements += 1;
        sum.digest = sum.digest.wrapping_add(fields.finish());
    };
    match run.kind {
        RunKind::Withdrawals { routes } | RunKind::Announcements { routes, .. } => {
            routes.for_each(add);
        }
        RunKind::TableEntry { nlri, .. } => add(nlri),
        RunKind::StateChange { .. } => {}
    }
}

#[inline]
fn prefix(fields: &mut Fields, nlri: Nlri) {
    fields.addr(nlri.prefix.addr());
    fields.number(nlri.prefix.len());
    fields.optional(nlri.path_id);
}

/// Every attribute, as decoded: no octets of the whole field are taken in their place.
fn read(fields: &mut Fields, attributes: &Attributes<'_>, scratch: &mut Vec<u8>) {
    for segment in attributes.as_path(scratch).unwrap_or(AsPath::EMPTY).segments() {
        fields.number(segment.kind as u8);
        for asn in segment.asns() {
            fields.number(asn.0);
        }
    }
    fields.optional(attributes.origin().map(|origin| origin as u8));
    match attributes.next_hop() {
        Some(addr) => fields.addr(addr),
        None => fields.number(u64::MAX),
    }
    fields.optional(attributes.med());
    fields.optional(attributes.local_pref());
    fields.number(attributes.atomic_aggregate());
    let aggregator = attributes.aggregator();
    fields.optional(aggregator.map(|aggregator| aggregator.asn.0));
    fields.optional(aggregator.map(|aggregator| aggregator.addr.to_bits()));
    for (asn, value) in attributes.communities() {
        fields.number(u32::from(asn) << 16 | u32::from(value));
    }
    for large in attributes.large_communities() {
        for part in large {
            fields.number(part);
        }
    }
    for community in attributes.ext_communities() {
        fields.number(u64::from_be_bytes(community));
    }
    for community in attributes.ipv6_ext_communities() {
        fields.octets(&community);
    }
    fields.optional(attributes.otc().map(|asn| asn.0));
    fields.optional(attributes.originator_id().map(std::net::Ipv4Addr::to_bits));
    for id in attributes.cluster_list() {
        fields.number(id.to_bits());
    }
}

fn digest(input: Input<'_>) -> Sum {
    let mut routes = Routes::default();
    let mut elements = 0;
    let (mut line, mut scratch) = (String::new(), Vec::new());
    for_each(input, |element| {
        let (kind, time) = match element.kind {
            ElementKind::Withdrawal { .. } => ('W', element.time),
            ElementKind::Announcement { .. } => ('A', element.time),
            ElementKind::TableEntry { originated, .. } => ('A', originated),
            ElementKind::StateChange { .. } => return,
        };
        let Some(nlri) = element.kind.nlri() else { return };
        let attributes = element.kind.attributes();
        let path = attributes.and_then(|attributes| attributes.as_path(&mut scratch));
        let (time, path) = (time.micros(), path.unwrap_or(AsPath::EMPTY));
        let (addr, asn, prefix) = (element.peer_addr, element.peer_asn.0, nlri.prefix);
        line.clear();
        if write!(line, "{time}|{addr}|{asn}|{kind}|{prefix}|{path}").is_ok() {
            routes.add(&line);
            elements += 1;
        }
    });
    Sum { elements, digest: routes.finish() }
}
