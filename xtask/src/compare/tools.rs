//! Our programs and those we are compared with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use serde::Deserialize;

/// What `bench/compare/peers.toml` holds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Peers {
    peer: Vec<Peer>,
    #[serde(default)]
    pub(super) left_out: Vec<LeftOut>,
}

/// A program we are compared with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    name: String,
    version: String,
    what: String,
    /// A command whose output holds the version.
    #[serde(default)]
    command: Vec<String>,
    /// Name in `Cargo.lock`, when it is a crate.
    lock: Option<String>,
    #[serde(default)]
    install: String,
}

/// What the field uses and we do not compare with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOut {
    pub(super) name: String,
    pub(super) reason: String,
}

/// A peer as found on this machine.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) version_pinned: String,
    /// `None` when it is missing.
    pub(super) version: Option<String>,
    pub(super) install: String,
}

/// All programs.
#[derive(Debug)]
pub(super) struct Tools {
    release: PathBuf,
    pub(super) python: PathBuf,
    pub(super) root: PathBuf,
    pub(super) found: Vec<Found>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Tools {
    /// Builds ours and looks for the others.
    pub(super) fn prepare(root: &Path, target: &Path) -> anyhow::Result<Self> {
        let built = Command::new(crate::cargo())
            .args(["build", "--release", "-p", "routewarden", "-p", "routewarden-bench"])
            .current_dir(root)
            .status()
            .context("cannot run cargo build")?;
        ensure!(built.success(), "cargo build failed");
        let own = target.join("mrtparse/bin/python3");
        let python = if own.exists() { own } else { "python3".into() };
        let peers = std::fs::read_to_string(root.join("bench/compare/peers.toml"))?;
        let peers: Peers = toml::from_str(&peers).context("bench/compare/peers.toml")?;
        let lock = std::fs::read_to_string(root.join("Cargo.lock"))?;
        let found = peers.peer.into_iter().map(|peer| look(peer, &python, &lock)).collect();
        let (release, root) = (target.join("release"), root.to_owned());
        Ok(Tools { release, python, root, found, left_out: peers.left_out })
    }

    /// Path of one of our programs.
    pub(super) fn ours(&self, name: &str) -> OsString {
        self.release.join(name).into()
    }

    /// Whether a peer is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.found.iter().any(|found| found.name == name && found.version.is_some())
    }
}

fn look(peer: Peer, python: &Path, lock: &str) -> Found {
    let version = match &peer.lock {
        Some(name) => locked_version(lock, name),
        None => said_version(&peer.command, python),
    };
    let Peer { name, version: version_pinned, what, install, .. } = peer;
    Found { name, what, version_pinned, version, install }
}

/// Of a crate, out of `Cargo.lock`.
fn locked_version(lock: &str, name: &str) -> Option<String> {
    let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(after.split('"').next()?.to_owned())
}

/// The first word with a dot between digits of what the command prints.
fn said_version(command: &[String], python: &Path) -> Option<String> {
    let mut words = command.iter().map(|word| match word.as_str() {
        "{python}" => python.as_os_str().to_owned(),
        word => word.into(),
    });
    let output = Command::new(words.next()?).args(words).stdin(Stdio::null()).output().ok()?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    version_in(&text)
}

fn version_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let mut words = words.map(|word| word.trim_end_matches('.').trim_start_matches(['v', '(']));
    let is_version = |word: &&str| {
        word.contains('.')
            && word.starts_with(|c: char| c.is_ascii_digit())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    words.find(is_version).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_the_tools_print_them() {
        for (text, version) in [
            ("bgpdump: invalid option -- 'h'\n[info] logging\nbgpdump version 1.6.2\n", "1.6.2"),
            ("lbzip2 version 2.5\n", "2.5"),
            ("bzip2, a block-sorting file compressor.  Version 1.0.8, 13-Jul-2019.\n", "1.0.8"),
            ("igzip command line interface 2.30.0\n", "2.30.0"),
            ("2.2.0\n", "2.2.0"),
        ] {
            assert_eq!(version_in(text).as_deref(), Some(version));
        }
        assert_eq!(version_in("Traceback (most recent call last):"), None);
    }

    #[test]
    fn the_pinned_crate_is_the_locked_one() {
        let root = crate::root();
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
        let peers = std::fs::read_to_string(root.join("bench/compare/peers.toml")).unwrap();
        let peers: Peers = toml::from_str(&peers).unwrap();
        for peer in peers.peer.iter().filter(|peer| peer.lock.is_some()) {
            assert_eq!(
                locked_version(&lock, peer.lock.as_deref().unwrap()).as_ref(),
                Some(&peer.version)
            );
        }
    }
}
