//! One block: its header, code tables and symbols, up to the octets before the outer run coding.

use super::bits::{Bits, HELD_BITS_MIN};
use super::bwt::Inverse;
use super::crc::Crc;
use super::huffman::{CODE_BITS_MAX, Code, SYMBOLS_MAX};
use super::random::derandomise;

/// Octets of a block of level 1 before the outer run coding; a block of level 9 has nine times as
/// many.
pub(super) const LEVEL_OCTETS: usize = 100_000;
/// Octets of the largest block.
const TEXT_OCTETS_MAX: usize = 9 * LEVEL_OCTETS;
/// Symbols decoded with one table before the next table is selected.
const GROUP_SYMBOLS: usize = 50;
/// Most selectors that are of use; more may stand in the block.
const SELECTORS_MAX: usize = TEXT_OCTETS_MAX / GROUP_SYMBOLS + 2;
const TABLES_MIN: usize = 2;
const TABLES_MAX: usize = 6;
/// Largest weight of a digit in the length of a run.
const RUN_WEIGHT_MAX: u32 = 1 << 20;
/// Equal octets after which the outer run coding has a count.
const RUN_OCTETS: usize = 4;

/// Why a block cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The bits end before the block does.
    Cut,
    /// It does not follow the format, or its CRC is wrong.
    Corrupt(&'static str),
}

/// Equal octets of the transformed text: the octet in the lowest 8 bits, their number above.
#[derive(Clone, Copy)]
pub(super) struct Run(u32);

impl Run {
    fn new(octet: u8, length: u32) -> Self {
        Run(length << 8 | u32::from(octet))
    }

    pub(super) fn octet(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    pub(super) fn length(self) -> u32 {
        self.0 >> 8
    }
}

/// A decoded block. Its CRC was right.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Octets in the outer run coding: four equal ones are followed by how many more there are.
    pub(super) text: Vec<u8>,
    /// Places of those counts, in order.
    pub(super) counts: Vec<u32>,
    /// CRC of what the block decompresses to.
    pub(super) crc: u32,
    /// Bits it takes, its magic among them.
    pub(super) bits: usize,
}

/// Memory to decode blocks with, one at a time: about 17 MB at most.
pub(super) struct Scratch {
    codes: Vec<Code>,
    selectors: Vec<u8>,
    runs: Vec<Run>,
    inverse: Inverse,
}

