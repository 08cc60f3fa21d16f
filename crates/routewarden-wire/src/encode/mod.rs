//! Encoders for everything the decoder reads.

mod attributes;
mod bgp;
mod bmp;
mod mrt;
mod open;

pub use attributes::AttributeWriter;
pub use bgp::{keepalive, message, push_nlri, update};
pub use bmp::{
    PeerUpParts, bmp_initiation, bmp_message, bmp_peer_down, bmp_peer_up, bmp_route_mirroring,
    bmp_route_monitoring, bmp_statistics, bmp_termination,
};
pub use mrt::{
    Bgp4mpKind, RibEntryParts, TableDumpParts, bgp4mp_entry, bgp4mp_message, legacy_message,
    legacy_state_change, peer_index_table, push_record, rib, rib_generic, state_change, table_dump,
};

pub use open::{OpenParts, add_path, four_octet_asn, multiprotocol, notification, open, shutdown};

use std::net::IpAddr;

use crate::Error;

fn length_u8(octets: usize) -> Result<u8, Error> {
    let max = usize::from(u8::MAX);
    u8::try_from(octets).map_err(|_| Error::EncodeTooLong { octets, max })
}

fn length_u16(octets: usize) -> Result<u16, Error> {
    let max = usize::from(u16::MAX);
    u16::try_from(octets).map_err(|_| Error::EncodeTooLong { octets, max })
}

fn push_u16_length(octets: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(&length_u16(octets)?.to_be_bytes());
    Ok(())
}

fn push_addr(addr: IpAddr, out: &mut Vec<u8>) {
    match addr {
        IpAddr::V4(addr) => out.extend_from_slice(&addr.octets()),
        IpAddr::V6(addr) => out.extend_from_slice(&addr.octets()),
    }
}

#[cfg(test)]
mod tests;
