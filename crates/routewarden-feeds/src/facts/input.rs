//! Lines and octets under limits.

use std::io::{self, BufRead, Read};

use routewarden_core::facts::FactKind;

use super::{FactsError, Place, Reading, SkipKind};

/// Longest line read; a longer one is left out and counted.
pub const LINE_OCTETS_MAX: usize = 64 << 10;
/// Most entries of one file. The global table has 1.2 million prefixes and the RPKI 0.7 million
/// VRPs. All VRPs of 2025 take 60 MB while their table is built: some 700 MB at the limit.
pub const ENTRIES_MAX: u64 = 8_000_000;
/// Most decompressed octets of one file. All VRPs in JSON are 75 MB, with sources 300 MB.
pub const OCTETS_MAX: u64 = 1 << 30;
/// Most decompressed octets of a file whose text is kept: organisations, names,
/// PeeringDB, participants; and of RDAP answers.
pub const TEXT_FILE_OCTETS_MAX: u64 = 256 << 20;
/// Most decompressed octets of a constituency. A million prefixes take some 30 MB.
pub const CONSTITUENCY_OCTETS_MAX: u64 = 64 << 20;

const HEAD_OCTETS: u64 = 4 << 10;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Limits of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) entries_max: u64,
    pub(super) octets_max: u64,
}

impl Limits {
    pub(super) fn of(kind: FactKind) -> Self {
        let octets_max = match kind {
            FactKind::Organisations
            | FactKind::AsNames
            | FactKind::PeeringDb
            | FactKind::Participants
            | FactKind::Contacts => TEXT_FILE_OCTETS_MAX,
            FactKind::Constituency => CONSTITUENCY_OCTETS_MAX,
            _ => OCTETS_MAX,
        };
        Limits { entries_max: ENTRIES_MAX, octets_max }
    }
}

/// The first octets of a file, a byte order mark left out.
pub(super) fn read_head(reader: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(HEAD_OCTETS).read_to_end(&mut head)?;
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(head)
}

/// Whether the file begins like a JSON document.
pub(super) fn looks_like_json(head: &[u8]) -> bool {
    head.trim_ascii_start().starts_with(b"{") || head.trim_ascii_start().starts_with(b"[")
}

/// What became of a line: the number of entries it gave, or why it was left out.
pub(super) type LineOutcome = Result<usize, SkipKind>;

/// Gives every line to `each`, without its end and surrounding blanks; empty lines are passed
/// over. Comments are lines to `each` as well: they may hold a date.
pub(super) fn read_lines(
    reading: &mut Reading<'_>,
    reader: &mut dyn BufRead,
    mut each: impl FnMut(&mut Reading<'_>, &str) -> LineOutcome,
) -> Result<(), FactsError> {
    let octets_max = reading.limits.octets_max;
    let mut lines = Lines::new(reader, octets_max);
    loop {
        let more = lines.next().map_err(|source| FactsError::Read {
            path: reading.path.into(),
            line: lines.line,
            source,
        })?;
        if lines.octets > octets_max {
            return Err(FactsError::TooLarge { path: reading.path.into(), octets_max });
        }
        if !more {
            return Ok(());
        }
        let outcome = if lines.is_cut {
            Err(SkipKind::LineTooLong)
        } else {
            match std::str::from_utf8(&lines.buffer).map(str::trim) {
                Ok("") => Ok(0),
                Ok(line) => each(reading, line),
                Err(_) => Err(SkipKind::NotUtf8),
            }
        };
        match outcome {
            Ok(entries) => reading.count(entries)?,
            Err(kind) => reading.skipped.skip(kind, Place::Line(lines.line), &lines.buffer),
        }
    }
}

/// Lines one after the other.
pub(super) struct Lines<'r> {
    reader: &'r mut dyn BufRead,
    /// Octets read so far.
    pub(super) octets: u64,
    octets_max: u64,
    /// Number of the line in `buffer`, from 1.
    pub(super) line: u64,
    /// The line without its end, at most [`LINE_OCTETS_MAX`].
    pub(super) buffer: Vec<u8>,
    /// Whether the line went on beyond the buffer.
    pub(super) is_cut: bool,
}

impl<'r> Lines<'r> {
    pub(super) fn new(reader: &'r mut dyn BufRead, octets_max: u64) -> Self {
        Lines { reader, octets: 0, octets_max, line: 0, buffer: Vec::new(), is_cut: false }
    }

    /// Reads the next line into the buffer; false at the end. Stops in a line that goes on
    /// beyond the limit, too.
    pub(super) fn next(&mut self) -> io::Result<bool> {
        self.buffer.clear();
        self.is_cut = false;
        self.line += 1;
        let mut is_begun = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                return Ok(is_begun);
            }
            is_begun = true;
            let end = available.iter().position(|&octet| octet == b'\n');
            let part = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            let room = LINE_OCTETS_MAX - self.buffer.len();
            self.is_cut |= part.len() > room;
            self.buffer.extend_from_slice(part.get(..room).unwrap_or(part));
            let consumed = part.len() + usize::from(end.is_some());
            self.reader.consume(consumed);
            self.octets += consumed as u64;
            if end.is_some() || self.octets > self.octets_max {
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;
    use std::path::Path;

    use super::*;

    fn lines_of(octets: &[u8], capacity: usize) -> (Vec<String>, Reading<'static>) {
        let mut reading = Reading::new(Path::new("test"), FactKind::Origins);
        let mut all = Vec::new();
        let mut reader = BufReader::with_capacity(capacity, octets);
        read_lines(&mut reading, &mut reader, |_, line| {
            all.push(line.to_owned());
            Ok(1)
        })
        .unwrap();
        (all, reading)
    }

    #[test]
    fn lines_are_whole_whatever_the_buffer() {
        for capacity in [1, 2, 3, 100] {
            let (all, reading) = lines_of(b"one\r\n\n  two\xff\nthree \nfour", capacity);
            assert_eq!(all, ["one", "three", "four"]);
            assert_eq!(reading.skipped.counts().get("not_utf8"), Some(&1));
            assert_eq!(reading.skipped.into_samples()[0].place, Place::Line(3));
        }
    }

    #[test]
    fn a_long_line_is_left_out_and_the_next_one_read() {
        let mut octets = vec![b'x'; LINE_OCTETS_MAX];
        octets.extend_from_slice(b"\n");
        octets.extend_from_slice(&vec![b'y'; LINE_OCTETS_MAX + 1]);
        octets.extend_from_slice(b"\nshort");
        let (all, reading) = lines_of(&octets, 8 << 10);
        assert_eq!(all.iter().map(String::len).collect::<Vec<_>>(), [LINE_OCTETS_MAX, 5]);
        assert_eq!(reading.skipped.counts().get("line_too_long"), Some(&1));
    }

    #[test]
    fn limits_are_errors() {
        let limits = [(2, 100), (100, 6)];
        let kinds = limits.map(|(entries_max, octets_max)| {
            let mut reading = Reading::new(Path::new("test"), FactKind::Origins);
            reading.limits = Limits { entries_max, octets_max };
            read_lines(&mut reading, &mut b"a\nb\nc\nd\n".as_slice(), |_, _| Ok(1))
                .unwrap_err()
                .kind()
        });
        assert_eq!(kinds, ["facts_too_many_entries", "facts_too_large"]);
    }

    #[test]
    fn a_byte_order_mark_is_no_content() {
        assert_eq!(read_head(&mut b"\xef\xbb\xbf {".as_slice()).unwrap(), b" {");
        assert!(looks_like_json(b" \n{") && !looks_like_json(b"ASN") && !looks_like_json(b""));
    }
}
