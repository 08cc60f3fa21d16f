//! Cuts the input where a block may begin.
//!
//! Blocks begin at any bit, with a magic of 48 bits, and nothing tells how long they are before
//! they are decoded. So the input is cut at every magic. Block data may hold a magic by chance:
//! then a block lies in several pieces.

use std::io::{self, BufRead};

use super::super::input::Input;

/// First 48 bits of a block, and of the end of a stream: digits of pi, and of its root.
const BLOCK_MAGIC: u64 = 0x3141_5926_5359;
const END_MAGIC: u64 = 0x1772_4538_5090;
pub(super) const MAGIC_BITS: usize = 48;
const MAGIC_MASK: u64 = (1 << MAGIC_BITS) - 1;

/// Longest piece. The longest block is shorter: 900,050 symbols of at most 20 bits, the code
/// tables, and selectors of at most 6 bits.
pub(super) const PIECE_OCTETS_MAX: usize = 4 << 20;
/// Octets that may hold the beginning of a magic.
const KEPT_OCTETS: usize = 8;

/// For every octet that may stand third from last: the shifts by which the last 48 bits may be
/// one of the magics.
static CANDIDATES: [u8; 256] = candidates();

#[expect(clippy::indexing_slicing, reason = "an octet is below 256; evaluated when compiled")]
const fn candidates() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut octet = 0usize;
    while octet < 256 {
        let mut shift = 0;
        while shift < 8 {
            let block = (BLOCK_MAGIC >> (16 - shift)) & 0xff;
            let end = (END_MAGIC >> (16 - shift)) & 0xff;
            if octet as u64 == block || octet as u64 == end {
                table[octet] |= 1 << shift;
            }
            shift += 1;
        }
        octet += 1;
    }
    table
}

/// What a piece begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// That of a block.
    Block,
    /// That of the end of a stream.
    End,
    /// None: the beginning of the input, or what did not fit the piece before.
    None,
}

impl Magic {
    fn of(bits: u64) -> Self {
        match bits {
            BLOCK_MAGIC => Magic::Block,
            END_MAGIC => Magic::End,
            _ => Magic::None,
        }
    }

    /// Whether a magic may begin with these bits, fewer than 48.
    pub(super) fn may_begin_with(bits: u64, count: usize) -> bool {
        [BLOCK_MAGIC, END_MAGIC].iter().any(|magic| magic >> (MAGIC_BITS - count) == bits)
    }
}

/// Bits of the input, from a magic up to the next.
#[derive(Debug)]
pub(super) struct Piece {
    /// The octets they are in.
    pub(super) octets: Vec<u8>,
    /// Bits of the first octet before the piece.
    pub(super) start_bit: usize,
    /// Bits of the octets up to the end of the piece.
    pub(super) end_bit: usize,
    /// What it begins with.
    pub(super) magic: Magic,
    /// Place of the first octet in the input.
    pub(super) offset: u64,
    /// No magic follows: the input ends here, or the piece has become too long.
    pub(super) is_open: bool,
}

impl Piece {
    /// Bits of the piece.
    pub(super) fn bits(&self) -> usize {
        self.end_bit - self.start_bit
    }

    /// Pieces that follow each other as one.
    pub(super) fn join<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> Option<Piece> {
        let mut pieces = pieces.into_iter();
        let first = pieces.next()?;
        let mut whole = Piece { octets: first.octets.clone(), ..*first };
        for piece in pieces {
            // The octet in which both lie is in both.
            let shared = usize::from(!whole.end_bit.is_multiple_of(8));
            whole.octets.extend_from_slice(piece.octets.get(shared..).unwrap_or_default());
            whole.end_bit += piece.bits();
            whole.is_open = piece.is_open;
        }
        Some(whole)
    }

    /// The bits from a place, the last one lowest; zeros stand for those beyond the end.
    pub(super) fn bits_at(&self, from: usize, count: usize) -> u64 {
        (from..from + count).fold(0, |bits, at| {
            let at = self.start_bit + at;
            let octet = self.octets.get(at / 8).copied().unwrap_or(0);
            bits << 1 | u64::from(octet >> (7 - at % 8) & 1)
        })
    }
}

