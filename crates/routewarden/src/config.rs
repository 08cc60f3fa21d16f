//! The configuration: one TOML file, read once into a checked [`Config`].
//!
//! ```text
//! text ─► Document (places) ─► structure (against the schema) ─► Config ─► meaning ─► Checked
//! ```
//!
//! The types say what the file may hold; the schema, the reference and the checks of structure are
//! made from them. Whatever is wrong is told at once, each finding with line and column.

mod document;
mod example;
mod finding;
mod knowledge;
mod meaning;
mod program;
mod reference;
mod schema;
mod sources;
mod structure;
mod values;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use example::EXAMPLE;
pub use finding::{FINDINGS_MAX, Finding, Refused, Weight};
pub use knowledge::*;
pub use program::*;
pub use reference::reference;
pub use schema::schema;
pub use sources::*;
pub use values::{
    AddressRange, FormError, NAME_OCTETS_MAX, PERIOD_DAYS_MAX, Period, Place, PublicUrl,
};

use document::{Document, Key};

/// Where the file is unless told otherwise.
pub const PATH_DEFAULT: &str = "/etc/routewarden/routewarden.toml";
/// Where data is kept unless told otherwise.
pub const DATA_DIR_DEFAULT: &str = "/var/lib/routewarden";
/// Largest file.
pub const FILE_OCTETS_MAX: u64 = 1 << 20;

/// Configuration of Routewarden: `/etc/routewarden/routewarden.toml`. Relative paths are meant from
/// the folder of the file. Periods are written as 90s, 10m, 4h or 1d.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "routewarden.toml")]
pub struct Config {
    /// Folder in which everything is kept that must outlive the program
    #[schemars(with = "String", extend("format" = "path"))]
    pub data_dir: PathBuf,
    /// The HTTP server: health, status, metrics, the API
    pub http: Http,
    /// Who may use the program
    pub access: Access,
    /// Detection
    pub detect: Detect,
    /// What is remembered on disk, below `data_dir`
    pub store: Store,
    /// The program's own messages, on standard error
    pub log: Log,
    /// Health of the feeds
    pub health: Health,
    /// Whom we watch over; without it, everybody
    pub constituency: Constituency,
    /// How ready networks are is measured again and again
    pub readiness: Readiness,
    /// Validated ROA payloads and ASPAs
    pub rpki: Rpki,
    /// Reference facts, each optional; files may be compressed
    pub facts: Facts,
    /// RIS Live: what the route collectors of RIPE RIS hear, over a websocket
    #[schemars(length(max = SOURCES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ris_live: Vec<RisLive>,
    /// BMP stations: routers connect to them (RFC 7854)
    #[schemars(length(max = SOURCES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bmp: Vec<Bmp>,
    /// Passive BGP speakers: neighbours connect to them and send; they announce nothing
    #[schemars(length(max = SOURCES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bgp: Vec<Bgp>,
    /// Public archives of RIPE RIS (`rrcNN`) and RouteViews (all other names)
    #[schemars(length(max = SOURCES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub archive: Vec<Archive>,
    /// Folders into which somebody else puts MRT files
    #[schemars(length(max = SOURCES_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub directory: Vec<Directory>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            data_dir: DATA_DIR_DEFAULT.into(),
            http: Http::default(),
            access: Access::default(),
            detect: Detect::default(),
            store: Store::default(),
            log: Log::default(),
            health: Health::default(),
            constituency: Constituency::default(),
            readiness: Readiness::default(),
            rpki: Rpki::default(),
            facts: Facts::default(),
            ris_live: Vec::new(),
            bmp: Vec::new(),
            bgp: Vec::new(),
            archive: Vec::new(),
            directory: Vec::new(),
        }
    }
}

impl Config {
    /// The folder in which the files of an archive are kept.
    pub fn cache_dir(&self, archive: &Archive) -> PathBuf {
        archive.cache_dir.clone().unwrap_or_else(|| self.data_dir.join("archive"))
    }

