//! Dumps of Internet routing registries in RPSL (RFC 2622, 4012).

use std::io::{BufRead, Read};
use std::path::Path;

use routewarden_core::facts::irr::{AsSetMember, AutNum, IrrBuilder, IrrRoute};
use routewarden_core::facts::{FactKind, IrrTable};
use routewarden_core::{Asn, Timestamp};

use super::input::{Lines, read_head};
use super::{FactsError, Loaded, Place, Reading, SkipKind, field};

/// Most octets kept of one object: an `as-set` of 50,000 members takes 0.7 MB.
pub const OBJECT_OCTETS_MAX: usize = 4 << 20;
/// Most octets of the policy kept of one `aut-num`; further lines are left out.
pub const POLICY_OCTETS_MAX: usize = 64 << 10;
/// Most octets of the policies kept of one file; further ones are left out.
pub const POLICIES_OCTETS_MAX: usize = 256 << 20;
/// Longest name of a set.
pub const SET_NAME_OCTETS_MAX: usize = 256;

/// Reads `route`, `route6`, `as-set` and `aut-num` objects from RPSL, as RIPE's split files and the
/// RADB's dumps have it. Objects of other classes are passed over. Lines that are not UTF-8 are read
/// as ISO 8859-1.
///
/// # Errors
/// See [`FactsError`]. A malformed object is left out.
pub fn load_irr(
    path: &Path,
    date_hint: Option<Timestamp>,
    reader: &mut dyn BufRead,
) -> Result<Loaded<IrrTable>, FactsError> {
    let mut reading = Reading::new(path, FactKind::Irr);
    let failed = |line, source| FactsError::Read { path: path.into(), line, source };
    let head = read_head(reader).map_err(|source| failed(1, source))?;
    let octets_max = reading.limits.octets_max;
    let mut whole = head.chain(reader);
    let mut lines = Lines::new(&mut whole, octets_max);
    let mut objects = Objects::default();
    loop {
        let more = lines.next().map_err(|source| failed(lines.line, source))?;
        if lines.octets > octets_max {
            return Err(FactsError::TooLarge { path: path.into(), octets_max });
        }
        if !more {
            break;
        }
        if lines.is_cut {
            objects.object.fault.get_or_insert(SkipKind::LineTooLong);
        } else if lines.buffer.trim_ascii().is_empty() {
            objects.end(&mut reading)?;
        } else {
            objects.line(lines.line, &lines.buffer);
        }
    }
    objects.end(&mut reading)?;
    let table = objects.builder.build();
    // Equal objects, and sets of one name in several registries, stand in the table once.
    let distinct = table.len();
    reading.finish(table, distinct, date_hint)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Class {
    /// Nothing of the object was read.
    #[default]
    None,
    Route,
    AsSet,
    AutNum,
    /// Of no use here.
    Other,
}

/// The object that is being read.
#[derive(Default)]
struct Object {
    class: Class,
    /// Line it begins at.
    line: u64,
    /// Attributes of use, with their values on one line each.
    attributes: Vec<(Attribute, String)>,
    octets: usize,
    /// Whether a continued line belongs to the last attribute, or to one of no use.
    is_kept: bool,
    fault: Option<SkipKind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    /// The first one: what the object is of.
    Key,
    Origin,
    Source,
    Modified,
    Members,
    Name,
    AdminContact,
    TechContact,
    Import,
    Export,
    Default,
    MpImport,
    MpExport,
    MpDefault,
}

impl Attribute {
    fn of(name: &str) -> Option<Self> {
        let all = [
            ("origin", Attribute::Origin),
            ("source", Attribute::Source),
            ("last-modified", Attribute::Modified),
            ("members", Attribute::Members),
            ("mp-members", Attribute::Members),
            ("as-name", Attribute::Name),
            ("admin-c", Attribute::AdminContact),
            ("tech-c", Attribute::TechContact),
        ];
        let found = all.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        found.map(|&(_, attribute)| attribute).or_else(|| {
            let mut policies = POLICIES.iter();
            policies.find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|&(_, policy)| policy)
        })
    }

    /// The name, of a policy.
    fn policy(self) -> Option<&'static str> {
        POLICIES.iter().find(|&&(_, policy)| policy == self).map(|&(name, _)| name)
    }
}