/// Reads the input and cuts it.
pub(super) struct Scanner {
    input: Input,
    /// Octets of the piece being read.
    octets: Vec<u8>,
    start_bit: usize,
    magic: Magic,
    offset: u64,
    /// The last eight octets read.
    window: u64,
    /// How the input ended.
    end: Option<io::Result<()>>,
}

impl Scanner {
    pub(super) fn new(input: Input) -> Self {
        let offset = input.consumed();
        Scanner {
            input,
            octets: Vec::new(),
            start_bit: 0,
            magic: Magic::None,
            offset,
            window: 0,
            end: None,
        }
    }

    pub(super) fn input(&self) -> &Input {
        &self.input
    }

    pub(super) fn into_input(self) -> Input {
        self.input
    }

    /// The next piece; `None` at the end of the input.
    pub(super) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        while self.end.is_none() {
            match self.read_to_magic() {
                Ok(0) => self.end = Some(Ok(())),
                Err(error) => self.end = Some(Err(error)),
                Ok(_) => {
                    if let Some(piece) = self.cut_at_magic() {
                        return Ok(Some(piece));
                    }
                    if self.octets.len() > PIECE_OCTETS_MAX {
                        let end_bit = (self.octets.len() - KEPT_OCTETS) * 8;
                        return Ok(Some(self.cut(end_bit, Magic::None, true)));
                    }
                }
            }
        }
        if !self.octets.is_empty() {
            return Ok(Some(self.cut(self.octets.len() * 8, Magic::None, true)));
        }
        match &mut self.end {
            Some(end) => std::mem::replace(end, Ok(())).map(|()| None),
            None => Ok(None),
        }
    }

    /// Reads up to and with the next octet that ends a magic, or to the end of what is buffered;
    /// gives how many octets.
    fn read_to_magic(&mut self) -> io::Result<usize> {
        let held = self.input.fill_buf()?;
        let mut window = self.window;
        let ends_magic = |&octet: &u8| {
            window = window << 8 | u64::from(octet);
            let shifts = CANDIDATES.get(usize::from(window.to_be_bytes()[5])).copied();
            shifts.is_some_and(|shifts| shifts != 0 && magic_in(window).is_some())
        };
        let count = held.iter().position(ends_magic).map_or(held.len(), |at| at + 1);
        self.window = window;
        self.octets.extend_from_slice(held.get(..count).unwrap_or_default());
        self.input.consume(count);
        Ok(count)
    }

    /// Cuts off what stands before a magic that ends in the last octet.
    fn cut_at_magic(&mut self) -> Option<Piece> {
        let (magic, shift) = magic_in(self.window)?;
        let at = (self.octets.len() * 8).checked_sub(shift + MAGIC_BITS)?;
        Some(self.cut(at, magic, false))
    }

    /// Cuts off what stands before bit `at`; a piece with `magic` begins there.
    fn cut(&mut self, at: usize, magic: Magic, is_open: bool) -> Piece {
        let rest = self.octets.get(at / 8..).unwrap_or_default().to_vec();
        let mut octets = std::mem::replace(&mut self.octets, rest);
        octets.truncate(at.div_ceil(8));
        let offset = self.offset;
        self.offset += (at / 8) as u64;
        Piece {
            octets,
            start_bit: std::mem::replace(&mut self.start_bit, at % 8),
            end_bit: at,
            magic: std::mem::replace(&mut self.magic, magic),
            offset,
            is_open,
        }
    }
}

/// The magic that ends in the last octet of these, and how many bits of the octet follow it.
fn magic_in(window: u64) -> Option<(Magic, usize)> {
    let found = |shift: &usize| Magic::of(window >> shift & MAGIC_MASK) != Magic::None;
    let shift = (0..8).find(found)?;
    Some((Magic::of(window >> shift & MAGIC_MASK), shift))
}
