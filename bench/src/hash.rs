//! Hashes that make a decoder read what it says it decoded.

/// An odd number with well-mixed bits: 2^64 divided by the golden ratio.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// A cheap 64-bit sum over every field of one element. Two instructions a word, so that it weighs
/// little beside the decoding; no defence against anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields(u64);

impl Fields {
    /// Nothing read yet.
    #[inline]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a number.
    #[inline]
    pub fn number(&mut self, value: impl Into<u64>) {
        self.0 = self.0.rotate_left(9) ^ value.into();
    }

    /// Reads a number that may be missing, which differs from each 32-bit number.
    #[inline]
    pub fn optional(&mut self, value: Option<impl Into<u64>>) {
        self.number(value.map_or(u64::MAX, Into::into));
    }

    /// Reads octets, eight at a time, and their number.
    #[inline]
    pub fn octets(&mut self, octets: &[u8]) {
        let (words, tail) = octets.as_chunks::<8>();
        for word in words {
            self.number(u64::from_le_bytes(*word));
        }
        for &octet in tail {
            self.number(octet);
        }
        self.number(octets.len() as u64);
    }

    /// Reads an address.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both halves are read")]
    pub fn addr(&mut self, addr: std::net::IpAddr) {
        match addr {
            std::net::IpAddr::V4(addr) => self.number(addr.to_bits()),
            std::net::IpAddr::V6(addr) => {
                let bits = addr.to_bits();
                self.number((bits >> 64) as u64);
                self.number(bits as u64);
            }
        }
    }

    /// The sum.
    #[inline]
    pub fn finish(self) -> u64 {
        self.0.wrapping_mul(MIX)
    }
}

/// A digest that decoders of any kind can be held against: the wrapping sum over all routes of
/// the FNV-1a-64 hash of one line of text, so the order of the routes does not count.
///
/// The line is ASCII, without a line end:
///
/// ```text
/// time|peer address|peer ASN|kind|prefix|path
/// ```
///
/// * time: microseconds since 1970-01-01T00:00:00Z, decimal. Of a message the record's time, with
///   the microseconds of the `_ET` types; of a table entry the time it was originated at, not that
///   of the dump.
/// * addresses: RFC 5952 (`192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`).
/// * peer ASN: decimal.
/// * kind: `A` for an announcement or table entry, `W` for a withdrawal. State changes give none.
/// * prefix: `address/length`, bits beyond the length cleared.
/// * path: `AS_PATH` merged with `AS4_PATH`; segments divided by spaces, a sequence as `1 2`, a set
///   as `{1,2}`, a confederation sequence as `(1 2)`, a confederation set as `[1,2]`. ASNs are
///   decimal. Empty for a withdrawal, and when there is none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Routes(u64);

impl Routes {
    /// Adds one route's line.
    pub fn add(&mut self, line: &str) {
        self.0 = self.0.wrapping_add(fnv1a(line.as_bytes()));
    }

    /// The sum.
    pub fn finish(self) -> u64 {
        self.0
    }
}

fn fnv1a(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fnv1a_has_its_published_values() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_order_of_routes_does_not_count() {
        let digest = |lines: &[&str]| {
            let mut routes = Routes::default();
            for line in lines {
                routes.add(line);
            }
            routes.finish()
        };
        assert_eq!(digest(&["1|a", "2|b"]), digest(&["2|b", "1|a"]));
        assert_ne!(digest(&["1|a"]), digest(&["1|b"]));
    }
}
