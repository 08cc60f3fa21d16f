//! Saved states on disk, and the way back: the newest sound state, then the log since.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use routewarden_core::facts::Facts;
use tracing::warn;

use super::core::Core;
use super::log::{LogError, LogWriter, replay, segment_path};

const MAGIC: [u8; 8] = *b"RWSTATE2";
/// States kept: the last, and the one before it in case its disk block goes bad.
const STATES_KEPT: usize = 2;

/// Where states and segments of the log lie.
pub(crate) struct Saved {
    directory: PathBuf,
    /// Number of the segment that is being written.
    number: u64,
}

/// What a start found.
pub(crate) struct Resumed {
    pub(crate) core: Core,
    pub(crate) log: LogWriter,
    /// Records told again.
    pub(crate) records: u64,
    /// Octets at the ends of segments that were no whole frame.
    pub(crate) lost_octets: u64,
}

impl Saved {
    /// Goes on from what lies in the directory. `None` when nothing does.
    ///
    /// # Errors
    /// When the directory cannot be used. A damaged state is passed over for the one before it.
    pub(crate) fn open(directory: &Path, facts: &Facts) -> Result<(Self, Option<Resumed>)> {
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        let states = numbers(directory, "state")?;
        let segments = numbers(directory, "events")?;
        for &number in states.iter().rev() {
            let core = match load(&state_path(directory, number), facts.clone()) {
                Ok(core) => core,
                Err(error) => {
                    warn!(error = format!("{error:#}"), "a saved state cannot be read");
                    continue;
                }
            };
            let segments: Vec<u64> = segments.iter().copied().filter(|&n| n >= number).collect();
            let resumed = Saved::tell_again(directory, core, &segments)?;
            let number = segments.last().copied().unwrap_or(number);
            return Ok((Saved { directory: directory.to_owned(), number }, Some(resumed)));
        }
        let last = states.last().max(segments.last()).copied().unwrap_or(0);
        Ok((Saved { directory: directory.to_owned(), number: last }, None))
    }

    fn tell_again(directory: &Path, mut core: Core, segments: &[u64]) -> Result<Resumed> {
        let (mut records, mut lost_octets, mut last) = (0, 0, None);
        for &segment in segments {
            let read = match replay(directory, segment, |record| core.tell(record)) {
                // Killed, or out of room, while it was made: nothing was told in it.
                Err(failure @ LogError::NotALog { .. }) => {
                    warn!(error = %failure, "a segment of the log cannot be read");
                    last = Some((segment, None));
                    continue;
                }
                read => read?,
            };
            records += read.records;
            lost_octets += read.lost_octets;
            last = Some((segment, Some(read.sound_octets)));
        }
        let log = match last {
            Some((segment, Some(sound))) => LogWriter::append_to(directory, segment, sound)?,
            Some((segment, None)) => LogWriter::create(directory, segment)?,
            None => anyhow::bail!("a state without its log in {}", directory.display()),
        };
        Ok(Resumed { core, log, records, lost_octets })
    }

    /// Saves the state and begins a new segment of the log. Files of before the last
    /// [`STATES_KEPT`] states go.
    pub(crate) fn save(&mut self, core: &Core) -> Result<LogWriter> {
        let number = self.number + 1;
        let path = state_path(&self.directory, number);
        // The segment must be there before the state that needs it.
        let log = LogWriter::create(&self.directory, number)?;
        store(&path, core).with_context(|| format!("cannot save {}", path.display()))?;
        self.number = number;
        if let Err(failure) = self.clean() {
            warn!(error = format!("{failure:#}"), "old states are not removed");
        }
        Ok(log)
    }

    fn clean(&self) -> Result<()> {
        let states = numbers(&self.directory, "state")?;
        let oldest = states.iter().rev().nth(STATES_KEPT - 1).copied();
        let Some(oldest) = oldest else { return Ok(()) };
        for number in states.into_iter().filter(|&number| number < oldest) {
            remove(&state_path(&self.directory, number))?;
        }
        for number in numbers(&self.directory, "events")?.into_iter().filter(|&n| n < oldest) {
            remove(&segment_path(&self.directory, number))?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

fn state_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number:012}.state"))
}

/// Numbers of the files of a kind, ascending.
fn numbers(directory: &Path, extension: &str) -> Result<Vec<u64>> {
    let list = || format!("cannot list {}", directory.display());
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).with_context(list)? {
        let path = entry.with_context(list)?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        if path.extension().is_some_and(|found| found == extension)
            && let Some(number) = stem.and_then(|stem| stem.parse().ok())
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Writes a state beside its place, brings it to the disk, and moves it there.
fn store(path: &Path, core: &Core) -> Result<()> {
    let new = path.with_extension("new");
    let file = File::create(&new)?;
    let inner = BufWriter::with_capacity(1 << 20, file);
    let mut out = Summed { inner, sum: crc32fast::Hasher::new() };
    out.write_all(&MAGIC)?;
    core.save(&mut out)?;
    let Summed { inner: mut out, sum } = out;
    out.write_all(&sum.finalize().to_be_bytes())?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}

/// Reads a state after its checksum was found right.
fn load(path: &Path, facts: Facts) -> Result<Core> {
    let about = || path.display().to_string();
    check(path).with_context(about)?;
    let mut input = BufReader::with_capacity(1 << 20, File::open(path).with_context(about)?);
    input.read_exact(&mut [0; 8]).with_context(about)?;
    Core::restore(&mut input, facts).with_context(about)
}

fn check(path: &Path) -> Result<()> {
    let file = File::open(path)?;
    let octets = file.metadata()?.len();
    let mut input = BufReader::with_capacity(1 << 20, file);
    let mut magic = [0; 8];
    input.read_exact(&mut magic)?;
    anyhow::ensure!(magic == MAGIC, "no saved state");
    let content = octets.checked_sub(12).context("the saved state is cut off")?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&magic);
    let mut rest = input.by_ref().take(content);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = rest.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        sum.update(buffer.get(..read).unwrap_or_default());
    }
    let mut expected = [0; 4];
    input.read_exact(&mut expected)?;
    anyhow::ensure!(sum.finalize().to_be_bytes() == expected, "the checksum of the state is wrong");
    Ok(())
}

/// Sums what is written.
struct Summed<W> {
    inner: W,
    sum: crc32fast::Hasher,
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(octets)?;
        self.sum.update(octets.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
