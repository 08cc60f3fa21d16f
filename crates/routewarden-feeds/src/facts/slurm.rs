//! Local exceptions to what validators say: SLURM (RFC 8416), with the ASPA members of
//! draft-ietf-sidrops-aspa-slurm.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use routewarden_core::facts::{AspaTable, TrustAnchorId, Vrp, VrpTable};
use routewarden_core::{Asn, Prefix};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::ASPA_PROVIDERS_MAX;

/// Most octets of a SLURM file.
pub const SLURM_OCTETS_MAX: u64 = 16 << 20;
/// Most filters and assertions of all SLURM files: filters of prefixes are tried on every VRP.
pub const SLURM_ENTRIES_MAX: usize = 10_000;
/// Trust anchor that asserted VRPs are shown under.
pub const SLURM_TRUST_ANCHOR: &str = "slurm";

/// A SLURM file cannot be used; none of it is (RFC 8416 §4.1).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlurmError {
    /// The file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More octets than [`SLURM_OCTETS_MAX`].
    #[error("{}: more than {SLURM_OCTETS_MAX} octets", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Not the JSON of a SLURM file; unknown members are refused.
    #[error("{}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// `slurmVersion` is neither 1 nor 2, or 1 with ASPA members.
    #[error("{}: slurmVersion {version} does not fit", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// As given.
        version: u64,
    },
    /// An entry that says nothing or cannot be.
    #[error("{}: {member}[{at}] is malformed", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Member it stands in.
        member: &'static str,
        /// Its place, from 0.
        at: usize,
    },
    /// More entries than [`SLURM_ENTRIES_MAX`].
    #[error("{}: more than {SLURM_ENTRIES_MAX} filters and assertions in all", path.display())]
    TooManyEntries {
        /// The file.
        path: PathBuf,
    },
    /// Two files speak of the same thing (RFC 8416 §4.2): neither is to be preferred.
    #[error("{}: speaks of what {} speaks of, too", path.display(), other.display())]
    Conflict {
        /// The file.
        path: PathBuf,
        /// The file before.
        other: PathBuf,
    },
}

