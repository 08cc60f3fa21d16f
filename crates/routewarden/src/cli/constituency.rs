//! Arguments of `constituency` and `rpki`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use routewarden_core::Asn;

use super::DocumentFormat;

/// What to do with a constituency.
#[derive(Debug, Subcommand)]
pub enum ConstituencyCommand {
    /// Write a constituency from data: members by organisation, their prefixes and upstreams
    Init(Box<InitArgs>),
    /// Say where a constituency and the data have drifted apart (exit 4 when they have)
    Check(CheckArgs),
}

/// What to do with RPKI data.
#[derive(Debug, Subcommand)]
pub enum RpkiCommand {
    /// Compare two validator runs: VRPs, standing routes whose state changed, and members concerned
    Diff(RpkiDiffArgs),
}

/// The routes that stand, from one of two sources.
#[derive(Debug, Args)]
pub struct TableArgs {
    /// Routing tables (MRT table dumps)
    #[arg(long, value_name = "F", conflicts_with = "origins")]
    pub rib: Vec<String>,
    /// Prefix origins in place of a table: pyasn .dat, CAIDA pfx2as, riswhois, or CSV
    #[arg(long, value_name = "F")]
    pub origins: Option<PathBuf>,
}

/// Arguments of `constituency init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// ASes of the constituency
    #[arg(long, value_name = "N", value_delimiter = ',', required_unless_present = "country")]
    pub asn: Vec<Asn>,
    /// All ASes whose organisation is registered in this country, as NL
    #[arg(long, value_name = "CC", requires = "orgs", value_parser = parse_country)]
    pub country: Option<String>,
    /// Name of the constituency
    #[arg(long, default_value = "")]
    pub name: String,
    /// Where prefixes and upstreams come from.
    #[command(flatten)]
    pub table: TableArgs,
    /// List as expected what other ASes originate now in the members' space: customers, second
    /// sites, and whatever else stands. Without it, `check` names them
    #[arg(long)]
    pub accept_standing: bool,
    /// AS organisations: CAIDA as-org2info jsonl; ASes of one organisation become one member
    #[arg(long, value_name = "F")]
    pub orgs: Option<PathBuf>,
    /// AS names: JSON object or "ASN name" lines
    #[arg(long, value_name = "F")]
    pub as_names: Option<PathBuf>,
    /// Validated ROA payloads: notes the state of each prefix
    #[arg(long, value_name = "F")]
    pub vrps: Option<PathBuf>,
    /// File to write, which must not exist [default: standard output]
    #[arg(short, long, value_name = "F")]
    pub output: Option<PathBuf>,
    /// No summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

pub(super) fn parse_country(text: &str) -> Result<String, String> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err("expected a country code of two letters".to_owned())
    }
}

/// Arguments of `constituency check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The constituency
    #[arg(value_name = "FILE")]
    pub constituency: PathBuf,
    /// What is seen now.
    #[command(flatten)]
    pub table: TableArgs,
    /// Validated ROA payloads: rpki-client or Routinator JSON, or CSV
    #[arg(long, value_name = "F")]
    pub vrps: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
    /// No summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}

/// Arguments of `rpki diff`.
#[derive(Debug, Args)]
pub struct RpkiDiffArgs {
    /// The earlier run: rpki-client or Routinator JSON, or CSV
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The later run
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Routes to validate anew.
    #[command(flatten)]
    pub table: TableArgs,
    /// Constituency whose members are to be told
    #[arg(long, value_name = "F")]
    pub constituency: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
    /// No summary on standard error
    #[arg(short, long)]
    pub quiet: bool,
}
