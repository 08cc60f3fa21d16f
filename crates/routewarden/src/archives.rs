//! `archive:COLLECTOR` inputs.

use anyhow::Result;

use crate::cli::DetectArgs;

pub(crate) fn resolve_tables(args: &DetectArgs) -> Result<Vec<String>> {
    Ok(args.rib.clone())
}

pub(crate) fn resolve_inputs(args: &DetectArgs) -> Result<Vec<String>> {
    Ok(args.inputs.clone())
}