impl SlurmError {
    /// Stable name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            SlurmError::Read { .. } => "slurm_read",
            SlurmError::TooLarge { .. } => "slurm_too_large",
            SlurmError::Json { .. } => "slurm_json",
            SlurmError::Version { .. } => "slurm_version",
            SlurmError::Entry { .. } => "slurm_entry",
            SlurmError::TooManyEntries { .. } => "slurm_too_many_entries",
            SlurmError::Conflict { .. } => "slurm_conflict",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    slurm_version: u64,
    validation_output_filters: Filters,
    locally_added_assertions: Assertions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Filters {
    #[serde(default, rename = "prefixFilters")]
    prefix: Vec<PrefixFilter>,
    /// Router keys are of no use here.
    #[serde(default, rename = "bgpsecFilters")]
    _bgpsec: Vec<IgnoredAny>,
    #[serde(rename = "aspaFilters")]
    aspa: Option<Vec<AspaFilter>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assertions {
    #[serde(default, rename = "prefixAssertions")]
    prefix: Vec<PrefixAssertion>,
    #[serde(default, rename = "bgpsecAssertions")]
    _bgpsec: Vec<IgnoredAny>,
    #[serde(rename = "aspaAssertions")]
    aspa: Option<Vec<AspaAssertion>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixFilter {
    prefix: Option<Box<str>>,
    asn: Option<u32>,
    #[serde(rename = "comment")]
    _comment: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PrefixAssertion {
    prefix: Box<str>,
    asn: u32,
    max_prefix_length: Option<u8>,
    #[serde(rename = "comment")]
    _comment: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AspaFilter {
    #[serde(alias = "customerAsid")]
    customer_asn: u32,
    #[serde(rename = "comment")]
    _comment: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AspaAssertion {
    #[serde(alias = "customerAsid")]
    customer_asn: u32,
    #[serde(alias = "providers")]
    provider_asns: Vec<u32>,
    #[serde(rename = "comment")]
    _comment: Option<IgnoredAny>,
}

/// What is taken away; at least one of the two is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filter {
    prefix: Option<Prefix>,
    asn: Option<Asn>,
}

impl Filter {
    /// RFC 8416 §3.3.1: VRPs of the prefix or a more-specific of it, of the AS, or both.
    fn drops(&self, vrp: &Vrp) -> bool {
        self.prefix.is_none_or(|prefix| prefix.covers(&vrp.prefix))
            && self.asn.is_none_or(|asn| asn == vrp.asn)
    }
}

/// Local exceptions of all files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slurm {
    filters: Vec<Filter>,
    assertions: Vec<Vrp>,
    aspa_filters: BTreeSet<Asn>,
    aspa_assertions: Vec<(Asn, Vec<Asn>)>,
}

impl Slurm {
    /// Reads files; all or none of them count (RFC 8416 §4.2).
    ///
    /// # Errors
    /// See [`SlurmError`].
    pub fn load(paths: &[PathBuf]) -> Result<Self, SlurmError> {
        let mut all = Slurm::default();
        let mut read: Vec<(&Path, Slurm)> = Vec::new();
        for path in paths {
            let slurm = Self::load_one(path)?;
            if let Some((other, _)) = read.iter().find(|(_, other)| slurm.conflicts(other)) {
                return Err(SlurmError::Conflict { path: path.clone(), other: other.into() });
            }
            read.push((path, slurm.clone()));
            all.filters.extend(slurm.filters);
            all.assertions.extend(slurm.assertions);
            all.aspa_filters.extend(slurm.aspa_filters);
            all.aspa_assertions.extend(slurm.aspa_assertions);
            if all.entries() > SLURM_ENTRIES_MAX {
                return Err(SlurmError::TooManyEntries { path: path.clone() });
            }
        }
        Ok(all)
    }

    fn load_one(path: &Path) -> Result<Self, SlurmError> {
        let failed = |source| SlurmError::Read { path: path.into(), source };
        let file = File::open(path).map_err(failed)?;
        let mut text = Vec::new();
        file.take(SLURM_OCTETS_MAX + 1).read_to_end(&mut text).map_err(failed)?;
        if text.len() as u64 > SLURM_OCTETS_MAX {
            return Err(SlurmError::TooLarge { path: path.into() });
        }
        Self::parse(path, &text)
    }

    /// Reads the text of one file; `path` names it.
    ///
    /// # Errors
    /// See [`SlurmError`].
    pub fn parse(path: &Path, text: &[u8]) -> Result<Self, SlurmError> {
        let document: Document = serde_json::from_slice(text)
            .map_err(|source| SlurmError::Json { path: path.into(), source })?;
        let Document { slurm_version: version, validation_output_filters: filters, .. } = document;
        let assertions = document.locally_added_assertions;
        let has_aspas = filters.aspa.is_some() || assertions.aspa.is_some();
        if !(version == 2 || version == 1 && !has_aspas) {
            return Err(SlurmError::Version { path: path.into(), version });
        }
        let malformed = |member| move |at| SlurmError::Entry { path: path.into(), member, at };
        Ok(Slurm {
            filters: each(&filters.prefix, filter, malformed("prefixFilters"))?,
            assertions: each(&assertions.prefix, assertion, malformed("prefixAssertions"))?,
            aspa_filters: filters
                .aspa
                .into_iter()
                .flatten()
                .map(|filter| Asn(filter.customer_asn))
                .collect(),
            aspa_assertions: each(
                &assertions.aspa.unwrap_or_default(),
                aspa_assertion,
                malformed("aspaAssertions"),
            )?,
        })
    }

    fn entries(&self) -> usize {
        let aspas = self.aspa_filters.len() + self.aspa_assertions.len();
        self.filters.len() + self.assertions.len() + aspas
    }

    /// Whether nothing is excepted.
    pub fn is_empty(&self) -> bool {
        self.entries() == 0
    }

    /// RFC 8416 §4.2: overlapping prefixes, or the same AS without a prefix.
    fn conflicts(&self, other: &Slurm) -> bool {
        let overlap = |a: &Prefix, b: &Prefix| a.covers(b) || b.covers(a);
        let spoken = |slurm: &Slurm| -> (Vec<Prefix>, Vec<Asn>, Vec<Asn>) {
            let asserted = slurm.assertions.iter().map(|vrp| vrp.prefix);
            let filtered = slurm.filters.iter().filter_map(|filter| filter.prefix);
            let asns = slurm.filters.iter().filter(|filter| filter.prefix.is_none());
            let customers = slurm.aspa_assertions.iter().map(|&(customer, _)| customer);
            (
                asserted.chain(filtered).collect(),
                asns.filter_map(|filter| filter.asn).collect(),
                customers.chain(slurm.aspa_filters.iter().copied()).collect(),
            )
        };
        let (mine, theirs) = (spoken(self), spoken(other));
        mine.0.iter().any(|a| theirs.0.iter().any(|b| overlap(a, b)))
            || mine.1.iter().any(|asn| theirs.1.contains(asn))
            || mine.2.iter().any(|asn| theirs.2.contains(asn))
    }

    /// The VRPs as they count here: filtered, then with the assertions, which no filter touches
    /// (RFC 8416 §3.4).
    #[must_use]
    pub fn vrps(&self, table: &VrpTable) -> VrpTable {
        let mut trust_anchors = table.trust_anchors().clone();
        let ta = trust_anchors.intern(SLURM_TRUST_ANCHOR);
        let kept = table
            .iter_expiring()
            .filter(|(vrp, _)| !self.filters.iter().any(|filter| filter.drops(vrp)));
        let asserted = self.assertions.iter().map(|&vrp| (Vrp { ta, ..vrp }, 0));
        VrpTable::from_expiring(kept.chain(asserted).collect()).with_trust_anchors(trust_anchors)
    }

    /// The ASPAs as they count here. An assertion of a customer that has an ASPA is united with it.
    #[must_use]
    pub fn aspas(&self, table: &AspaTable) -> AspaTable {
        let kept = table.iter().filter(|(customer, _)| !self.aspa_filters.contains(customer));
        let kept = kept.map(|(customer, providers)| (customer, providers.to_vec()));
        AspaTable::from_records(kept.chain(self.aspa_assertions.iter().cloned()).collect())
    }
}

fn each<T, U>(
    entries: &[T],
    read: impl Fn(&T) -> Option<U>,
    malformed: impl Fn(usize) -> SlurmError,
) -> Result<Vec<U>, SlurmError> {
    let read =
        entries.iter().enumerate().map(|(at, entry)| read(entry).ok_or_else(|| malformed(at)));
    read.collect()
}

fn prefix_of(text: &str) -> Option<Prefix> {
    super::field::prefix(text).ok()
}

fn filter(entry: &PrefixFilter) -> Option<Filter> {
    let prefix = match &entry.prefix {
        Some(text) => Some(prefix_of(text)?),
        None => None,
    };
    let asn = entry.asn.map(Asn);
    (prefix.is_some() || asn.is_some()).then_some(Filter { prefix, asn })
}

fn assertion(entry: &PrefixAssertion) -> Option<Vrp> {
    let prefix = prefix_of(&entry.prefix)?;
    let max_len = entry.max_prefix_length.unwrap_or(prefix.len());
    let is_sound = (prefix.len()..=prefix.family().bits()).contains(&max_len);
    let vrp = Vrp { prefix, max_len, asn: Asn(entry.asn), ta: TrustAnchorId::default() };
    is_sound.then_some(vrp)
}

fn aspa_assertion(entry: &AspaAssertion) -> Option<(Asn, Vec<Asn>)> {
    let count = entry.provider_asns.len();
    let providers = entry.provider_asns.iter().copied().map(Asn).collect();
    (1..=ASPA_PROVIDERS_MAX).contains(&count).then_some((Asn(entry.customer_asn), providers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vrp(prefix: &str, max_len: u8, asn: u32) -> Vrp {
        let prefix = prefix.parse().unwrap();
        Vrp { prefix, max_len, asn: Asn(asn), ta: TrustAnchorId::default() }
    }

    fn document(version: u8, filters: &str, assertions: &str) -> String {
        format!(
            r#"{{"slurmVersion":{version},"validationOutputFilters":{{{filters}}},
            "locallyAddedAssertions":{{{assertions}}}}}"#
        )
    }

    fn parse(text: &str) -> Result<Slurm, SlurmError> {
        Slurm::parse(Path::new("t"), text.as_bytes())
    }

    fn after(filters: &str, assertions: &str) -> Vec<String> {
        let table = VrpTable::from_vrps(vec![
            vrp("192.0.2.0/24", 24, 64496),
            vrp("192.0.2.128/25", 25, 64497),
            vrp("198.51.100.0/24", 24, 64496),
            vrp("2001:db8::/32", 48, 64497),
        ]);
        let slurm = parse(&document(1, filters, assertions)).unwrap();
        let table = slurm.vrps(&table);
        table.iter().map(|v| format!("{} {} {}", v.prefix, v.max_len, v.asn.0)).collect()
    }

    #[test]
    fn rfc8416_filters_take_more_specifics_origins_or_what_is_both() {
        assert_eq!(
            after(r#""prefixFilters":[{"prefix":"192.0.2.0/24","comment":"x"}]"#, ""),
            ["198.51.100.0/24 24 64496", "2001:db8::/32 48 64497"]
        );
        // A less-specific VRP is not encompassed by the filter.
        assert_eq!(after(r#""prefixFilters":[{"prefix":"192.0.2.128/25"}]"#, "").len(), 3);
        assert_eq!(
            after(r#""prefixFilters":[{"asn":64496}]"#, ""),
            ["192.0.2.128/25 25 64497", "2001:db8::/32 48 64497"]
        );
        let both = r#""prefixFilters":[{"asn":64496,"prefix":"192.0.2.0/24"}]"#;
        assert_eq!(after(both, "").len(), 3);
        assert_eq!(after("", "").len(), 4);
    }

    #[test]
    fn rfc8416_assertions_are_added_whatever_is_filtered() {
        let all =
            r#""prefixFilters":[{"prefix":"0.0.0.0/0"},{"prefix":"::/0"}],"bgpsecFilters":[{}]"#;
        let added = r#""prefixAssertions":[{"asn":64500,"prefix":"192.0.2.0/24"},
            {"asn":64501,"prefix":"2001:db8::/32","maxPrefixLength":40}],"bgpsecAssertions":[]"#;
        assert_eq!(after(all, added), ["192.0.2.0/24 24 64500", "2001:db8::/32 40 64501"]);
        let slurm = parse(&document(1, all, added)).unwrap();
        let table = slurm.vrps(&VrpTable::default());
        assert_eq!(table.trust_anchor(&table.iter().next().unwrap()), "slurm");
    }

    #[test]
    fn aspas_of_customers_are_replaced() {
        let table = AspaTable::from_records(vec![
            (Asn(64496), vec![Asn(64500)]),
            (Asn(64497), vec![Asn(64500)]),
        ]);
        let filters = r#""aspaFilters":[{"customerAsn":64496}]"#;
        let assertions = r#""aspaAssertions":[{"customerAsid":64496,"providers":[64501]},
            {"customerAsn":64497,"providerAsns":[64502]}]"#;
        let slurm = parse(&document(2, filters, assertions)).unwrap();
        let table = slurm.aspas(&table);
        assert_eq!(table.providers(Asn(64496)), Some(&[Asn(64501)][..]));
        assert_eq!(table.providers(Asn(64497)), Some(&[Asn(64500), Asn(64502)][..]));
        assert_eq!(parse(&document(1, filters, "")).unwrap_err().kind(), "slurm_version");
    }

    #[test]
    fn rfc8416_an_invalid_file_is_refused_as_a_whole() {
        let kind = |version, filters, assertions| {
            parse(&document(version, filters, assertions)).unwrap_err().kind()
        };
        assert_eq!(kind(3, "", ""), "slurm_version");
        assert_eq!(kind(1, r#""prefixFilters":[{}]"#, ""), "slurm_entry");
        assert_eq!(kind(1, r#""prefixFilters":[{"prefix":"192.0.2.1/24"}]"#, ""), "slurm_entry");
        assert_eq!(kind(1, r#""prefixFilters":[{"asn":1,"other":2}]"#, ""), "slurm_json");
        assert_eq!(kind(1, r#""others":[]"#, ""), "slurm_json");
        assert_eq!(kind(1, "", r#""prefixAssertions":[{"asn":1}]"#), "slurm_json");
        let max = r#""prefixAssertions":[{"asn":1,"prefix":"192.0.2.0/24","maxPrefixLength":23}]"#;
        assert_eq!(kind(1, "", max), "slurm_entry");
        let none = r#""aspaAssertions":[{"customerAsn":1,"providerAsns":[]}]"#;
        assert_eq!(kind(2, "", none), "slurm_entry");
        assert_eq!(parse("{}").unwrap_err().kind(), "slurm_json");
    }

    #[test]
    fn rfc8416_files_that_speak_of_the_same_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, filters: &str, assertions: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, document(1, filters, assertions)).unwrap();
            path
        };
        let a = write("a", r#""prefixFilters":[{"prefix":"192.0.2.0/24"}]"#, "");
        let b = write("b", "", r#""prefixAssertions":[{"asn":1,"prefix":"192.0.2.128/25"}]"#);
        let c = write("c", r#""prefixFilters":[{"asn":64496}]"#, "");
        let error = Slurm::load(&[a.clone(), c.clone(), b]).unwrap_err();
        assert_eq!(error.kind(), "slurm_conflict");
        assert_eq!(Slurm::load(&[a, c]).unwrap().entries(), 2);
        let missing = Slurm::load(&[folder.path().join("none")]).unwrap_err();
        assert_eq!(missing.kind(), "slurm_read");
    }
}
