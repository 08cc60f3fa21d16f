//! Ending a read that nobody waits for any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::StoreError;

/// Instructions of `SQLite` after which it looks whether it has been interrupted: about a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 50_000;

/// Ends what a [`crate::StoreReader`] does: that call and all later ones fail with
/// [`StoreError::Interrupted`].
#[derive(Clone, Debug, Default)]
pub struct Interrupter(Arc<AtomicBool>);

impl Interrupter {
    /// Ends it, now or when it begins.
    pub fn interrupt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Of a connection.
    pub(crate) fn of(conn: &Connection) -> Result<Self, StoreError> {
        let interrupter = Interrupter::default();
        let handler = interrupter.clone();
        conn.progress_handler(STEPS_BETWEEN_LOOKS, Some(move || handler.is_set()))?;
        Ok(interrupter)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
