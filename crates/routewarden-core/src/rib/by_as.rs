//! What the table has of each AS: kept along with it where somebody asks by AS.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::{AdjRibIn, AttributeId, Hasher};
use crate::prefix_set::PrefixSet;
use crate::{AsPath, Asn, Prefix};

/// Most pairs of prefix and origin that are kept by AS: twice the prefixes there may be. Further
/// ones are left out.
pub const ORIGINS_BY_AS_MAX: usize = 2 * super::PREFIXES_MAX;
/// Most pairs of neighbours that are kept by AS, each in both directions: ten times what is seen
/// of the Internet. Further ones are left out.
pub const NEIGHBORS_BY_AS_MAX: usize = 20_000_000;

/// Prefixes by the AS that originates them.
#[derive(Debug)]
pub(super) struct Origins {
    by_asn: HashMap<Asn, PrefixSet, Hasher>,
    count: usize,
    max: usize,
}

impl Origins {
    fn with_limit(max: usize) -> Self {
        Origins { by_asn: HashMap::default(), count: 0, max }
    }

    fn insert(&mut self, asn: Asn, prefix: &Prefix) {
        if self.count < self.max {
            self.count += usize::from(self.by_asn.entry(asn).or_default().insert(prefix));
        }
    }

    fn remove(&mut self, asn: Asn, prefix: &Prefix) {
        let Some(prefixes) = self.by_asn.get_mut(&asn) else { return };
        self.count -= usize::from(prefixes.remove(prefix));
        if prefixes.is_empty() {
            self.by_asn.remove(&asn);
        }
    }
}

/// How many attribute sets show an AS next to another, in both directions.
#[derive(Debug)]
pub(super) struct Neighbors {
    by_asn: HashMap<Asn, HashMap<Asn, u32, Hasher>, Hasher>,
    count: usize,
    max: usize,
}

impl Neighbors {
    pub(super) fn with_limit(max: usize) -> Self {
        Neighbors { by_asn: HashMap::default(), count: 0, max }
    }

    /// None, under the same limit.
    pub(super) fn emptied(self) -> Self {
        Neighbors::with_limit(self.max)
    }

    /// Counts a path.
    pub(super) fn add(&mut self, path: AsPath<'_>) {
        for (near, far) in pairs(path) {
            self.add_one(near, far);
            self.add_one(far, near);
        }
    }

    fn add_one(&mut self, asn: Asn, neighbor: Asn) {
        if self.count >= self.max && !self.has(asn, neighbor) {
            return;
        }
        match self.by_asn.entry(asn).or_default().entry(neighbor) {
            Entry::Occupied(mut held) => *held.get_mut() = held.get().saturating_add(1),
            Entry::Vacant(place) => {
                place.insert(1);
                self.count += 1;
            }
        }
    }

    fn has(&self, asn: Asn, neighbor: Asn) -> bool {
        self.by_asn.get(&asn).is_some_and(|held| held.contains_key(&neighbor))
    }

    /// Takes a path back that was counted.
    pub(super) fn remove(&mut self, path: AsPath<'_>) {
        for (near, far) in pairs(path) {
            self.remove_one(near, far);
            self.remove_one(far, near);
        }
    }

    fn remove_one(&mut self, asn: Asn, neighbor: Asn) {
        let Some(neighbors) = self.by_asn.get_mut(&asn) else { return };
        let Entry::Occupied(mut held) = neighbors.entry(neighbor) else { return };
        *held.get_mut() -= 1;
        if *held.get() == 0 {
            held.remove();
            self.count -= 1;
        }
        if neighbors.is_empty() {
            self.by_asn.remove(&asn);
        }
    }

    /// The neighbours of an AS, in no order that means anything.
    pub(super) fn of(&self, asn: Asn) -> impl Iterator<Item = (Asn, u32)> + use<'_> {
        let neighbors = self.by_asn.get(&asn).into_iter().flatten();
        neighbors.map(|(&neighbor, &count)| (neighbor, count))
    }
}

fn pairs(path: AsPath<'_>) -> impl Iterator<Item = (Asn, Asn)> {
    path.collapsed().zip(path.collapsed().skip(1))
}

