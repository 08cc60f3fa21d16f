//! State of one BGP session as the collector's record shows it.

mod saved;

use crate::{AddressFamily, Timestamp};

/// A table transfer ends at the latest this long after the session came up.
pub const TRANSFER_SECS_MAX: i64 = 300;
/// Without End-of-RIB, what a peer sends is news again when it was quiet for this long.
pub const TRANSFER_QUIET_SECS: i64 = 10;

/// A peer's session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// Routes older than this were lost to sight when the session went down.
    unknown_before: Option<Timestamp>,
    is_down: bool,
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

impl Session {
    /// The session came up: what follows is a table transfer, not news.
    pub fn on_up(&mut self, time: Timestamp) {
        self.is_down = false;
        self.last_heard = Some(time);
        self.transfer = Some(Transfer { started: time, last_announcement: time, is_muted: true });
    }

    /// The session went down: all its routes are unknown.
    pub fn on_down(&mut self, time: Timestamp) {
        self.is_down = true;
        self.last_heard = Some(time);
        self.transfer = None;
        self.unknown_before = Some(time);
    }

    /// End-of-RIB: the transfer is complete.
    pub fn on_end_of_rib(&mut self) {
        self.transfer = None;
    }

    /// Notes an announcement; whether the table transfer has ended by its time.
    pub(super) fn on_announcement(&mut self, time: Timestamp) -> bool {
        self.last_heard = self.last_heard.max(Some(time));
        self.is_down = false;
        let Some(transfer) = &mut self.transfer else { return false };
        if time.secs_since(transfer.started) > TRANSFER_SECS_MAX {
            self.transfer = None;
            return true;
        }
        transfer.is_muted &= time.secs_since(transfer.last_announcement) <= TRANSFER_QUIET_SECS;
        transfer.last_announcement = time;
        false
    }

    /// Whether what the peer announces belongs to its table transfer, as of the last announcement.
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
