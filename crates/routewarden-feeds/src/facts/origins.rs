//! Origins of prefixes: pyasn, CAIDA pfx2as, RIPE riswhois, CSV.

use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::{FactKind, OriginTable};
use routewarden_core::{Asn, Prefix, Timestamp};

use super::input::{LineOutcome, read_head, read_lines};
use super::{FactsError, Loaded, Reading, SkipKind, date, field};

/// Line formats, told apart by the first line that is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// `192.0.2.0/24<TAB>64496`: pyasn.
    Pyasn,
    /// `64496<TAB>192.0.2.0/24<TAB>peers`: RIPE riswhois dump.
    Riswhois,
    /// `192.0.2.0<TAB>24<TAB>64496`: CAIDA pfx2as.
    Pfx2as,
    /// `192.0.2.0,24,64496`.
    Csv,
}

/// Reads origins from pyasn `.dat`, CAIDA pfx2as, RIPE riswhois dump, or `net,len,asn` CSV.
///
/// Several origins may stand as `1_2`, `1,2` or `{1,2}`; members of an `AS_SET` count as origins.
/// Comments begin with `;`, `%` or `#`. The time is that of the RIB named in a comment of pyasn.
/// A default route in the file is kept as any other prefix: it covers everything.
///
/// # Errors
/// See [`FactsError`].
pub fn load_origins(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<OriginTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Origins);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut entries = Vec::new();
    let mut format = None;
    read_lines(&mut reading, &mut head.chain(reader), |reading, line| {
        if let Some(comment) = line.strip_prefix([';', '%', '#']) {
            reading.date = reading.date.or_else(|| time_of_comment(comment));
            return Ok(0);
        }
        push_line(&mut format, &mut entries, line)
    })?;
    let table = OriginTable::from_entries(entries);
    let distinct = table.origin_count();
    reading.finish(table, distinct, date_hint)
}

/// pyasn names the RIB it was made of: `Original file : rib.20080501.0644.bz2`.
fn time_of_comment(comment: &str) -> Option<Timestamp> {
    let (name, file) = comment.split_once(':')?;
    (name.trim() == "Original file").then(|| date::in_file_name(file)).flatten()
}

fn push_line(
    format: &mut Option<Format>,
    entries: &mut Vec<(Prefix, Asn)>,
    line: &str,
) -> LineOutcome {
    if let Some(known) = *format {
        return push_as(known, entries, line);
    }
    if line.eq_ignore_ascii_case("net,len,asn") {
        return Ok(0);
    }
    let guess = guess(line).ok_or(SkipKind::Fields)?;
    let outcome = push_as(guess, entries, line);
    // A format is settled only by a line that is right in it.
    if outcome.is_ok() {
        *format = Some(guess);
    }
    outcome
}

fn guess(line: &str) -> Option<Format> {
    let mut fields = line.split('\t');
    let (first, second) = (fields.next()?, fields.next());
    match second {
        Some(_) if first.contains('/') => Some(Format::Pyasn),
        Some(second) if second.contains('/') => Some(Format::Riswhois),
        Some(_) => Some(Format::Pfx2as),
        None => first.contains(',').then_some(Format::Csv),
    }
}

fn push_as(format: Format, entries: &mut Vec<(Prefix, Asn)>, line: &str) -> LineOutcome {
    let separator = if format == Format::Csv { ',' } else { '\t' };
    let mut fields = line.splitn(3, separator).map(str::trim);
    let mut next = || fields.next().ok_or(SkipKind::Fields);
    let (prefix, origins) = match format {
        Format::Pyasn => (field::prefix(next()?)?, next()?),
        Format::Riswhois => {
            let origins = next()?;
            (field::prefix(next()?)?, origins)
        }
        Format::Pfx2as | Format::Csv => {
            let addr = next()?;
            (field::prefix_of(addr, next()?)?, next()?)
        }
    };
    field::origins(origins, |asn| entries.push((prefix, asn)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Loaded<OriginTable> {
        load_origins(Path::new("dir/test.txt"), None, &mut text.as_bytes()).unwrap()
    }

    fn pairs(text: &str) -> Vec<String> {
        let table = load(text).facts.table;
        table.iter().map(|(prefix, asns)| format!("{prefix} {asns:?}")).collect()
    }

    #[test]
    fn each_format_is_told_by_its_lines() {
        let expected = ["192.0.2.0/24 [Asn(64496), Asn(64497)]", "2001:db8::/32 [Asn(64498)]"];
        for text in [
            "; c\n192.0.2.0/24\t{64496,64497}\n2001:db8::/32\t64498\n",
            "192.0.2.0/24\t64496\n192.0.2.0/24\t64497\r\n2001:db8::/32\t64498",
            "192.0.2.0\t24\t64497_64496\n2001:db8::\t32\t64498\n",
            "192.0.2.0\t24\t64497,64496\n2001:db8::\t32\t64498\n",
            "% c\n\n{64496,64497}\t192.0.2.0/24\t300\n64498\t2001:db8::/32\t5\n",
            "\u{feff}net,len,asn\n192.0.2.0,24,64496\n192.0.2.0,24,64497\n2001:db8::,32,64498\n",
            "192.0.2.0,24,64496_64497\n2001:db8::,32,64498\n",
        ] {
            assert_eq!(pairs(text), expected, "{text}");
        }
    }

    #[test]
    fn bad_lines_are_counted_and_the_rest_is_used() {
        let loaded = load(
            "192.0.2.0/24\t64496\n192.0.2.0\t24\t64496\n198.51.100.0/33\t64496\n\
             198.51.100.1/24\t64496\n198.51.100.0/24\tx\nnonsense\n192.0.2.0/24\t64496\n",
        );
        let skipped: Vec<_> = loaded.facts.source.skipped.into_iter().collect();
        let expected = [("asn", 1), ("duplicate", 1), ("host_bits", 1), ("prefix", 3)];
        assert_eq!(skipped, expected);
        assert_eq!((loaded.facts.table.len(), loaded.facts.source.entries), (1, 1));
        assert_eq!(loaded.samples.len(), 5);
        assert_eq!(loaded.samples[0].to_string(), r#"line 2: prefix: "192.0.2.0\t24\t64496""#);
    }

    #[test]
    fn the_time_is_that_of_the_rib() {
        let text = "; Original file : x/rib.20080501.0644.bz2\n; Converted on : 2011\n\
                    192.0.2.0/24\t64496\n";
        let source = load(text).facts.source;
        assert_eq!(source.date.unwrap().to_string(), "2008-05-01T06:44:00Z");
        assert_eq!(source.name, "test.txt");
    }

    #[test]
    fn nothing_usable_names_the_first_fault() {
        let error = load_origins(Path::new("a/b"), None, &mut b"\n<html>\n".as_slice());
        assert_eq!(
            error.unwrap_err().to_string(),
            "a/b: nothing usable, 1 entries left out from line 2: fields: \"<html>\"; expected \
             origins: lines of PREFIX ASN, ADDRESS LENGTH ASN or ASN PREFIX between tabs; or CSV \
             of net,len,asn"
        );
    }
}