/// What stands before the symbols of a block.
struct Header {
    crc: u32,
    is_randomised: bool,
    origin: usize,
    /// Octets that occur, then zeros.
    octets: [u8; 256],
    octets_used: u16,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Scratch {
            codes: vec![Code::EMPTY; TABLES_MAX],
            selectors: Vec::new(),
            runs: Vec::new(),
            inverse: Inverse::new(),
        }
    }

    /// Decodes the block whose magic begins `start_bit` bits into `octets`, of which there are
    /// `end_bit` bits.
    pub(super) fn decode(
        &mut self,
        octets: &[u8],
        start_bit: usize,
        end_bit: usize,
    ) -> Result<Block, Flaw> {
        let mut bits = Bits::new(octets, start_bit);
        let read = self.read(&mut bits);
        if bits.position() > end_bit {
            return Err(Flaw::Cut);
        }
        let (header, counts) = read?;
        let mut block =
            Block { crc: header.crc, bits: bits.position() - start_bit, ..Block::default() };
        self.inverse.undo(&self.runs, &counts, header.origin, &mut block.text);
        if header.is_randomised {
            derandomise(&mut block.text);
        }
        block.find_counts()?;
        if block.actual_crc() != block.crc {
            return Err(Flaw::Corrupt("wrong CRC of a bzip2 block"));
        }
        Ok(block)
    }

    /// Reads the block up to its runs; gives how often each octet occurs in them.
    fn read(&mut self, bits: &mut Bits<'_>) -> Result<(Header, [u32; 256]), Flaw> {
        let header = read_header(bits)?;
        let tables = read_selectors(bits, &mut self.selectors)?;
        let symbols = usize::from(header.octets_used) + 2;
        for code in self.codes.iter_mut().take(tables) {
            read_code(bits, code, symbols)?;
        }
        let counts = self.read_symbols(bits, &header)?;
        let length = counts.iter().map(|count| *count as usize).sum::<usize>();
        if header.origin >= length {
            return Err(Flaw::Corrupt("a bzip2 block starts outside of itself"));
        }
        Ok((header, counts))
    }

    /// Reads the symbols: places in the list of octets by last use, or digits of the length of a
    /// run of its first one.
    fn read_symbols(&mut self, bits: &mut Bits<'_>, header: &Header) -> Result<[u32; 256], Flaw> {
        let end = header.octets_used + 1;
        let mut recent = Recent(header.octets);
        let mut counts = [0u32; 256];
        let runs = &mut self.runs;
        runs.clear();
        let (mut length, mut weight, mut total) = (0u32, 1u32, 0u32);
        for selector in &self.selectors {
            let Some(code) = self.codes.get(usize::from(*selector)) else { break };
            for _ in 0..GROUP_SYMBOLS {
                if bits.held_bits() < CODE_BITS_MAX {
                    bits.refill();
                }
                let symbol = code.next(bits);
                if symbol < 2 {
                    length = length.wrapping_add(weight << symbol);
                    weight <<= 1;
                    if weight > RUN_WEIGHT_MAX {
                        return Err(Flaw::Corrupt("a run in a bzip2 block is too long"));
                    }
                    continue;
                }
                let octet = recent.first();
                total = total.wrapping_add(length);
                if total as usize > TEXT_OCTETS_MAX {
                    return Err(Flaw::Corrupt("a bzip2 block is too long"));
                }
                if let Some(count) = counts.get_mut(usize::from(octet)) {
                    *count = count.wrapping_add(length);
                }
                runs.push(Run::new(octet, length));
                if symbol >= end {
                    if symbol == end {
                        return Ok(counts);
                    }
                    return Err(Flaw::Corrupt("no code of a bzip2 block"));
                }
                recent.use_place(usize::from(symbol) - 1);
                (length, weight) = (1, 1);
            }
        }
        Err(Flaw::Corrupt("a bzip2 block has no end"))
    }
}

/// Places in the list of octets that are moved one by one.
const NEAR_PLACES: usize = 16;

/// Octets by last use.
struct Recent([u8; 256]);

impl Recent {
    fn first(&self) -> u8 {
        self.0[0]
    }

    /// Moves the octet at a place to the front.
    #[inline]
    fn use_place(&mut self, place: usize) {
        let Some(&octet) = self.0.get(place) else { return };
        // Most places are near: a loop is faster than a copy of unknown length.
        if place < NEAR_PLACES {
            let mut moved = octet;
            for slot in self.0.iter_mut().take(place + 1) {
                std::mem::swap(slot, &mut moved);
            }
        } else {
            self.0.copy_within(..place, 1);
            self.0[0] = octet;
        }
    }
}

fn read_header(bits: &mut Bits<'_>) -> Result<Header, Flaw> {
    // The magic, which was found before.
    bits.take(24);
    bits.take(24);
    let crc = bits.take(32);
    let is_randomised = bits.take_bit();
    let origin = bits.take(24) as usize;
    let mut header = Header { crc, is_randomised, origin, octets: [0; 256], octets_used: 0 };
    let ranges = bits.take(16);
    let mut slots = header.octets.iter_mut();
    for range in (0..16u8).filter(|range| ranges >> (15 - range) & 1 == 1) {
        let used = bits.take(16);
        for low in (0..16u8).filter(|low| used >> (15 - low) & 1 == 1) {
            if let Some(slot) = slots.next() {
                *slot = range << 4 | low;
                header.octets_used += 1;
            }
        }
    }
    if header.octets_used == 0 {
        return Err(Flaw::Corrupt("a bzip2 block without octets"));
    }
    Ok(header)
}

