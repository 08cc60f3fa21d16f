//! The nouns of routing security and the rules on them: [`Asn`], [`Prefix`], [`AsPath`],
//! [`RouteEvent`]s, the [`AdjRibIn`](rib::AdjRibIn), route origin validation, reference facts.
//!
//! Invariants: no I/O, no async, no clock, no environment. Time is the event's [`Timestamp`].

pub mod as_path;
pub mod asn;
pub mod attributes;
pub mod event;
pub mod facts;
pub mod peer;
pub mod prefix;
pub mod prefix_map;
mod prefix_set;
pub mod rib;
pub mod shard;
pub mod time;

pub use as_path::{AsPath, AsPathBuf, Segment, SegmentKind};
pub use asn::Asn;
pub use attributes::{Origin, RouteAttributes};
pub use event::{EventBatch, RouteEvent, RouteEventKind};
pub use peer::{Peer, PeerId, PeerTable};
pub use prefix::{AddressFamily, Prefix};
pub use prefix_map::PrefixMap;
pub use shard::{Shard, Share};
pub use time::Timestamp;
