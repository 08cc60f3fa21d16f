//! What the trail of an incident tells: the routes of before, then every change.

use std::collections::BTreeMap;
use std::sync::Arc;

use routewarden_core::{Peer, Prefix, Timestamp};
use routewarden_store::{
    StoreError, StoreReader, TrailAction, TrailEvent, TrailHead, TrailPart, TrailSpace,
};

use super::{Absence, Event, Route, Scene, Source};
use crate::http::api::route::{ShownAttributes, lack_of};

/// Most routes of the time before an incident in a replay.
pub const REPLAY_ROUTES_MAX: usize = 20_000;
/// Most events in a replay.
pub const REPLAY_EVENTS_MAX: usize = 20_000;
/// Code of a replay that does not have all of its trail.
const TOO_LONG: &str = "too_long";

type Key = (Arc<Peer>, Prefix);

/// The routes as they are at a time of the replay.
#[derive(Default)]
struct Play {
    held: BTreeMap<Key, Arc<[u8]>>,
    /// Peers whose sessions are lost, since when.
    lost: BTreeMap<Arc<Peer>, Timestamp>,
    scene: Scene,
}

/// The scene that the trail shows, up to the end of the incident and a little beyond.
pub(super) fn scene(
    reader: &StoreReader,
    head: &TrailHead,
    until: Timestamp,
) -> Result<Scene, StoreError> {
    let mut parts = reader.trail_parts(head.number, REPLAY_ROUTES_MAX + 1)?;
    let mut events = reader.trail_events(head.number, 0, REPLAY_EVENTS_MAX + 1)?;
    let routes: usize = parts.iter().map(|part| part.routes.len()).sum();
    let is_too_long = routes > REPLAY_ROUTES_MAX || events.len() > REPLAY_EVENTS_MAX;
    events.truncate(REPLAY_EVENTS_MAX);
    parts.sort_by_key(|part| part.since);
    events.sort_by_key(|(seq, event)| (event.time, *seq));
    let lack = lack_of(reader, head, until)?;
    let mut play = Play::default();
    play.scene.reason = lack.or_else(|| is_too_long.then_some(TOO_LONG));
    play.scene.trail_events = head.events;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next_if(|part| part.since <= head.since) {
        play.begin(part);
    }
    for (_, event) in events {
        while let Some(part) = parts.next_if(|part| part.since <= event.time) {
            play.go_on(part);
        }
        play.event(event);
    }
    parts.for_each(|part| play.go_on(part));
    Ok(play.end())
}

impl Play {
    /// Routes that stood before all events.
    fn begin(&mut self, part: TrailPart) {
        for route in part.routes {
            let key = (route.source, route.prefix);
            let octets = Arc::clone(&route.attributes);
            if self.held.insert(key.clone(), route.attributes).is_none() {
                let route = self.route(&key, &octets);
                self.scene.initial_state.push(route);
            }
        }
    }

    /// Routes that stood when space began to be watched later: what differs from what is known has
    /// come meanwhile, nobody knows when.
    fn go_on(&mut self, part: TrailPart) {
        let lies_in = |space: &TrailSpace, prefix: &Prefix| {
            if space.is_exact { space.prefix == *prefix } else { space.prefix.covers(prefix) }
        };
        let stood: BTreeMap<Key, Arc<[u8]>> = part
            .routes
            .into_iter()
            .map(|route| ((route.source, route.prefix), route.attributes))
            .collect();
        let gone: Vec<Key> = self
            .held
            .keys()
            .filter(|key| !stood.contains_key(key) && !self.lost.contains_key(&key.0))
            .filter(|(_, prefix)| part.spaces.iter().any(|space| lies_in(space, prefix)))
            .cloned()
            .collect();
        for key in gone {
            self.withdraw(part.since, &key, true);
        }
        for (key, octets) in stood {
            if self.held.get(&key) != Some(&octets) {
                self.announce(part.since, key, octets, true);
            }
        }
    }

    fn event(&mut self, event: TrailEvent) {
        let TrailEvent { time, source, action } = event;
        match action {
            TrailAction::Announced { prefix, attributes } => {
                self.announce(time, (source, prefix), attributes, false);
            }
            TrailAction::Withdrawn { prefix } => self.withdraw(time, &(source, prefix), false),
            TrailAction::NotSentAgain { prefix } => self.withdraw(time, &(source, prefix), true),
            TrailAction::PeerDown => {
                self.lost.entry(source).or_insert(time);
            }
            TrailAction::PeerUp => {
                if let Some(from) = self.lost.remove(&source) {
                    self.absence(&source, from, Some(time));
                }
            }
        }
    }

    fn announce(&mut self, time: Timestamp, key: Key, octets: Arc<[u8]>, inferred: bool) {
        let attrs = self.route(&key, &octets);
        self.scene.events.push(Event { action: "A", timestamp: time, inferred, attrs });
        self.held.insert(key, octets);
    }

    fn withdraw(&mut self, time: Timestamp, key: &Key, inferred: bool) {
        if self.held.remove(key).is_none() && inferred {
            return;
        }
        let source = self.source(&key.0);
        self.scene.targets.insert(key.1);
        self.scene.events.push(Event::withdrawn(time, (source, key.1), inferred));
    }

    fn absence(&mut self, peer: &Arc<Peer>, from: Timestamp, until: Option<Timestamp>) {
        let source_id = self.source(peer);
        self.scene.sessions.push(Absence { source_id, from, until });
    }

    fn route(&mut self, (peer, prefix): &Key, octets: &[u8]) -> Route {
        let ShownAttributes { path, path_text, communities } = ShownAttributes::of(octets);
        self.scene.targets.insert(*prefix);
        self.scene.asns.extend(path.iter().copied());
        let source_id = self.source(peer);
        Route { source_id, target_prefix: *prefix, path, path_text, community: communities }
    }

    /// Id of a source, which is in the scene from now on.
    fn source(&mut self, peer: &Peer) -> String {
        let source = Source::of_peer(peer);
        let id = source.id.clone();
        self.scene.sources.insert(source);
        id
    }

    fn end(mut self) -> Scene {
        for (peer, from) in std::mem::take(&mut self.lost) {
            self.absence(&peer, from, None);
        }
        self.scene.sessions.sort_by(|a, b| (a.from, &a.source_id).cmp(&(b.from, &b.source_id)));
        let by = |a: &Route, b: &Route| {
            (a.target_prefix, &a.source_id).cmp(&(b.target_prefix, &b.source_id))
        };
        self.scene.initial_state.sort_by(by);
        self.scene
    }
}
