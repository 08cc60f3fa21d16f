//! The log of what the detector was told since its last saved state, so that nothing is lost when
//! the program is killed: the state is loaded, the log is told again.
//!
//! A segment is a magic, then frames: length, CRC-32, and a [`Record`] in `postcard`'s form. A
//! frame is in the system's hands before the detector sees the record, so that a killed program
//! loses none; it is on the disk within a second, which a loss of power may cost. The last frame of
//! a segment may be torn; what follows a torn frame is not read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::record::Record;

const MAGIC: [u8; 8] = *b"RWEVLOG1";
/// Most octets of one record: a batch is some hundred kilobytes, VRPs are ten million octets.
pub(crate) const RECORD_OCTETS_MAX: usize = 256 << 20;

/// What kept a log from being written or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LogError {
    /// The file failed.
    #[error("the event log {path} failed")]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The file is of something else.
    #[error("{path} is no event log")]
    NotALog { path: PathBuf },
    /// A record does not fit into a frame.
    #[error("a record of {octets} octets is longer than {RECORD_OCTETS_MAX}")]
    TooLong { octets: usize },
    /// A record cannot be written.
    #[error("a record cannot be written")]
    Encode(#[source] postcard::Error),
}

/// Writes a segment.
pub(crate) struct LogWriter {
    file: File,
    path: PathBuf,
    frame: Vec<u8>,
    octets: u64,
    is_synced: bool,
}

impl LogWriter {
    /// Begins a segment; one of the same number is written over.
    pub(crate) fn create(directory: &Path, number: u64) -> Result<Self, LogError> {
        let path = segment_path(directory, number);
        let fail = |source| LogError::Io { path: path.clone(), source };
        let mut file = File::create(&path).map_err(fail)?;
        file.write_all(&MAGIC).map_err(fail)?;
        Ok(LogWriter { file, path, frame: Vec::new(), octets: 8, is_synced: false })
    }

    /// Goes on with a segment after its last whole frame.
    pub(crate) fn append_to(
        directory: &Path,
        number: u64,
        sound_octets: u64,
    ) -> Result<Self, LogError> {
        let path = segment_path(directory, number);
        let fail = |source| LogError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(fail)?;
        file.set_len(sound_octets).map_err(fail)?;
        io::Seek::seek(&mut file, io::SeekFrom::End(0)).map_err(fail)?;
        Ok(LogWriter { file, path, frame: Vec::new(), octets: sound_octets, is_synced: false })
    }

    /// Adds a record: handed to the system when it returns. After a failure the segment is as it
    /// was before.
    pub(crate) fn append(&mut self, record: &Record) -> Result<(), LogError> {
        let mut frame = std::mem::take(&mut self.frame);
        frame.clear();
        frame.extend_from_slice(&[0; 8]);
        let mut frame = postcard::to_extend(record, frame).map_err(LogError::Encode)?;
        let octets = frame.len() - 8;
        if octets > RECORD_OCTETS_MAX {
            return Err(LogError::TooLong { octets });
        }
        let checksum = crc32fast::hash(frame.get(8..).unwrap_or_default());
        let length = u32::try_from(octets).unwrap_or(u32::MAX);
        let head = length.to_be_bytes().into_iter().chain(checksum.to_be_bytes());
        for (place, octet) in frame.iter_mut().zip(head) {
            *place = octet;
        }
        let written = self.file.write_all(&frame);
        self.frame = frame;
        if let Err(source) = written {
            // Part of a frame would hide all that comes after it.
            let _cut = self.file.set_len(self.octets);
            let _back = io::Seek::seek(&mut self.file, io::SeekFrom::Start(self.octets));
            return Err(LogError::Io { path: self.path.clone(), source });
        }
        self.octets += octets as u64 + 8;
        self.is_synced = false;
        Ok(())
    }

