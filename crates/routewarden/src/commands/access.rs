//! `user`, `token`, `audit`: who may use the service, from the command line, also while it runs.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use routewarden_core::Timestamp;
use routewarden_feeds::live::Clock;
use routewarden_store::access::{
    AUDIT_ROWS_MAX, AccessFile, Actor, NewToken, NewUser, Token, User, UserChange, UserName,
};
use serde::Serialize;

use super::config::load;
use crate::Exit;
use crate::access::{PASSWORD_OCTETS_MAX, Secret, check_password, hash_password};
use crate::cli::{
    AccessListArgs, AuditCommand, AuditExportArgs, ConfigArgs, DocumentFormat, PasswordArgs,
    TokenAddArgs, TokenCommand, UserAddArgs, UserCommand,
};
use crate::serve::SteadyClock;

/// What the audit log has for an address.
pub(super) const COMMAND_LINE: &str = "command line";

/// Users and tokens, from the command line.
pub(super) fn run_user(command: &UserCommand) -> Result<Exit> {
    match command {
        UserCommand::Add(args) => add_user(args),
        UserCommand::List(args) => list_users(args),
        UserCommand::Passwd(args) => {
            let password = Some(new_password(&args.name, &args.password)?);
            change(&args.config, &args.name, &UserChange { password, ..UserChange::default() })
        }
        UserCommand::Role(args) => {
            let role = Some(args.role);
            change(&args.config, &args.name, &UserChange { role, ..UserChange::default() })
        }
        UserCommand::Disable(args) => set_disabled(&args.config, &args.name, true),
        UserCommand::Enable(args) => set_disabled(&args.config, &args.name, false),
    }
}

pub(super) fn run_token(command: &TokenCommand) -> Result<Exit> {
    match command {
        TokenCommand::Add(args) => add_token(args),
        TokenCommand::List(args) => list_tokens(args),
        TokenCommand::Revoke(args) => {
            let mut file = open(&args.config)?;
            file.revoke_token(&actor(), args.id, None)?;
            say(&format!("token {} is gone", args.id))
        }
    }
}

pub(super) fn run_audit(command: &AuditCommand) -> Result<Exit> {
    match command {
        AuditCommand::Verify(args) => verify(args),
        AuditCommand::Export(args) => export(args),
    }
}

/// Who is at the command line is known to the system, not to us.
pub(super) fn actor() -> Actor {
    let address = COMMAND_LINE.to_owned();
    Actor { user: None, token: None, address, at: SteadyClock::of_machine().now() }
}

fn about(data_dir: &Path) -> String {
    format!("cannot open the file of users in {}", data_dir.display())
}

fn open(args: &ConfigArgs) -> Result<AccessFile> {
    let data_dir = load(args)?.config.data_dir;
    std::fs::create_dir_all(&data_dir)
        .with_context(|| format!("cannot make {}", data_dir.display()))?;
    AccessFile::open(&data_dir).with_context(|| about(&data_dir))
}

fn open_for_reading(args: &ConfigArgs) -> Result<AccessFile> {
    let data_dir = load(args)?.config.data_dir;
    AccessFile::open_for_reading(&data_dir).with_context(|| about(&data_dir))
}

fn say(text: &str) -> Result<Exit> {
    writeln!(io::stdout(), "{text}")?;
    Ok(Exit::Done)
}

/// The hash of the password in a file.
fn new_password(user: &UserName, args: &PasswordArgs) -> Result<String> {
    let path = &args.password_file;
    let mut octets = Vec::new();
    let most = PASSWORD_OCTETS_MAX as u64 + 3;
    if path.as_os_str() == "-" {
        io::stdin().take(most).read_to_end(&mut octets)
    } else {
        File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets))
    }
    .with_context(|| format!("cannot read {}", path.display()))?;
    let text = String::from_utf8(octets).context("the password is not UTF-8")?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    check_password(user, password).context("the password is not taken")?;
    Ok(hash_password(password)?)
}

fn add_user(args: &UserAddArgs) -> Result<Exit> {
    let password = new_password(&args.name, &args.password)?;
    let new = NewUser { name: args.name.clone(), role: args.role, password };
    let user = open(&args.config)?.add_user(&actor(), &new)?;
    say(&format!("user {} with role {}", user.name, user.role))
}

