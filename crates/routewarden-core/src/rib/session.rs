//! State of one BGP session as the collector's record shows it.

mod saved;

use crate::{AddressFamily, Timestamp};

/// A table transfer ends at the latest this long after the session came up.
pub const TRANSFER_SECS_MAX: i64 = 300;
/// Without End-of-RIB, what a peer sends is news again when it was quiet for this long.
pub const TRANSFER_QUIET_SECS: i64 = 10;
/// A table is compared with the one held of the same peer when that was heard at most this long
/// ago; after that, it is as good as a first one.
const COMPARED_SECS_MAX: i64 = 86_400;

/// A peer's session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// Routes older than this were lost to sight when the session went down.
    unknown_before: Option<Timestamp>,
    is_down: bool,
    /// Whether the whole table of the peer was heard once: what differs from it is new.
    knows_table: bool,
    transfer: Option<Transfer>,
    routes: [usize; 2],
    announced: [bool; 2],
    last_heard: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Transfer {
    started: Timestamp,
    last_announcement: Timestamp,
    /// Whether what the peer sends is still taken for its table.
    is_muted: bool,
}

impl Transfer {
    /// Whether the peer was quiet for as long as one that has sent its table.
    fn is_quiet(&self, time: Timestamp) -> bool {
        time.secs_since(self.last_announcement) > TRANSFER_QUIET_SECS
    }
}

impl Session {
    /// The session came up: what follows is a table transfer. A first table is not news; of a later
    /// one, what differs from the table held is.
    pub fn on_up(&mut self, time: Timestamp) {
        self.leave_transfer(time);
        // Not every feed tells of the end of a session before it tells of the next one.
        let is_recent = |heard: Timestamp| time.secs_since(heard) <= COMPARED_SECS_MAX;
        let is_muted = !(self.knows_table && self.last_heard.is_some_and(is_recent));
        self.is_down = false;
        self.last_heard = Some(time);
        self.transfer = Some(Transfer { started: time, last_announcement: time, is_muted });
    }

    /// The session went down: all its routes are unknown.
    pub fn on_down(&mut self, time: Timestamp) {
        self.is_down = true;
        self.last_heard = Some(time);
        self.leave_transfer(time);
        self.unknown_before = Some(time);
    }

    /// What is held of a table that broke off is held together with the one before it.
    fn leave_transfer(&mut self, time: Timestamp) {
        if let Some(transfer) = self.transfer.take() {
            self.knows_table |= !transfer.is_muted || transfer.is_quiet(time);
        }
    }

    /// End-of-RIB: the transfer is complete.
    pub fn on_end_of_rib(&mut self) {
        self.transfer = None;
        self.knows_table = true;
    }

    /// A dump of the peer's table is being read.
    pub fn on_table_entry(&mut self) {
        self.knows_table = true;
    }

    /// Notes an announcement; whether the table transfer has ended by its time.
    pub(super) fn on_announcement(&mut self, time: Timestamp) -> bool {
        self.last_heard = self.last_heard.max(Some(time));
        self.is_down = false;
        let Some(transfer) = &mut self.transfer else { return false };
        if time.secs_since(transfer.started) > TRANSFER_SECS_MAX {
            self.transfer = None;
            self.knows_table = true;
            return true;
        }
        transfer.is_muted &= !transfer.is_quiet(time);
        transfer.last_announcement = time;
        false
    }

    /// Whether what the peer announces belongs to a table transfer that is not compared with the
    /// table before, as of the last announcement.
    pub fn is_in_transfer(&self) -> bool {
        self.transfer.is_some_and(|transfer| transfer.is_muted)
    }

    pub(super) fn count_route(&mut self, family: AddressFamily, by: isize) {
        let [v4, v6] = &mut self.routes;
        let count = if family == AddressFamily::Ipv4 { v4 } else { v6 };
        *count = count.saturating_add_signed(by);
        let [v4, v6] = &mut self.announced;
        *(if family == AddressFamily::Ipv4 { v4 } else { v6 }) = true;
    }

    /// Whether a route last announced at `time` was lost to sight since.
    pub fn is_unknown(&self, time: Timestamp) -> bool {
        self.unknown_before.is_some_and(|before| time < before)
    }

    /// Whether the session is known to be down.
    pub fn is_down(&self) -> bool {
        self.is_down
    }

    /// Time of the last announcement or state change.
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.last_heard
    }

    /// Whether the peer ever had a route of the family.
    pub fn has_announced(&self, family: AddressFamily) -> bool {
        let [v4, v6] = self.announced;
        if family == AddressFamily::Ipv4 { v4 } else { v6 }
    }

    /// Routes of the family in the table, unknown ones included.
    pub fn route_count(&self, family: AddressFamily) -> usize {
        let [v4, v6] = self.routes;
        if family == AddressFamily::Ipv4 { v4 } else { v6 }
    }
}
