//! Compressions, and what can be wrong with compressed input.

use std::fmt;
use std::io;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not compressed.
    Plain,
    /// gzip (RFC 1952).
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Compression {
    /// Compression by the first octets, [`Compression::Plain`] when they match none.
    pub fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, 8, ..] => Compression::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Compression::Xz,
            // A frame, or a skippable frame, which other tools put in front (RFC 8878 §3.1.2).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
            _ => Compression::Plain,
        }
    }

    /// Short name: `plain`, `gzip`, `bzip2`, `xz`, `zstd`.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Plain => "plain",
            Compression::Gzip => "gzip",
            Compression::Bzip2 => "bzip2",
            Compression::Xz => "xz",
            Compression::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a compressed input ended before its end. All that was read before it stays valid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportFault {
    /// The input stops in the middle: an unfinished download or a full disk.
    #[error(
        "{compression} data is cut off after {compressed_octets} octets \
         ({decompressed_octets} decompressed)"
    )]
    Truncated {
        /// The input's compression.
        compression: Compression,
        /// Compressed octets consumed.
        compressed_octets: u64,
        /// Decompressed octets given.
        decompressed_octets: u64,
    },
    /// The input does not follow its format, or a checksum is wrong.
    #[error(
        "{compression} data is corrupt at about octet {compressed_octets} \
         ({decompressed_octets} decompressed)"
    )]
    Corrupt {
        /// The input's compression.
        compression: Compression,
        /// Compressed octets consumed.
        compressed_octets: u64,
        /// Decompressed octets given.
        decompressed_octets: u64,
        /// What the decoder said.
        source: io::Error,
    },
    /// The disk, pipe or network failed.
    #[error("reading failed after {compressed_octets} octets")]
    Read {
        /// Octets consumed before.
        compressed_octets: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The input asks for more memory than a decoder may take.
    #[error("{compression} data needs more memory than allowed")]
    MemoryLimit {
        /// The input's compression.
        compression: Compression,
        /// What the decoder said.
        source: io::Error,
    },
    /// More output than [`Limits::output_octets_max`](super::Limits::output_octets_max).
    #[error("input decompresses to more than {output_octets_max} octets")]
    OutputLimit {
        /// The limit.
        output_octets_max: u64,
        /// Compressed octets consumed.
        compressed_octets: u64,
    },
    /// More output per input than [`Limits::ratio_max`](super::Limits::ratio_max): a
    /// decompression bomb.
    #[error(
        "{compressed_octets} octets decompress to {decompressed_octets}, more than {ratio_max} \
         times as much: taken for a decompression bomb"
    )]
    RatioLimit {
        /// The limit.
        ratio_max: u64,
        /// Compressed octets consumed.
        compressed_octets: u64,
        /// Decompressed octets given.
        decompressed_octets: u64,
    },
}

impl TransportFault {
    /// Stable name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            TransportFault::Truncated { .. } => "truncated",
            TransportFault::Corrupt { .. } => "corrupt",
            TransportFault::Read { .. } => "read_failed",
            TransportFault::MemoryLimit { .. } => "memory_limit",
            TransportFault::OutputLimit { .. } => "output_limit",
            TransportFault::RatioLimit { .. } => "ratio_limit",
        }
    }

    /// Sorts a decoder's error. `at` is (compressed octets consumed, decompressed octets given).
    pub(super) fn of(
        compression: Compression,
        source_failed: bool,
        (compressed_octets, decompressed_octets): (u64, u64),
        source: io::Error,
    ) -> Self {
        if source_failed || compression == Compression::Plain {
            return TransportFault::Read { compressed_octets, source };
        }
        if source.kind() == io::ErrorKind::UnexpectedEof {
            return TransportFault::Truncated {
                compression,
                compressed_octets,
                decompressed_octets,
            };
        }
        if is_memory_limit(compression, &source) {
            return TransportFault::MemoryLimit { compression, source };
        }
        TransportFault::Corrupt { compression, compressed_octets, decompressed_octets, source }
    }
}

fn is_memory_limit(compression: Compression, source: &io::Error) -> bool {
    use liblzma::stream::Error as XzError;
    match compression {
        Compression::Xz => source
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<XzError>())
            .is_some_and(|error| matches!(error, XzError::MemLimit | XzError::Mem)),
        // zstd gives its errors as text only (`ZSTD_error_frameParameter_windowTooLarge`).
        Compression::Zstd => source.to_string().contains("too much memory"),
        Compression::Plain | Compression::Gzip | Compression::Bzip2 => false,
    }
}
