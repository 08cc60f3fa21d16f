//! VRPs and ASPAs: JSON and CSV of rpki-client and Routinator.

use std::fmt;
use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::{AspaTable, FactKind, Sourced, TrustAnchors, Vrp, VrpTable};
use routewarden_core::{Asn, Prefix, Timestamp};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::aspas::{AspaList, AspasSeed};
use super::input::{LineOutcome, looks_like_json, read_head, read_lines};
use super::json::{Member, Members, ObjectSeed, Scalar, ScalarSeed, read_document};
use super::{FactsError, Loaded, Place, Reading, SKIPPED_SAMPLES_MAX, SkipKind, field};

/// What a validator gives in one file.
#[derive(Clone, Debug)]
pub struct Rpki {
    /// Validated ROA payloads.
    pub vrps: VrpTable,
    /// Provider authorizations, when the file has any. The hash of their source comes with
    /// [`Rpki::split`].
    pub aspas: Option<Sourced<AspaTable>>,
}

impl Rpki {
    /// The tables of a file, each with the file's hash.
    pub fn split(file: Sourced<Self>) -> (Sourced<VrpTable>, Option<Sourced<AspaTable>>) {
        let Sourced { table: Rpki { vrps, mut aspas }, source } = file;
        if let Some(aspas) = &mut aspas {
            aspas.source.sha256 = source.sha256;
        }
        (Sourced { table: vrps, source }, aspas)
    }
}

/// Reads VRPs only: see [`load_rpki`].
///
/// # Errors
/// See [`load_rpki`].
pub fn load_vrps(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<VrpTable>, FactsError> {
    let Loaded { facts, samples } = load_rpki(path, date_hint, reader)?;
    Ok(Loaded { facts: Sourced { table: facts.table.vrps, source: facts.source }, samples })
}

/// Reads VRPs (RFC 6811 §2) from JSON or CSV, and the ASPAs of JSON.
///
/// JSON: an object with `roas`, an array of `{"asn": 64496 | "AS64496", "prefix": "192.0.2.0/24",
/// "maxLength": 24, "ta": "ripe"}`; the time is `buildtime` (rpki-client), `generatedTime` or
/// `generated` (Routinator) of `metadata`. ASPAs are `aspas`, an array of `{"customer_asid": 64496,
/// "providers": [64497]}`, or in older files `provider_authorizations`, an object of two such
/// arrays. All else is passed over.
///
/// CSV: columns by the names of a first line that has `ASN` and `IP Prefix`, as `ASN,IP Prefix,
/// Max Length,Trust Anchor[,Expires]`; without such a line in that order.
///
/// `expires` (rpki-client) is in seconds since 1970: the earliest end of what the VRP rests on. It
/// counts as not given when it is anything else.
///
/// A missing `maxLength` is the prefix length (RFC 9582 §4.3.2.2).
///
/// # Errors
/// See [`FactsError`]. Malformed JSON is an error as a whole; a malformed entry is left out. A file
/// without a usable VRP is an error, one without ASPAs is not.
pub fn load_rpki(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<Rpki>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Vrps);
    let mut aspa_reading = Reading::new(path, FactKind::Aspas);
    let mut aspas = AspaList::default();
    let head = read_head(reader).map_err(|source| FactsError::Read {
        path: path.into(),
        line: 1,
        source,
    })?;
    let mut vrps = VrpList::default();
    let is_json = looks_like_json(&head);
    let mut whole = head.chain(reader);
    if is_json {
        read_document(&mut reading, &mut whole, |reading, json| {
            let (vrps, aspas) = (&mut vrps, &mut aspas);
            let seed = DocumentSeed { reading, aspa_reading: &mut aspa_reading, vrps, aspas };
            seed.deserialize(json)
        })?;
    } else {
        let mut columns = Columns::default();
        read_lines(&mut reading, &mut whole, |_, line| vrps.push_line(&mut columns, line))?;
    }
    let table = VrpTable::from_expiring(vrps.vrps).with_trust_anchors(vrps.trust_anchors);
    let distinct = table.len();
    aspa_reading.date = reading.date;
    let mut loaded = reading.finish(Rpki { vrps: table, aspas: None }, distinct, date_hint)?;
    if aspas.is_given() {
        let table = aspas.into_table();
        // Records of one customer are united: none of them is a duplicate.
        aspa_reading.entries = table.len() as u64;
        let (source, samples) = aspa_reading.source(table.len(), date_hint);
        loaded.facts.table.aspas = Some(Sourced { table, source });
        loaded.samples.extend(samples);
        loaded.samples.truncate(SKIPPED_SAMPLES_MAX);
    }
    Ok(loaded)
}

#[derive(Default)]
struct VrpList {
    /// Each with its expiry, 0 when not given.
    vrps: Vec<(Vrp, u32)>,
    trust_anchors: TrustAnchors,
}

impl VrpList {
    /// `max_len` is `None`, and `expires` 0, when it is not given.
    fn push(
        &mut self,
        (prefix, max_len): (Prefix, Option<u8>),
        asn: Asn,
        ta: &str,
        expires: u32,
    ) -> LineOutcome {
        let max_len = max_len.unwrap_or(prefix.len());
        if !(prefix.len()..=prefix.family().bits()).contains(&max_len) {
            return Err(SkipKind::MaxLength);
        }
        let vrp = Vrp { prefix, max_len, asn, ta: self.trust_anchors.intern(ta) };
        self.vrps.push((vrp, expires));
        Ok(1)
    }

