//! One view of everything a record says about single routes and sessions.

use std::net::IpAddr;

use routewarden_core::{Asn, Timestamp};

use crate::{
    Attributes, Error, FsmState, Message, Nlri, RawRecord, Record, RibEntry, RibRecord,
    TableDumpEntry,
};

/// One announcement, withdrawal, table entry or state change.
#[derive(Clone, Copy, Debug)]
pub struct Element<'e> {
    /// Time of the record.
    pub time: Timestamp,
    /// ASN of the peer.
    pub peer_asn: Asn,
    /// Address of the peer.
    pub peer_addr: IpAddr,
    /// Whether the collector sent this to the peer, not the peer to the collector.
    pub is_local: bool,
    /// What happened.
    pub kind: ElementKind<'e>,
}

/// What an [`Element`] says.
#[derive(Clone, Copy, Debug)]
pub enum ElementKind<'e> {
    /// The route was withdrawn.
    Withdrawal {
        /// Which route.
        nlri: Nlri,
    },
    /// The route was announced.
    Announcement {
        /// Which route.
        nlri: Nlri,
        /// Its attributes.
        attributes: &'e Attributes<'e>,
    },
    /// The route stood in a table.
    TableEntry {
        /// Which route.
        nlri: Nlri,
        /// Its attributes.
        attributes: &'e Attributes<'e>,
        /// When the peer sent it, as the collector says.
        originated: Timestamp,
    },
    /// The session changed its state.
    StateChange {
        /// State before.
        old: FsmState,
        /// State after.
        new: FsmState,
    },
}

impl ElementKind<'_> {
    /// Stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            ElementKind::Withdrawal { .. } => "withdrawal",
            ElementKind::Announcement { .. } => "announcement",
            ElementKind::TableEntry { .. } => "table_entry",
            ElementKind::StateChange { .. } => "state_change",
        }
    }

    /// The route, unless this is a state change.
    pub const fn nlri(&self) -> Option<Nlri> {
        match self {
            ElementKind::Withdrawal { nlri }
            | ElementKind::Announcement { nlri, .. }
            | ElementKind::TableEntry { nlri, .. } => Some(*nlri),
            ElementKind::StateChange { .. } => None,
        }
    }

    /// The attributes, if there are any.
    pub const fn attributes(&self) -> Option<&Attributes<'_>> {
        match self {
            ElementKind::Announcement { attributes, .. }
            | ElementKind::TableEntry { attributes, .. } => Some(attributes),
            ElementKind::Withdrawal { .. } | ElementKind::StateChange { .. } => None,
        }
    }
}

/// Gives every element of a record in order, withdrawals before announcements, and every entry
/// that could not be read as an error.
pub fn for_each_element(
    raw: &RawRecord<'_>,
    record: &Record<'_>,
    mut visit: impl FnMut(Result<Element<'_>, Error>),
) {
    let time = raw.header.time;
    match record {
        Record::Rib(rib) => {
            for entry in rib.entries() {
                match entry {
                    Ok(entry) => visit_rib_entry(time, rib, &entry, &mut visit),
                    Err(error) => visit(Err(error)),
                }
            }
        }
        Record::TableDump(dump) => {
            for entry in dump.entries() {
                match entry {
                    Ok(entry) => visit_table_dump_entry(time, &entry, &mut visit),
                    Err(error) => visit(Err(error)),
                }
            }
        }
        Record::Message(message) => visit_message(time, message, &mut visit),
        Record::StateChange(change) => visit(Ok(Element {
            time,
            peer_asn: change.ends.peer_asn,
            peer_addr: change.ends.peer_addr,
            is_local: false,
            kind: ElementKind::StateChange { old: change.old, new: change.new },
        })),
        Record::PeerIndexTable(_) | Record::Unsupported(_) => {}
    }
}

fn visit_rib_entry(
    time: Timestamp,
    rib: &RibRecord<'_>,
    entry: &RibEntry<'_>,
    visit: &mut impl FnMut(Result<Element<'_>, Error>),
) {
    let nlri = Nlri { prefix: rib.prefix, path_id: entry.path_id, safi: rib.safi };
    let (attributes, originated) = (&entry.attributes(), entry.originated);
    visit(Ok(Element {
        time,
        peer_asn: entry.peer.asn,
        peer_addr: entry.peer.addr,
        is_local: false,
        kind: ElementKind::TableEntry { nlri, attributes, originated },
    }));
}

fn visit_table_dump_entry(
    time: Timestamp,
    entry: &TableDumpEntry<'_>,
    visit: &mut impl FnMut(Result<Element<'_>, Error>),
) {
    let nlri = Nlri { prefix: entry.prefix, path_id: None, safi: entry.safi };
    let (attributes, originated) = (&entry.attributes(), entry.originated);
    visit(Ok(Element {
        time,
        peer_asn: entry.peer_asn,
        peer_addr: entry.peer_addr,
        is_local: false,
        kind: ElementKind::TableEntry { nlri, attributes, originated },
    }));
}

fn visit_message(
    time: Timestamp,
    message: &Message<'_>,
    visit: &mut impl FnMut(Result<Element<'_>, Error>),
) {
    let Some(update) = message.update() else { return };
    let attributes = update.attributes();
    let (peer_asn, peer_addr) = (message.ends.peer_asn, message.ends.peer_addr);
    let mut visit = |kind| {
        visit(Ok(Element { time, peer_asn, peer_addr, is_local: message.is_local, kind }));
    };
    // Plain loops: a chain of iterators asks at every prefix which of them it stands in.
    for run in update.withdrawn_runs() {
        for nlri in run {
            visit(ElementKind::Withdrawal { nlri });
        }
    }
    for run in update.announced_runs() {
        for nlri in run {
            visit(ElementKind::Announcement { nlri, attributes });
        }
    }
}
