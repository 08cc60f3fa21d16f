//! What came in on a connection and was not read yet.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Room that is made for each read.
pub(super) const READ_OCTETS: usize = 1 << 16;

/// Octets from the front of which messages are cut. Never holds more than an unfinished message and
/// what one read gives.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    octets: Vec<u8>,
    /// Where the unread ones begin.
    start: usize,
    /// Where in the session the unread ones begin.
    offset: u64,
}

impl Inbox {
    /// Reads once; gives the octets read, 0 at the end. Cancel-safe.
    pub(super) async fn fill<R: AsyncRead + Unpin>(&mut self, from: &mut R) -> io::Result<usize> {
        self.octets.drain(..self.start);
        self.start = 0;
        self.octets.reserve(READ_OCTETS);
        from.read_buf(&mut self.octets).await
    }

    /// What was not read yet.
    pub(super) fn unread(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// Where in the session that begins.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// So many octets at the front were read.
    pub(super) fn consume(&mut self, octets: usize) {
        let octets = octets.min(self.unread().len());
        self.start += octets;
        self.offset += u64::try_from(octets).unwrap_or_default();
    }
}
