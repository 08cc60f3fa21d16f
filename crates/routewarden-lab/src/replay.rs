//! From events as written to batches as the pipeline reads them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;

use routewarden_core::{Asn, EventBatch, Peer, Prefix, RouteEvent, RouteEventKind, Timestamp};
use toml::Spanned;

use crate::document::{Event, TableEntry};
use crate::error::Fault;
use crate::facts::{Facts, FactsChange};
use crate::facts_text::{aspas_of, vrps_of};
use crate::route_text::{Attributes, PathText, PrefixRange, PrefixText};
use crate::scenario::{Checked, Located, at, fail, time_of};
use crate::standing::Standing;
use crate::writer::Writer;
use crate::{FACTS_MAX, OFFSET_SECS_MAX, ROUTE_EVENTS_MAX};

/// Most events in one batch of updates.
pub const BATCH_EVENTS: usize = 1_024;

/// One step of what happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// The collectors recorded these events.
    Events(EventBatch),
    /// What is known beside BGP changed.
    Facts(FactsChange),
}

/// One thing that happens, before it is put in order.
#[derive(Debug)]
struct Planned {
    /// When the collector records it: decides the order.
    recorded: Timestamp,
    /// Its time.
    time: Timestamp,
    action: Action,
    span: Range<usize>,
}

#[derive(Debug)]
enum Action {
    Announce {
        peer: u32,
        prefix: Prefix,
        attributes: Attributes,
    },
    Withdraw {
        peer: u32,
        prefix: Prefix,
    },
    /// Every peer that has the route at that moment withdraws it.
    WithdrawEverywhere {
        prefix: Prefix,
    },
    PeerUp {
        peer: u32,
    },
    PeerDown {
        peer: u32,
    },
    ChangeFacts(FactsChange),
}

/// Collects what stands and what happens, then plays it in order.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    peers: &'a [Peer],
    period: (Timestamp, Timestamp),
    table: Writer,
    planned: Vec<Planned>,
    /// VRPs and ASPAs at the time that is played.
    standing: Standing,
    /// Who has a route to what, with the number of its session at that time.
    held: BTreeMap<(Prefix, u32), usize>,
    /// How often each peer's session went down.
    sessions_lost: Vec<usize>,
    route_events: usize,
    facts_changed: usize,
}