    /// Brings all to the disk.
    pub(crate) fn sync(&mut self) -> Result<(), LogError> {
        if !self.is_synced {
            let fail = |source| LogError::Io { path: self.path.clone(), source };
            self.file.sync_data().map_err(fail)?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Octets of the segment.
    pub(crate) fn octets(&self) -> u64 {
        self.octets
    }
}

/// What was read of a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SegmentRead {
    /// Records.
    pub(crate) records: u64,
    /// Octets up to the end of the last whole frame.
    pub(crate) sound_octets: u64,
    /// Octets after it: a torn or damaged frame and what follows.
    pub(crate) lost_octets: u64,
}

/// Tells the records of a segment one after the other.
pub(crate) fn replay(
    directory: &Path,
    number: u64,
    mut tell: impl FnMut(Record),
) -> Result<SegmentRead, LogError> {
    let path = segment_path(directory, number);
    let fail = |source| LogError::Io { path: path.clone(), source };
    let file = File::open(&path).map_err(fail)?;
    let all = file.metadata().map_err(fail)?.len();
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; 8];
    if input.read_exact(&mut magic).is_err() || magic != MAGIC {
        return Err(LogError::NotALog { path });
    }
    let mut read = SegmentRead { sound_octets: 8, ..SegmentRead::default() };
    let mut frame = Vec::new();
    while let Some(record) = next_record(&mut input, &mut frame).map_err(fail)? {
        tell(record);
        read.records += 1;
        read.sound_octets += frame.len() as u64 + 8;
    }
    read.lost_octets = all.saturating_sub(read.sound_octets);
    Ok(read)
}

/// The next record; `None` at the end and at what is no whole frame.
fn next_record(input: &mut impl Read, frame: &mut Vec<u8>) -> io::Result<Option<Record>> {
    let mut head = [0; 8];
    if !fill(input, &mut head)? {
        return Ok(None);
    }
    let [a, b, c, d, checksum @ ..] = head;
    let octets = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if octets > RECORD_OCTETS_MAX {
        return Ok(None);
    }
    // Grows with what is there, not with what the length says.
    frame.clear();
    input.by_ref().take(octets as u64).read_to_end(frame)?;
    if frame.len() < octets || crc32fast::hash(frame) != u32::from_be_bytes(checksum) {
        return Ok(None);
    }
    Ok(postcard::from_bytes(frame).ok())
}

/// Fills the buffer; `false` when the input ends before.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match input.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// File of a segment.
pub(crate) fn segment_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:012}.events"))
}

#[cfg(test)]
mod tests {
    use routewarden_core::Timestamp;

    use super::*;

    fn records(directory: &Path, number: u64) -> (Vec<i64>, SegmentRead) {
        let mut seen = Vec::new();
        let read = replay(directory, number, |record| {
            if let Record::Advance(time) = record {
                seen.push(time.secs());
            }
        });
        (seen, read.unwrap())
    }

    #[test]
    fn a_torn_frame_hides_nothing_before_it_and_is_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = LogWriter::create(directory.path(), 7).unwrap();
        for secs in 1..=3 {
            log.append(&Record::Advance(Timestamp::from_secs(secs))).unwrap();
        }
        log.sync().unwrap();
        let path = segment_path(directory.path(), 7);
        let whole = std::fs::read(&path).unwrap();
        assert_eq!(log.octets(), whole.len() as u64);
        for cut in 8..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let (seen, read) = records(directory.path(), 7);
            assert_eq!(read.sound_octets + read.lost_octets, cut as u64);
            let mut log = LogWriter::append_to(directory.path(), 7, read.sound_octets).unwrap();
            log.append(&Record::Advance(Timestamp::from_secs(9))).unwrap();
            let (again, read) = records(directory.path(), 7);
            assert_eq!(again, [seen.as_slice(), &[9]].concat());
            assert_eq!(read.lost_octets, 0);
        }
    }

    #[test]
    fn a_damaged_frame_ends_the_segment_and_another_file_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let mut log = LogWriter::create(directory.path(), 1).unwrap();
        for secs in 1..=3 {
            log.append(&Record::Advance(Timestamp::from_secs(secs))).unwrap();
        }
        let path = segment_path(directory.path(), 1);
        let whole = std::fs::read(&path).unwrap();
        for at in 8..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            std::fs::write(&path, &damaged).unwrap();
            let (seen, _) = records(directory.path(), 1);
            assert!([1, 2, 3].starts_with(&seen) && seen.len() < 3, "{at}: {seen:?}");
        }
        std::fs::write(&path, b"RWEVLOG?").unwrap();
        assert!(matches!(replay(directory.path(), 1, |_| {}), Err(LogError::NotALog { .. })));
    }
}
