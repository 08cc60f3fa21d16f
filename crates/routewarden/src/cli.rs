//! The command line.

mod access;
mod config;
mod constituency;
mod data;
mod readiness;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use routewarden_core::{Asn, Prefix, Timestamp};
use routewarden_feeds::archive::{RIS_URL, ROUTE_VIEWS_URL};

pub use access::{
    AccessListArgs, AuditCommand, AuditExportArgs, PasswordArgs, TokenAddArgs, TokenCommand,
    TokenRevokeArgs, UserAddArgs, UserArgs, UserCommand, UserPasswordArgs, UserRoleArgs,
};
pub use config::{ConfigArgs, ConfigCheckArgs, ConfigCommand, SPEED_MAX, ServeArgs, Speed};
pub use constituency::{
    CheckArgs, ConstituencyCommand, InitArgs, RpkiCommand, RpkiDiffArgs, TableArgs,
};
pub use data::{BackupArgs, DataCommand, RestoreArgs, VerifyArgs};
pub use readiness::{CompareArgs, MeasureArgs, ReadinessArgs, ReadinessFormat};

const AFTER_HELP: &str = "\
Exit codes: 0 done, with findings or without; 1 error; 2 usage; 3 done on incomplete data
(a file was cut, corrupt or skipped); 4 with --fail-on: a finding at or above it; for
constituency check: a difference.";

