//! A session in a snapshot of the table: an octet of flags, then the times it names.

use super::{Session, Transfer};
use crate::Timestamp;

const UNKNOWN_BEFORE: u8 = 1;
const IS_DOWN: u8 = 1 << 1;
const IN_TRANSFER: u8 = 1 << 2;
const IS_MUTED: u8 = 1 << 3;
const ANNOUNCED_V4: u8 = 1 << 4;
const ANNOUNCED_V6: u8 = 1 << 5;
const HEARD: u8 = 1 << 6;
const KNOWS_TABLE: u8 = 1 << 7;

impl Session {
    /// Flags and times; numbers of routes are left out.
    pub(in super::super) fn to_saved(self) -> (u8, impl Iterator<Item = Timestamp>) {
        let [v4, v6] = self.announced;
        let flags = [
            (self.unknown_before.is_some(), UNKNOWN_BEFORE),
            (self.is_down, IS_DOWN),
            (self.transfer.is_some(), IN_TRANSFER),
            (self.transfer.is_some_and(|transfer| transfer.is_muted), IS_MUTED),
            (v4, ANNOUNCED_V4),
            (v6, ANNOUNCED_V6),
            (self.last_heard.is_some(), HEARD),
            (self.knows_table, KNOWS_TABLE),
        ];
        let flags = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum();
        let transfer = self.transfer.map(|transfer| [transfer.started, transfer.last_announcement]);
        let times = self.unknown_before.into_iter();
        (flags, times.chain(transfer.into_iter().flatten()).chain(self.last_heard))
    }

    /// The session with these flags; `time` gives the next time. `None` for flags that contradict each
    /// other.
    pub(in super::super) fn from_saved<E>(
        flags: u8,
        mut time: impl FnMut() -> Result<Timestamp, E>,
    ) -> Result<Option<Self>, E> {
        let has = |flag: u8| flags & flag != 0;
        if has(IS_MUTED) && !has(IN_TRANSFER) {
            return Ok(None);
        }
        let mut session =
            Session { is_down: has(IS_DOWN), knows_table: has(KNOWS_TABLE), ..Session::default() };
        session.announced = [has(ANNOUNCED_V4), has(ANNOUNCED_V6)];
        if has(UNKNOWN_BEFORE) {
            session.unknown_before = Some(time()?);
        }
        if has(IN_TRANSFER) {
            let (started, last_announcement) = (time()?, time()?);
            session.transfer =
                Some(Transfer { started, last_announcement, is_muted: has(IS_MUTED) });
        }
        if has(HEARD) {
            session.last_heard = Some(time()?);
        }
        Ok(Some(session))
    }
}
