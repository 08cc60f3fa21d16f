//! Detectors that others have built, written anew from their published rules, so that Routewarden
//! can be measured beside them on the same events: [`artemis`], [`bgpalerter`], and [`naive`],
//! which is what a script does.
//!
//! They are rivals, not caricatures: they get the configuration that their own set-up would make
//! from the [`StartingTable`]. Where the original has a defect that changes an alarm, it is kept
//! and named.
//!
//! Invariants: no I/O, no clock. Time is that of the events.

pub mod alarm;
pub mod artemis;
pub mod bgpalerter;
pub mod naive;
pub mod roa;
pub mod starting_table;
pub mod update;

use std::ops::Range;

use routewarden_core::{EventBatch, PeerId, PeerTable, Timestamp};

pub use alarm::{Alarm, AlarmKind};
pub use artemis::Artemis;
pub use bgpalerter::Bgpalerter;
pub use naive::Naive;
pub use roa::Roa;
pub use starting_table::StartingTable;
use update::{Update, updates};

/// Most alarms one detector keeps; what comes later is dropped.
pub const ALARMS_MAX: usize = 2_000_000;

/// A detector that is shown the same events as Routewarden.
pub trait Rival {
    /// Short name, as results show it.
    fn name(&self) -> &'static str;

    /// Shows it one announcement or withdrawal.
    fn show(&mut self, update: &Update<'_>);

    /// Shows it the events `run` of a batch. `peer_ids` maps the batch's peer index to the number
    /// in `peers`. Entries of tables and states of sessions are passed over.
    fn apply(
        &mut self,
        batch: &EventBatch,
        run: Range<usize>,
        peer_ids: &[PeerId],
        peers: &PeerTable,
    ) {
        for update in updates(batch, run, peer_ids, peers) {
            self.show(&update);
        }
    }

    /// From `time` on these are all ROA payloads; the first time they are those known at the start.
    fn replace_roas(&mut self, time: Timestamp, roas: &[Roa]);

    /// The alarms so far, in the order in which they were raised.
    fn alarms(&self) -> Vec<Alarm>;
}