    /// Takes what flags and environment say; it goes before the file.
    pub fn apply(&mut self, overrides: Overrides) {
        if let Some(level) = overrides.log_level {
            self.log.level = level;
        }
        if let Some(format) = overrides.log_format {
            self.log.format = format;
        }
    }
}

/// What the command line and the environment say of the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    /// Level of messages.
    pub log_level: Option<LogLevel>,
    /// Form of messages.
    pub log_format: Option<LogFormat>,
}

/// A configuration that may be used.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The configuration, with defaults filled in and paths made whole.
    pub config: Config,
    /// What somebody should look at.
    pub warnings: Vec<Finding>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Reads and checks a file.
///
/// # Errors
///
/// When it cannot be read, or with everything that is wrong with it.
pub fn load(path: &Path) -> Result<Checked, ConfigError> {
    let read = || -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        File::open(path)?.take(FILE_OCTETS_MAX + 1).read_to_end(&mut octets)?;
        Ok(octets)
    };
    let octets = read().map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    Ok(check(path, &octets)?)
}

/// Checks the octets of a file. `path` is where they are from: relative paths are meant from its
/// folder.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn check(path: &Path, octets: &[u8]) -> Result<Checked, Refused> {
    let findings = match checked(path, octets) {
        Ok(checked) => return Ok(checked),
        Err(findings) => findings,
    };
    Err(Refused::new(path, findings))
}

fn checked(path: &Path, octets: &[u8]) -> Result<Checked, Vec<Finding>> {
    let text = text(octets).map_err(|finding| vec![finding])?;
    let document = Document::parse(text)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let wrong = structure::check(&document, &schema());
    if !wrong.is_empty() {
        let rest = meaning_of_rest(&document, text, folder, &wrong);
        return Err(wrong.into_iter().map(|(_, finding)| finding).chain(rest).collect());
    }
    let mut config: Config = toml::from_str(text).map_err(|error| {
        // What the schema takes is read; this tells should it ever be otherwise.
        let span = error.span().unwrap_or_default();
        let message = error.message().to_owned();
        vec![document.error(&span, "bad_value", &Key::default(), message)]
    })?;
    meaning::make_whole(&mut config, folder);
    let mut findings = meaning::check(&document, &config);
    if findings.iter().any(|finding| finding.weight == Weight::Error) {
        return Err(findings);
    }
    findings.sort_by_key(|finding| (finding.line, finding.column));
    Ok(Checked { config, warnings: findings })
}

/// What is wrong with the meaning of a file beside the keys that are wrong in themselves, as far as
/// it can be told without these.
fn meaning_of_rest(
    document: &Document<'_>,
    text: &str,
    folder: &Path,
    wrong: &[(Key, Finding)],
) -> Vec<Finding> {
    let rest = || {
        let mut table: toml::Table = toml::from_str(text).ok()?;
        wrong.iter().try_for_each(|(key, _)| key.remove_from(&mut table))?;
        table.try_into::<Config>().ok()
    };
    let Some(mut config) = rest() else { return Vec::new() };
    meaning::make_whole(&mut config, folder);
    let mut findings = meaning::check(document, &config);
    // A default that stands in for a wrong value says nothing of other keys.
    findings.retain(|finding| !meaning::OF_SEVERAL_KEYS.contains(&finding.kind));
    findings
}

fn text(octets: &[u8]) -> Result<&str, Finding> {
    let finding = |line, kind, message| Finding {
        line,
        column: 1,
        weight: Weight::Error,
        kind,
        key: String::new(),
        message,
    };
    if octets.len() as u64 > FILE_OCTETS_MAX {
        let message = format!("has more than {FILE_OCTETS_MAX} octets: is it the right file?");
        return Err(finding(1, "too_long", message));
    }
    std::str::from_utf8(octets).map_err(|error| {
        let before = octets.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.split(|&octet| octet == b'\n').count();
        let message = format!("octet {} is not UTF-8", error.valid_up_to());
        finding(line, "not_utf8", message)
    })
}

#[cfg(test)]
mod tests;
