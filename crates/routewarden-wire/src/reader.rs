//! Cutting a stream into MRT records.

use std::io::{ErrorKind, Read};

use routewarden_core::Timestamp;

use crate::{Error, mrt};

/// Default of [`Limits::record_octets_max`]: 16 MiB. The largest real records (one prefix, all
/// peers of a collector, paths of several kilobytes) stay below 2 MiB.
pub const RECORD_OCTETS_MAX: u32 = 16 << 20;

/// Largest record that is skipped when too long, 1 GiB; beyond it the stream is not trusted.
pub const SKIP_OCTETS_MAX: u32 = 1 << 30;

/// Octets asked of the reader at once.
const READ_OCTETS: usize = 256 << 10;

/// Octets of the MRT common header (RFC 6396 §2).
const HEADER_OCTETS: usize = 12;

/// Octets by which an early MRT writer understated the length of batched `TABLE_DUMP` records:
/// it forgot the view and sequence numbers.
const TABLE_DUMP_SHORTFALL: usize = 4;

/// Bounds on what a hostile stream can make the reader do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a record, in octets. Longer records are reported and skipped.
    pub record_octets_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { record_octets_max: RECORD_OCTETS_MAX }
    }
}

/// The MRT common header (RFC 6396 §2, §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Time of the record, with microseconds if the type has them.
    pub time: Timestamp,
    /// Seconds of the time.
    pub secs: u32,
    /// Microseconds of an extended timestamp type (RFC 6396 §3).
    pub micros: Option<u32>,
    /// Type.
    pub mrt_type: u16,
    /// Subtype.
    pub subtype: u16,
    /// Length field: octets after the header, microseconds included.
    pub length: u32,
}

impl Header {
    /// Whether this is a record of the deprecated subtype `BGP4MP_ENTRY`.
    pub fn is_deprecated_entry(&self) -> bool {
        matches!(self.mrt_type, mrt::BGP4MP | mrt::BGP4MP_ET) && self.subtype == mrt::bgp4mp::ENTRY
    }
}

/// One MRT record, not looked into.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// Number of the record in the stream, from 0.
    pub index: u64,
    /// Offset of the record's header in the stream.
    pub offset: u64,
    /// The header.
    pub header: Header,
    /// The body, without microseconds.
    pub body: &'a [u8],
}

impl<'a> RawRecord<'a> {
    /// Reads one record off the front of `octets`; gives the octets after it too.
    pub fn from_octets(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let present = u64::try_from(octets.len()).unwrap_or(u64::MAX);
        let truncated = |expected| Error::Truncated { offset: 0, expected, present };
        let header_octets = u64::try_from(HEADER_OCTETS).unwrap_or(u64::MAX);
        let (header, rest) = octets.split_first_chunk().ok_or_else(|| truncated(header_octets))?;
        let header = Fields::of(header);
        let (body, rest) = usize::try_from(header.length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| truncated(header_octets + u64::from(header.length)))?;
        Ok((header.record(0, 0, body)?, rest))
    }
}

/// The header as it stands in the stream.
#[derive(Clone, Copy)]
struct Fields {
    secs: u32,
    mrt_type: u16,
    subtype: u16,
    length: u32,
}

impl Fields {
    #[inline]
    fn of(octets: &[u8; HEADER_OCTETS]) -> Self {
        let [t0, t1, t2, t3, k0, k1, s0, s1, l0, l1, l2, l3] = *octets;
        Fields {
            secs: u32::from_be_bytes([t0, t1, t2, t3]),
            mrt_type: u16::from_be_bytes([k0, k1]),
            subtype: u16::from_be_bytes([s0, s1]),
            length: u32::from_be_bytes([l0, l1, l2, l3]),
        }
    }

    #[inline]
    fn record(self, index: u64, offset: u64, body: &[u8]) -> Result<RawRecord<'_>, Error> {
        let (micros, body) = if mrt::has_extended_timestamp(self.mrt_type) {
            let (micros, rest) = body.split_first_chunk().ok_or(Error::Malformed {
                offset,
                at: 0,
                part: crate::Part::ExtendedTimestamp,
            })?;
            (Some(u32::from_be_bytes(*micros)), rest)
        } else {
            (None, body)
        };
        let header = Header {
            time: Timestamp::from_secs_micros(self.secs, micros.unwrap_or(0)),
            secs: self.secs,
            micros,
            mrt_type: self.mrt_type,
            subtype: self.subtype,
            length: self.length,
        };
        Ok(RawRecord { index, offset, header, body })
    }
}

/// Cuts a stream into records. Holds one buffer, at most one record and one read long.
#[derive(Debug)]
pub struct MrtReader<R> {
    read: R,
    limits: Limits,
    buffer: Vec<u8>,
    /// Unread octets of the buffer: `start..end`.
    start: usize,
    end: usize,
    /// Stream offset of `start`.
    offset: u64,
    index: u64,
    at_end: bool,
    is_done: bool,
}

impl<R: Read> MrtReader<R> {
    /// Reads the stream from where `read` stands.
    pub fn new(read: R, limits: Limits) -> Self {
        MrtReader {
            read,
            limits,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            index: 0,
            at_end: false,
            is_done: false,
        }
    }

    /// Octets of the stream consumed so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Records given so far.
    pub fn record_count(&self) -> u64 {
        self.index
    }

    /// Gives the reader under the stream back.
    pub fn into_inner(self) -> R {
        self.read
    }