/// Routing security for incident response teams.
#[derive(Debug, Parser)]
#[command(name = "routewarden", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find routing incidents in BGP archives: who hijacked whom, when, seen by whom, and why
    Detect(Box<DetectArgs>),
    /// Explain one incident: the evidence for and against, with the paths behind it
    Explain(ExplainArgs),
    /// Decode MRT files: print their elements, or count them
    Mrt(MrtArgs),
    /// Infer the relationships between ASes from the paths of BGP archives
    Relations(RelationsArgs),
    /// How ready networks are for secure routing: the metrics and scores of MANRS, with their inputs
    Readiness(Box<ReadinessArgs>),
    /// Networks side by side, and which of them to buy transit from, with reasons
    Compare(Box<CompareArgs>),
    /// Route origin validation of a prefix and origin against VRPs (RFC 6811)
    Validate(ValidateArgs),
    /// Whom we watch over: write the document from data, and find where they differ
    #[command(subcommand)]
    Constituency(ConstituencyCommand),
    /// Changes of the RPKI
    #[command(subcommand)]
    Rpki(RpkiCommand),
    /// Replay written scenarios through the detector
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Watch the feeds that the configuration names, and tell of incidents as they happen
    Serve(ServeArgs),
    /// The configuration of the service: check it, show it, its example and its schema
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What the service remembers: backups, the way back, whether all is in order
    #[command(subcommand)]
    Data(DataCommand),
    /// Users of the service: make, list, change, disable
    #[command(subcommand)]
    User(UserCommand),
    /// Tokens with which programs use the service
    #[command(subcommand)]
    Token(TokenCommand),
    /// The log of what users did: check it, print it
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print shell completions
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page (roff)
    Man {
        /// Write routewarden.1 and a page for each verb to this folder instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Arguments of `detect`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub struct DetectArgs {
    /// MRT files, directories, globs, `-` for standard input, or `archive:COLLECTOR`
    /// (as archive:rrc12 or archive:route-views2; needs --from and --until)
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Routing table to start from (MRT table dump, or `archive:COLLECTOR` for the last one
    /// before --from); updates of its collector that are older are skipped and counted
    #[arg(long, value_name = "F")]
    pub rib: Vec<String>,
    /// Reference facts.
    #[command(flatten)]
    pub facts: FactArgs,
    /// Public archives.
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Report nothing before this time (RFC 3339 UTC, a date, or seconds since 1970); with a
    /// table, the updates between it and this time bring the table up to date
    #[arg(long, value_name = "T")]
    pub from: Option<Timestamp>,
    /// Leave out events at or after this time
    #[arg(long, value_name = "T")]
    pub until: Option<Timestamp>,
    /// Do not look for bogon prefixes and ASNs (for labs in documentation space)
    #[arg(long)]
    pub no_bogons: bool,
    /// Tell of bad practice of everyone, not of constituents only: `AS_SET`, paths of more than 50
    /// ASNs, prepending of ten and more
    #[arg(long)]
    pub hygiene: bool,
    /// AS of the router that recorded the inputs, when it is an operator's own and no public
    /// collector: what its neighbours must not send it is a leak, too
    #[arg(long, value_name = "ASN")]
    pub recorded_by: Option<Asn>,
    /// VRPs and ASPAs from a time on, as 2025-07-20T10:01:00Z=FILE: what stands is validated anew.
    /// May be given several times
    #[arg(long, value_name = "T=F", value_parser = parse_vrps_at)]
    pub vrps_at: Vec<(Timestamp, PathBuf)>,
    /// Least number of distinct peer ASes that must have seen it [default: 2; 1 where fewer
    /// than 8 peer ASes are heard]
    #[arg(long, value_name = "N", value_parser = parse_quorum)]
    pub quorum: Option<usize>,
    /// Leave out incidents of a lower confidence (0-100)
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub min_confidence: u8,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Exit with 4 when an incident is of this severity or higher
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub fail_on: Option<Severity>,
    /// Threads to decode with; with 1, all is done by one thread [default: cores, at most 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub threads: Option<u32>,
    /// Parts of the address space that are judged apart, each by a thread of its own; what is found
    /// is the same for any number [default: half as many as threads]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub shards: Option<u32>,
    /// Skip files that cannot be read (exit 3) instead of stopping (exit 1)
    #[arg(long)]
    pub keep_going: bool,
    /// No progress bar and no summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

fn parse_vrps_at(text: &str) -> Result<(Timestamp, PathBuf), String> {
    let (time, file) = text.split_once('=').ok_or("expected TIME=FILE")?;
    let time = time.parse().map_err(|error| format!("{time}: {error}"))?;
    Ok((time, PathBuf::from(file)))
}

fn parse_quorum(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("expected a number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}

/// Reference facts, each optional. Files may be compressed.
#[derive(Debug, Default, Args)]
pub struct FactArgs {
    /// Prefix origins known before: pyasn .dat, CAIDA pfx2as, riswhois, or CSV
    #[arg(long, value_name = "F")]
    pub origins: Option<PathBuf>,
    /// Validated ROA payloads, and ASPAs: rpki-client or Routinator JSON, or CSV
    #[arg(long, value_name = "F")]
    pub vrps: Option<PathBuf>,
    /// AS organisations: CAIDA as-org2info jsonl
    #[arg(long, value_name = "F")]
    pub orgs: Option<PathBuf>,
    /// AS relationships: CAIDA as-rel, or what `relations` writes
    #[arg(long, value_name = "F")]
    pub relations: Option<PathBuf>,
    /// AS names: JSON object or "ASN name" lines
    #[arg(long, value_name = "F")]
    pub as_names: Option<PathBuf>,
    /// ASNs of Internet exchanges' route servers: they stand in paths and sell nothing
    #[arg(long, value_name = "ASN", value_delimiter = ',')]
    pub route_servers: Vec<Asn>,
    /// What the registries have given out: delegated-REGISTRY-extended files
    #[arg(long, value_name = "F")]
    pub delegated: Vec<PathBuf>,
    /// Constituency: whom we watch over, as `routewarden constituency init` writes it
    #[arg(long, value_name = "F")]
    pub constituency: Option<PathBuf>,
}

/// Public archives.
#[derive(Debug, Args)]
pub struct ArchiveArgs {
    /// Where downloaded archive files are kept [default: routewarden in the user's cache]
    #[arg(long, value_name = "DIR", env = "ROUTEWARDEN_CACHE")]
    pub cache: Option<PathBuf>,
    /// Base URL of the RouteViews archive, or of a mirror
    #[arg(long, value_name = "URL", default_value = ROUTE_VIEWS_URL)]
    pub routeviews_url: String,
    /// Base URL of the RIPE RIS archive, or of a mirror
    #[arg(long, value_name = "URL", default_value = RIS_URL)]
    pub ris_url: String,
    /// HTTP proxy for the archives, as http://host:port
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
}

/// Output format of incidents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading
    Table,
    /// One document with the incidents, the facts used and the counters
    Json,
    /// One incident a line
    Jsonl,
    /// One incident a row
    Csv,
    /// Markdown table
    Md,
}

/// Severity classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Severity {
    /// Any
    Info,
    /// 20 and above
    Low,
    /// 40 and above
    Medium,
    /// 60 and above
    High,
    /// 80 and above
    Critical,
}

impl From<Severity> for routewarden_detect::SeverityClass {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Info => Self::Info,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The incident's id, or its beginning
    pub incident_id: String,
    /// File written by `detect --format jsonl` or `json`; `-` for standard input
    #[arg(long = "in", value_name = "F")]
    pub input: PathBuf,
}

/// Arguments of `mrt`.
#[derive(Debug, Args)]
pub struct MrtArgs {
    /// MRT files, directories, globs, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub inputs: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = MrtFormat::Table)]
    pub format: MrtFormat,
    /// Count instead of printing: one line or object a file
    #[arg(long)]
    pub count: bool,
    /// Files read at once, and threads for decompression; the output is always the same
    /// [default: the number of cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Skip files that cannot be read (exit 3) instead of stopping (exit 1)
    #[arg(long)]
    pub keep_going: bool,
    /// No summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// Output format of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MrtFormat {
    /// For reading
    Table,
    /// One JSON object an element (with --count: a file)
    Jsonl,
    /// With --count: one JSON object a file; else the same as jsonl
    Json,
    /// The lines of `bgpdump -m`
    Bgpdump,
}

/// Arguments of `relations`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct RelationsArgs {
    /// MRT files (tables, updates), directories, globs, or `-` for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// File to write; standard output when not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write the confidence of each inferred link (0-100) as a fourth column
    #[arg(long)]
    pub confidence: bool,
    /// Relationships known already, in CAIDA's as-rel form: they win over inference
    #[arg(long, value_name = "F")]
    pub relations: Option<PathBuf>,
    /// ASNs of route servers, which are taken out of the paths
    #[arg(long, value_name = "ASN", value_delimiter = ',')]
    pub route_servers: Vec<Asn>,
    /// Take paths with reserved ASNs, too (for labs in documentation space)
    #[arg(long)]
    pub no_bogons: bool,
    /// Threads to decode with [default: cores, at most 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub threads: Option<u32>,
    /// Skip files that cannot be read (exit 3) instead of stopping (exit 1)
    #[arg(long)]
    pub keep_going: bool,
    /// No progress bar and no summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Prefix, as 192.0.2.0/24
    pub prefix: Prefix,
    /// Origin, as 64496 or AS64496
    pub asn: Asn,
    /// Validated ROA payloads: rpki-client or Routinator JSON, or CSV
    #[arg(long, value_name = "F")]
    pub vrps: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}

/// Output format of an answer that is one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DocumentFormat {
    /// For reading
    Table,
    /// One JSON object
    Json,
}

/// What to do with scenarios.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Replay scenarios and print the incidents and their explanations
    Run {
        /// Scenario folders or scenario.toml files
        #[arg(required = true)]
        scenarios: Vec<PathBuf>,
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Replay scenarios and compare the incidents with what each expects
    Check {
        /// Scenario folders or scenario.toml files
        #[arg(required = true)]
        scenarios: Vec<PathBuf>,
    },
}
