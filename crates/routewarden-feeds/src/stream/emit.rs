//! From what records say to route events.

use std::net::IpAddr;

use hashbrown::HashMap;
use routewarden_core::event::AttributesRef;
use routewarden_core::{Asn, EventBatch, Peer, RouteEvent, RouteEventKind, Timestamp};
use routewarden_wire::{
    Attributes, BgpMessage, Error as WireError, Message, RawRecord, Record, RibRecord, Safi,
    SessionEnds, StateChange, TableDump, Update, Warning, Warnings,
};

use super::PEERS_MAX;
use super::decode::FileTask;
use crate::report::{ElementCounts, Fault, FileReport};
use crate::sources::InputKind;
use crate::update_events::{UpdateSink, push_update};

/// Turns the records of one file into events and counts what gives none.
pub(super) struct Emitter {
    pub(super) report: FileReport,
    content: InputKind,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    table_time: Option<Timestamp>,
    peers: HashMap<(Asn, IpAddr), u32, foldhash::fast::FixedState>,
    /// Stream numbers of the peers of the last peer index table.
    table_peers: Vec<Option<u32>>,
    scratch: Vec<u8>,
    /// The record being read.
    time: Timestamp,
    previous: Option<Timestamp>,
    index: u64,
    offset: u64,
}

/// Whether the elements of a record are given, or why not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Yes,
    BeforeTable,
    OutsideWindow,
    OtherKind,
}

impl Emitter {
    pub(super) fn new(task: &FileTask) -> Self {
        Emitter {
            report: task.report(),
            content: task.content,
            from: task.from,
            until: task.until,
            table_time: task.table_time,
            peers: HashMap::default(),
            table_peers: Vec::new(),
            scratch: Vec::new(),
            time: Timestamp::default(),
            previous: None,
            index: 0,
            offset: 0,
        }
    }

    /// Notes the record that the next calls are about.
    pub(super) fn begin(&mut self, raw: &RawRecord<'_>) {
        self.time = raw.header.time;
        (self.index, self.offset) = (raw.index, raw.offset);
        self.report.counts.note_record(self.time, self.previous);
        self.previous = Some(self.time);
    }

    /// Counts faults that the record survived.
    pub(super) fn warn(&mut self, warnings: Warnings) {
        if warnings.is_empty() {
            return;
        }
        for warning in warnings.iter() {
            self.report.warn(self.fault(warning.kind()));
        }
    }

    /// Counts a record or entry that cannot be read.
    pub(super) fn lose(&mut self, error: &WireError) {
        self.report.lose(self.fault(error.kind()));
    }

    fn fault(&self, kind: &'static str) -> Fault {
        Fault { kind, record: self.index, octet: self.offset }
    }

    /// Gives the events of a record.
    pub(super) fn record(&mut self, record: &Record<'_>, batch: &mut EventBatch) {
        match record {
            Record::PeerIndexTable(_) => {
                self.table_peers.clear();
                self.report.skip("peer_index_table");
            }
            Record::Rib(rib) => self.rib(rib, batch),
            Record::TableDump(dump) => self.table_dump(dump, batch),
            Record::Message(message) => self.message(message, batch),
            Record::StateChange(change) => self.state_change(change, batch),
            Record::Unsupported(unsupported) => self.report.skip(unsupported.kind()),
            _ => self.report.skip("unsupported_record_type"),
        }
    }

    fn given(&self, kind: InputKind) -> Given {
        if kind != self.content {
            Given::OtherKind
        } else if self.table_time.is_some_and(|table| self.time < table) {
            Given::BeforeTable
        } else if self.from.is_some_and(|from| self.time < from)
            || self.until.is_some_and(|until| self.time >= until)
        {
            Given::OutsideWindow
        } else {
            Given::Yes
        }
    }

    /// Whether elements are given; counts them when they are not.
    fn admit(&mut self, kind: InputKind, elements: impl FnOnce() -> usize) -> bool {
        let given = self.given(kind);
        let counts = &mut self.report.counts.elements;
        let counter = match given {
            Given::Yes => return true,
            Given::BeforeTable => &mut counts.before_table,
            Given::OutsideWindow => &mut counts.outside_window,
            Given::OtherKind => &mut counts.other_kind,
        };
        *counter += elements() as u64;
        false
    }

    fn message(&mut self, message: &Message<'_>, batch: &mut EventBatch) {
        if message.is_local {
            // What the collector itself sent is no peer's route.
            return self.report.skip("local_message");
        }
        match &message.bgp {
            BgpMessage::Update(update) => self.update(message.ends, update, batch),
            BgpMessage::Open(_) => self.report.skip("open"),
            BgpMessage::Notification(_) => self.report.skip("notification"),
            BgpMessage::Keepalive => self.report.skip("keepalive"),
            BgpMessage::RouteRefresh(_) => self.report.skip("route_refresh"),
            _ => self.report.skip("unknown_message"),
        }
    }

    fn update(&mut self, ends: SessionEnds, update: &Update<'_>, batch: &mut EventBatch) {
        let elements = || {
            update.withdrawn().count()
                + update.announced().count()
                + usize::from(update.end_of_rib().is_some())
        };
        if !self.admit(InputKind::Updates, elements) {
            return;
        }
        if let Some((family, safi)) = update.end_of_rib() {
            match safi {
                Safi::Unicast => {
                    self.session_event(ends, RouteEventKind::EndOfRib { family }, batch);
                }
                Safi::Multicast => self.report.skip("multicast_end_of_rib"),
            }
            return;
        }
        let has_routes = {
            let mut sink = MessageSink { emitter: self, ends };
            push_update(sink.emitter.time, update, &mut sink, batch)
        };
        if !has_routes {
            self.report.skip("update_without_routes");
        }
    }

