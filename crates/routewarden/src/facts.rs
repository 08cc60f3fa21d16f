//! Loads the reference facts that the command line names.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use routewarden_core::facts::{Facts, Sourced};
use routewarden_feeds::facts::{
    Load, load_as_names, load_constituency, load_file, load_organisations, load_origins,
    load_relations, load_vrps,
};

use crate::cli::FactArgs;

/// All facts that were named.
pub(crate) fn load(args: &FactArgs) -> Result<Facts> {
    Ok(Facts {
        vrps: load_one(args.vrps.as_ref(), "VRPs", load_vrps)?,
        origins: load_one(args.origins.as_ref(), "prefix origins", load_origins)?,
        organisations: load_one(args.orgs.as_ref(), "AS organisations", load_organisations)?,
        relations: load_one(args.relations.as_ref(), "AS relationships", load_relations)?,
        as_names: load_one(args.as_names.as_ref(), "AS names", load_as_names)?,
        constituency: load_one(args.constituency.as_ref(), "the constituency", load_constituency)?,
    })
}

fn load_one<T>(path: Option<&PathBuf>, what: &str, load: Load<T>) -> Result<Option<Sourced<T>>> {
    path.map(|path| read(path, what, load)).transpose()
}

fn read<T>(path: &Path, what: &str, load: Load<T>) -> Result<Sourced<T>> {
    let loaded = load_file(path, None, load).with_context(|| format!("cannot load {what}"))?;
    Ok(loaded.facts)
}
