//! What a router tells, as route events.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use routewarden_core::{Peer, RouteEventKind, Timestamp};
use routewarden_wire::bmp::{
    PeerDown, PeerHeader, PeerType, PeerUp, PeerUpForms, RouteDistinguisher, RouteMonitoring, Tlvs,
    View, information,
};
use routewarden_wire::{BmpMessage, RawBmpMessage, Update};

use super::event_time::event_time;
use super::views::{self, VIEWS, ViewsConfig, slot};
use crate::live::tally::Tally;
use crate::live::{Batcher, Closed, SourceContext};

/// Longest text of a router that is repeated, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// What tells a router's peers apart (RFC 7854 §4.2).
type PeerKey = (PeerType, RouteDistinguisher, IpAddr);

fn key(peer: &PeerHeader) -> PeerKey {
    (peer.peer_type, peer.distinguisher, peer.addr)
}

/// What tells sessions of one peer apart: ports of both ends, and who the peer said it was.
type SessionMark = ([u16; 2], u32, u32);

fn mark(up: &PeerUp<'_>) -> SessionMark {
    let ports = [up.local_port, up.remote_port];
    (ports, up.received.asn().0, u32::from(up.received.bgp_id))
}

/// A peer of the router.
#[derive(Debug, Default)]
struct Monitored {
    /// Of the last Peer Up.
    mark: Option<SessionMark>,
    forms: PeerUpForms,
    /// Whether routes were told of before the policy, by view.
    has_pre: [bool; VIEWS],
    /// The views that are up.
    up: [Option<Arc<Peer>>; VIEWS],
}

/// Whether the session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    More,
    /// The router ended it.
    Terminated,
}

/// A router's peers, and the events that what it tells makes of them.
pub(super) struct Router {
    name: String,
    views: ViewsConfig,
    peers_max: usize,
    peers: BTreeMap<PeerKey, Monitored>,
    batcher: Batcher,
    pub(super) tally: Tally,
    context: SourceContext,
}