/// Reads which table is for which group of symbols; gives the number of tables.
fn read_selectors(bits: &mut Bits<'_>, selectors: &mut Vec<u8>) -> Result<usize, Flaw> {
    let tables = bits.take(3) as usize;
    if !(TABLES_MIN..=TABLES_MAX).contains(&tables) {
        return Err(Flaw::Corrupt("wrong number of code tables in a bzip2 block"));
    }
    let count = bits.take(15) as usize;
    if count == 0 {
        return Err(Flaw::Corrupt("a bzip2 block without selectors"));
    }
    let mut recent = [0, 1, 2, 3, 4, 5u8];
    selectors.clear();
    for _ in 0..count {
        let mut place = 0;
        while bits.take_bit() {
            place += 1;
            if place >= tables {
                return Err(Flaw::Corrupt("wrong selector in a bzip2 block"));
            }
        }
        if let Some(before) = recent.get_mut(..=place) {
            before.rotate_right(1);
        }
        if selectors.len() < SELECTORS_MAX {
            selectors.push(recent[0]);
        }
    }
    Ok(tables)
}

/// Reads the lengths of the codes of one table, each told by its difference from the one before.
fn read_code(bits: &mut Bits<'_>, code: &mut Code, symbols: usize) -> Result<(), Flaw> {
    let mut lengths = [0; SYMBOLS_MAX];
    let mut length = bits.take(5).to_le_bytes()[0];
    for of_symbol in lengths.iter_mut().take(symbols) {
        loop {
            if !(1..=CODE_BITS_MAX).contains(&u32::from(length)) {
                return Err(Flaw::Corrupt("wrong code length in a bzip2 block"));
            }
            if !bits.take_bit() {
                break;
            }
            length = if bits.take_bit() { length - 1 } else { length + 1 };
        }
        *of_symbol = length;
    }
    code.set(lengths.get(..symbols).unwrap_or_default());
    Ok(())
}

/// Octets compared at once in the search for runs.
const SEARCH_OCTETS: usize = 32;

impl Block {
    /// Finds the counts of the outer run coding.
    #[expect(clippy::cast_possible_truncation, reason = "a block has fewer than 2^20 octets")]
    fn find_counts(&mut self) -> Result<(), Flaw> {
        let mut at = 0;
        while let Some(run) = next_run(&self.text, at) {
            let count = run + RUN_OCTETS;
            if count >= self.text.len() {
                return Err(Flaw::Corrupt("a run without its count ends a bzip2 block"));
            }
            self.counts.push(count as u32);
            at = count + 1;
        }
        Ok(())
    }

    fn actual_crc(&self) -> u32 {
        let mut crc = Crc::new();
        let mut at = 0;
        for count in self.counts.iter().map(|count| *count as usize) {
            crc.update(self.text.get(at..count).unwrap_or_default());
            let (octet, more) = self.run_at(count);
            crc.update([octet; 255].get(..more).unwrap_or_default());
            at = count + 1;
        }
        crc.update(self.text.get(at..).unwrap_or_default());
        crc.value()
    }

    /// What the count at this place says: an octet, and how often more it comes.
    pub(super) fn run_at(&self, count: usize) -> (u8, usize) {
        match self.text.get(count.saturating_sub(1)..=count) {
            Some([octet, more]) => (*octet, usize::from(*more)),
            _ => (0, 0),
        }
    }
}

/// Place of the first four equal octets from `at`.
fn next_run(text: &[u8], mut at: usize) -> Option<usize> {
    // Many octets at once, as long as there is no run among them.
    while let Some(ahead) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        if has_run(ahead) {
            break;
        }
        at += SEARCH_OCTETS;
    }
    let rest = text.get(at..)?;
    let is_run = |octets: &[u8]| matches!(octets, [a, b, c, d] if a == b && b == c && c == d);
    rest.windows(RUN_OCTETS).position(is_run).map(|place| at + place)
}

/// Whether four equal octets begin among the first [`SEARCH_OCTETS`].
fn has_run(ahead: &[u8; SEARCH_OCTETS + RUN_OCTETS - 1]) -> bool {
    let mut found = 0;
    for ((a, b), (c, d)) in ahead.iter().zip(&ahead[1..]).zip(ahead[2..].iter().zip(&ahead[3..])) {
        found |= u8::from(a == b) & u8::from(b == c) & u8::from(c == d);
    }
    found != 0
}

const _: () = assert!(HELD_BITS_MIN >= CODE_BITS_MAX);