impl AdjRibIn {
    /// Keeps from now on what [`AdjRibIn::originated_by`] and [`AdjRibIn::neighbors_of`] tell.
    /// Looks through the whole table once. Each takes about 25 octets for a prefix of today's
    /// tables; see docs/decisions/0030-looking-glass.md.
    pub fn keep_by_as(&mut self) {
        self.keep_by_as_within(ORIGINS_BY_AS_MAX, NEIGHBORS_BY_AS_MAX);
    }

    pub(super) fn keep_by_as_within(&mut self, origins_max: usize, neighbors_max: usize) {
        let mut origins = Origins::with_limit(origins_max);
        for (prefix, list) in self.lists.iter() {
            let mut last = None;
            for route in self.store.routes(list) {
                let origin = self.attributes.claimed_origin(route.attributes());
                // Nearly all routes to a prefix have the same one.
                if let Some(asn) = origin.filter(|_| origin != last) {
                    origins.insert(asn, prefix);
                }
                last = origin;
            }
        }
        self.origins = Some(origins);
        self.attributes.keep_neighbors(neighbors_max);
    }

    /// Prefixes with a route that the AS is answerable for ([`AttributeTable::claimed_origin`]),
    /// in the order of [`Prefix`], those behind `last` if it is given. None without
    /// [`AdjRibIn::keep_by_as`].
    ///
    /// Routes of lost sessions count: [`AdjRibIn::routes`] tells what is known to be present.
    ///
    /// [`AttributeTable::claimed_origin`]: super::AttributeTable::claimed_origin
    pub fn originated_by(
        &self,
        asn: Asn,
        last: Option<&Prefix>,
    ) -> impl Iterator<Item = Prefix> + use<'_> {
        let prefixes = self.origins.as_ref().and_then(|origins| origins.by_asn.get(&asn));
        prefixes.map(|prefixes| prefixes.after(last)).into_iter().flatten()
    }

    /// ASes next to this one in the paths of routes, each with the number of distinct attribute
    /// sets that show it, in no order that means anything. Prepends are one AS, sets are left out;
    /// a path that comes back to a link shows it again. None without [`AdjRibIn::keep_by_as`].
    ///
    /// Routes of lost sessions count.
    pub fn neighbors_of(&self, asn: Asn) -> impl Iterator<Item = (Asn, u32)> + use<'_> {
        let neighbors = self.attributes.neighbors().map(|neighbors| neighbors.of(asn));
        neighbors.into_iter().flatten()
    }

    /// Takes a change of a route over into what is kept by AS.
    pub(super) fn follow_origins(
        &mut self,
        prefix: &Prefix,
        before: Option<AttributeId>,
        after: Option<AttributeId>,
    ) {
        if self.origins.is_none() {
            return;
        }
        let origin = |id: Option<AttributeId>| self.attributes.claimed_origin(id?);
        let (before, after) = (origin(before), origin(after));
        if before == after {
            return;
        }
        // Another peer's route shows it still, nearly always the first one.
        let is_gone = |asn: &Asn| {
            let mut others = self.held_routes(prefix);
            !others.any(|route| origin(Some(route.attributes)) == Some(*asn))
        };
        let gone = before.filter(is_gone);
        let Some(origins) = &mut self.origins else { return };
        if let Some(asn) = gone {
            origins.remove(asn, prefix);
        }
        if let Some(asn) = after {
            origins.insert(asn, prefix);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;
    use crate::{AsPathBuf, PeerId, RouteAttributes, Timestamp};

    fn announce(rib: &mut AdjRibIn, (secs, peer): (u32, u32), prefix: Prefix, asns: &[u32]) {
        let path = AsPathBuf::sequence(asns.iter().copied().map(Asn));
        let mut octets = Vec::new();
        assert!(RouteAttributes::from_path(path.as_path()).encode(&mut octets));
        let at = (Timestamp::from_secs(secs), PeerId(peer));
        rib.announce(at, prefix, &octets, &mut |_| 0);
    }

    fn withdraw(rib: &mut AdjRibIn, (secs, peer): (u32, u32), prefix: Prefix) {
        rib.withdraw((Timestamp::from_secs(secs), PeerId(peer)), prefix);
    }

    fn block(number: u32) -> Prefix {
        Prefix::v4(number << 24, 8).unwrap()
    }

    fn prefixes(rib: &AdjRibIn, asn: u32) -> Vec<Prefix> {
        rib.originated_by(Asn(asn), None).collect()
    }

    fn neighbors(rib: &AdjRibIn, asn: u32) -> BTreeMap<Asn, u32> {
        rib.neighbors_of(Asn(asn)).collect()
    }

    #[test]
    fn nothing_is_told_before_it_is_asked_for() {
        let mut rib = AdjRibIn::default();
        announce(&mut rib, (1, 0), block(1), &[1, 2, 2, 3]);
        assert!(prefixes(&rib, 3).is_empty() && neighbors(&rib, 2).is_empty());
        rib.keep_by_as();
        assert_eq!(prefixes(&rib, 3), [block(1)]);
        assert_eq!(neighbors(&rib, 2), [(Asn(1), 1), (Asn(3), 1)].into());
        assert_eq!(neighbors(&rib, 1), [(Asn(2), 1)].into());
    }

    #[test]
    fn what_exceeds_a_limit_is_left_out_and_room_is_used_again() {
        let mut rib = AdjRibIn::default();
        rib.keep_by_as_within(2, 4);
        for number in 1..=3 {
            announce(&mut rib, (1, 0), block(number), &[1, 10 + number]);
        }
        assert_eq!(prefixes(&rib, 12), [block(2)]);
        assert!(prefixes(&rib, 13).is_empty());
        assert_eq!(neighbors(&rib, 1), [(Asn(11), 1), (Asn(12), 1)].into());
        announce(&mut rib, (1, 1), block(2), &[1, 12, 12]);
        assert_eq!(neighbors(&rib, 12), [(Asn(1), 2)].into(), "what is held is counted on");
        withdraw(&mut rib, (2, 0), block(3));
        withdraw(&mut rib, (2, 0), block(1));
        rib.advance(Timestamp::from_secs(3));
        announce(&mut rib, (3, 0), block(3), &[1, 13]);
        assert_eq!(prefixes(&rib, 13), [block(3)]);
        assert_eq!(neighbors(&rib, 1), [(Asn(12), 2), (Asn(13), 1)].into());
    }

    #[test]
    fn it_goes_on_when_the_table_was_empty() {
        let mut rib = AdjRibIn::default();
        rib.keep_by_as();
        announce(&mut rib, (1, 0), block(1), &[1, 2]);
        withdraw(&mut rib, (2, 0), block(1));
        rib.advance(Timestamp::from_secs(3));
        assert!(prefixes(&rib, 2).is_empty() && neighbors(&rib, 1).is_empty());
        announce(&mut rib, (3, 0), block(1), &[1, 2]);
        assert_eq!(prefixes(&rib, 2), [block(1)]);
        assert_eq!(neighbors(&rib, 2), [(Asn(1), 1)].into());
    }

    proptest! {
        /// Equals what a look through the whole table gives, whatever comes and goes.
        #[test]
        fn equals_a_look_through_the_table(
            ops in prop::collection::vec((0u32..4, 0u32..5, 0u32..5, 0u32..3), 1..200),
            asked_at in 0usize..200,
        ) {
            let mut rib = AdjRibIn::default();
            for (step, (peer, number, origin, via)) in ops.iter().copied().enumerate() {
                if step == asked_at.min(ops.len() - 1) {
                    rib.keep_by_as();
                }
                let at = (u32::try_from(step).unwrap(), peer);
                match origin {
                    0 => withdraw(&mut rib, at, block(number)),
                    // Without an origin: none is answerable.
                    1 => announce(&mut rib, at, block(number), &[]),
                    _ => announce(&mut rib, at, block(number), &[peer, via, via, origin]),
                }
            }
            // The last change's attributes are given back.
            rib.advance(Timestamp::from_secs(1_000));
            for asn in (0..5).map(Asn) {
                let expected: BTreeSet<Prefix> =
                    rib.prefixes().filter(|prefix| rib.is_originated_by(prefix, asn)).copied().collect();
                prop_assert_eq!(prefixes(&rib, asn.0), expected.into_iter().collect::<Vec<_>>());
                let mut expected = BTreeMap::<Asn, u32>::new();
                for held in rib.attributes().iter() {
                    let hops: Vec<Asn> = held.as_path.collapsed().collect();
                    for pair in hops.windows(2).filter(|pair| pair.contains(&asn)) {
                        let other = if pair[0] == asn { pair[1] } else { pair[0] };
                        *expected.entry(other).or_default() += 1;
                    }
                }
                prop_assert_eq!(neighbors(&rib, asn.0), expected);
            }
        }
    }
}
