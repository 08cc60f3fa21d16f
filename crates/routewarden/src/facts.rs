//! Loads the reference facts that the command line names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use routewarden_core::Timestamp;
use routewarden_core::facts::{Facts, Sourced};
use routewarden_detect::FactsChange;
use routewarden_feeds::facts::{
    Load, Rpki, load_as_names, load_constituency, load_contacts, load_delegations, load_file,
    load_irr, load_organisations, load_origins, load_participants, load_peering_db, load_relations,
    load_rpki, load_spoofer,
};

use crate::cli::FactArgs;
use crate::config::{Config, FactFile, Place};
use crate::readiness::Beside;

/// All facts that were named.
pub(crate) fn load(args: &FactArgs) -> Result<Facts> {
    let (vrps, aspas) = load_one(args.vrps.as_ref(), "VRPs", load_rpki)?.map(Rpki::split).unzip();
    Ok(Facts {
        vrps,
        aspas: aspas.flatten(),
        origins: load_one(args.origins.as_ref(), "prefix origins", load_origins)?,
        organisations: load_one(args.orgs.as_ref(), "AS organisations", load_organisations)?,
        relations: load_one(args.relations.as_ref(), "AS relationships", load_relations)?,
        route_servers: route_servers(args),
        as_names: load_one(args.as_names.as_ref(), "AS names", load_as_names)?,
        constituency: load_one(args.constituency.as_ref(), "the constituency", load_constituency)?,
        delegations: args
            .delegated
            .iter()
            .map(|path| read(path, "delegations", load_delegations))
            .collect::<Result<_>>()?,
    })
}

/// The facts that a configuration names and that lie on this machine.
pub(crate) fn of_config(config: &Config) -> Result<Facts> {
    let on_disk = |place: &Place| match place {
        Place::File(path) => Some(path.clone()),
        Place::Url(_) => None,
    };
    let file = |fact: &Option<FactFile>| fact.as_ref().and_then(|fact| on_disk(&fact.from));
    load(&FactArgs {
        vrps: config.rpki.vrps.as_ref().and_then(on_disk),
        origins: file(&config.facts.origins),
        orgs: file(&config.facts.organisations),
        relations: file(&config.facts.relations),
        as_names: file(&config.facts.as_names),
        route_servers: config.facts.route_servers.clone(),
        delegated: config.facts.delegated.iter().filter_map(|fact| on_disk(&fact.from)).collect(),
        constituency: config.constituency.file.clone(),
    })
}

/// Files of facts that only measurements rest on.
#[derive(Debug, Default)]
pub(crate) struct BesideFiles {
    pub(crate) irr: Vec<PathBuf>,
    pub(crate) peering_db: Vec<PathBuf>,
    pub(crate) participants: Vec<PathBuf>,
    pub(crate) spoofer: Vec<PathBuf>,
    pub(crate) contacts: Vec<PathBuf>,
}

impl BesideFiles {
    /// Those that a configuration names and that lie on this machine.
    pub(crate) fn of_config(config: &Config) -> Self {
        let on_disk = |fact: &FactFile| match &fact.from {
            Place::File(path) => Some(path.clone()),
            Place::Url(_) => None,
        };
        let facts = &config.facts;
        BesideFiles {
            irr: facts.irr.iter().filter_map(on_disk).collect(),
            peering_db: facts.peeringdb.iter().filter_map(on_disk).collect(),
            participants: facts.participants.iter().filter_map(on_disk).collect(),
            spoofer: facts.spoofer.iter().filter_map(on_disk).collect(),
            contacts: facts.contacts.iter().filter_map(on_disk).collect(),
        }
    }
}

/// Facts that only measurements rest on.
pub(crate) fn beside(files: &BesideFiles) -> Result<Beside> {
    Ok(Beside {
        irr: numbered(&files.irr, "route objects", load_irr)?,
        peering_db: numbered(&files.peering_db, "PeeringDB", load_peering_db)?,
        participants: numbered(&files.participants, "participants", load_participants)?,
        spoofer: numbered(&files.spoofer, "sessions of Spoofer", load_spoofer)?,
        contacts: numbered(&files.contacts, "contacts", load_contacts)?,
    })
}

/// Facts by the number of their file.
fn numbered<T>(
    paths: &[PathBuf],
    what: &str,
    load: Load<T>,
) -> Result<BTreeMap<String, Arc<Sourced<T>>>> {
    let read =
        |(at, path): (usize, &PathBuf)| Ok((format!("{at:04}"), Arc::new(read(path, what, load)?)));
    paths.iter().enumerate().map(read).collect()
}

/// VRPs and ASPAs that count from a time on.
pub(crate) fn load_changes(
    files: &[(Timestamp, PathBuf)],
) -> Result<Vec<(Timestamp, FactsChange)>> {
    let load = |(time, path): &(Timestamp, PathBuf)| {
        let (vrps, aspas) = Rpki::split(read(path, "VRPs", load_rpki)?);
        Ok((*time, FactsChange { vrps: Some(vrps), aspas, ..FactsChange::default() }))
    };
    files.iter().map(load).collect()
}

fn route_servers(args: &FactArgs) -> Vec<routewarden_core::Asn> {
    let mut servers = args.route_servers.clone();
    servers.sort_unstable();
    servers.dedup();
    servers
}

fn load_one<T>(path: Option<&PathBuf>, what: &str, load: Load<T>) -> Result<Option<Sourced<T>>> {
    path.map(|path| read(path, what, load)).transpose()
}

fn read<T>(path: &Path, what: &str, load: Load<T>) -> Result<Sourced<T>> {
    let loaded = load_file(path, None, load).with_context(|| format!("cannot load {what}"))?;
    Ok(loaded.facts)
}
