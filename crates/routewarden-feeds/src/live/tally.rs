//! Faults of a read, told to the status at once.

use std::collections::BTreeMap;

use routewarden_core::Timestamp;

use super::SourceHandle;

/// Counts faults, so that a peer that errs in every message does not take the lock of the status
/// for each.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: BTreeMap<&'static str, u64>,
    /// The last fault with words since it was told.
    last: Option<(&'static str, String)>,
}

impl Tally {
    /// A fault that needs no words.
    pub(super) fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// A fault with words: those of the first one in a read are kept.
    pub(super) fn fault(&mut self, kind: &'static str, text: impl FnOnce() -> String) {
        if self.last.is_none() {
            self.last = Some((kind, text()));
        } else {
            self.count(kind);
        }
    }

    /// Hands on what was counted.
    pub(super) fn tell(&mut self, status: &SourceHandle, now: Timestamp) {
        for (kind, count) in std::mem::take(&mut self.counts) {
            status.faults(kind, count, now);
        }
        if let Some((kind, text)) = self.last.take() {
            status.fault(kind, text, now);
        }
    }
}
