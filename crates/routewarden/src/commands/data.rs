//! `data`: backups of what is remembered, and the way back.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use routewarden_store::{BackupReport, Store, StoreReader, access, check_backup, restore};
use serde::Serialize;

use super::access::actor;
use super::config::load;
use crate::Exit;
use crate::cli::{BackupArgs, ConfigArgs, DataCommand, DocumentFormat, RestoreArgs, VerifyArgs};

/// What is told of a store or a backup.
#[derive(Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    octets: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Rows of the journal, each with the hash that follows from all before.
    journal_rows: u64,
    /// Rows that retention took out.
    journal_pruned: u64,
    /// Number and hash of the last row: kept elsewhere, they show whether the past was rewritten.
    head_seq: i64,
    head_hash: String,
    /// The same of the file of users; the journal is its audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<Box<Document>>,
}

impl Document {
    fn of(report: &BackupReport) -> Self {
        Document {
            octets: Some(report.octets),
            sha256: Some(report.sha256.to_string()),
            ..Document::of_journal(&report.journal)
        }
    }

    fn of_journal(journal: &routewarden_store::Verified) -> Self {
        Document {
            octets: None,
            sha256: None,
            journal_rows: journal.rows,
            journal_pruned: journal.pruned,
            head_seq: journal.head.seq,
            head_hash: journal.head.hash.to_string(),
            access: None,
        }
    }

    fn with_access(self, access: Option<&BackupReport>) -> Self {
        Document { access: access.map(Document::of).map(Box::new), ..self }
    }
}

pub(super) fn run(command: &DataCommand) -> Result<Exit> {
    match command {
        DataCommand::Backup(args) => backup(args),
        DataCommand::Restore(args) => put_back(args),
        DataCommand::Verify(args) => verify(args),
        DataCommand::Rebuild(args) => rebuild(args),
    }
}

fn backup(args: &BackupArgs) -> Result<Exit> {
    let data_dir = load(&args.config)?.config.data_dir;
    let store = StoreReader::open(&data_dir).with_context(|| about(&data_dir))?;
    let report = store.backup(&args.file);
    let report = report.with_context(|| format!("cannot make {}", args.file.display()))?;
    let beside = access::backup_beside(&args.file);
    let of_access = access::back_up(&data_dir, &args.file);
    let of_access = of_access.with_context(|| format!("cannot make {}", beside.display()))?;
    tell(&Document::of(&report).with_access(of_access.as_ref()), args.format)
}

fn put_back(args: &RestoreArgs) -> Result<Exit> {
    let data_dir = load(&args.config)?.config.data_dir;
    std::fs::create_dir_all(&data_dir)
        .with_context(|| format!("cannot make {}", data_dir.display()))?;
    let report = restore(&args.file, &data_dir, args.force);
    let report = report.with_context(|| format!("cannot restore {}", args.file.display()))?;
    let beside = access::backup_beside(&args.file);
    let put_back = |file: &Path| access::restore(file, &data_dir, args.force, &actor());
    let of_access = of_access(&beside, put_back)?;
    tell(&Document::of(&report).with_access(of_access.as_ref()), args.format)
}

/// Does something with the backup of the file of users, if there is one beside.
fn of_access<E: std::error::Error + Send + Sync + 'static>(
    beside: &Path,
    work: impl FnOnce(&Path) -> Result<BackupReport, E>,
) -> Result<Option<BackupReport>> {
    let done = beside.exists().then(|| work(beside)).transpose();
    done.with_context(|| format!("{} is not in order, or not put back", beside.display()))
}

fn verify(args: &VerifyArgs) -> Result<Exit> {
    if let Some(backup) = &args.backup {
        let report = check_backup(backup);
        let report = report.with_context(|| format!("{} is not in order", backup.display()))?;
        let of_access = of_access(&access::backup_beside(backup), access::check_backup)?;
        return tell(&Document::of(&report).with_access(of_access.as_ref()), args.format);
    }
    let data_dir = load(&args.config)?.config.data_dir;
    let store = StoreReader::open(&data_dir).with_context(|| about(&data_dir))?;
    let journal = store.verify().context("the journal is not in order")?;
    tell(&Document::of_journal(&journal), args.format)
}

fn rebuild(args: &ConfigArgs) -> Result<Exit> {
    let data_dir = load(args)?.config.data_dir;
    let mut store = Store::open(&data_dir).with_context(|| about(&data_dir))?;
    let rows = store.rebuild().context("the tables cannot be made anew; they are as they were")?;
    writeln!(io::stdout(), "tables made of {rows} rows of the journal")?;
    Ok(Exit::Done)
}

fn about(data_dir: &Path) -> String {
    format!("cannot open the store in {}", data_dir.display())
}

fn tell(document: &Document, format: DocumentFormat) -> Result<Exit> {
    let mut out = io::stdout();
    if format == DocumentFormat::Json {
        writeln!(out, "{}", serde_json::to_string_pretty(document)?)?;
        return Ok(Exit::Done);
    }
    write_parts(&mut out, document)?;
    if let Some(access) = &document.access {
        writeln!(out, "users and audit log:")?;
        write_parts(&mut out, access)?;
    }
    Ok(Exit::Done)
}

fn write_parts(out: &mut impl Write, document: &Document) -> io::Result<()> {
    if let (Some(octets), Some(sha256)) = (document.octets, &document.sha256) {
        writeln!(out, "file     {octets} octets, sha256 {sha256}")?;
    }
    let Document { journal_rows, journal_pruned, head_seq, head_hash, .. } = document;
    writeln!(
        out,
        "journal  {journal_rows} rows in order, {journal_pruned} taken out by retention"
    )?;
    writeln!(out, "head     row {head_seq}, hash {head_hash}")
}
