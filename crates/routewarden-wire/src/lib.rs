//! MRT, BMP and BGP on the wire: decoders that read where the octets lie, and encoders.
//!
//! [`MrtReader`] cuts a stream into [`RawRecord`]s; [`MrtDecoder`] (or [`decode`]) reads one into
//! a [`Record`], whose entries and prefixes are iterators over the octets. Nothing is allocated
//! per record or route.
//!
//! Sessions as they happen are cut into messages by [`RawBmpMessage`] (RFC 7854) and
//! [`RawBgpMessage`] (RFC 4271).
//!
//! Invariants: no I/O beyond [`std::io::Read`] in the reader, no clock, no panic on any input.
//! A fault ends as little as possible: an entry, a record, and only at last the stream. It is
//! reported by a typed [`Error`] or [`Warning`] with a stable name; see RFC 7606 for what a
//! fault does to the routes of an UPDATE.
//!
//! ```
//! use routewarden_wire::{Limits, MrtDecoder, MrtReader, Record};
//!
//! # fn main() -> Result<(), routewarden_wire::Error> {
//! let stream: &[u8] = &[]; // anything that is `Read`
//! let mut reader = MrtReader::new(stream, Limits::default());
//! let mut decoder = MrtDecoder::new();
//! let mut scratch = Vec::new();
//! while let Some(raw) = reader.next_record() {
//!     let raw = raw?;
//!     if let Record::Message(message) = decoder.decode(&raw)?.value
//!         && let Some(update) = message.update()
//!     {
//!         for nlri in update.announced() {
//!             let route = update.attributes().route(&mut scratch);
//!             println!("{} {}", nlri.prefix, route.as_path);
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod as_path;
pub mod attributes;
pub mod bgp4mp;
pub mod bmp;
pub mod capability;
pub mod counts;
mod cursor;
pub mod element;
pub mod encode;
pub mod error;
pub mod fuzz;
pub mod mp;
pub mod mrt;
pub mod nlri;
pub mod notification;
pub mod open;
pub mod peer_index;
pub mod reader;
pub mod record;
pub mod rib;
pub mod session;
pub mod table_dump;
pub mod text;
pub mod update;
pub mod warning;

pub use attributes::{Aggregator, AttributeContext, Attributes, RawAttribute, RouteOrigin};
pub use bgp4mp::{FsmState, Message, SessionEnds, StateChange};
pub use bmp::{BMP_MESSAGE_OCTETS_MAX, BmpMessage, RawBmpMessage};
pub use capability::{AddPathMode, Capability, RawCapability};
pub use counts::Counts;
pub use element::{Element, ElementKind, Run, RunKind, for_each_element, for_each_run};
pub use error::{Error, Part};
pub use nlri::{FamilySet, Nlri, NlriField, Safi};
pub use notification::Notification;
pub use open::{Negotiated, Open};
pub use peer_index::{PeerEntry, PeerIndex, PeerIndexTable};
pub use reader::{Header, Limits, MrtReader, RawRecord};
pub use record::{AsnWidth, MrtDecoder, Record, Unsupported, decode};
pub use rib::{RibEntry, RibRecord};
pub use session::{BGP_EXTENDED_MESSAGE_OCTETS_MAX, BGP_MESSAGE_OCTETS_MAX, RawBgpMessage};
pub use table_dump::{TableDump, TableDumpEntry};
pub use text::BgpdumpWriter;
pub use update::{BgpMessage, SessionContext, Update, UpdateForm};
pub use warning::{Decoded, Treatment, Warning, Warnings};
