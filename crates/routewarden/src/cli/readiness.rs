//! Arguments of `readiness` and `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use routewarden_core::{Asn, Timestamp};

use super::{DocumentFormat, FactArgs};

/// What is measured, when, by what, and on which inputs.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    /// Incidents that `detect --format jsonl` or `json` wrote; `-` for standard input
    #[arg(long, value_name = "F")]
    pub incidents: Option<PathBuf>,
    /// Incidents of that file that turned out to be none: they are named and do not count
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub false_positive: Vec<String>,
    /// Calendar month, as 2026-10 [default: the month of the newest incident]
    #[arg(long, value_name = "YYYY-MM", conflicts_with = "window")]
    pub month: Option<String>,
    /// The days before --until, as 30d (at most 366d)
    #[arg(long, value_name = "DAYS", value_parser = parse_window)]
    pub window: Option<u16>,
    /// End of the window [default: the newest time in the incidents]
    #[arg(long, value_name = "T", requires = "window")]
    pub until: Option<Timestamp>,
    /// Version of the framework: manrs-2018, manrs-2023, manrs-2024, routewarden-1, or a file
    #[arg(long, value_name = "P", default_value = routewarden_measure::PROFILE_DEFAULT)]
    pub profile: String,
    /// What was announced: MRT tables and updates (files, directories, globs)
    #[arg(long, value_name = "INPUT")]
    pub routes: Vec<String>,
    /// A route counts when so many peer ASes had it; where fewer are heard, all of them
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub least_peers: u8,
    /// Reference facts; --origins stands for --routes where that is not given.
    #[command(flatten)]
    pub facts: FactArgs,
    /// Route objects: RPSL dumps of routing registries
    #[arg(long, value_name = "F")]
    pub irr: Vec<PathBuf>,
    /// Networks and their contacts: answers or dumps of PeeringDB
    #[arg(long, value_name = "F")]
    pub peering_db: Option<PathBuf>,
    /// Sessions of CAIDA Spoofer, as CSV
    #[arg(long, value_name = "F")]
    pub spoofer: Vec<PathBuf>,
    /// Contacts that registries name: answers of RDAP about ASNs
    #[arg(long, value_name = "F")]
    pub contacts: Vec<PathBuf>,
    /// Participants of MANRS: JSON of its Observatory, or CSV
    #[arg(long, value_name = "F")]
    pub participants: Vec<PathBuf>,
    /// No summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

fn parse_window(text: &str) -> Result<u16, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    days.filter(|days| (1..=366).contains(days)).ok_or_else(|| "expected days, as 30d".to_owned())
}

/// Arguments of `readiness`.
#[derive(Debug, Args)]
pub struct ReadinessArgs {
    /// Networks, as AS64500
    #[arg(value_name = "ASN", required_unless_present_any = ["country", "all", "constituency"])]
    pub asns: Vec<Asn>,
    /// All networks of a country, as FR
    #[arg(long, value_name = "CC", conflicts_with = "asns", value_parser = super::constituency::parse_country)]
    pub country: Option<String>,
    /// All networks that announce anything or have a part in an incident
    #[arg(long, conflicts_with_all = ["asns", "country"])]
    pub all: bool,
    /// What is measured, and on what.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReadinessFormat::Table)]
    pub format: ReadinessFormat,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// 2 to 10 networks, as AS64500
    #[arg(value_name = "ASN", required = true, num_args = 2..=10)]
    pub asns: Vec<Asn>,
    /// What is measured, and on what.
    #[command(flatten)]
    pub measure: MeasureArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}

/// Output format of readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadinessFormat {
    /// For reading
    Table,
    /// One document, with every input
    Json,
    /// One network a line
    Jsonl,
    /// One network a row, with its scores
    Csv,
    /// The same as Apache Parquet
    Parquet,
    /// JSON as MANRS's own Observatory has it, in scores/summary: of all chosen networks together
    Observatory,
}
