//! Opens one input, whatever its compression, and reads it under limits.
//!
//! The compression is told by the magic octets, never by the name. Joined members (`cat a.gz
//! b.gz`, as mirrors and `pigz` make them) are one stream. Memory is bounded for every format,
//! and [`Limits`] stop a decompression bomb.

mod ahead;
mod bzip2;
mod fault;
pub mod fuzz;
mod input;
mod members;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use ahead::{Ahead, BLOCK_OCTETS};
pub use ahead::{BLOCKS_AHEAD_MAX, READ_AHEAD_THREADS_MAX};
pub use fault::{Compression, TransportFault};
use input::Input;
pub use input::Progress;
use members::Members;

/// Most memory the xz decoder may take: `xz -9` needs 65 MiB.
pub const XZ_MEMORY_OCTETS_MAX: u64 = 160 << 20;
/// Largest zstd window accepted, as a power of two: 128 MiB, what `zstd --ultra -22` writes.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How much one input may decompress to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most octets one input may give.
    pub output_octets_max: u64,
    /// Most octets given per octet read, once past `ratio_free_octets`. Real dumps reach 9 in
    /// gzip, 15 in bzip2, 23 in xz; zeros reach 229 to 1,032 in gzip and 20,000 in bzip2.
    pub ratio_max: u64,
    /// Octets given before the ratio counts.
    pub ratio_free_octets: u64,
}

impl Default for Limits {
    /// 64 GiB in all, and 100 octets per octet after the first 64 MiB.
    fn default() -> Self {
        Limits { output_octets_max: 64 << 30, ratio_max: 100, ratio_free_octets: 64 << 20 }
    }
}

/// Cores there are.
static CORES: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

/// A decompressed input.
pub struct Transport {
    /// Has ended when another thread reads ahead.
    members: Members,
    ahead: Option<Ahead>,
    reads_ahead: bool,
    /// Whether reading may wait for another program: then nobody waits for the reading thread.
    is_pipe: bool,
}

/// The fault stands inside the error ([`io::Error::get_ref`]).
impl Read for Transport {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        Transport::read(self, out).map_err(io::Error::other)
    }
}

impl Transport {
    /// Opens a file. `progress` counts its octets as they are read.
    pub fn open(path: &Path, limits: Limits, progress: Arc<Progress>) -> io::Result<Self> {
        // A directory opens on Unix and fails on the first read: say so here.
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let transport = Self::from_reader(Box::new(file), limits, progress)?;
        Ok(Transport { is_pipe: !metadata.is_file(), ..transport })
    }

    /// Standard input.
    pub fn stdin(limits: Limits, progress: Arc<Progress>) -> io::Result<Self> {
        let transport = Self::from_reader(Box::new(io::stdin()), limits, progress)?;
        Ok(Transport { is_pipe: true, ..transport })
    }

    /// Any reader. Reads the magic octets. When the transport is dropped early, it waits until a
    /// read of `source` that is under way on another thread has returned.
    pub fn from_reader(
        source: Box<dyn Read + Send>,
        limits: Limits,
        progress: Arc<Progress>,
    ) -> io::Result<Self> {
        let members = Members::new(Input::new(source, progress), limits)?;
        Ok(Transport { members, ahead: None, reads_ahead: true, is_pipe: false })
    }

    /// Decompresses on this many threads at most, the reading one among them. Without it, on as
    /// many as there are cores. bzip2 takes all of them, beyond its first block; they are one set
    /// for all inputs. The other compressions take one, which decompresses ahead of the reading
    /// one, beyond the first few hundred kilobytes, while fewer than [`READ_AHEAD_THREADS_MAX`]
    /// inputs and fewer than there are cores do so.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.members.set_threads(threads);
        self.reads_ahead &= threads > NonZeroUsize::MIN;
        self
    }

    /// Leaves the threads to others: none decompresses ahead of this reader, but for the blocks of
    /// bzip2.
    #[must_use]
    pub fn without_read_ahead(mut self) -> Self {
        self.reads_ahead = false;
        self
    }

    /// The compression found.
    pub fn compression(&self) -> Compression {
        self.members.compression()
    }

    /// Decompressed octets given so far.
    pub fn decompressed_octets(&self) -> u64 {
        self.ahead.as_ref().map_or_else(|| self.members.decompressed_octets(), Ahead::given)
    }

    /// Compressed octets consumed so far: for the octets given, or to the end of their block.
    pub fn compressed_octets(&self) -> u64 {
        let here = || self.members.compressed_octets();
        self.ahead.as_ref().map_or_else(here, Ahead::compressed_octets)
    }

    /// Octets after the last complete member that belong to none: zero padding or garbage.
    /// They were passed over.
    pub fn trailing_octets(&self) -> u64 {
        let here = || self.members.trailing_octets();
        self.ahead.as_ref().map_or_else(here, Ahead::trailing_octets)
    }

    /// Whether it is worth a thread: more than the beginning is read, and decoding takes longer
    /// than handing over. bzip2 has threads of its own.
    fn may_look_ahead(&self) -> bool {
        let is_slow = match self.compression() {
            Compression::Gzip | Compression::Xz | Compression::Zstd => true,
            Compression::Plain | Compression::Bzip2 => false,
        };
        is_slow && self.reads_ahead && self.members.decompressed_octets() >= BLOCK_OCTETS as u64
    }

    /// Reads some octets into `out`; 0 at the end, or when `out` is empty. After a fault the
    /// input has ended.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, TransportFault> {
        if self.ahead.is_none() && self.may_look_ahead() {
            let ended = self.members.ended();
            let members = std::mem::replace(&mut self.members, ended);
            match Ahead::start(members, self.is_pipe) {
                Ok(ahead) => self.ahead = Some(ahead),
                Err(members) => self.members = *members,
            }
        }
        match &mut self.ahead {
            Some(ahead) => ahead.read(out),
            None => self.members.read(out),
        }
    }
}