    fn attributes(
        &mut self,
        attributes: &Attributes<'_>,
        batch: &mut EventBatch,
    ) -> Option<AttributesRef> {
        let stored = batch.push_attributes(&attributes.route(&mut self.scratch));
        if stored.is_none() {
            self.report.counts.elements.attributes_too_long += 1;
        }
        stored
    }

    fn state_change(&mut self, change: &StateChange, batch: &mut EventBatch) {
        let kind = if change.is_up() {
            RouteEventKind::PeerUp
        } else if change.is_down() {
            RouteEventKind::PeerDown
        } else {
            return self.report.skip("state_change_short_of_established");
        };
        if self.admit(InputKind::Updates, || 1) {
            self.session_event(change.ends, kind, batch);
        }
    }

    fn session_event(&mut self, ends: SessionEnds, kind: RouteEventKind, batch: &mut EventBatch) {
        let Some(peer) = self.peer(ends.peer_asn, ends.peer_addr, batch) else { return };
        batch.events.push(RouteEvent { time: self.time, peer, kind });
        let counts = &mut self.report.counts.elements;
        match kind {
            RouteEventKind::PeerUp => counts.peer_ups += 1,
            RouteEventKind::PeerDown => counts.peer_downs += 1,
            _ => counts.end_of_ribs += 1,
        }
    }

    fn rib(&mut self, rib: &RibRecord<'_>, batch: &mut EventBatch) {
        if !self.admit(InputKind::Table, || usize::from(rib.claimed_count)) {
            return;
        }
        for entry in rib.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.lose(&error);
                    continue;
                }
            };
            if rib.safi == Safi::Multicast {
                self.report.counts.elements.multicast_table_entries += 1;
                continue;
            }
            let attributes = entry.attributes();
            let index = usize::from(entry.peer_index);
            let peer = match self.table_peers.get(index).copied().flatten() {
                Some(peer) => Some(peer),
                None => self.table_peer(index, (entry.peer.asn, entry.peer.addr), batch),
            };
            let Some(peer) = peer else { continue };
            self.table_entry((peer, entry.originated), rib.prefix, &attributes, batch);
        }
    }

    fn table_dump(&mut self, dump: &TableDump<'_>, batch: &mut EventBatch) {
        if !self.admit(InputKind::Table, || dump.entries().count()) {
            return;
        }
        for entry in dump.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.lose(&error);
                    continue;
                }
            };
            if entry.safi == Safi::Multicast {
                self.report.counts.elements.multicast_table_entries += 1;
                continue;
            }
            let attributes = entry.attributes();
            let Some(peer) = self.peer(entry.peer_asn, entry.peer_addr, batch) else { continue };
            self.table_entry((peer, entry.originated), entry.prefix, &attributes, batch);
        }
    }

    /// RFC 7606 is about sessions: an entry of a table was accepted by the collector, so its
    /// faults are the writer's. It is used unless its path cannot be read; an entry without
    /// path, as for routes of the collector itself, has an empty one.
    fn table_entry(
        &mut self,
        (peer, originated): (u32, Timestamp),
        prefix: routewarden_core::Prefix,
        attributes: &Attributes<'_>,
        batch: &mut EventBatch,
    ) {
        self.warn(attributes.warnings());
        if attributes.as_path_octets().is_none() {
            if attributes.warnings().contains(Warning::AsPathMalformed) {
                self.report.lose(self.fault("table_entry_path_malformed"));
                return;
            }
            self.report.warn(self.fault("table_entry_without_path"));
        }
        let Some(attributes) = self.attributes(attributes, batch) else { return };
        let kind = RouteEventKind::TableEntry { prefix, attributes, originated };
        batch.events.push(RouteEvent { time: self.time, peer, kind });
        self.report.counts.elements.table_entries += 1;
    }

    fn table_peer(
        &mut self,
        index: usize,
        (asn, addr): (Asn, IpAddr),
        batch: &mut EventBatch,
    ) -> Option<u32> {
        let peer = self.peer(asn, addr, batch)?;
        if self.table_peers.len() <= index {
            self.table_peers.resize(index + 1, None);
        }
        if let Some(slot) = self.table_peers.get_mut(index) {
            *slot = Some(peer);
        }
        Some(peer)
    }

    /// Stream number of a peer; introduces it in the batch when it is new. `None` beyond
    /// [`PEERS_MAX`], which counts as a loss.
    fn peer(&mut self, asn: Asn, addr: IpAddr, batch: &mut EventBatch) -> Option<u32> {
        if let Some(&number) = self.peers.get(&(asn, addr)) {
            return Some(number);
        }
        if self.peers.len() >= PEERS_MAX {
            self.report.lose(self.fault("too_many_peers"));
            return None;
        }
        let number = u32::try_from(self.peers.len()).ok()?;
        self.peers.insert((asn, addr), number);
        let collector = self.report.collector.clone();
        batch.new_peers.push(Peer { collector, asn, addr });
        Some(number)
    }
}

/// The emitter, for the routes of one message.
struct MessageSink<'a> {
    emitter: &'a mut Emitter,
    ends: SessionEnds,
}

impl UpdateSink for MessageSink<'_> {
    fn peer(&mut self, batch: &mut EventBatch) -> Option<u32> {
        self.emitter.peer(self.ends.peer_asn, self.ends.peer_addr, batch)
    }

    fn attributes(
        &mut self,
        attributes: &Attributes<'_>,
        batch: &mut EventBatch,
    ) -> Option<AttributesRef> {
        self.emitter.attributes(attributes, batch)
    }

    fn counts(&mut self) -> &mut ElementCounts {
        &mut self.emitter.report.counts.elements
    }
}
