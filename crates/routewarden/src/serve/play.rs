//! Plays archives and scenarios through the running service, as if they happened now.
//!
//! ```text
//! files, scenario ─► Stock (detector with the table) ─► Pieces ─► Player ─► LiveQueue ─► Engine
//!                                                                   └─► ArchiveTime ─► the program's clock
//! ```
//!
//! The program's clock is that of the archive, so that all that follows from time follows from the
//! archive's. After the end it goes on at its own pace, and the program until it is stopped.

mod pace;
mod pieces;
mod player;
mod stock;
#[cfg(test)]
mod tests;

use anyhow::{Result, bail};
use routewarden_store::STORE_FILE;

pub(super) use pace::ArchiveTime;
pub(super) use pieces::Pieces;
pub(super) use player::{Player, start};
pub(super) use stock::Stock;

pub(super) use crate::cli::Speed;
use crate::config::{Config, Facts, Rpki};

/// Name of the source that plays.
pub(super) const NAME: &str = "replay";
/// The configuration without anything that is heard, asked or written beside the archive.
pub(super) fn configuration(config: &Config) -> Config {
    let mut config = config.clone();
    config.ris_live.clear();
    config.bmp.clear();
    config.bgp.clear();
    config.archive.clear();
    config.directory.clear();
    (config.rpki, config.facts) = (Rpki::default(), Facts::default());
    config.constituency.file = None;
    config.store.backup_dir = None;
    config
}

/// Refuses a folder in which something is kept: its times are not those of the archive.
///
/// # Errors
/// When there is a store or a state.
pub(super) fn check_empty(config: &Config) -> Result<()> {
    for name in [STORE_FILE, "state"] {
        if config.data_dir.join(name).exists() {
            bail!(
                "{} has data already: a replay wants a folder of its own, or --ephemeral",
                config.data_dir.display()
            );
        }
    }
    Ok(())
}
