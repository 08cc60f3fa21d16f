//! Arguments of `data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigArgs, DocumentFormat};

/// What to do with what is remembered.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Copy the store into one file, whole and checked, while the service runs
    Backup(BackupArgs),
    /// Put a backup in the place of the store; the service must not run
    Restore(RestoreArgs),
    /// Follow the hashes over the whole journal, and look the file over (exit 1 when something is
    /// not in order)
    Verify(VerifyArgs),
    /// Make the tables anew of the journal; the service must not run
    Rebuild(ConfigArgs),
}

/// Arguments of `data backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The configuration, which says where the store is
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The file to be made; there must be none
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}

/// Arguments of `data restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The configuration, which says where the store is
    #[command(flatten)]
    pub config: ConfigArgs,
    /// The backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace a store with something in it; it is kept beside, as `routewarden.db.replaced`
    #[arg(long)]
    pub force: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}

/// Arguments of `data verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The configuration, which says where the store is
    #[command(flatten)]
    pub config: ConfigArgs,
    /// A backup to look over in place of the store
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}