    /// The next record; `None` at the end. After [`Error::RecordTooLong`] and
    /// [`Error::Malformed`] reading goes on with the next record; any other error is the last
    /// thing given.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "measured: the record need not go through memory")]
    pub fn next_record(&mut self) -> Option<Result<RawRecord<'_>, Error>> {
        if self.is_done {
            return None;
        }
        match self.frame() {
            Ok(Some((fields, length))) => {
                let (index, offset) = (self.index, self.offset);
                let from = self.start + HEADER_OCTETS;
                let until = from + length;
                self.consume(HEADER_OCTETS + length);
                self.index += 1;
                let body = self.buffer.get(from..until).unwrap_or_default();
                Some(fields.record(index, offset, body))
            }
            Ok(None) => {
                self.is_done = true;
                None
            }
            Err(error) => {
                self.is_done = !matches!(error, Error::RecordTooLong { .. });
                Some(Err(error))
            }
        }
    }

    /// Brings a whole record into the buffer; gives its header and true length.
    #[inline]
    fn frame(&mut self) -> Result<Option<(Fields, usize)>, Error> {
        if let Some((header, rest)) = self.unread().split_first_chunk() {
            let fields = Fields::of(header);
            let length = usize::try_from(fields.length).unwrap_or(usize::MAX);
            if length <= rest.len()
                && fields.length <= self.limits.record_octets_max
                && fields.mrt_type != mrt::TABLE_DUMP
            {
                return Ok(Some((fields, length)));
            }
        }
        self.read_frame()
    }

    /// [`frame`](Self::frame) when the buffer does not hold the record yet, or it may be longer than
    /// it says.
    #[inline(never)]
    fn read_frame(&mut self) -> Result<Option<(Fields, usize)>, Error> {
        let present = self.fill(HEADER_OCTETS)?;
        let Some(header) = self.unread().first_chunk::<HEADER_OCTETS>() else {
            return if present == 0 { Ok(None) } else { Err(self.truncated(HEADER_OCTETS)) };
        };
        let fields = Fields::of(header);
        let length = usize::try_from(fields.length).unwrap_or(usize::MAX);
        if fields.length > self.limits.record_octets_max {
            return Err(self.too_long(fields, length));
        }
        if self.fill(HEADER_OCTETS + length)? < HEADER_OCTETS + length {
            return Err(self.truncated(HEADER_OCTETS + length));
        }
        let extra = self.shortfall(fields, length)?;
        Ok(Some((fields, length + extra)))
    }

    /// Octets missing from the length of a batched `TABLE_DUMP` record of an early writer: they
    /// are only taken when the octets after them are a header of the same type, or the end.
    fn shortfall(&mut self, fields: Fields, length: usize) -> Result<usize, Error> {
        let body = self.unread().get(HEADER_OCTETS..HEADER_OCTETS + length).unwrap_or_default();
        if fields.mrt_type != mrt::TABLE_DUMP
            || !crate::table_dump::lacks(fields.subtype, body, TABLE_DUMP_SHORTFALL)
        {
            return Ok(0);
        }
        let end = HEADER_OCTETS + length + TABLE_DUMP_SHORTFALL;
        self.fill(end + HEADER_OCTETS)?;
        let is_confirmed = match self.unread().get(end..) {
            None => false,
            Some([]) => true,
            Some(next) => next.first_chunk().is_some_and(|next| {
                let next = Fields::of(next);
                (next.mrt_type, next.subtype) == (fields.mrt_type, fields.subtype)
            }),
        };
        Ok(if is_confirmed { TABLE_DUMP_SHORTFALL } else { 0 })
    }

    /// Skips a record that is too long, if the stream can be trusted to have it.
    fn too_long(&mut self, fields: Fields, length: usize) -> Error {
        let offset = self.offset;
        if !mrt::is_known_type(fields.mrt_type) || fields.length > SKIP_OCTETS_MAX {
            let Fields { mrt_type, length, .. } = fields;
            return Error::NotMrt { offset, mrt_type, length };
        }
        let mut left = HEADER_OCTETS + length;
        while left > 0 {
            let step = left.min(READ_OCTETS);
            match self.fill(step) {
                Err(error) => return error,
                Ok(present) if present < step => {
                    let done = u64::try_from(HEADER_OCTETS + length - left + present);
                    return Error::Truncated {
                        offset,
                        expected: u64::try_from(HEADER_OCTETS + length).unwrap_or(u64::MAX),
                        present: done.unwrap_or(u64::MAX),
                    };
                }
                Ok(_) => self.consume(step),
            }
            left -= step;
        }
        self.index += 1;
        Error::RecordTooLong { offset, length: fields.length, max: self.limits.record_octets_max }
    }

    fn truncated(&self, expected: usize) -> Error {
        Error::Truncated {
            offset: self.offset,
            expected: u64::try_from(expected).unwrap_or(u64::MAX),
            present: u64::try_from(self.end - self.start).unwrap_or(u64::MAX),
        }
    }

    #[inline]
    fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    #[inline]
    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.offset += u64::try_from(count).unwrap_or(0);
    }

    /// Reads until `wanted` octets are unread, or the stream ends; gives how many are.
    fn fill(&mut self, wanted: usize) -> Result<usize, Error> {
        if self.end - self.start >= wanted {
            return Ok(self.end - self.start);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted && !self.at_end {
            // Grows with what was really read: a lying length costs one read, not its claim.
            if self.buffer.len() < self.end + READ_OCTETS {
                self.buffer.resize(self.end + READ_OCTETS, 0);
            }
            let space = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.read.read(space) {
                Ok(0) => self.at_end = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    let read = u64::try_from(self.end).unwrap_or(0);
                    return Err(Error::Io { offset: self.offset + read, source });
                }
            }
        }
        Ok(self.end)
    }
}

#[cfg(test)]
mod tests;
