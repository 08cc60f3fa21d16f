//! Sessions of the CAIDA Spoofer project: CSV, or JSON lines.

use std::io::{BufRead, Read};
use std::net::IpAddr;
use std::path::Path;

use routewarden_core::facts::FactKind;
use routewarden_core::facts::spoofer::{SpooferTable, SpooferTest};
use routewarden_core::{Prefix, Timestamp};
use serde::de::DeserializeSeed;

use super::csv::{self, Header};
use super::input::{LineOutcome, looks_like_json, read_head, read_lines};
use super::json::{Member, ObjectSeed};
use super::{FactsError, Loaded, Reading, SkipKind, field};

/// Bits of the prefix that an address stands for: the public data are of such.
const CLIENT_BITS: (u8, u8) = (24, 40);

/// Reads sessions. CSV: columns by the names of the first line, in any order, whatever else is there;
/// large and small letters and signs between words make no difference. JSON lines: objects with the
/// same members, as the API gives them.
///
/// | column | other names | |
/// |---|---|---|
/// | `timestamp` | `time`, `date` | RFC 3339 in UTC, or Unix seconds |
/// | `asn4` | `asn` | AS of the client; empty: unknown, no test |
/// | `client4` | `client`, `client_prefix`, `client_ip`, `prefix`, `network`, `cidr`, `ip` | prefix of the client; an address stands for its /24 or /40 |
/// | `routedspoof` | `routedspoof4` | result with a forged address that is routable |
/// | `asn6`, `client6`, `routedspoof6` | | the same of IPv6 |
///
/// A result of `received` or `blocked` is a test. `rewritten` (a translator changed the address),
/// `unknown` and all others say nothing of the network, and are passed over; so are `privatespoof` and
/// `nat`.
///
/// # Errors
/// See [`FactsError`]. A malformed line is left out.
pub fn load_spoofer(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<SpooferTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Spoofer);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut tests = Vec::new();
    let is_json = looks_like_json(&head);
    let mut columns = None;
    read_lines(&mut reading, &mut head.chain(reader), |_, line| {
        if is_json {
            push_object(&mut tests, line)
        } else {
            push_line(&mut tests, &mut columns, line)
        }
    })?;
    let table = SpooferTable::from_tests(tests);
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

/// Names of the columns: ASN, client, result.
const NAMES_V4: [&[&str]; 3] = [
    &["asn4", "asn"],
    &["client4", "client", "clientprefix", "clientip", "prefix", "network", "cidr", "ip"],
    &["routedspoof", "routedspoof4"],
];
const NAMES_V6: [&[&str]; 3] = [&["asn6"], &["client6"], &["routedspoof6"]];

/// Places of the columns: the time; of IPv4 and of IPv6 those of [`NAMES_V4`].
struct Columns {
    time: usize,
    families: Vec<[usize; 3]>,
}

impl Columns {
    fn of(line: &str) -> Result<Self, SkipKind> {
        let header = Header::of(line);
        let time = header.column(&["timestamp", "time", "date"]).ok_or(SkipKind::Fields)?;
        let family = |names: [&[&str]; 3]| {
            let [asn, client, result] = names.map(|names| header.column(names));
            Some([asn?, client?, result?])
        };
        let families: Vec<_> = [NAMES_V4, NAMES_V6].into_iter().filter_map(family).collect();
        if families.is_empty() { Err(SkipKind::Fields) } else { Ok(Columns { time, families }) }
    }
}

fn push_line(
    tests: &mut Vec<SpooferTest>,
    columns: &mut Option<Columns>,
    line: &str,
) -> LineOutcome {
    let Some(columns) = columns else {
        *columns = Some(Columns::of(line)?);
        return Ok(0);
    };
    let fields = csv::fields(line);
    let text = |at: usize| fields.get(at).map(String::as_str).ok_or(SkipKind::Fields);
    let mut families = Vec::new();
    for family in &columns.families {
        let [asn, client, result] = family.map(text);
        families.push([asn?, client?, result?]);
    }
    push(tests, text(columns.time)?, &families)
}

const MEMBERS: ObjectSeed<7> =
    ObjectSeed(["timestamp", "asn4", "client4", "routedspoof", "asn6", "client6", "routedspoof6"]);

fn push_object(tests: &mut Vec<SpooferTest>, line: &str) -> LineOutcome {
    let mut json = serde_json::Deserializer::from_str(line);
    let members = MEMBERS.deserialize(&mut json).map_err(|_| SkipKind::Json)?;
    json.end().map_err(|_| SkipKind::Json)?;
    let texts = members.ok_or(SkipKind::Json)?.map(|member| match member {
        Some(Member::Text(text)) => text.into(),
        Some(Member::Number(number)) => number.to_string(),
        Some(Member::Other) | None => String::new(),
    });
    let [time, asn4, client4, result4, asn6, client6, result6] =
        texts.each_ref().map(String::as_str);
    push(tests, time, &[[asn4, client4, result4], [asn6, client6, result6]])
}

