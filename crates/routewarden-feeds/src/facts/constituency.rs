//! A constituency: our own TOML.

use std::io::{BufRead, Read};
use std::ops::Range;
use std::path::Path;

use routewarden_core::Timestamp;
use routewarden_core::facts::{Constituency, FactKind, Member};
use serde::Deserialize;
use toml::Spanned;

use super::{FactsError, Loaded, Reading};

/// The document.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    name: String,
    #[serde(default)]
    member: Vec<Spanned<Member>>,
}

/// Reads a constituency from TOML: `docs/reference/constituency.md`.
///
/// # Errors
/// See [`FactsError`]. A member that is not as documented is an error as a whole, with its place:
/// half a constituency would be watched in silence.
pub fn load_constituency(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<Constituency>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Constituency);
    let octets_max = reading.limits.octets_max;
    let mut octets = Vec::new();
    let read = reader.take(octets_max + 1).read_to_end(&mut octets);
    let lines = || octets.split(|&octet| octet == b'\n').count() as u64;
    read.map_err(|source| FactsError::Read { path: path.into(), line: lines(), source })?;
    if octets.len() as u64 > octets_max {
        return Err(FactsError::TooLarge { path: path.into(), octets_max });
    }
    let text = std::str::from_utf8(&octets).map_err(|error| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, error);
        FactsError::Read { path: path.into(), line: lines(), source }
    })?;
    let constituency = parse(path, text.strip_prefix('\u{feff}').unwrap_or(text))?;
    let members = constituency.members().len();
    reading.count(members)?;
    reading.finish(constituency, members, date_hint)
}

fn parse(path: &Path, text: &str) -> Result<Constituency, FactsError> {
    let document: Document = toml::from_str(text).map_err(|fault| {
        let (line, column) = place(text, fault.span());
        FactsError::Toml { path: path.into(), line, column, fault: Box::new(fault) }
    })?;
    let spans: Vec<Range<usize>> = document.member.iter().map(Spanned::span).collect();
    let members = document.member.into_iter().map(Spanned::into_inner).collect();
    Constituency::new(&document.name, members).map_err(|source| {
        let (line, _) = place(text, spans.get(source.position).cloned());
        FactsError::Member { path: path.into(), line, source }
    })
}

/// Line and column, from 1, where a span begins.
fn place(text: &str, span: Option<Range<usize>>) -> (usize, usize) {
    let start = span.map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::{Asn, Prefix};
    use std::error::Error as _;

    fn load(text: &str) -> Result<Loaded<Constituency>, FactsError> {
        load_constituency(Path::new("dir/members.toml"), None, &mut text.as_bytes())
    }

    #[test]
    fn the_documented_example_is_read_as_it_says() {
        let page = include_str!("../../../../docs/reference/constituency.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let loaded = load(example).unwrap();
        let constituency = loaded.facts.table;
        assert_eq!(constituency.name(), "Example sector CSIRT");
        let ids: Vec<&str> = constituency.members().iter().map(|member| &*member.id).collect();
        assert_eq!(ids, ["hospital", "operator"]);
        let prefix: Prefix = "192.0.2.192/26".parse().unwrap();
        let holding = constituency.covering(&prefix).next().unwrap();
        assert_eq!(&*holding.member.id, "hospital");
        assert_eq!(constituency.expected_origins(&prefix), Some([Asn(64496)].as_slice()));
        assert_eq!(
            constituency.expected_upstreams(Asn(64496)),
            Some([Asn(64500), Asn(65551)].as_slice())
        );
        assert_eq!(
            (loaded.facts.source.entries, loaded.facts.source.name.as_str()),
            (2, "members.toml")
        );
    }

    #[test]
    fn faults_name_line_and_column() {
        for (text, says) in [
            ("[[member]]\nid = \"a\"\nprefix = []\n", "line 3, column 1: unknown field `prefix`"),
            ("[[member]]\nid = \"a\"\nasns = [1,\n  0]\n", "line 4, column 3: invalid value"),
            (
                "[[member]]\nid = \"a\"\nprefixes = [\n  \"192.0.2.0/24\",\n  \"192.0.2.1/24\"]\n",
                "line 5, column 3: invalid value: string \"192.0.2.1/24\", expected a prefix",
            ),
            (
                "[[member]]\nid = \"a\"\nprefixes = [\n  {prefix = \"192.0.2.0/24\", origins = 5}]",
                "line 4, column 39: invalid type: integer `5`, expected a list",
            ),
            ("[[member]]\nname = \"a\"\n", "line 1, column 1: missing field `id`"),
            ("members = 5", "line 1, column 1: unknown field `members`"),
            ("[[member]\n", "line 1, column 10: unclosed array table"),
        ] {
            let error = load(text).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert_eq!(error.kind(), "facts_toml");
        }
        let error = load("[[member]]\nid = \"a\"\n\n[[member]]\nid = \"a\"\n").unwrap_err();
        assert_eq!(error.to_string(), "dir/members.toml: member that begins at line 4");
        assert_eq!(error.source().unwrap().to_string(), "member \"a\": the id is given twice");
    }

    #[test]
    fn no_member_and_no_text_are_errors() {
        assert_eq!(load("name = \"x\"\n").unwrap_err().kind(), "facts_nothing_usable");
        let error = load_constituency(Path::new("x"), None, &mut b"\xff\xfe\n".as_slice());
        assert_eq!(error.unwrap_err().kind(), "facts_read");
    }
}