impl Router {
    pub(super) fn new(
        name: String,
        views: ViewsConfig,
        peers_max: usize,
        context: SourceContext,
    ) -> Self {
        Router {
            name,
            views,
            peers_max,
            peers: BTreeMap::new(),
            batcher: Batcher::new(context.clone()),
            tally: Tally::default(),
            context,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes a message.
    pub(super) fn message(&mut self, raw: &RawBmpMessage<'_>, received: Timestamp) -> Next {
        let message = match raw.decode() {
            Ok(message) => message,
            Err(error) => {
                self.tally.fault(error.kind(), || format!("{}: {error}", self.name));
                return Next::More;
            }
        };
        match message {
            BmpMessage::RouteMonitoring(routes) => self.routes(&routes, raw.offset, received),
            BmpMessage::PeerUp(up) => self.peer_up(&up, received),
            BmpMessage::PeerDown(down) => self.peer_down(&down, received),
            BmpMessage::Termination(tlvs) => {
                self.tally.fault("bmp_terminated", || terminated(&self.name, &tlvs));
                return Next::Terminated;
            }
            BmpMessage::RouteMirroring(_) => self.tally.count("bmp_not_used_route_mirroring"),
            BmpMessage::Unknown { .. } => self.tally.count("bmp_unknown_type"),
            _ => {}
        }
        Next::More
    }

    /// Whether the peer is one whose sessions are of interest.
    fn is_peer(&mut self, peer: &PeerHeader) -> bool {
        if let PeerType::Unknown(_) = peer.peer_type {
            self.tally.count("bmp_unknown_peer_type");
            return false;
        }
        // Some routers tell of their own routes as of those of a peer 0.0.0.0.
        let is_nobody = peer.addr.is_unspecified() && peer.peer_type != PeerType::LocRib;
        if is_nobody {
            self.tally.count("bmp_peer_without_address");
        }
        !is_nobody
    }

    fn time(&mut self, peer: &PeerHeader, received: Timestamp) -> (Timestamp, Timestamp) {
        let (time, fault) = event_time(peer.time, received);
        if let Some(kind) = fault {
            self.tally.count(kind);
        }
        (time, received)
    }

    /// The peer, made when it is new; `None`, counted, when there are too many.
    fn monitored(&mut self, peer: &PeerHeader) -> Option<&mut Monitored> {
        let key = key(peer);
        if !self.peers.contains_key(&key) && self.peers.len() >= self.peers_max {
            let (name, max) = (&self.name, self.peers_max);
            self.tally.fault("bmp_too_many_peers", || format!("{name}: more than {max} peers"));
            return None;
        }
        Some(self.peers.entry(key).or_default())
    }

    fn peer_up(&mut self, up: &PeerUp<'_>, received: Timestamp) {
        if !self.is_peer(&up.peer) {
            return;
        }
        let times = self.time(&up.peer, received);
        let Some(known) = self.monitored(&up.peer) else { return };
        let session = Some(mark(up));
        if known.mark == session {
            // Some routers tell of the same session once for each view.
            return self.tally.count("bmp_peer_up_again");
        }
        let before = std::mem::replace(
            known,
            Monitored { mark: session, forms: up.forms(), ..Monitored::default() },
        );
        if before.mark.is_some() {
            self.tally.count("bmp_peer_up_without_down");
        }
        self.lose(before, times);
    }

    fn peer_down(&mut self, down: &PeerDown<'_>, received: Timestamp) {
        if !self.is_peer(&down.peer) {
            return;
        }
        let times = self.time(&down.peer, received);
        match self.peers.remove(&key(&down.peer)) {
            Some(known) => self.lose(known, times),
            None => self.tally.count("bmp_peer_down_without_up"),
        }
    }

    /// The views of a peer that were up go down.
    fn lose(&mut self, peer: Monitored, times: (Timestamp, Timestamp)) {
        for peer in peer.up.into_iter().flatten() {
            self.batcher.session(&peer, times, RouteEventKind::PeerDown);
        }
    }

    fn routes(&mut self, routes: &RouteMonitoring<'_>, offset: u64, received: Timestamp) {
        let (peer, view) = (&routes.peer, routes.peer.view());
        if !self.is_peer(peer) {
            return;
        }
        let views = self.views;
        let Some(known) = self.monitored(peer) else { return };
        let path_ids = known.forms.of(view);
        let (is_announced, up) =
            (known.mark.is_some(), known.up.get(slot(view)).cloned().flatten());
        let has_pre = known.has_pre.get(slot(views::pre(view))) == Some(&true);
        if !is_announced {
            self.tally.count("bmp_routes_without_peer_up");
        }
        if !views.takes(view, has_pre) {
            return self.tally.count(views::not_used(view));
        }
        let (update, mut warnings) = match routes.decode_update(path_ids, offset) {
            Ok(decoded) => decoded,
            Err(error) => {
                return self.tally.fault(error.kind(), || format!("{}: {error}", self.name));
            }
        };
        warnings.merge(update.warnings());
        for warning in warnings.iter() {
            self.tally.count(warning.kind());
        }
        let times = self.time(peer, received);
        let up = match up {
            Some(up) if has_pre => up,
            up => match self.first(peer, view, up, times, &update) {
                Some(up) => up,
                None => return self.tally.count("bmp_nothing_to_begin_with"),
            },
        };
        self.batcher.update(&up, times, &update);
    }

    /// The peer of a view that is up, or comes up with this update; `None` when it does not.
    ///
    /// What an update says before there are routes is not worth a session, but for the end of an
    /// empty table. FRR without `soft-reconfiguration inbound` knows of no routes before its policy
    /// and tells of each as withdrawn; and after its policy it begins with the table's end.
    fn first(
        &mut self,
        header: &PeerHeader,
        view: View,
        up: Option<Arc<Peer>>,
        times: (Timestamp, Timestamp),
        update: &Update<'_>,
    ) -> Option<Arc<Peer>> {
        let (is_pre, has_routes) = (views::pre(view) == view, update.announced().next().is_some());
        if is_pre && has_routes {
            self.pre_begins(header, view, times);
        }
        let is_worth = has_routes || is_pre && update.end_of_rib().is_some();
        up.or_else(|| is_worth.then(|| self.view_up(header, view, times)))
    }

    /// There are routes before the policy. After it they were used only for want of these.
    fn pre_begins(&mut self, header: &PeerHeader, view: View, times: (Timestamp, Timestamp)) {
        let is_auto = self.views.takes(view, true) && self.views.takes(views::post(view), false);
        let Some(known) = self.peers.get_mut(&key(header)) else { return };
        if let Some(has_pre) = known.has_pre.get_mut(slot(view)) {
            *has_pre = true;
        }
        let post = known.up.get_mut(slot(views::post(view)));
        let replaced = post.filter(|_| is_auto && views::post(view) != view).and_then(Option::take);
        if let Some(replaced) = replaced {
            self.batcher.session(&replaced, times, RouteEventKind::PeerDown);
        }
    }

    /// A view comes up.
    fn view_up(
        &mut self,
        header: &PeerHeader,
        view: View,
        times: (Timestamp, Timestamp),
    ) -> Arc<Peer> {
        let collector = views::collector(&self.name, header, view);
        let peer = Arc::new(Peer { collector, asn: header.asn, addr: header.addr });
        let known = self.peers.get_mut(&key(header));
        if let Some(up) = known.and_then(|known| known.up.get_mut(slot(view))) {
            *up = Some(Arc::clone(&peer));
        }
        self.batcher.session(&peer, times, RouteEventKind::PeerUp);
        peer
    }

    /// The router is gone: so are all its peers.
    pub(super) fn lost(&mut self, now: Timestamp) {
        for peer in std::mem::take(&mut self.peers).into_values() {
            self.lose(peer, (now, now));
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.batcher.is_full()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batcher.is_empty()
    }

    /// Hands on the events; see [`Batcher::flush`].
    pub(super) async fn flush(&mut self) -> Result<(), Closed> {
        self.batcher.flush().await
    }

    /// Tells what was wrong.
    pub(super) fn tell(&mut self, now: Timestamp) {
        self.tally.tell(&self.context.status, now);
    }
}

fn terminated(name: &str, tlvs: &Tlvs<'_>) -> String {
    let text = tlvs.value(information::STRING).map(String::from_utf8_lossy).unwrap_or_default();
    let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
    // In a Termination, type 1 is the reason.
    let reason = tlvs.value(1).and_then(|value| value.try_into().ok()).map(u16::from_be_bytes);
    match reason {
        Some(reason) => format!("{name} ended its session: reason {reason} {text:?}"),
        None => format!("{name} ended its session: {text:?}"),
    }
}
