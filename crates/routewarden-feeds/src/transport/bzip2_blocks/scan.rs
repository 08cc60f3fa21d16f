//! Finds the blocks of a bzip2 stream.

use std::io::{self, BufRead};

use crate::transport::input::Input;

/// First 48 bits of a block, and of the end of a stream: digits of pi, and of its root.
const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
const END_MAGIC: u64 = 0x1772_4538_5090;
const MAGIC_BITS: usize = 48;
const MAGIC_MASK: u64 = (1 << MAGIC_BITS) - 1;
const CRC_BITS: usize = 32;

/// Longest block, in octets: 900,000 symbols of at most 20 bits and the code tables are less.
const BLOCK_OCTETS_MAX: usize = 4 << 20;

/// For every octet that may stand third from last: the shifts by which the last 48 bits may be
/// one of the magics.
const CANDIDATES: [u8; 256] = candidates();

const fn candidates() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut octet = 0usize;
    while octet < 256 {
        let mut shift = 0;
        while shift < 8 {
            let block = (BLOCK_MAGIC >> (16 - shift)) & 0xff;
            let end = (END_MAGIC >> (16 - shift)) & 0xff;
            if octet as u64 == block || octet as u64 == end {
                #[expect(clippy::indexing_slicing, reason = "octet is below 256; evaluated once")]
                {
                    table[octet] |= 1 << shift;
                }
            }
            shift += 1;
        }
        octet += 1;
    }
    table
}

fn is_magic(bits: u64) -> bool {
    bits == BLOCK_MAGIC || bits == END_MAGIC
}

/// A block as it stands: its magic begins `start_bit` bits into the first octet.
#[derive(Debug)]
pub(super) struct Block {
    octets: Vec<u8>,
    start_bit: usize,
    bits: usize,
    level: u8,
}

/// What a scan found.
pub(super) enum Found {
    Block(Block),
    /// The end of the stream, with the right CRC.
    End,
}

/// Reads a stream up to its end and cuts it into blocks.
pub(super) struct Scanner {
    input: Input,
    level: Option<u8>,
    /// Octets of the block being read.
    octets: Vec<u8>,
    start_bit: usize,
    /// The last eight octets read.
    window: u64,
    in_block: bool,
    /// CRC of the stream so far: that of every block rotated in.
    crc: u32,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Reading,
    /// The end was found behind the last block given.
    EndFound,
    Over,
}