/// Which sessions an event is limited to.
#[derive(Clone, Copy)]
struct Scope<'a> {
    collector: Option<&'a Spanned<String>>,
    from: Option<&'a Spanned<IpAddr>>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(peers: &'a [Peer], period: (Timestamp, Timestamp), facts: &Facts) -> Self {
        Stage {
            peers,
            period,
            table: Writer::new(peers),
            planned: Vec::new(),
            standing: Standing::of(facts),
            held: BTreeMap::new(),
            sessions_lost: vec![0; peers.len()],
            route_events: 0,
            facts_changed: 0,
        }
    }

    /// Adds routes that stand at the start.
    pub(crate) fn stand(&mut self, entry: &TableEntry) -> Checked<()> {
        let (start, _) = self.period;
        let originated = match &entry.originated {
            None => start,
            Some(value) => {
                let time = time_of(value)?;
                if time > start {
                    return fail(value, Fault::PeriodReversed);
                }
                time
            }
        };
        let scope = Scope { collector: entry.collector.as_ref(), from: entry.from.as_ref() };
        for route in self.routes(&entry.prefixes, &entry.paths, scope)? {
            if route.offset_secs != 0 {
                return Err(Located {
                    span: route.span,
                    fault: Fault::FieldUnused { field: "+SECONDS" },
                });
            }
            let Some(attributes) = self.table.attributes(&route.attributes) else {
                return Err(Located { span: route.span, fault: Fault::TooManyEvents });
            };
            let kind = RouteEventKind::TableEntry { prefix: route.prefix, attributes, originated };
            self.table.push(RouteEvent { time: start, peer: route.peer, kind });
            self.held.insert((route.prefix, route.peer), 0);
        }
        Ok(())
    }

    /// The table as one batch.
    pub(crate) fn table_batch(&mut self) -> EventBatch {
        std::mem::replace(&mut self.table, Writer::new(self.peers)).batch
    }

    /// Adds an event.
    pub(crate) fn schedule(&mut self, entry: &Spanned<Event>) -> Checked<()> {
        let event = entry.get_ref();
        let found = [
            event.announce.is_some(),
            event.withdraw.is_some(),
            event.peer_up.is_some(),
            event.peer_down.is_some(),
            event.vrps.is_some(),
            event.aspas.is_some(),
        ];
        let found = found.into_iter().filter(|&is_given| is_given).count();
        if found != 1 {
            return fail(entry, Fault::EventKind { found });
        }
        if event.announce.is_none()
            && let Some(paths) = &event.paths
        {
            return fail(paths, Fault::FieldUnused { field: "paths" });
        }
        if event.withdraw.is_none()
            && let Some(peers) = &event.peers
        {
            return fail(peers, Fault::FieldUnused { field: "peers" });
        }
        if let Some(prefixes) = &event.announce {
            self.schedule_announcements(entry, prefixes)
        } else if let Some(prefixes) = &event.withdraw {
            self.schedule_withdrawals(event, prefixes)
        } else if let Some(asns) = &event.peer_up {
            self.schedule_sessions(event, asns, |peer| Action::PeerUp { peer })
        } else if let Some(asns) = &event.peer_down {
            self.schedule_sessions(event, asns, |peer| Action::PeerDown { peer })
        } else {
            self.schedule_facts(entry)
        }
    }

    fn schedule_announcements(
        &mut self,
        entry: &Spanned<Event>,
        prefixes: &Spanned<Vec<Spanned<String>>>,
    ) -> Checked<()> {
        let event = entry.get_ref();
        let Some(paths) = &event.paths else {
            return fail(entry, Fault::Empty { field: "paths" });
        };
        for route in self.routes(prefixes, paths, scope_of(event))? {
            let RouteText { prefix, peer, attributes, .. } = route;
            let action = Action::Announce { peer, prefix, attributes };
            self.add(event, (route.offset_secs, route.span), action)?;
        }
        Ok(())
    }

    fn schedule_withdrawals(
        &mut self,
        event: &Event,
        prefixes: &Spanned<Vec<Spanned<String>>>,
    ) -> Checked<()> {
        not_empty("withdraw", prefixes)?;
        let scope = scope_of(event);
        let sessions = match (&event.peers, scope.from) {
            (Some(asns), _) => Some(self.sessions_of_all(asns, scope)?),
            (None, Some(_)) => Some(self.sessions(None, scope)?),
            (None, None) => None,
        };
        for text in prefixes.get_ref() {
            let range = at(text, PrefixRange::parse(text.get_ref()))?;
            let each = sessions.as_ref().map_or(1, Vec::len);
            self.check_count(range.count().saturating_mul(each), &text.span())?;
            for prefix in range.prefixes() {
                match &sessions {
                    None => {
                        self.add(event, (0, text.span()), Action::WithdrawEverywhere { prefix })?;
                    }
                    Some(sessions) => {
                        for &peer in sessions {
                            self.add(event, (0, text.span()), Action::Withdraw { peer, prefix })?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn schedule_sessions(
        &mut self,
        event: &Event,
        asns: &Spanned<Vec<Spanned<u32>>>,
        action: fn(u32) -> Action,
    ) -> Checked<()> {
        for peer in self.sessions_of_all(asns, scope_of(event))? {
            self.add(event, (0, asns.span()), action(peer))?;
        }
        Ok(())
    }

    fn schedule_facts(&mut self, entry: &Spanned<Event>) -> Checked<()> {
        let event = entry.get_ref();
        let unused = |field| Fault::FieldUnused { field };
        if let Some(collector) = &event.collector {
            return fail(collector, unused("collector"));
        }
        if let Some(from) = &event.from {
            return fail(from, unused("from"));
        }
        if let Some(late_by) = &event.late_by {
            return fail(late_by, unused("late_by"));
        }
        let mut change = FactsChange { time: time_of(&event.at)?, ..FactsChange::default() };
        if let Some(vrps) = &event.vrps {
            change.vrps_added = vrps_of(&vrps.get_ref().add)?;
            change.vrps_removed = vrps_of(&vrps.get_ref().remove)?;
        }
        if let Some(aspas) = &event.aspas {
            change.aspas_added = aspas_of(&aspas.get_ref().add)?;
            let removed = aspas.get_ref().remove.iter();
            change.aspas_removed = removed.map(|customer| Asn(*customer.get_ref())).collect();
        }
        let facts = change.vrps_added.len()
            + change.vrps_removed.len()
            + change.aspas_added.len()
            + change.aspas_removed.len();
        if facts == 0 {
            return fail(entry, Fault::Empty { field: "add and remove" });
        }
        self.facts_changed = self.facts_changed.saturating_add(facts);
        if self.facts_changed > FACTS_MAX {
            return fail(entry, Fault::TooManyFacts);
        }
        self.add(event, (0, entry.span()), Action::ChangeFacts(change))
    }

    fn add(
        &mut self,
        event: &Event,
        (offset_secs, span): (u32, Range<usize>),
        action: Action,
    ) -> Checked<()> {
        let time = time_of(&event.at)?.plus_secs(i64::from(offset_secs));
        let late_by = match &event.late_by {
            None => 0,
            Some(value) if *value.get_ref() <= OFFSET_SECS_MAX => *value.get_ref(),
            Some(value) => {
                let max = usize::try_from(OFFSET_SECS_MAX).unwrap_or(usize::MAX);
                return fail(value, Fault::TooLarge { field: "late_by", max });
            }
        };
        if !matches!(action, Action::Announce { .. }) {
            self.count(1, &span)?; // announcements are counted when they are expanded
        }
        let recorded = time.plus_secs(i64::from(late_by));
        let (start, end) = self.period;
        if time < start || recorded > end {
            return Err(Located { span, fault: Fault::OutsideTime { time, start, end } });
        }
        self.planned.push(Planned { recorded, time, action, span });
        Ok(())
    }

    /// All that happens, in the order of record.
    pub(crate) fn play(mut self) -> Checked<Vec<Step>> {
        let mut planned = std::mem::take(&mut self.planned);
        planned.sort_by_key(|planned| planned.recorded);
        let mut steps = Vec::new();
        let mut writer = Writer::new(self.peers);
        for Planned { time, action, span, .. } in planned {
            if let Action::ChangeFacts(change) = action {
                let change =
                    self.standing.apply(change).map_err(|fault| Located { span, fault })?;
                if !writer.batch.events.is_empty() {
                    steps.push(Step::Events(writer.next_batch()));
                }
                steps.push(Step::Facts(change));
                continue;
            }
            self.play_routes((time, action, span), &mut writer)?;
            if writer.batch.events.len() >= BATCH_EVENTS {
                steps.push(Step::Events(writer.next_batch()));
            }
        }
        let has_batch = steps.iter().any(|step| matches!(step, Step::Events(_)));
        if !has_batch || !writer.batch.events.is_empty() {
            steps.push(Step::Events(writer.batch));
        }
        Ok(steps)
    }

    fn play_routes(
        &mut self,
        (time, action, span): (Timestamp, Action, Range<usize>),
        writer: &mut Writer,
    ) -> Checked<()> {
        let (peer, kind) = match action {
            Action::Announce { peer, prefix, attributes } => {
                let Some(attributes) = writer.attributes(&attributes) else {
                    return Err(Located { span, fault: Fault::TooManyEvents });
                };
                self.held.insert((prefix, peer), self.session_number(peer));
                (peer, RouteEventKind::Announcement { prefix, attributes })
            }
            Action::Withdraw { peer, prefix } => {
                self.held.remove(&(prefix, peer));
                (peer, RouteEventKind::Withdrawal { prefix })
            }
            Action::WithdrawEverywhere { prefix } => {
                for peer in self.holders(prefix) {
                    self.count(1, &span)?;
                    self.held.remove(&(prefix, peer));
                    let kind = RouteEventKind::Withdrawal { prefix };
                    writer.push(RouteEvent { time, peer, kind });
                }
                return Ok(());
            }
            Action::ChangeFacts(_) => return Ok(()),
            Action::PeerUp { peer } => (peer, RouteEventKind::PeerUp),
            Action::PeerDown { peer } => {
                let at = usize::try_from(peer).ok();
                if let Some(lost) = at.and_then(|at| self.sessions_lost.get_mut(at)) {
                    *lost += 1;
                }
                (peer, RouteEventKind::PeerDown)
            }
        };
        writer.push(RouteEvent { time, peer, kind });
        Ok(())
    }

    /// The peers with a route to the prefix; those of lost sessions have none that is known.
    fn holders(&self, prefix: Prefix) -> Vec<u32> {
        let routes = self.held.range((prefix, 0)..=(prefix, u32::MAX));
        let known = routes.filter(|&(&(_, peer), &number)| number == self.session_number(peer));
        known.map(|(&(_, peer), _)| peer).collect()
    }

    fn session_number(&self, peer: u32) -> usize {
        let at = usize::try_from(peer).ok();
        at.and_then(|at| self.sessions_lost.get(at)).copied().unwrap_or_default()
    }

    /// Every prefix with every path, by every session the path is of.
    fn routes(
        &mut self,
        prefixes: &Spanned<Vec<Spanned<String>>>,
        paths: &Spanned<Vec<Spanned<String>>>,
        scope: Scope<'_>,
    ) -> Checked<Vec<RouteText>> {
        not_empty("prefixes", prefixes)?;
        not_empty("paths", paths)?;
        let mut parsed = Vec::new();
        let mut sessions_total = 0;
        for text in paths.get_ref() {
            let path = at(text, PathText::parse(text.get_ref()))?;
            let Some(neighbor) = path.neighbor() else {
                return fail(text, Fault::Path { text: text.get_ref().clone() });
            };
            let asn = Spanned::new(text.span(), neighbor.0);
            let sessions = self.sessions(scope.from.is_none().then_some(&asn), scope)?;
            sessions_total += sessions.len();
            self.check_count(sessions_total, &text.span())?;
            parsed.push((path, sessions, text.span()));
        }
        let wants_origin = parsed.iter().any(|(path, ..)| path.ends_in_origin());
        let mut routes = Vec::new();
        for text in prefixes.get_ref() {
            let PrefixText { range, origin } = at(text, PrefixText::parse(text.get_ref()))?;
            match (origin, wants_origin) {
                (None, true) => {
                    return fail(text, Fault::OriginMissing { prefix: text.get_ref().clone() });
                }
                (Some(_), false) => {
                    return fail(text, Fault::OriginUnused { prefix: text.get_ref().clone() });
                }
                _ => {}
            }
            self.count(range.count().saturating_mul(sessions_total), &text.span())?;
            for prefix in range.prefixes() {
                for (path, sessions, span) in &parsed {
                    routes.extend(sessions.iter().map(|&peer| RouteText {
                        prefix,
                        peer,
                        attributes: path.with_origin(origin),
                        offset_secs: path.offset_secs,
                        span: span.clone(),
                    }));
                }
            }
        }
        Ok(routes)
    }

    fn count(&mut self, more: usize, span: &Range<usize>) -> Checked<()> {
        self.check_count(more, span)?;
        self.route_events += more;
        Ok(())
    }

    fn check_count(&self, more: usize, span: &Range<usize>) -> Checked<()> {
        if self.route_events.saturating_add(more) > ROUTE_EVENTS_MAX {
            return Err(Located { span: span.clone(), fault: Fault::TooManyEvents });
        }
        Ok(())
    }

    fn sessions_of_all(
        &self,
        asns: &Spanned<Vec<Spanned<u32>>>,
        scope: Scope<'_>,
    ) -> Checked<Vec<u32>> {
        not_empty("the list of peers", asns)?;
        let mut all = Vec::new();
        for asn in asns.get_ref() {
            all.extend(self.sessions(Some(asn), scope)?);
            self.check_count(all.len(), &asn.span())?;
        }
        Ok(all)
    }

    /// The sessions of an AS (or of any), limited to the scope; never none.
    fn sessions(&self, asn: Option<&Spanned<u32>>, scope: Scope<'_>) -> Checked<Vec<u32>> {
        let collector = scope.collector.map(Spanned::get_ref);
        if let Some(name) = scope.collector
            && !self.peers.iter().any(|peer| peer.collector == *name.get_ref())
        {
            return fail(name, Fault::UnknownCollector { name: name.get_ref().clone() });
        }
        let is_meant = |peer: &Peer| {
            collector.is_none_or(|name| peer.collector == *name)
                && scope.from.is_none_or(|addr| peer.addr == *addr.get_ref())
                && asn.is_none_or(|asn| peer.asn.0 == *asn.get_ref())
        };
        let found: Vec<u32> =
            (0u32..).zip(self.peers).filter(|(_, peer)| is_meant(peer)).map(|(at, _)| at).collect();
        match (found.is_empty(), asn, scope.from) {
            (false, ..) => Ok(found),
            (true, Some(asn), _) => {
                let collector = collector.cloned();
                fail(asn, Fault::UnknownPeer { asn: Asn(*asn.get_ref()), collector })
            }
            (true, None, Some(addr)) => fail(addr, Fault::UnknownAddress { addr: *addr.get_ref() }),
            (true, None, None) => Ok(found),
        }
    }
}

#[derive(Debug)]
struct RouteText {
    prefix: Prefix,
    peer: u32,
    attributes: Attributes,
    offset_secs: u32,
    span: Range<usize>,
}

fn scope_of(event: &Event) -> Scope<'_> {
    Scope { collector: event.collector.as_ref(), from: event.from.as_ref() }
}

fn not_empty<T>(field: &'static str, list: &Spanned<Vec<T>>) -> Checked<()> {
    if list.get_ref().is_empty() { fail(list, Fault::Empty { field }) } else { Ok(()) }
}