/// Adds the tests of a session, all or none.
fn push(tests: &mut Vec<SpooferTest>, time: &str, families: &[[&str; 3]]) -> LineOutcome {
    let at = time.parse().map_err(|_| SkipKind::Time)?;
    let mut found = Vec::new();
    for [asn, client, result] in families {
        let is_received = match result.to_ascii_lowercase().as_str() {
            "received" => true,
            "blocked" => false,
            _ => continue,
        };
        if !asn.is_empty() {
            let (asn, prefix) = (field::asn(asn)?, client_prefix(client)?);
            found.push(SpooferTest { asn, at, prefix, is_received });
        }
    }
    let count = found.len();
    tests.extend(found);
    Ok(count)
}

fn client_prefix(text: &str) -> Result<Prefix, SkipKind> {
    let Ok(addr) = text.parse::<IpAddr>() else { return field::prefix(text) };
    let len = if addr.is_ipv4() { CLIENT_BITS.0 } else { CLIENT_BITS.1 };
    Prefix::new(addr, len).ok_or(SkipKind::Prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::Asn;
    use routewarden_core::facts::spoofer::SpooferCounts;

    fn load(text: &str) -> Result<Loaded<SpooferTable>, FactsError> {
        load_spoofer(Path::new("t"), None, &mut text.as_bytes())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn csv_and_json_lines_of_the_api_give_the_same() {
        for text in [
            "session,timestamp,client4,client6,asn4,asn6,country,nat4,nat6,privatespoof,routedspoof,privatespoof6,routedspoof6\n\
             1,2020-05-07T14:34:59+00:00,192.0.2.0/24,2001:db8::/40,64496,64497,usa,1,,received,received,,received\n\
             2,2020-05-08T14:34:59+00:00,192.0.2.0/24,,64496,,usa,0,,blocked,blocked,,\n\
             3,2020-05-09T14:34:59+00:00,192.0.2.0/24,,64496,,usa,0,,unknown,rewritten,,unknown\n\
             4,2020-05-09T14:34:59+00:00,192.0.2.0/24,,,,usa,0,,received,received,,\n\
             5,yesterday,192.0.2.0/24,,64496,,usa,0,,received,received,,\n\
             6,2020-05-09T14:34:59+00:00,192.0.2.1/24,,64496,,usa,0,,received,received,,\n\
             7,2020-05-09T14:34:59+00:00,192.0.2.0/24,,x,,usa,0,,received,received,,\n\
             8,2020-05-09T14:34:59+00:00\n",
            r#"{"@id":"/sessions/1","session":1,"timestamp":"2020-05-07T14:34:59+00:00","client4":"192.0.2.0/24","client6":"2001:db8::/40","asn4":"64496","asn6":64497,"nat4":true,"routedspoof":"received","routedspoof6":"received"}
            {"timestamp":"2020-05-08T14:34:59+00:00","client4":"192.0.2.0/24","client6":null,"asn4":"64496","asn6":null,"routedspoof":"blocked","routedspoof6":null}
            {"timestamp":"2020-05-09T14:34:59+00:00","client4":"192.0.2.0/24","asn4":"64496","routedspoof":"rewritten"}
            {"timestamp":"yesterday"}
            {"timestamp":"2020-05-09T14:34:59Z","client4":"192.0.2.1/24","asn4":"64496","routedspoof":"received"}
            {"timestamp":"2020-05-09T14:34:59Z","client4":"192.0.2.0/24","asn4":"x","routedspoof":"received"}
            {"timestamp":
            "#,
        ] {
            let loaded = load(text).unwrap();
            let counts = |asn| {
                let (from, until) = (at("2020-05-01"), at("2020-06-01"));
                loaded.facts.table.tests(Asn(asn), from, until)
            };
            assert_eq!(counts(64496), SpooferCounts { tests: 2, received_prefixes: 1 }, "{text}");
            assert_eq!(counts(64497), SpooferCounts { tests: 1, received_prefixes: 1 });
            let kinds: Vec<_> = loaded.samples.iter().map(|sample| sample.kind).collect();
            assert_eq!(kinds[..3], [SkipKind::Time, SkipKind::HostBits, SkipKind::Asn], "{text}");
            assert_eq!(kinds.len(), 4);
        }
    }

    #[test]
    fn other_exports_are_read_and_what_is_none_is_refused() {
        let text = "Routed Spoof,Client_IP,ASN,Time\nreceived,192.0.2.77,AS64496,1588862099\n\
                    Blocked,2001:db8:1::7,64496,\"2020-05-08 14:34:59Z\"\n";
        let table = load(text).unwrap().facts.table;
        let prefixes: Vec<_> = table.iter().map(|test| test.prefix.to_string()).collect();
        assert_eq!(prefixes, ["192.0.2.0/24", "2001:db8::/40"]);
        for text in ["", "a,b\n1,2\n", "timestamp,asn4\n2020-01-01,64496\n", "{}\n"] {
            assert_eq!(load(text).unwrap_err().kind(), "facts_nothing_usable", "{text}");
        }
    }
}
