//! The VRPs and ASPAs that stand at one time.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::{Asn, Prefix};

use crate::error::Fault;
use crate::facts::{Facts, FactsChange, VrpFact};

/// What a removal names.
type VrpKey = (Prefix, Asn, u8);

#[derive(Debug)]
pub(crate) struct Standing {
    vrps: BTreeMap<VrpKey, Vec<VrpFact>>,
    aspas: BTreeSet<Asn>,
}

impl Standing {
    pub(crate) fn of(facts: &Facts) -> Self {
        let aspas = facts.aspas.iter().map(|aspa| aspa.customer).collect();
        let mut standing = Standing { vrps: BTreeMap::new(), aspas };
        standing.add(&facts.vrps);
        standing
    }

    fn add(&mut self, vrps: &[VrpFact]) {
        for vrp in vrps {
            self.vrps.entry(key_of(vrp)).or_default().push(vrp.clone());
        }
    }

    /// The change as it takes effect: removals, then additions. A removed VRP is replaced by all
    /// that stand for it, so that their trust anchors are known.
    pub(crate) fn apply(&mut self, mut change: FactsChange) -> Result<FactsChange, Fault> {
        let mut removed = Vec::new();
        for vrp in &change.vrps_removed {
            let standing = self.vrps.remove(&key_of(vrp)).unwrap_or_default();
            let is_meant = |there: &VrpFact| {
                vrp.trust_anchor.is_none() || there.trust_anchor == vrp.trust_anchor
            };
            let (gone, stays): (Vec<_>, Vec<_>) = standing.into_iter().partition(is_meant);
            if gone.is_empty() {
                return Err(Fault::NoSuchVrp { prefix: vrp.prefix, asn: vrp.asn });
            }
            removed.extend(gone);
            self.add(&stays);
        }
        change.vrps_removed = removed;
        self.add(&change.vrps_added);
        for &customer in &change.aspas_removed {
            if !self.aspas.remove(&customer) {
                return Err(Fault::NoSuchAspa { customer });
            }
        }
        self.aspas.extend(change.aspas_added.iter().map(|aspa| aspa.customer));
        Ok(change)
    }
}

fn key_of(vrp: &VrpFact) -> VrpKey {
    (vrp.prefix, vrp.asn, vrp.max_length)
}
