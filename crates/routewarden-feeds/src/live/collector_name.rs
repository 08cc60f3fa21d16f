//! Names of collectors that an operator may give.

/// Longest name, in octets.
pub const COLLECTOR_NAME_OCTETS_MAX: usize = 64;

/// Whether a text can name a collector: letters, digits, `.`, `-`, `_`; a `/` begins what a source
/// adds to it.
pub fn is_collector_name(name: &str) -> bool {
    (1..=COLLECTOR_NAME_OCTETS_MAX).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-_".contains(&octet))
}