fn change(config: &ConfigArgs, name: &UserName, change: &UserChange) -> Result<Exit> {
    let user = open(config)?.change_user(&actor(), name, change)?;
    let disabled = if user.disabled_at.is_some() { ", disabled" } else { "" };
    say(&format!("user {} with role {}{disabled}", user.name, user.role))
}

fn set_disabled(config: &ConfigArgs, name: &UserName, disabled: bool) -> Result<Exit> {
    change(config, name, &UserChange { disabled: Some(disabled), ..UserChange::default() })
}

fn list_users(args: &AccessListArgs) -> Result<Exit> {
    let users = open_for_reading(&args.config)?.users()?;
    let row = |user: &User| {
        let state = user.disabled_at.map_or("active".to_owned(), |at| format!("disabled {at}"));
        let login = user.login_at.map_or("never".to_owned(), |at| at.to_string());
        [user.name.to_string(), user.role.to_string(), state, login]
    };
    print(args.format, &users, ["name", "role", "state", "last login"], row)
}

fn list_tokens(args: &AccessListArgs) -> Result<Exit> {
    let tokens = open_for_reading(&args.config)?.tokens(None)?;
    let row = |token: &Token| {
        let used = token.used_at.map_or("never".to_owned(), |at| at.to_string());
        let (id, user) = (token.id.to_string(), token.user.to_string());
        [id, user, token.role.to_string(), token.expires_at.to_string(), used, token.label.clone()]
    };
    print(args.format, &tokens, ["id", "user", "role", "expires", "last used", "label"], row)
}

/// A list as JSON, or in columns.
fn print<T: Serialize, const COLUMNS: usize>(
    format: DocumentFormat,
    items: &[T],
    header: [&str; COLUMNS],
    row: impl Fn(&T) -> [String; COLUMNS],
) -> Result<Exit> {
    if format == DocumentFormat::Json {
        return say(&serde_json::to_string_pretty(items)?);
    }
    let rows: Vec<[String; COLUMNS]> =
        std::iter::once(header.map(str::to_owned)).chain(items.iter().map(row)).collect();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    });
    let mut out = io::stdout().lock();
    for row in rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(Exit::Done)
}

fn add_token(args: &TokenAddArgs) -> Result<Exit> {
    let secret = Secret::random_token().context("the system has no random octets")?;
    let actor = actor();
    let secs = i64::try_from(args.valid.duration().as_secs())?;
    let new = NewToken {
        hash: secret.hash(),
        label: args.label.clone(),
        role: args.role,
        expires_at: actor.at.plus_secs(secs),
    };
    let token = open(&args.config)?.add_token(&actor, &args.name, &new)?;
    writeln!(io::stderr(), "token {}, valid until {}", token.id, token.expires_at)?;
    say(secret.reveal())
}

/// What is told of the log.
#[derive(Serialize)]
struct Verdict {
    rows: u64,
    /// Kept elsewhere, it shows whether the past was rewritten.
    head_hash: String,
}

fn verify(args: &AccessListArgs) -> Result<Exit> {
    let file = open_for_reading(&args.config)?;
    let verified = file.verify().context("the audit log is not in order")?;
    let verdict = Verdict { rows: verified.rows, head_hash: verified.head.hash.to_string() };
    if args.format == DocumentFormat::Json {
        return say(&serde_json::to_string_pretty(&verdict)?);
    }
    say(&format!("audit log  {} rows in order, hash {}", verdict.rows, verdict.head_hash))
}

fn export(args: &AuditExportArgs) -> Result<Exit> {
    let file = open_for_reading(&args.config)?;
    let since = args.since.unwrap_or(Timestamp::from_micros(i64::MIN));
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut next = 1;
    loop {
        let rows = file.audit_from(next, AUDIT_ROWS_MAX)?;
        let Some(last) = rows.last().map(|row| row.seq) else { break };
        for row in rows.iter().filter(|row| row.at >= since) {
            writeln!(out, "{}", serde_json::to_string(row)?)?;
        }
        next = last + 1;
    }
    out.flush()?;
    Ok(Exit::Done)
}