const POLICIES: [(&str, Attribute); 6] = [
    ("import", Attribute::Import),
    ("export", Attribute::Export),
    ("default", Attribute::Default),
    ("mp-import", Attribute::MpImport),
    ("mp-export", Attribute::MpExport),
    ("mp-default", Attribute::MpDefault),
];

#[derive(Default)]
struct Objects {
    object: Object,
    builder: IrrBuilder,
    policy_octets: usize,
}

impl Objects {
    /// A line that is not empty.
    fn line(&mut self, number: u64, octets: &[u8]) {
        let object = &mut self.object;
        if object.class == Class::None {
            object.line = number;
        }
        // Most lines are of objects of no use: they are not looked at.
        if object.class == Class::Other || matches!(octets.first(), Some(b'%' | b'#')) {
            return;
        }
        let line = text(octets);
        let line = line.split('#').next().unwrap_or_default();
        if line.starts_with([' ', '\t', '+']) {
            let more = line.trim_start_matches('+').trim();
            if object.is_kept
                && object.class != Class::None
                && let Some((_, value)) = object.attributes.last_mut()
            {
                value.push(' ');
                value.push_str(more);
                object.grow(more.len() + 1);
            }
            return;
        }
        let Some((name, value)) = line.split_once(':') else {
            // Text that is no attribute is not worth an object: dumps have banners.
            object.is_kept = false;
            return;
        };
        let (name, value) = (name.trim(), value.trim());
        if object.class == Class::None {
            object.class = class_of(name);
            object.is_kept = object.class != Class::Other;
            if object.is_kept {
                object.push(Attribute::Key, value);
            }
            return;
        }
        match Attribute::of(name) {
            Some(attribute) => object.push(attribute, value),
            None => object.is_kept = false,
        }
    }

    fn end(&mut self, reading: &mut Reading<'_>) -> Result<(), FactsError> {
        let object = std::mem::take(&mut self.object);
        let outcome = match (object.class, object.fault) {
            (Class::None | Class::Other, _) => Ok(0),
            (_, Some(fault)) => Err(fault),
            (Class::Route, None) => self.route(&object),
            (Class::AsSet, None) => self.as_set(&object),
            (Class::AutNum, None) => self.aut_num(&object),
        };
        match outcome {
            Ok(entries) => reading.count(entries),
            Err(kind) => {
                let key = object.attributes.first().map(|(_, value)| value.as_bytes());
                reading.skipped.skip(kind, Place::Line(object.line), key.unwrap_or_default());
                Ok(())
            }
        }
    }

    fn route(&mut self, object: &Object) -> Result<usize, SkipKind> {
        let prefix = field::prefix(object.get(Attribute::Key).ok_or(SkipKind::Fields)?)?;
        let origin = field::asn(object.get(Attribute::Origin).ok_or(SkipKind::Fields)?)?;
        let modified = object.get(Attribute::Modified).and_then(|text| text.parse().ok());
        let source = object.source();
        self.builder.route(&IrrRoute { prefix, origin, source: &source, modified });
        Ok(1)
    }

    fn as_set(&mut self, object: &Object) -> Result<usize, SkipKind> {
        let name = object.get(Attribute::Key).filter(|name| is_set_name(name));
        let name = name.ok_or(SkipKind::Name)?;
        let lists = object.attributes.iter().filter(|(held, _)| *held == Attribute::Members);
        let members = lists.flat_map(|(_, list)| list.split([',', ' ', '\t']));
        // A member that cannot be read is left out: the others are still members.
        let members = members.filter_map(member).collect::<Vec<_>>();
        self.builder.set(name, members);
        Ok(1)
    }

