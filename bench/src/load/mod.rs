//! The load replayer: recorded real updates, sent again over loopback as live sources send them.
//!
//! ```text
//! MRT files ─► Recording ─┬─ RIS Live server (one stream, all peers)   ─┐
//!              (in memory)├─ BMP routers     (a stream each, some peers)─┼─► the program under test
//!                         └─ BGP neighbours  (a stream each, one peer) ─┘
//! ```
//!
//! Each stream runs on a thread of its own with its own [`Pacer`]; it begins with the table of its
//! peers, loops over their updates with the times of now, puts in markers (hijacks of documentation
//! prefixes, each noted with the time it was sent), and does the faults it was told to. What was sent
//! is counted exactly, by protocol ([`Sent`]).

mod bgp;
mod bmp;
mod clock;
mod fault;
mod feeder;
mod marker;
mod pacer;
mod recording;
mod ris;
mod ris_json;
mod sent;
mod session;
mod stream;
mod table;

pub use clock::now;
pub use fault::{Fault, FaultKind};
pub use feeder::{BgpPlan, BmpPlan, Feeder, Plan, RisPlan};
pub use marker::{MARKERS_MAX, MarkerSent, VICTIMS, victim_prefix};
pub use pacer::{Pacer, SLOT};
pub use recording::{Peer, Recording, Updates};
pub use sent::{Protocol, Sent};
