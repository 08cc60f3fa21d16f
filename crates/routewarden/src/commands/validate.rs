//! `routewarden validate`.

use anyhow::{Result, bail};

use crate::Exit;
use crate::cli::ValidateArgs;

pub(super) fn run(args: &ValidateArgs) -> Result<Exit> {
    bail!("waits for the feeds: {args:?}")
}
