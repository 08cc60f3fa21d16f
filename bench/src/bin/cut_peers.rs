//! Writes copies of a table dump and of updates with the routes of a few peers only, to show what
//! more peers cost.
//!
//! Taken are the peers with the most routes in the table. Give uncompressed files; each copy has
//! the name of its file.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufReader, BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use routewarden_core::Asn;
use routewarden_wire::encode::{self, RibEntryParts};
use routewarden_wire::{Limits, MrtDecoder, MrtReader, PeerIndex, RawRecord, Record};

/// Cuts files down to a few peers.
#[derive(Debug, Parser)]
struct Arguments {
    /// Number of peers to keep.
    #[arg(long)]
    peers: usize,
    /// Folder of the copies.
    #[arg(long)]
    out: PathBuf,
    /// The table dump (`TABLE_DUMP_V2`).
    #[arg(long)]
    table: PathBuf,
    /// Updates.
    updates: Vec<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let kept = largest_peers(&arguments.table, arguments.peers)?;
    let mut ends = BTreeSet::new();
    copy(&arguments.table, &arguments.out, |raw, record, out| match record {
        Record::Rib(rib) => {
            let entries: Vec<RibEntryParts<'_>> = rib
                .entries()
                .flatten()
                .filter(|entry| kept.contains(&entry.peer_index))
                .map(|entry| RibEntryParts {
                    peer_index: entry.peer_index,
                    originated: entry.originated,
                    path_id: entry.path_id,
                    attributes: entry.attribute_octets,
                })
                .collect();
            ends.extend(kept.iter().filter_map(|&index| peer(rib.peers(), index)));
            if entries.is_empty() {
                return Ok(());
            }
            let (subtype, body) = encode::rib(rib.sequence, rib.prefix, rib.safi, &entries)?;
            write_record(raw, subtype, &body, out)
        }
        _ => write_record(raw, raw.header.subtype, raw.body, out),
    })?;
    for file in &arguments.updates {
        copy(file, &arguments.out, |raw, record, out| {
            let of = match record {
                Record::Message(message) => message.ends,
                Record::StateChange(change) => change.ends,
                _ => return Ok(()),
            };
            if ends.contains(&(of.peer_addr, of.peer_asn)) {
                write_record(raw, raw.header.subtype, raw.body, out)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn peer(peers: &PeerIndex, index: u16) -> Option<(IpAddr, Asn)> {
    peers.get(index).map(|peer| (peer.addr, peer.asn))
}

/// Indexes of the peers with the most routes.
fn largest_peers(table: &Path, most: usize) -> Result<BTreeSet<u16>> {
    let mut counts: HashMap<u16, u64> = HashMap::new();
    for_each_record(table, |_, record| {
        if let Record::Rib(rib) = record {
            for entry in rib.entries().flatten() {
                *counts.entry(entry.peer_index).or_default() += 1;
            }
        }
        Ok(())
    })?;
    let mut peers: Vec<(u16, u64)> = counts.into_iter().collect();
    peers.sort_by_key(|&(index, count)| (std::cmp::Reverse(count), index));
    Ok(peers.into_iter().take(most).map(|(index, _)| index).collect())
}

fn copy(
    from: &Path,
    folder: &Path,
    mut each: impl FnMut(&RawRecord<'_>, &Record<'_>, &mut dyn Write) -> Result<()>,
) -> Result<()> {
    let to = folder.join(from.file_name().context("no file name")?);
    let file = std::fs::File::create(&to).with_context(|| to.display().to_string())?;
    let mut out = BufWriter::new(file);
    for_each_record(from, |raw, record| each(raw, record, &mut out))?;
    out.flush()?;
    Ok(())
}

/// Records that cannot be decoded are left out.
fn for_each_record(
    path: &Path,
    mut each: impl FnMut(&RawRecord<'_>, &Record<'_>) -> Result<()>,
) -> Result<()> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut reader = MrtReader::new(BufReader::new(file), Limits::default());
    let mut decoder = MrtDecoder::new();
    while let Some(raw) = reader.next_record() {
        let raw = raw?;
        if let Ok(decoded) = decoder.decode(&raw) {
            each(&raw, &decoded.value)?;
        }
    }
    Ok(())
}

fn write_record(raw: &RawRecord<'_>, subtype: u16, body: &[u8], out: &mut dyn Write) -> Result<()> {
    let mut octets = Vec::with_capacity(body.len() + 16);
    encode::push_record(raw.header.time, (raw.header.mrt_type, subtype), body, &mut octets)?;
    out.write_all(&octets)?;
    Ok(())
}