    fn push_line(&mut self, columns: &mut Columns, line: &str) -> LineOutcome {
        if line.starts_with('#') || columns.read_header(line) {
            return Ok(0);
        }
        let field = |at: Option<usize>| {
            line.split(',').nth(at?).map(|field| field.trim().trim_matches('"'))
        };
        let asn = field(columns.asn).ok_or(SkipKind::Fields)?;
        let prefix = field(columns.prefix).ok_or(SkipKind::Fields)?;
        let (asn, prefix) = (field::asn(asn)?, field::prefix(prefix)?);
        let max_len = match field(columns.max_len).unwrap_or_default() {
            "" => None,
            text => Some(field::number(text).ok_or(SkipKind::MaxLength)?),
        };
        let expires = field(columns.expires).and_then(|text| text.parse().ok()).unwrap_or(0);
        self.push((prefix, max_len), asn, field(columns.ta).unwrap_or_default(), expires)
    }

    fn push_object(&mut self, members: Members<5>) -> LineOutcome {
        let [asn, prefix, max_len, ta, expires] = members.ok_or(SkipKind::Fields)?;
        let asn = match asn {
            Some(Member::Number(number)) => Asn(u32::try_from(number).map_err(|_| SkipKind::Asn)?),
            Some(Member::Text(text)) => field::asn(&text)?,
            Some(Member::Other) => return Err(SkipKind::Asn),
            None => return Err(SkipKind::Fields),
        };
        let prefix = prefix.ok_or(SkipKind::Fields)?.text().ok_or(SkipKind::Prefix)?;
        let prefix = field::prefix(&prefix)?;
        let max_len = match max_len {
            Some(Member::Number(number)) => {
                Some(u8::try_from(number).map_err(|_| SkipKind::MaxLength)?)
            }
            Some(_) => return Err(SkipKind::MaxLength),
            None => None,
        };
        let expires = match expires {
            Some(Member::Number(secs)) => u32::try_from(secs).unwrap_or(0),
            _ => 0,
        };
        let ta = ta.and_then(Member::text).unwrap_or_default();
        self.push((prefix, max_len), asn, &ta, expires)
    }
}

/// Positions of the columns of a CSV file.
struct Columns {
    asn: Option<usize>,
    prefix: Option<usize>,
    max_len: Option<usize>,
    ta: Option<usize>,
    expires: Option<usize>,
    is_begun: bool,
}

impl Default for Columns {
    fn default() -> Self {
        Columns {
            asn: Some(0),
            prefix: Some(1),
            max_len: Some(2),
            ta: Some(3),
            expires: Some(4),
            is_begun: false,
        }
    }
}

impl Columns {
    /// Takes the names of the columns from the first line, if it has them.
    fn read_header(&mut self, line: &str) -> bool {
        if self.is_begun {
            return false;
        }
        self.is_begun = true;
        let at = |name: &str| {
            line.split(',')
                .position(|field| field.trim().trim_matches('"').eq_ignore_ascii_case(name))
        };
        let (asn, prefix) = (at("ASN"), at("IP Prefix"));
        let is_header = asn.is_some() && prefix.is_some();
        if is_header {
            (self.asn, self.prefix) = (asn, prefix);
            (self.max_len, self.ta) = (at("Max Length"), at("Trust Anchor"));
            self.expires = at("Expires");
        }
        is_header
    }
}

/// The whole document.
struct DocumentSeed<'a, 'p, 'q> {
    reading: &'a mut Reading<'p>,
    aspa_reading: &'a mut Reading<'q>,
    vrps: &'a mut VrpList,
    aspas: &'a mut AspaList,
}

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

enum Section {
    Roas,
    Aspas,
    Metadata,
    Other,
}

impl<'de> Visitor<'de> for DocumentSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with \"roas\"")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let section = |key: Scalar<'_>| match key {
            Scalar::Text("roas") => Section::Roas,
            Scalar::Text("aspas" | "provider_authorizations") => Section::Aspas,
            Scalar::Text("metadata") => Section::Metadata,
            _ => Section::Other,
        };
        while let Some(section) = access.next_key_seed(ScalarSeed(section))? {
            match section {
                Section::Roas => {
                    let (reading, vrps) = (&mut *self.reading, &mut *self.vrps);
                    access.next_value_seed(RoasSeed { reading, vrps })?;
                }
                Section::Aspas => {
                    let (reading, aspas) = (&mut *self.aspa_reading, &mut *self.aspas);
                    access.next_value_seed(AspasSeed { reading, aspas })?;
                }
                Section::Metadata => {
                    let names = ["buildtime", "generatedTime", "generated"];
                    let metadata = access.next_value_seed(ObjectSeed(names))?;
                    self.reading.date = metadata.and_then(time_of).or(self.reading.date);
                }
                Section::Other => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The first of the members that is a time: RFC 3339 or Unix seconds.
fn time_of(members: [Option<Member>; 3]) -> Option<Timestamp> {
    members.into_iter().flatten().find_map(|member| match member {
        Member::Number(secs) => u32::try_from(secs).ok().map(Timestamp::from_secs),
        Member::Text(text) => text.parse().ok(),
        Member::Other => None,
    })
}

/// The array of VRPs.
struct RoasSeed<'a, 'p> {
    reading: &'a mut Reading<'p>,
    vrps: &'a mut VrpList,
}

impl<'de> DeserializeSeed<'de> for RoasSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RoasSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of VRPs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let seed = ObjectSeed(["asn", "prefix", "maxLength", "ta", "expires"]);
        let mut entry = 0;
        while let Some(members) = items.next_element_seed(seed)? {
            entry += 1;
            match self.vrps.push_object(members) {
                // The caller sees the count beyond the limit and says so.
                Ok(entries) => self.reading.count(entries).map_err(A::Error::custom)?,
                Err(kind) => self.reading.skipped.skip(kind, Place::Entry(entry), b""),
            }
        }
        Ok(())
    }
}
