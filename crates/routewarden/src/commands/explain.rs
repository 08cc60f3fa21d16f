//! `routewarden explain`.

use std::io::{self, Write};

use anyhow::{Result, bail};

use crate::cli::ExplainArgs;
use crate::{Exit, incidents, output};

pub(super) fn run(args: &ExplainArgs) -> Result<Exit> {
    let all = incidents::read(&args.input)?;
    let wanted: Vec<_> =
        all.iter().filter(|incident| incident.id.starts_with(&args.incident_id)).collect();
    match wanted.as_slice() {
        [] => bail!(
            "no incident {} among {} in {}",
            args.incident_id,
            all.len(),
            args.input.display()
        ),
        [incident] => {
            let mut text = Vec::new();
            output::explain(&mut text, incident)?;
            io::stdout().lock().write_all(&text)?;
            Ok(Exit::Done)
        }
        several => {
            let ids: Vec<&str> = several.iter().map(|incident| incident.id.as_str()).collect();
            bail!("{} stands for several incidents: {}", args.incident_id, ids.join(", "))
        }
    }
}
