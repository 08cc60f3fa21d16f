//! Trails of incidents, between the journal that knows the incidents and the core that watches.

use routewarden_core::Timestamp;

use super::Engine;
use crate::serve::record::Record;
use crate::serve::trail::plan;

impl Engine {
    /// Watches the space of what was recorded; writes what was seen.
    pub(super) fn keep_trails(&mut self, now: Timestamp) {
        let subjects = self.parts.journal.take_subjects();
        let (core, journal) = (&self.parts.core, &self.parts.journal);
        let known = (core.trails(), core.detector());
        let ended_before = |number| journal.trail_ended_at(number);
        let watches = subjects.iter().filter_map(|it| plan(it, known, now, ended_before));
        let watches: Vec<_> = watches.collect();
        if !watches.is_empty() {
            let record = Record::Watch(watches);
            self.log(&record);
            self.parts.core.tell(record);
        }
        if self.parts.core.trails().is_due(now) {
            self.write_trails(now);
        }
    }

    /// Hands what waits to the store. The log has it first, on the disk: else what came after would
    /// get positions that the store has already.
    pub(super) fn write_trails(&mut self, now: Timestamp) {
        if !self.parts.core.trails().has_waiting() {
            return;
        }
        self.sync();
        if self.parts.log.is_none() {
            return;
        }
        let writes = self.parts.core.trail_writes();
        if self.parts.journal.write_trails(&writes, now) {
            self.parts.core.trails_written(now);
        }
    }
}
