//! `routewarden mrt`.

use anyhow::{Result, bail};

use crate::Exit;
use crate::cli::MrtArgs;

pub(super) fn run(args: &MrtArgs) -> Result<Exit> {
    bail!("waits for the feeds: {args:?}")
}
