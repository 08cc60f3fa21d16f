//! The CRC of bzip2: that of IEEE 802.3, most significant bit first.

const POLYNOMIAL: u32 = 0x04c1_1db7;
/// Octets taken at once.
const SLICES: usize = 16;
/// For every octet, its effect on the CRC after as many more octets as the number of the table.
static TABLES: [[u32; 256]; SLICES] = tables();

#[expect(clippy::indexing_slicing, reason = "counters below the lengths; evaluated when compiled")]
const fn tables() -> [[u32; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut octet = 0;
    let mut octet_value = 0u32;
    while octet < 256 {
        let mut crc = octet_value << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 { crc << 1 ^ POLYNOMIAL } else { crc << 1 };
            bit += 1;
        }
        tables[0][octet] = crc;
        octet += 1;
        octet_value += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        octet = 0;
        while octet < 256 {
            let crc = tables[slice - 1][octet];
            tables[slice][octet] = crc << 8 ^ tables[0][(crc >> 24) as usize];
            octet += 1;
        }
        slice += 1;
    }
    tables
}

/// CRC of the octets seen so far.
pub(super) struct Crc(u32);

impl Crc {
    pub(super) fn new() -> Self {
        Crc(u32::MAX)
    }

    pub(super) fn value(&self) -> u32 {
        !self.0
    }

    pub(super) fn update(&mut self, octets: &[u8]) {
        let mut crc = self.0;
        let (chunks, rest) = octets.as_chunks::<SLICES>();
        for chunk in chunks {
            let mut chunk = *chunk;
            for (octet, of) in chunk.iter_mut().zip(crc.to_be_bytes()) {
                *octet ^= of;
            }
            crc = 0;
            for (octet, table) in chunk.iter().zip(TABLES.iter().rev()) {
                crc ^= table.get(usize::from(*octet)).copied().unwrap_or(0);
            }
        }
        for octet in rest {
            let at = crc.to_be_bytes()[0] ^ octet;
            crc = crc << 8 ^ TABLES[0].get(usize::from(at)).copied().unwrap_or(0);
        }
        self.0 = crc;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_crc() {
        for split in 0..9 {
            let mut crc = Crc::new();
            crc.update(&b"123456789"[..split]);
            crc.update(&b"123456789"[split..]);
            assert_eq!(crc.value(), 0xfc89_1918);
        }
        let mut whole = Crc::new();
        let mut single = Crc::new();
        let octets: Vec<u8> = (0..1000u32).map(|n| (n * n).to_be_bytes()[2]).collect();
        whole.update(&octets);
        octets.chunks(1).for_each(|octet| single.update(octet));
        assert_eq!(whole.value(), single.value());
    }
}