    fn aut_num(&mut self, object: &Object) -> Result<usize, SkipKind> {
        let asn: Asn = field::asn(object.get(Attribute::Key).ok_or(SkipKind::Fields)?)?;
        let mut policy = Vec::new();
        let mut octets = 0;
        let mut is_cut = false;
        for (attribute, value) in &object.attributes {
            let Some(name) = attribute.policy() else { continue };
            let line = format!("{name}: {value}");
            octets += line.len();
            if octets > POLICY_OCTETS_MAX || self.policy_octets + octets > POLICIES_OCTETS_MAX {
                is_cut = true;
                break;
            }
            policy.push(line.into());
        }
        self.policy_octets += octets.min(POLICY_OCTETS_MAX);
        let name = object.get(Attribute::Name).unwrap_or_default().into();
        let source = object.source().into();
        let names = |attribute| object.get(attribute).is_some_and(|name| !name.is_empty());
        self.builder.aut_num(AutNum {
            asn,
            source,
            name,
            has_admin_contact: names(Attribute::AdminContact),
            has_tech_contact: names(Attribute::TechContact),
            policy: policy.into(),
            is_cut,
        });
        Ok(1)
    }
}

impl Object {
    fn push(&mut self, attribute: Attribute, value: &str) {
        self.is_kept = true;
        self.grow(value.len());
        if self.is_kept {
            self.attributes.push((attribute, value.to_owned()));
        }
    }

    /// Takes note of octets kept; beyond the limit the object is faulty and nothing more is kept.
    fn grow(&mut self, octets: usize) {
        // An attribute takes room even when it is empty.
        self.octets += octets + size_of::<(Attribute, String)>();
        if self.octets > OBJECT_OCTETS_MAX {
            self.fault.get_or_insert(SkipKind::ObjectTooLong);
            self.attributes.truncate(1);
            self.is_kept = false;
        }
    }

    fn get(&self, wanted: Attribute) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes.find(|(held, _)| *held == wanted).map(|(_, value)| value.as_str())
    }

    fn source(&self) -> String {
        let source = self.get(Attribute::Source).unwrap_or_default();
        source.chars().take(SET_NAME_OCTETS_MAX).collect::<String>().to_ascii_uppercase()
    }
}

fn class_of(name: &str) -> Class {
    match name {
        _ if name.eq_ignore_ascii_case("route") || name.eq_ignore_ascii_case("route6") => {
            Class::Route
        }
        _ if name.eq_ignore_ascii_case("as-set") => Class::AsSet,
        _ if name.eq_ignore_ascii_case("aut-num") => Class::AutNum,
        _ => Class::Other,
    }
}

/// The octets as UTF-8, else as ISO 8859-1.
fn text(octets: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(_) => octets.iter().map(|&octet| char::from(octet)).collect::<String>().into(),
    }
}

/// RFC 2622 §5: `AS-NAME`, or several of ASNs and such names joined by colons.
fn is_set_name(name: &str) -> bool {
    let is_long = name.len() > SET_NAME_OCTETS_MAX;
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || "-_:".contains(c));
    let mut parts = name.split(':');
    let is_set = parts.any(|part| part.get(..3).is_some_and(|s| s.eq_ignore_ascii_case("as-")));
    !is_long && is_set && !name.contains(is_odd)
}

