//! The text of `bgpdump` as routes, for the digest that decoders are compared by.

use std::fmt::Write;
use std::io::BufRead;
use std::net::IpAddr;

use anyhow::{Context, Result};
use routewarden_core::{Prefix, Timestamp};

use crate::hash::Routes;
use crate::run::Sum;

/// Reads the text of `bgpdump -m` (one line for each route) or `bgpdump -H` (one block of lines
/// for each table entry) and gives the digest of [`Routes`].
///
/// Tables need `-H`: with `-m`, version 1.6.2 prints the time of the dump, and with `-t change`
/// a number that is no time for `TABLE_DUMP_V2`.
///
/// # Errors
/// When the text cannot be read or a field is not what `bgpdump` 1.6.2 prints.
pub fn digest(mut text: impl BufRead) -> Result<Sum> {
    let mut routes = Routes::default();
    let mut elements = 0;
    let mut block = Block::default();
    let mut route = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        let is_end = text.read_line(&mut line)? == 0;
        let content = line.trim_end_matches('\n');
        route.clear();
        if is_end || content.is_empty() {
            std::mem::take(&mut block).write(&mut route)?;
        } else if content.contains('|') {
            one_line(content, &mut route).with_context(|| content.to_owned())?;
        } else {
            block.take(content).with_context(|| content.to_owned())?;
        }
        if !route.is_empty() {
            routes.add(&route);
            elements += 1;
        }
        if is_end {
            return Ok(Sum { elements, digest: routes.finish() });
        }
    }
}

/// Turns a line of `-m` into the digest's; leaves `route` empty for a state change.
fn one_line(line: &str, route: &mut String) -> Result<()> {
    let mut fields = line.split('|');
    let mut field = || fields.next().context("too few fields");
    let (_tag, time, kind) = (field()?, field()?, field()?);
    let kind = match kind {
        "A" | "B" => 'A',
        "W" => 'W',
        "STATE" => return Ok(()),
        _ => anyhow::bail!("unknown kind {kind}"),
    };
    let (peer, asn, prefix) = (addr(field()?)?, field()?, prefix(field()?)?);
    let path = if kind == 'A' { field()? } else { "" };
    let micros = micros(time)?;
    write!(route, "{micros}|{peer}|{asn}|{kind}|{prefix}|{path}")?;
    Ok(())
}

/// A table entry of `-H`.
#[derive(Default)]
struct Block {
    originated: Option<Timestamp>,
    peer: Option<(IpAddr, String)>,
    prefix: Option<Prefix>,
    path: String,
}

impl Block {
    fn take(&mut self, line: &str) -> Result<()> {
        let Some((name, value)) = line.split_once(':') else { return Ok(()) };
        let value = value.trim();
        match name {
            "ORIGINATED" => self.originated = Some(date(value)?),
            // Followed by `PATH_ID: n` where there are path identifiers.
            "PREFIX" => self.prefix = Some(prefix(value.split(' ').next().unwrap_or(value))?),
            "ASPATH" => value.clone_into(&mut self.path),
            "FROM" => {
                let (peer, asn) = value.split_once(" AS").context("no ASN")?;
                self.peer = Some((addr(peer)?, asn.to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    fn write(self, route: &mut String) -> Result<()> {
        if let Block {
            originated: Some(time),
            peer: Some((peer, asn)),
            prefix: Some(prefix),
            path,
        } = self
        {
            write!(route, "{}|{peer}|{asn}|A|{prefix}|{path}", time.micros())?;
        }
        Ok(())
    }
}

/// Of `1445565678` or `1445565678.509481`.
fn micros(text: &str) -> Result<u64> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, "0"));
    Ok(secs.parse::<u64>()? * 1_000_000 + fraction.parse::<u64>()?)
}

/// Of `05/25/14 13:28:10`; years are those of 1970 to 2069.
fn date(text: &str) -> Result<Timestamp> {
    let (day, time) = text.split_once(' ').context("no time of day")?;
    let mut parts = day.split('/');
    let mut part = || parts.next().context("not a date");
    let (month, day, year) = (part()?, part()?, part()?);
    let century = if year < "70" { "20" } else { "19" };
    Ok(format!("{century}{year}-{month}-{day}T{time}Z").parse()?)
}

fn addr(text: &str) -> Result<IpAddr> {
    text.parse().context("not an address")
}

/// Bits beyond the length, which it prints as they came, are cleared.
fn prefix(text: &str) -> Result<Prefix> {
    let (network, len) = text.split_once('/').context("no prefix length")?;
    Prefix::new(addr(network)?, len.parse()?).context("prefix length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> (u64, u64) {
        let mut routes = Routes::default();
        for line in lines {
            routes.add(line);
        }
        (lines.len() as u64, routes.finish())
    }

    fn digest_of(text: &str) -> (u64, u64) {
        let sum = digest(text.as_bytes()).unwrap();
        (sum.elements, sum.digest)
    }

    #[test]
    fn lines_of_updates() {
        let text = "\
            BGP4MP|1203878877|A|192.0.2.1|64496|198.51.100.7/24|64496 {64497,64498}|IGP|192.0.2.1|0|0||NAG||\n\
            BGP4MP|1203878878|W|2001:db8:0::1|64496|2001:db8::/32\n\
            BGP4MP_ET|1445565678.509481|STATE|192.0.2.1|64496|1|2\n\
            BGP4MP_ET|1445565678.009481|W|192.0.2.1|64496|198.51.100.0/24\n";
        let expected = [
            "1203878877000000|192.0.2.1|64496|A|198.51.100.0/24|64496 {64497,64498}",
            "1203878878000000|2001:db8::1|64496|W|2001:db8::/32|",
            "1445565678009481|192.0.2.1|64496|W|198.51.100.0/24|",
        ];
        assert_eq!(digest_of(text), of(&expected));
    }

    #[test]
    fn blocks_of_tables() {
        let text = "\
            TIME: 05/30/14 22:00:00\nTYPE: TABLE_DUMP_V2/IPV4_UNICAST\nPREFIX: 0.0.0.0/0 PATH_ID: 36\n\
            SEQUENCE: 0\nFROM: 192.0.2.1 AS64496\nORIGINATED: 05/25/14 13:28:10\nORIGIN: IGP\n\
            ASPATH: 64496 64497\nNEXT_HOP: 192.0.2.1\n\n\
            TIME: 07/22/99 23:37:35\nTYPE: TABLE_DUMP/INET6\nPREFIX: 2001:db8::/32\n\
            FROM:2001:db8::1 AS64496\nORIGINATED: 07/18/99 14:08:59\nASPATH: \n";
        let expected = [
            "1401024490000000|192.0.2.1|64496|A|0.0.0.0/0|64496 64497",
            "932306939000000|2001:db8::1|64496|A|2001:db8::/32|",
        ];
        assert_eq!(digest_of(text), of(&expected));
    }

    #[test]
    fn what_it_never_prints_is_an_error() {
        for text in ["BGP4MP|1|A|192.0.2.1|64496\n", "BGP4MP|1|X|192.0.2.1|1|192.0.2.0/24|\n"] {
            assert!(digest(text.as_bytes()).is_err());
        }
    }
}
