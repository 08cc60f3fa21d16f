//! Arguments of `user`, `token` and `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use routewarden_core::Timestamp;
use routewarden_store::access::{Role, UserName};

use super::{ConfigArgs, DocumentFormat};
use crate::config::Period;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; also the first one, in place of the link that the first start tells of
    Add(UserAddArgs),
    /// Print all users
    List(AccessListArgs),
    /// Give a user another password; the user's sessions end
    Passwd(UserPasswordArgs),
    /// Give a user another role
    Role(UserRoleArgs),
    /// Let a user no longer log in; sessions end, and tokens are not taken
    Disable(UserArgs),
    /// Let a user log in again; tokens that have not expired are taken again
    Enable(UserArgs),
}

/// Arguments of `user add`.
#[derive(Debug, Args)]
pub struct UserAddArgs {
    /// Name: a-z, 0-9, dot, underscore and hyphen
    #[arg(value_name = "NAME")]
    pub name: UserName,
    /// viewer (reads), analyst (works on incidents) or admin (manages users)
    #[arg(long, value_name = "ROLE")]
    pub role: Role,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Where a password comes from.
#[derive(Debug, Args)]
pub struct PasswordArgs {
    /// File with the password, 12 to 1,024 octets; `-` for standard input. A line break at its end
    /// is none of it
    #[arg(long, value_name = "F")]
    pub password_file: PathBuf,
}

/// Arguments of `user passwd`.
#[derive(Debug, Args)]
pub struct UserPasswordArgs {
    /// Name of the user
    #[arg(value_name = "NAME")]
    pub name: UserName,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `user role`.
#[derive(Debug, Args)]
pub struct UserRoleArgs {
    /// Name of the user
    #[arg(value_name = "NAME")]
    pub name: UserName,
    /// viewer, analyst or admin
    #[arg(value_name = "ROLE")]
    pub role: Role,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of what is done with one user.
#[derive(Debug, Args)]
pub struct UserArgs {
    /// Name of the user
    #[arg(value_name = "NAME")]
    pub name: UserName,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `user list` and `token list`.
#[derive(Debug, Args)]
pub struct AccessListArgs {
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Output format
    #[arg(long, value_enum, default_value_t = DocumentFormat::Table)]
    pub format: DocumentFormat,
}

/// What to do with tokens of programs.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once
    Add(TokenAddArgs),
    /// Print all tokens, without their secrets
    List(AccessListArgs),
    /// Take a token away
    Revoke(TokenRevokeArgs),
}

/// Arguments of `token add`.
#[derive(Debug, Args)]
pub struct TokenAddArgs {
    /// Name of the user whose it is
    #[arg(value_name = "NAME")]
    pub name: UserName,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub label: String,
    /// What may be done with it, at most what its owner may
    #[arg(long, value_name = "ROLE", default_value_t = Role::Viewer)]
    pub role: Role,
    /// How long it is valid, at most 366d
    #[arg(long, value_name = "PERIOD", default_value = "90d")]
    pub valid: Period,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Arguments of `token revoke`.
#[derive(Debug, Args)]
pub struct TokenRevokeArgs {
    /// Number of the token
    #[arg(value_name = "ID")]
    pub id: i64,
    /// The configuration, which says where the users are
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// What to do with the log of what users did.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Follow the hashes over the whole log (exit 1 when something is not in order)
    Verify(AccessListArgs),
    /// Print the log, oldest first, one JSON object a line
    Export(AuditExportArgs),
}

/// Arguments of `audit export`.
#[derive(Debug, Args)]
pub struct AuditExportArgs {
    /// Leave out what was done before this time (RFC 3339 UTC, a date, or seconds since 1970)
    #[arg(long, value_name = "T")]
    pub since: Option<Timestamp>,
    /// The configuration, which says where the log is
    #[command(flatten)]
    pub config: ConfigArgs,
}
