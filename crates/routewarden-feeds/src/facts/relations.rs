//! AS relationships: CAIDA as-rel.

use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::{FactKind, Link, Relation, RelationTable};
use routewarden_core::{Asn, Timestamp};

use super::input::{LineOutcome, read_head, read_lines};
use super::{FactsError, Loaded, Reading, SkipKind, field};

/// Reads AS relationships in CAIDA's as-rel form: `provider|customer|-1` and `peer|peer|0`, with
/// a fourth column in serial-2, which is passed over. A fourth column that is a number up to 100 is
/// the confidence of an inferred link, as the program itself writes it. Comments begin with `#`.
///
/// # Errors
/// See [`FactsError`].
pub fn load_relations(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<RelationTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Relations);
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut links = Vec::new();
    read_lines(&mut reading, &mut head.chain(reader), |_, line| push_line(&mut links, line))?;
    let table = RelationTable::from_links(links);
    let (distinct, conflicts) =
        (table.transit_link_count() + table.peer_link_count(), table.conflicts());
    let mut loaded = reading.finish(table, distinct + conflicts, date_hint)?;
    let source = &mut loaded.facts.source;
    source.entries = distinct as u64;
    if conflicts > 0 {
        source.skipped.insert(SkipKind::Conflict.name(), conflicts as u64);
    }
    Ok(loaded)
}

fn push_line(links: &mut Vec<Link>, line: &str) -> LineOutcome {
    if line.starts_with('#') {
        return Ok(0);
    }
    let mut fields = line.split('|').map(str::trim);
    let mut next = || fields.next().ok_or(SkipKind::Fields);
    let (a, b, relation) = (next()?, next()?, next()?);
    let (a, b): (Asn, Asn) = (field::asn(a)?, field::asn(b)?);
    let relation = match relation {
        "-1" => Relation::Customer,
        "0" => Relation::Peer,
        _ => return Err(SkipKind::Relation),
    };
    if a == b {
        return Err(SkipKind::Relation);
    }
    let confidence = fields.next().and_then(field::number).filter(|&confidence| confidence <= 100);
    links.push(match confidence {
        Some(confidence) => Link::inferred(a, b, relation, confidence),
        None => Link::given(a, b, relation),
    });
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_serials_are_read() {
        let text = "# source:topology|BGP|20210301\n64496|64497|-1\n64497|64498|0|bgp\n64498|64500|-1|73\n\
                    64497|64496|0\n64496|64497|-1\n64496|64499|2\n64496|64496|0\n64496|x\n";
        let loaded = load_relations(Path::new("t"), None, &mut text.as_bytes()).unwrap();
        let table = &loaded.facts.table;
        assert_eq!(table.relation(Asn(64496), Asn(64497)), Some(Relation::Customer));
        assert_eq!(table.relation(Asn(64498), Asn(64497)), Some(Relation::Peer));
        let link = table.link(Asn(64500), Asn(64498)).unwrap();
        assert_eq!(link, Link::inferred(Asn(64500), Asn(64498), Relation::Provider, 73));
        assert_eq!(table.link(Asn(64498), Asn(64497)).unwrap().confidence, 100);
        let skipped: Vec<_> = loaded.facts.source.skipped.clone().into_iter().collect();
        assert_eq!(skipped, [("conflict", 1), ("duplicate", 1), ("fields", 1), ("relation", 2)]);
        assert_eq!(loaded.facts.source.entries, 3);
    }
}
