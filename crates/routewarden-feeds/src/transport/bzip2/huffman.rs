//! Code tables of a block.

use super::bits::Bits;

/// Longest code, in bits.
pub(super) const CODE_BITS_MAX: u32 = 20;
/// Most symbols: 256 places, both run symbols, the end; less one, as place 0 is told by runs.
pub(super) const SYMBOLS_MAX: usize = 258;
/// Codes up to this many bits are looked up at once.
const LOOKUP_BITS: u32 = 10;
const LOOKUP_SIZE: usize = 1 << LOOKUP_BITS;
/// Bits of a lookup entry that hold the length of the code; the symbol stands above them.
const LENGTH_BITS: u32 = 5;
/// What stands for no code.
const NO_SYMBOL: u16 = u16::MAX;

/// Decodes the symbols of one table.
#[derive(Clone)]
pub(super) struct Code {
    /// By the next bits: symbol and length of its code; 0 when the code is longer.
    lookup: [u16; LOOKUP_SIZE],
    /// Symbols in the order of their codes.
    order: [u16; SYMBOLS_MAX],
    /// For every length: end of its codes, moved up to 20 bits.
    ends: [u32; CODE_BITS_MAX as usize + 1],
    /// For every length: what to subtract from a code of it for its place in `order`.
    bases: [u32; CODE_BITS_MAX as usize + 1],
}

impl Code {
    pub(super) const EMPTY: Code = Code {
        lookup: [0; LOOKUP_SIZE],
        order: [NO_SYMBOL; SYMBOLS_MAX],
        ends: [0; CODE_BITS_MAX as usize + 1],
        bases: [0; CODE_BITS_MAX as usize + 1],
    };

    /// Makes the table of symbols 0, 1, ... with codes of these lengths, 1 to 20 bits. Codes that
    /// do not fit are passed over, as bzip2 does; the CRC of the block tells.
    pub(super) fn set(&mut self, lengths: &[u8]) {
        self.order.fill(NO_SYMBOL);
        let (mut code, mut place, mut filled) = (0u32, 0u32, 0);
        let by_length = self.ends.iter_mut().zip(&mut self.bases).zip(0u8..);
        for ((end, base), length) in by_length.skip(1) {
            code <<= 1;
            *base = code.wrapping_sub(place);
            let of_length = (0u16..).zip(lengths).filter(|(_, of)| **of == length);
            for (symbol, _) in of_length {
                if let Some(slot) = self.order.get_mut(place as usize) {
                    *slot = symbol;
                }
                if u32::from(length) <= LOOKUP_BITS {
                    let span = 1usize << (LOOKUP_BITS - u32::from(length));
                    let to = (filled + span).min(LOOKUP_SIZE);
                    if let Some(entries) = self.lookup.get_mut(filled..to) {
                        entries.fill(symbol << LENGTH_BITS | u16::from(length));
                    }
                    filled = to;
                }
                place += 1;
                code += 1;
            }
            *end = code << (CODE_BITS_MAX - u32::from(length));
        }
        if let Some(longer) = self.lookup.get_mut(filled..) {
            longer.fill(0);
        }
    }

    /// The next symbol; at least 20 bits are held. No code gives a number beyond all symbols.
    #[inline]
    pub(super) fn next(&self, bits: &mut Bits<'_>) -> u16 {
        let ahead = bits.peek_20();
        let at = (ahead >> (CODE_BITS_MAX - LOOKUP_BITS)) as usize;
        let entry = self.lookup.get(at).copied().unwrap_or(0);
        if entry != 0 {
            bits.skip(u32::from(entry) & ((1 << LENGTH_BITS) - 1));
            return entry >> LENGTH_BITS;
        }
        self.next_long(ahead, bits)
    }

    #[cold]
    #[inline(never)]
    fn next_long(&self, ahead: u32, bits: &mut Bits<'_>) -> u16 {
        for ((end, base), length) in self.ends.iter().zip(&self.bases).zip(0u32..).skip(1) {
            if ahead < *end {
                bits.skip(length);
                let place = (ahead >> (CODE_BITS_MAX - length)).wrapping_sub(*base);
                return self.order.get(place as usize).copied().unwrap_or(NO_SYMBOL);
            }
        }
        bits.skip(CODE_BITS_MAX);
        NO_SYMBOL
    }
}
