//! What a process holds.

/// Octets of a page on the machines measured.
const PAGE_OCTETS: usize = 4_096;

/// Resident size of this process (proc(5), `/proc/self/statm`); `None` where there is none.
pub fn resident_octets() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_OCTETS)
}