fn member(text: &str) -> Option<AsSetMember> {
    if let Ok(asn) = field::asn(text) {
        return Some(AsSetMember::As(asn));
    }
    is_set_name(text).then(|| AsSetMember::Set(text.to_ascii_uppercase().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use routewarden_core::Origin;
    use routewarden_core::facts::irr::IrrState;

    fn load(text: &[u8]) -> Result<Loaded<IrrTable>, FactsError> {
        load_irr(Path::new("t"), None, &mut &*text)
    }

    const DUMP: &str = "% a banner\n\n\
        route:          192.0.2.0/24\ndescr:          Example # not this\norigin:         AS64496 # comment\n\
        mnt-by:         X-MNT\nlast-modified:  2020-01-02T03:04:05Z\nsource:         RIPE\n\n\
        route6:  2001:db8::/32\norigin:  as64497\nsource:  RADB  # Filtered\n\n\
        person:  A\n  Person\norigin: AS1\n\n\
        as-set:  AS-EX\nmembers: AS64496, AS-OTHER,\n+\n\tAS64497:AS-SUB\nmembers: as64498 nonsense,\nsource: RIPE\n\n\
        aut-num: AS64496\nas-name: EX-AS\nadmin-c: \ntech-c:  X1-RIPE\nnotify: x@example.net\nimport:  from AS64497\n         accept ANY\nmp-export: to AS64497 announce AS-EX\nsource: RIPE\n\n\
        route:  192.0.2.1/24\norigin: AS64496\n\nroute: 192.0.2.0/24\n\nroute: 198.51.100.0/24\norigin: ASx\n";

    #[test]
    fn objects_of_use_are_read_and_the_rest_is_passed_over() {
        let loaded = load(DUMP.as_bytes()).unwrap();
        let table = &loaded.facts.table;
        assert_eq!(table.counts(), (2, 1, 1));
        let first = table.routes().next().unwrap();
        assert_eq!((first.origin, first.source), (Asn(64496), "RIPE"));
        assert_eq!(first.modified.unwrap().to_string(), "2020-01-02T03:04:05Z");
        let origin = Origin::As(Asn(64497));
        assert_eq!(table.state(&"2001:db8::/32".parse().unwrap(), origin), IrrState::Valid);
        let members = table.members("AS-EX").unwrap();
        assert_eq!(members.len(), 4, "{members:?}");
        assert!(members.contains(&AsSetMember::Set("AS64497:AS-SUB".into())));
        let [aut_num] = table.aut_nums(Asn(64496)) else { panic!() };
        assert_eq!(&*aut_num.name, "EX-AS");
        assert_eq!((aut_num.has_admin_contact, aut_num.has_tech_contact), (false, true));
        let policy = ["import: from AS64497 accept ANY", "mp-export: to AS64497 announce AS-EX"];
        assert!(aut_num.policy.iter().map(|line| &**line).eq(policy));
        let kinds: Vec<_> = loaded.samples.iter().map(|sample| sample.kind).collect();
        assert_eq!(kinds, [SkipKind::HostBits, SkipKind::Fields, SkipKind::Asn]);
    }

    #[test]
    fn latin_1_and_windows_lines_are_read() {
        let loaded = load(b"aut-num: AS64496\r\nas-name: N\xe4me\r\n\r\n").unwrap();
        assert_eq!(&*loaded.facts.aut_nums(Asn(64496))[0].name, "Näme");
    }

    #[test]
    fn limits_cost_one_object() {
        let mut text = b"as-set: AS-LONG\n".to_vec();
        while text.len() <= OBJECT_OCTETS_MAX {
            text.extend_from_slice(b"members: ");
            text.extend_from_slice(&b"AS64496,".repeat(8000));
            text.push(b'\n');
        }
        text.extend_from_slice(b"\nas-set: AS-LINE\nmembers: ");
        text.extend_from_slice(&b"AS64496,".repeat(9000));
        text.extend_from_slice(b"\n\naut-num: AS64497\n");
        for _ in 0..=POLICY_OCTETS_MAX / 60_000 {
            text.extend_from_slice(b"import: ");
            text.extend_from_slice(&b"x".repeat(60_000));
            text.push(b'\n');
        }
        text.extend_from_slice(b"\nroute: 192.0.2.0/24\norigin: AS64496");
        let loaded = load(&text).unwrap();
        let kinds: Vec<_> = loaded.samples.iter().map(|sample| sample.kind).collect();
        assert_eq!(kinds, [SkipKind::ObjectTooLong, SkipKind::LineTooLong]);
        assert_eq!(loaded.facts.counts(), (1, 0, 1));
        assert!(loaded.facts.aut_nums(Asn(64497))[0].is_cut);
    }

    #[test]
    fn names_of_sets_are_strict() {
        for name in ["AS-X", "as-x_1", "AS64496:AS-X", "AS-X:AS64496"] {
            assert!(is_set_name(name), "{name}");
        }
        for name in ["ASX", "AS64496", "AS-X!", "AS-X Y", "", "RS-X", "ÄS-X"] {
            assert!(!is_set_name(name), "{name}");
        }
        assert_eq!(load(b"person: x\n").unwrap_err().kind(), "facts_nothing_usable");
    }
}
