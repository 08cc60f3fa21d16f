//! Who marks routes with the Only-to-Customer attribute (RFC 9234 §5), from the paths of a table.
//!
//! An AS that got a route from a provider or peer and gave it to a customer must have given it with OTC:
//! set by itself, or by whoever had it before. A value says who set it; the receiver sets the sender's ASN
//! where the sender did not, so that an AS whose own ASN stands there has the benefit of the doubt.
//!
//! What it cannot tell: an AS behind it, or the collector, may have taken the attribute off; a relationship
//! may be another than the facts say.

use std::collections::BTreeMap;

use routewarden_core::facts::{Relation, RelationTable};
use routewarden_core::{Asn, Prefix};

use crate::Share;

/// Gathers the routes of a table, all of one prefix together.
#[derive(Clone, Debug)]
pub(crate) struct OtcBuilder<'a> {
    relations: &'a RelationTable,
    found: BTreeMap<Asn, Share>,
    /// Links from an AS to its customer over which the present prefix went, with whether it was marked.
    of_prefix: BTreeMap<(Asn, Asn), bool>,
    prefix: Option<Prefix>,
    marked_routes: u64,
}

impl<'a> OtcBuilder<'a> {
    pub(crate) fn new(relations: &'a RelationTable) -> Self {
        OtcBuilder {
            relations,
            found: BTreeMap::new(),
            of_prefix: BTreeMap::new(),
            prefix: None,
            marked_routes: 0,
        }
    }

    /// A route as a peer of the collector had it: the peer first, the origin last, prepends taken out. A
    /// prefix over a link counts once, however many peers had it; marked when any of them had it so.
    pub(crate) fn add(&mut self, prefix: Prefix, path: &[Asn], otc: Option<Asn>) {
        if self.prefix != Some(prefix) {
            self.count();
            self.prefix = Some(prefix);
        }
        self.marked_routes += u64::from(otc.is_some());
        let setter = otc.map(|asn| path.iter().position(|&hop| hop == asn));
        if setter == Some(None) {
            // Set by who does not stand in the path, as a route server: where, is not known.
            return;
        }
        let setter = setter.flatten();
        for (at, hops) in path.windows(3).enumerate() {
            let &[customer, asn, behind] = hops else { continue };
            let is_down = self.relations.relation(asn, customer) == Some(Relation::Customer);
            let from = self.relations.relation(asn, behind);
            if !is_down || !matches!(from, Some(Relation::Provider | Relation::Peer)) {
                continue;
            }
            let is_marked = setter.is_some_and(|setter| setter > at);
            *self.of_prefix.entry((asn, customer)).or_default() |= is_marked;
        }
    }

    fn count(&mut self) {
        for ((asn, _), is_marked) in std::mem::take(&mut self.of_prefix) {
            let share = self.found.entry(asn).or_default();
            share.whole = share.whole.saturating_add(1);
            share.part = share.part.saturating_add(u32::from(is_marked));
        }
    }

    /// Routes with OTC, and of each AS that gave any such route to a customer, how many were marked. `None` when no
    /// route at all had OTC: the collector may not tell of it.
    pub(crate) fn finish(mut self) -> Option<(u64, BTreeMap<Asn, Share>)> {
        self.count();
        (self.marked_routes > 0).then_some((self.marked_routes, self.found))
    }
}