fn corrupt(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Scanner {
    pub(super) fn new(input: Input) -> Self {
        Scanner {
            input,
            level: None,
            octets: Vec::new(),
            start_bit: 0,
            window: 0,
            in_block: false,
            crc: 0,
            state: State::Reading,
        }
    }

    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    pub(super) fn into_input(self) -> Input {
        self.input
    }

    /// The next block, or the end. A stream that is cut gives the cut block, which will not
    /// decode, and then `UnexpectedEof`.
    pub(super) fn next_block(&mut self) -> io::Result<Found> {
        if self.state == State::EndFound {
            self.state = State::Over;
            return Ok(Found::End);
        }
        let level = self.level()?;
        while self.state == State::Reading {
            if !self.read_to_magic()? {
                self.state = State::Over;
                match self.cut_off(level) {
                    Some(block) => return Ok(Found::Block(block)),
                    None => break,
                }
            }
            if let Some(found) = self.magic_at_end(level)? {
                return Ok(found);
            }
            let is_headless = !self.in_block && self.octets.len() > MAGIC_BITS / 8;
            if is_headless || self.octets.len() > BLOCK_OCTETS_MAX {
                self.state = State::Over;
                return Err(corrupt("bzip2 data is no sequence of blocks"));
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }

    /// Reads up to and with the next octet that ends a magic, or to the end of what is buffered;
    /// `false` at the end of the input.
    fn read_to_magic(&mut self) -> io::Result<bool> {
        let held = self.input.fill_buf()?;
        let mut window = self.window;
        let ends_magic = |&octet: &u8| {
            window = window << 8 | u64::from(octet);
            let shifts = CANDIDATES.get(usize::from(window.to_be_bytes()[5])).copied();
            shifts.is_some_and(|shifts| {
                shifts != 0 && (0..8).any(|shift| is_magic(window >> shift & MAGIC_MASK))
            })
        };
        let count = held.iter().position(ends_magic).map_or(held.len(), |at| at + 1);
        self.window = window;
        self.octets.extend_from_slice(held.get(..count).unwrap_or_default());
        self.input.consume(count);
        Ok(count > 0)
    }

    /// What is left of a block at the end of the input.
    fn cut_off(&mut self, level: u8) -> Option<Block> {
        let octets = std::mem::take(&mut self.octets);
        let (start_bit, bits) = (self.start_bit, (octets.len() * 8).saturating_sub(self.start_bit));
        self.in_block.then_some(Block { octets, start_bit, bits, level })
    }

    fn next_octet(&mut self) -> io::Result<Option<u8>> {
        let octet = self.input.fill_buf()?.first().copied();
        self.input.consume(usize::from(octet.is_some()));
        Ok(octet)
    }

    /// Reads `BZh` and the level once.
    fn level(&mut self) -> io::Result<u8> {
        if let Some(level) = self.level {
            return Ok(level);
        }
        let mut header = [0; 4];
        for octet in &mut header {
            *octet = self.next_octet()?.ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        let [b'B', b'Z', b'h', level @ b'1'..=b'9'] = header else {
            return Err(corrupt("no bzip2 header"));
        };
        self.level = Some(level);
        Ok(level)
    }

    /// What the magic that ends in the octet just read means, if there is one.
    fn magic_at_end(&mut self, level: u8) -> io::Result<Option<Found>> {
        for shift in 0..8usize {
            let bits = self.window >> shift & MAGIC_MASK;
            let end = (self.octets.len() * 8).checked_sub(shift + MAGIC_BITS);
            let Some(end) = end.filter(|&end| is_magic(bits) && (self.in_block || end == 0)) else {
                continue;
            };
            if bits == END_MAGIC {
                if let Some(found) = self.end_of_stream(end, shift, level)? {
                    return Ok(Some(found));
                }
            } else if self.in_block {
                return Ok(Some(Found::Block(self.cut(end, level))));
            } else {
                self.in_block = true;
            }
        }
        Ok(None)
    }

    /// Cuts off the block that ends at bit `end` of the octets; the next one begins there.
    fn cut(&mut self, end: usize, level: u8) -> Block {
        let rest = self.octets.get(end / 8..).unwrap_or_default().to_vec();
        let mut octets = std::mem::replace(&mut self.octets, rest);
        octets.truncate(end.div_ceil(8));
        let start_bit = std::mem::replace(&mut self.start_bit, end % 8);
        let block = Block { octets, start_bit, bits: end.saturating_sub(start_bit), level };
        self.crc = self.crc.rotate_left(1) ^ block.crc();
        block
    }

    /// The magic of the end counts when the CRC behind it fits the blocks; else it was chance.
    fn end_of_stream(&mut self, end: usize, shift: usize, level: u8) -> io::Result<Option<Found>> {
        let missing = (CRC_BITS - shift).div_ceil(8);
        let ahead = self.input.peek(missing)?.to_vec();
        if ahead.len() < missing {
            return Ok(None);
        }
        let mut value = self.window;
        let mut bits = shift;
        for octet in &ahead {
            value = value << 8 | u64::from(*octet);
            bits += 8;
        }
        let stored = u32::try_from((value >> (bits - CRC_BITS)) & u64::from(u32::MAX));
        let block = self.in_block.then(|| Block {
            octets: self.octets.get(..end.div_ceil(8)).unwrap_or_default().to_vec(),
            start_bit: self.start_bit,
            bits: end.saturating_sub(self.start_bit),
            level,
        });
        let crc = match &block {
            Some(block) => self.crc.rotate_left(1) ^ block.crc(),
            None => 0,
        };
        if stored != Ok(crc) {
            return Ok(None);
        }
        self.input.consume(missing);
        self.state = if block.is_some() { State::EndFound } else { State::Over };
        Ok(Some(block.map_or(Found::End, Found::Block)))
    }
}

impl Block {
    /// The block's CRC, which follows its magic.
    fn crc(&self) -> u32 {
        let mut crc = 0;
        for at in 0..CRC_BITS {
            crc = crc << 1 | u32::from(self.bit(MAGIC_BITS + at));
        }
        crc
    }

    fn bit(&self, at: usize) -> bool {
        let at = self.start_bit + at;
        self.octets.get(at / 8).is_some_and(|octet| octet >> (7 - at % 8) & 1 == 1)
    }

    /// This block with the next piece behind it, when the magic between them was chance.
    pub(super) fn joined(&self, next: &Block) -> Block {
        let mut bits = Bits::default();
        bits.push_block(self);
        bits.push_block(next);
        let length = bits.count;
        Block { octets: bits.finish(), start_bit: 0, bits: length, level: self.level }
    }

    /// A stream with this block alone.
    pub(super) fn to_stream(&self) -> Vec<u8> {
        let mut stream = Bits::default();
        for octet in [b'B', b'Z', b'h', self.level] {
            stream.push(u64::from(octet), 8);
        }
        stream.push_block(self);
        stream.push(END_MAGIC, MAGIC_BITS);
        stream.push(u64::from(self.crc()), CRC_BITS);
        stream.finish()
    }
}

/// Octets written bit by bit, most significant first.
#[derive(Default)]
struct Bits {
    octets: Vec<u8>,
    /// Bits not yet in `octets`, fewer than eight.
    partial: u64,
    unwritten: usize,
    count: usize,
}

impl Bits {
    /// Appends the low `bits` bits, at most 48.
    fn push(&mut self, value: u64, bits: usize) {
        self.partial = self.partial << bits | value & ((1 << bits) - 1);
        self.unwritten += bits;
        self.count += bits;
        while self.unwritten >= 8 {
            self.unwritten -= 8;
            self.octets.push((self.partial >> self.unwritten & 0xff) as u8);
        }
        self.partial &= (1 << self.unwritten) - 1;
    }

    fn push_block(&mut self, block: &Block) {
        self.octets.reserve(block.octets.len() + 16);
        let first_bits = (8 - block.start_bit).min(block.bits);
        let mut left = block.bits;
        let mut octets = block.octets.iter();
        if let Some(&first) = octets.next() {
            let aligned = u64::from(first) >> (8 - block.start_bit - first_bits);
            self.push(aligned, first_bits);
            left -= first_bits;
        }
        for &octet in octets {
            let bits = left.min(8);
            if bits == 0 {
                break;
            }
            self.push(u64::from(octet) >> (8 - bits), bits);
            left -= bits;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let padding = (8 - self.unwritten % 8) % 8;
        self.push(0, padding);
        self.octets
    }
}

#[cfg(test)]
impl Block {
    /// The block cut at a bit.
    pub(super) fn split_at(&self, at: usize) -> (Block, Block) {
        let piece = |from: usize, to: usize| {
            let from = self.start_bit + from;
            let octets = self.octets[from / 8..(self.start_bit + to).div_ceil(8)].to_vec();
            Block {
                octets,
                start_bit: from % 8,
                bits: self.start_bit + to - from,
                level: self.level,
            }
        };
        (piece(0, at), piece(at, self.bits))
    }
}
