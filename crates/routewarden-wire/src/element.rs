//! One view of everything a record says about single routes and sessions.

use std::net::IpAddr;

use routewarden_core::{Asn, Timestamp};

use crate::{
    Attributes, Error, FsmState, Message, Nlri, NlriField, RawRecord, Record, RibEntry, RibRecord,
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

/// Elements that differ in their prefixes only: the routes of one field of an UPDATE.
#[derive(Clone, Copy, Debug)]
pub struct Run<'e> {
    /// Time of the record.
    pub time: Timestamp,
    /// ASN of the peer.
    pub peer_asn: Asn,
    /// Address of the peer.
    pub peer_addr: IpAddr,
    /// Whether the collector sent this to the peer, not the peer to the collector.
    pub is_local: bool,
    /// What happened.
    pub kind: RunKind<'e>,
}

/// What a [`Run`] says.
#[derive(Clone, Copy, Debug)]
pub enum RunKind<'e> {
    /// The routes were withdrawn.
    Withdrawals {
        /// Which routes.
        routes: &'e NlriField<'e>,
    },
    /// The routes were announced.
    Announcements {
        /// Which routes.
        routes: &'e NlriField<'e>,
        /// The attributes of all of them.
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

impl<'e> RunKind<'e> {
    /// The attributes, if there are any.
    #[inline]
    pub const fn attributes(&self) -> Option<&'e Attributes<'e>> {
        match self {
            RunKind::Announcements { attributes, .. } | RunKind::TableEntry { attributes, .. } => {
                Some(attributes)
            }
            RunKind::Withdrawals { .. } | RunKind::StateChange { .. } => None,
        }
    }
}

impl<'e> Run<'e> {
    /// Gives every element of the run in order.
    #[inline]
    pub fn for_each_element(&self, mut visit: impl FnMut(Element<'e>)) {
        let Run { time, peer_asn, peer_addr, is_local, kind } = *self;
        let mut visit = |kind| visit(Element { time, peer_asn, peer_addr, is_local, kind });
        match kind {
            RunKind::Withdrawals { routes } => {
                routes.for_each(|nlri| visit(ElementKind::Withdrawal { nlri }));
            }
            RunKind::Announcements { routes, attributes } => {
                routes.for_each(|nlri| visit(ElementKind::Announcement { nlri, attributes }));
            }
            RunKind::TableEntry { nlri, attributes, originated } => {
                visit(ElementKind::TableEntry { nlri, attributes, originated });
            }
            RunKind::StateChange { old, new } => visit(ElementKind::StateChange { old, new }),
        }
    }
}

/// Gives every element of a record in order, withdrawals before announcements, and every entry
/// that could not be read as an error.
#[inline]
pub fn for_each_element(
    raw: &RawRecord<'_>,
    record: &Record<'_>,
    mut visit: impl FnMut(Result<Element<'_>, Error>),
) {
    for_each_run(raw, record, |run| match run {
        Ok(run) => run.for_each_element(|element| visit(Ok(element))),
        Err(error) => visit(Err(error)),
    });
}

/// [`for_each_element`] by runs: what is the same for all elements of a run is given, and need be
/// read, once.
#[inline]
pub fn for_each_run(
    raw: &RawRecord<'_>,
    record: &Record<'_>,
    mut visit: impl FnMut(Result<&Run<'_>, Error>),
) {
    let time = raw.header.time;
    match record {
        Record::Message(message) => visit_message(time, message, &mut visit),
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
        Record::StateChange(change) => visit(Ok(&Run {
            time,
            peer_asn: change.ends.peer_asn,
            peer_addr: change.ends.peer_addr,
            is_local: false,
            kind: RunKind::StateChange { old: change.old, new: change.new },
        })),
        Record::PeerIndexTable(_) | Record::Unsupported(_) => {}
    }
}

#[inline]
fn visit_rib_entry(
    time: Timestamp,
    rib: &RibRecord<'_>,
    entry: &RibEntry<'_>,
    visit: &mut impl FnMut(Result<&Run<'_>, Error>),
) {
    let nlri = Nlri { prefix: rib.prefix, path_id: entry.path_id, safi: rib.safi };
    let (attributes, originated) = (&entry.attributes(), entry.originated);
    visit(Ok(&Run {
        time,
        peer_asn: entry.peer.asn,
        peer_addr: entry.peer.addr,
        is_local: false,
        kind: RunKind::TableEntry { nlri, attributes, originated },
    }));
}

#[inline]
fn visit_table_dump_entry(
    time: Timestamp,
    entry: &TableDumpEntry<'_>,
    visit: &mut impl FnMut(Result<&Run<'_>, Error>),
) {
    let nlri = Nlri { prefix: entry.prefix, path_id: None, safi: entry.safi };
    let (attributes, originated) = (&entry.attributes(), entry.originated);
    visit(Ok(&Run {
        time,
        peer_asn: entry.peer_asn,
        peer_addr: entry.peer_addr,
        is_local: false,
        kind: RunKind::TableEntry { nlri, attributes, originated },
    }));
}

#[inline]
fn visit_message(
    time: Timestamp,
    message: &Message<'_>,
    visit: &mut impl FnMut(Result<&Run<'_>, Error>),
) {
    let Some(update) = message.update() else { return };
    let attributes = update.attributes();
    let (peer_asn, peer_addr) = (message.ends.peer_asn, message.ends.peer_addr);
    let is_local = message.is_local;
    update.for_each_field(|routes, is_announced| {
        let kind = if is_announced {
            RunKind::Announcements { routes, attributes }
        } else {
            RunKind::Withdrawals { routes }
        };
        visit(Ok(&Run { time, peer_asn, peer_addr, is_local, kind }));
    });
}
