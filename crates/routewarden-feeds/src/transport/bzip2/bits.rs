//! Bits of a block, most significant first.

/// Bits that are held after a refill, at least.
pub(super) const HELD_BITS_MIN: u32 = 56;

/// Reads bits from octets. Beyond the end there are zeros: who reads asks for the position.
pub(super) struct Bits<'a> {
    octets: &'a [u8],
    /// Octet to load next.
    next: usize,
    /// Bits to come, from the top; below `count` bits there may be more, of octets to be loaded
    /// again.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// Starts `start_bit` bits into the octets, fewer than eight.
    pub(super) fn new(octets: &'a [u8], start_bit: usize) -> Self {
        let start_bit = u32::try_from(start_bit % 8).unwrap_or(0);
        let mut bits = Bits { octets, next: 0, held: 0, count: 0 };
        bits.refill();
        bits.skip(start_bit);
        bits
    }

    /// Bits of the octets used, those before the start among them.
    pub(super) fn position(&self) -> usize {
        self.next * 8 - self.count as usize
    }

    /// Holds at least [`HELD_BITS_MIN`] bits.
    #[inline]
    pub(super) fn refill(&mut self) {
        let loaded = match self.octets.get(self.next..).and_then(|rest| rest.first_chunk()) {
            Some(eight) => u64::from_be_bytes(*eight),
            None => self.last_octets(),
        };
        self.held |= loaded >> (self.count & 63);
        self.next = self.next.wrapping_add(((63 ^ self.count) >> 3) as usize);
        self.count |= HELD_BITS_MIN;
    }

    #[cold]
    fn last_octets(&self) -> u64 {
        let mut eight = [0; 8];
        let rest = self.octets.get(self.next..).unwrap_or_default();
        for (to, from) in eight.iter_mut().zip(rest) {
            *to = *from;
        }
        u64::from_be_bytes(eight)
    }

    /// Bits held.
    #[inline]
    pub(super) fn held_bits(&self) -> u32 {
        self.count
    }

    /// The next 20 held bits.
    #[inline]
    pub(super) fn peek_20(&self) -> u32 {
        (self.held >> 44) as u32
    }

    /// Passes over held bits, at most [`HELD_BITS_MIN`] after a refill.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.held = self.held.wrapping_shl(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// The next bits, 1 to 32.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        self.refill();
        let value = (self.held >> 32) as u32 >> (32 - count.clamp(1, 32));
        self.skip(count);
        value
    }

    /// The next bit.
    pub(super) fn take_bit(&mut self) -> bool {
        self.take(1) == 1
    }
}
