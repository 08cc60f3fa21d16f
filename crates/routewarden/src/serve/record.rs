//! What the detector is told, in order: the same records give the same incidents.

use routewarden_core::{EventBatch, Timestamp};
use routewarden_detect::{FactsChange, SavedAspas, SavedVrps};
use serde::{Deserialize, Serialize};

use super::trail::Watch;

/// One thing that the detector is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    /// Events of one source. `batch.new_peers` are all peers that they name.
    Batch {
        /// Name of the source, as configured.
        source: String,
        /// When the first was received.
        received: Timestamp,
        /// The events.
        batch: EventBatch,
    },
    /// Time has passed.
    Advance(Timestamp),
    /// New facts.
    Facts(Timestamp, SavedFacts),
    /// The state to start from is complete.
    EndBaseline,
    /// What the table tells of paths is worked out anew.
    Relearn,
    /// What ended before this time is forgotten.
    Retire(Timestamp),
    /// Space of incidents is watched, or no longer.
    Watch(Vec<Watch>),
}

/// Of new facts, those that the log keeps. Others are read again at a start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedFacts {
    vrps: Option<SavedVrps>,
    aspas: Option<SavedAspas>,
}

impl SavedFacts {
    pub(crate) fn of(change: &FactsChange) -> Self {
        SavedFacts {
            vrps: change.vrps.as_ref().map(SavedVrps::of),
            aspas: change.aspas.as_ref().map(SavedAspas::of),
        }
    }

    pub(crate) fn restore(self) -> FactsChange {
        FactsChange {
            vrps: self.vrps.map(SavedVrps::restore),
            aspas: self.aspas.map(SavedAspas::restore),
            ..FactsChange::default()
        }
    }
}
