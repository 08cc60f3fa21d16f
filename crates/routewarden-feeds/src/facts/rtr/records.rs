//! What a cache has announced: a sorted list that each response changes as a whole.

use std::collections::BTreeMap;

use hashbrown::HashMap;
use routewarden_core::Asn;
use routewarden_core::facts::{AspaTable, Vrp, VrpTable};

use super::error::RtrError;
use super::pdu::AspaLayout;

/// Most VRPs of one cache. There were 0.72 million in 2025; at the limit the list takes 100 MB.
pub const VRPS_MAX: usize = 4_000_000;
/// Most ASPAs of one cache, those of both families of the earlier layout counted apart.
pub const ASPAS_MAX: usize = 500_000;
/// Most providers of all ASPAs of one cache.
pub const PROVIDERS_MAX: usize = 8_000_000;

/// An ASPA of the earlier layout holds for one family: the two must not replace each other.
type AspaKey = (Asn, AspaLayout);
type Overlay = HashMap<Vrp, bool, foldhash::fast::RandomState>;

/// The records of the last complete response.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    /// Ascending.
    vrps: Vec<Vrp>,
    aspas: BTreeMap<AspaKey, Box<[Asn]>>,
    providers: usize,
}

/// A response that is not complete.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// Whether the records before count no more.
    is_full: bool,
    /// What becomes of a VRP: announced or withdrawn.
    vrps: Overlay,
    aspas: BTreeMap<AspaKey, Option<Box<[Asn]>>>,
    /// How many there will be.
    vrps_after: usize,
    aspas_after: usize,
    providers_after: usize,
}

impl Pending {
    /// Whether it is of everything, and that is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.is_full && self.vrps_after == 0 && self.aspas_after == 0
    }
}

impl Records {
    pub(super) fn len(&self) -> (usize, usize) {
        (self.vrps.len(), self.aspas.len())
    }

    /// Begins a response: of everything, or of what changed.
    pub(super) fn begin(&self, is_full: bool) -> Pending {
        let (vrps, aspas, providers) =
            if is_full { (0, 0, 0) } else { (self.vrps.len(), self.aspas.len(), self.providers) };
        Pending {
            is_full,
            vrps_after: vrps,
            aspas_after: aspas,
            providers_after: providers,
            ..Pending::default()
        }
    }

    /// Takes a VRP into a response.
    pub(super) fn vrp(
        &self,
        pending: &mut Pending,
        vrp: Vrp,
        announce: bool,
    ) -> Result<(), RtrError> {
        let is_held = match pending.vrps.get(&vrp) {
            Some(&state) => state,
            None => !pending.is_full && self.vrps.binary_search(&vrp).is_ok(),
        };
        if is_held == announce {
            return Err(if announce {
                RtrError::DuplicateVrp { vrp }
            } else {
                RtrError::UnknownVrp { vrp }
            });
        }
        if announce {
            pending.vrps_after += 1;
        } else {
            pending.vrps_after = pending.vrps_after.saturating_sub(1);
        }
        if pending.vrps_after > VRPS_MAX {
            return Err(RtrError::TooManyVrps);
        }
        pending.vrps.insert(vrp, announce);
        Ok(())
    }

    /// Takes an ASPA into a response. One that is announced replaces the one before.
    ///
    /// A withdrawal that names providers is of the ASPA with these: StayRTR 0.5.1 announces the new
    /// one first and then withdraws what it has replaced.
    pub(super) fn aspa(
        &self,
        pending: &mut Pending,
        key: AspaKey,
        (announce, mut named): (bool, Vec<Asn>),
    ) -> Result<(), RtrError> {
        named.sort_unstable();
        named.dedup();
        let held = match pending.aspas.get(&key) {
            Some(state) => state.as_ref(),
            None => self.aspas.get(&key).filter(|_| !pending.is_full),
        };
        if !announce {
            let Some(held) = held else {
                return Err(RtrError::UnknownAspa { customer: key.0 });
            };
            if !named.is_empty() && **held != *named {
                return Ok(());
            }
        }
        let providers = announce.then(|| named.into_boxed_slice());
        let count = |asns: Option<&Box<[Asn]>>| asns.map_or(0, |asns| asns.len());
        pending.aspas_after += usize::from(providers.is_some());
        pending.aspas_after = pending.aspas_after.saturating_sub(usize::from(held.is_some()));
        pending.providers_after += count(providers.as_ref());
        pending.providers_after = pending.providers_after.saturating_sub(count(held));
        if pending.aspas_after > ASPAS_MAX || pending.providers_after > PROVIDERS_MAX {
            return Err(RtrError::TooManyAspas);
        }
        pending.aspas.insert(key, providers);
        Ok(())
    }

    /// Applies a complete response; tells whether anything is now different.
    pub(super) fn commit(&mut self, pending: Pending) -> bool {
        let Pending { is_full, vrps, aspas, providers_after, .. } = pending;
        self.providers = providers_after;
        if is_full {
            return self.replace(vrps, aspas);
        }
        let mut added: Vec<Vrp> = Vec::new();
        let mut withdrawn: Vec<Vrp> = Vec::new();
        vrps.into_iter().for_each(|(vrp, announced)| {
            // A VRP that came and went within the response may end as it was.
            let is_held = self.vrps.binary_search(&vrp).is_ok();
            match (announced, is_held) {
                (true, false) => added.push(vrp),
                (false, true) => withdrawn.push(vrp),
                _ => {}
            }
        });
        let mut is_changed = !added.is_empty() || !withdrawn.is_empty();
        withdrawn.sort_unstable();
        if !withdrawn.is_empty() {
            self.vrps.retain(|vrp| withdrawn.binary_search(vrp).is_err());
        }
        self.vrps.append(&mut added);
        // Stable: it finds the sorted part and merges the rest into it.
        self.vrps.sort();
        for (key, providers) in aspas {
            let before = match providers.clone() {
                Some(providers) => self.aspas.insert(key, providers),
                None => self.aspas.remove(&key),
            };
            is_changed |= before != providers;
        }
        is_changed
    }

    fn replace(&mut self, vrps: Overlay, aspas: BTreeMap<AspaKey, Option<Box<[Asn]>>>) -> bool {
        let announced = vrps.into_iter().filter(|&(_, announced)| announced);
        let mut vrps: Vec<Vrp> = announced.map(|(vrp, _)| vrp).collect();
        vrps.sort_unstable();
        let aspas = aspas.into_iter().filter_map(|(key, providers)| Some((key, providers?)));
        let aspas = aspas.collect();
        let is_changed = self.vrps != vrps || self.aspas != aspas;
        (self.vrps, self.aspas) = (vrps, aspas);
        is_changed
    }

    /// The immutable tables of what is held.
    pub(super) fn tables(&self) -> (VrpTable, AspaTable) {
        let aspas = self.aspas.iter();
        let aspas = aspas.map(|(&(customer, _), providers)| (customer, providers.to_vec()));
        (VrpTable::from_vrps(self.vrps.clone()), AspaTable::from_records(aspas.collect()))
    }
}
