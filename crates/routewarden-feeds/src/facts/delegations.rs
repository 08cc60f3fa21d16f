//! Delegations: the "extended" statistics files of the registries.

use std::io::{BufRead, Read};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::delegations::{
    CountryCode, DelegatedRange, Delegation, DelegationStatus, DelegationTable, Registry,
};
use routewarden_core::{Prefix, Timestamp};

use super::input::{LineOutcome, read_head, read_lines};
use super::{FactsError, Loaded, Reading, SkipKind, date, field};

#[derive(Default)]
struct Ranges {
    v4: Vec<DelegatedRange<u32>>,
    v6: Vec<DelegatedRange<u128>>,
    asns: Vec<DelegatedRange<u32>>,
}

/// Reads a `delegated-REGISTRY-extended` file: lines of `registry|cc|type|start|value|date|status`,
/// with an opaque id and extensions behind, which are passed over. `type` is `ipv4` (value: number
/// of addresses), `ipv6` (value: prefix length) or `asn` (value: number of ASNs). The time is that
/// of the version line, `2|registry|serial|records|start|end|offset`: its end. Summary lines and
/// comments (`#`) are passed over.
///
/// # Errors
/// See [`FactsError`].
pub fn load_delegations(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<DelegationTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Delegations);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut ranges = Ranges::default();
    read_lines(&mut reading, &mut head.chain(reader), |reading, line| {
        if reading.date.is_none()
            && let Some(end) = end_of_version(line)
        {
            reading.date = Some(end);
            return Ok(0);
        }
        ranges.push_line(line)
    })?;
    let table = DelegationTable::from_ranges(ranges.v4, ranges.v6, ranges.asns);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

/// The end date of a version line.
fn end_of_version(line: &str) -> Option<Timestamp> {
    let mut fields = line.split('|');
    let is_version = fields.next()?.starts_with(|c: char| c.is_ascii_digit());
    let end = fields.nth(4)?;
    (is_version && end.len() == 8).then(|| date::in_file_name(end)).flatten()
}

impl Ranges {
    fn push_line(&mut self, line: &str) -> LineOutcome {
        if line.starts_with('#') || line.ends_with("|summary") {
            return Ok(0);
        }
        let mut fields = line.split('|').map(str::trim);
        let mut next = || fields.next().ok_or(SkipKind::Fields);
        let registry = registry(next()?).ok_or(SkipKind::Fields)?;
        let country = CountryCode::new(next()?);
        let (kind, start, value) = (next()?, next()?, next()?);
        next()?;
        let status = status(next()?).ok_or(SkipKind::Status)?;
        let delegation = Delegation { registry, country, status };
        match kind {
            "ipv4" => {
                let start: Ipv4Addr = start.parse().map_err(|_| SkipKind::Prefix)?;
                let (first, last) = range(start.into(), value).ok_or(SkipKind::Prefix)?;
                self.v4.push(DelegatedRange { first, last, delegation });
            }
            "ipv6" => {
                let start: Ipv6Addr = start.parse().map_err(|_| SkipKind::Prefix)?;
                let len = field::number(value).ok_or(SkipKind::Prefix)?;
                let prefix = Prefix::v6(start.into(), len).ok_or(SkipKind::Prefix)?;
                let first = prefix.bits();
                if first != u128::from(start) {
                    return Err(SkipKind::HostBits);
                }
                let last = first | u128::MAX.checked_shr(u32::from(len)).unwrap_or(0);
                self.v6.push(DelegatedRange { first, last, delegation });
            }
            "asn" => {
                let start = field::asn(start)?;
                let (first, last) = range(start.0, value).ok_or(SkipKind::Asn)?;
                self.asns.push(DelegatedRange { first, last, delegation });
            }
            _ => return Err(SkipKind::RecordType),
        }
        Ok(1)
    }
}

/// First and last of `count` numbers from `first` on.
fn range(first: u32, count: &str) -> Option<(u32, u32)> {
    let more = count.parse::<u32>().ok()?.checked_sub(1)?;
    Some((first, first.checked_add(more)?))
}

fn registry(name: &str) -> Option<Registry> {
    Some(match name {
        "afrinic" => Registry::Afrinic,
        "apnic" => Registry::Apnic,
        "arin" => Registry::Arin,
        "iana" => Registry::Iana,
        "lacnic" => Registry::Lacnic,
        "ripencc" => Registry::Ripencc,
        _ => return None,
    })
}

fn status(name: &str) -> Option<DelegationStatus> {
    Some(match name {
        "allocated" => DelegationStatus::Allocated,
        "assigned" => DelegationStatus::Assigned,
        "available" => DelegationStatus::Available,
        "reserved" => DelegationStatus::Reserved,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::Asn;

    #[test]
    fn records_of_each_type_are_read() {
        let text = "2|ripencc|1753048799|7|19830705|20250720|+0200\n\
                    # comment\n\
                    ripencc|*|ipv4|*|2|summary\n\
                    ripencc|NL|ipv4|192.0.2.0|768|20100101|allocated|a-b-c\n\
                    ripencc||ipv4|198.51.100.0|256||available\n\
                    ripencc|ZZ|ipv6|2001:db8::|32||reserved|\n\
                    ripencc|BE|asn|64496|5|20100101|assigned|x|e-stats\n\
                    ripencc|BE|asn|64501|1|20100101|lost|x\n\
                    ripencc|NL|ipv4|255.255.255.0|257|20100101|allocated\n\
                    ripencc|NL|ipv4|192.0.2.0|0|20100101|allocated\n\
                    ripencc|NL|ipv6|2001:db8::1|32|20100101|allocated\n\
                    ripencc|NL|mac|0|1|20100101|allocated\n\
                    internic|NL|asn|1|1|20100101|allocated\n\
                    ripencc|NL|asn\n";
        let name = Path::new("delegated-ripencc-extended-latest");
        let loaded = load_delegations(name, None, &mut text.as_bytes()).unwrap();
        let source = &loaded.facts.source;
        assert_eq!(source.date.unwrap().to_string(), "2025-07-20T00:00:00Z");
        let skipped: Vec<_> = source.skipped.clone().into_iter().collect();
        let expected =
            [("fields", 2), ("host_bits", 1), ("prefix", 2), ("record_type", 1), ("status", 1)];
        assert_eq!((skipped.as_slice(), source.entries), (expected.as_slice(), 4));
        let table = &loaded.facts.table;
        let of = |prefix: &str| table.prefix(&prefix.parse().unwrap()).map(|found| found.status);
        assert_eq!(of("192.0.4.0/24"), Some(DelegationStatus::Allocated));
        assert_eq!(of("192.0.5.0/24"), None);
        assert_eq!(of("198.51.100.0/24"), Some(DelegationStatus::Available));
        assert_eq!(of("2001:db8:1::/48"), Some(DelegationStatus::Reserved));
        assert_eq!(table.country(Asn(64500)).unwrap().as_str(), "BE");
        assert_eq!(table.asn(Asn(64501)), None);
    }
}
