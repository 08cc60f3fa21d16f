//! bzip2, decoded by blocks on several threads.
//!
//! ```text
//! scan ─► pieces ─► block: bits, huffman ─► bwt ─► CRC ─► stream ─► the caller
//!                   └──── here, or ahead in the pool ───┘
//! ```
//!
//! There is no standard; the format is what bzip2 1.0.8 reads. A block is given out only when its
//! CRC is right.

mod bits;
mod block;
mod bwt;
mod crc;
mod huffman;
mod pool;
mod random;
mod scan;
mod stream;

pub(super) use stream::Bzip2;
