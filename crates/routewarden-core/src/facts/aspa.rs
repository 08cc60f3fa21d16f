//! Autonomous System Provider Authorizations and the verification of paths by them.

use serde::{Deserialize, Serialize};

use crate::{AsPath, Asn, SegmentKind};

/// What a customer's attestation says of one neighbour (draft-ietf-sidrops-aspa-verification,
/// "hop check").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hop {
    /// The customer names it as a provider.
    Provider,
    /// The customer names its providers, and it is none of them.
    NotProvider,
    /// The customer names no providers.
    NoAttestation,
}

/// Outcome of the verification of a path (draft-ietf-sidrops-aspa-verification).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspaState {
    /// Every hop that had to be attested is.
    Valid,
    /// The attestations contradict the path.
    Invalid,
    /// Attestations are missing, and those there are contradict nothing.
    Unknown,
}

/// A hop that an attestation contradicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AspaOffence {
    /// The AS that names its providers.
    pub customer: Asn,
    /// Its neighbour in the path, which is none of them.
    pub not_provider: Asn,
}

/// Outcome of a verification with the hops it rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AspaVerdict {
    /// The outcome.
    pub state: AspaState,
    /// First hop from the origin that cannot go up to a provider; set for an invalid path unless
    /// it is empty or has a set.
    pub up: Option<AspaOffence>,
    /// First hop from the verifier that cannot come down from a provider; downstream only.
    pub down: Option<AspaOffence>,
    /// The AS where both hops meet: it has passed on what it should not, or does not belong there.
    pub leaker: Option<Asn>,
}

impl AspaVerdict {
    fn of(state: AspaState) -> Self {
        AspaVerdict { state, up: None, down: None, leaker: None }
    }
}

/// Providers of each AS that names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AspaTable {
    /// Customers, ascending, each with the end of its providers in `providers`.
    customers: Vec<(Asn, usize)>,
    /// Providers of all customers, one after the other, ascending within each.
    providers: Vec<Asn>,
}

impl AspaTable {
    /// Builds the table from records in any order. Several records of one customer are united.
    /// AS0 among the providers names nobody: alone it says that there is no provider.
    pub fn from_records(mut records: Vec<(Asn, Vec<Asn>)>) -> Self {
        records.sort_by_key(|record| record.0);
        let mut table = AspaTable::default();
        for same in records.chunk_by(|a, b| a.0 == b.0) {
            let Some(&(customer, _)) = same.first() else { continue };
            let mut named: Vec<Asn> = same.iter().flat_map(|record| &record.1).copied().collect();
            named.retain(|&asn| asn != Asn(0));
            named.sort_unstable();
            named.dedup();
            table.providers.append(&mut named);
            table.customers.push((customer, table.providers.len()));
        }
        table
    }

    /// Providers that the customer names, ascending; empty when it says that it has none; `None`
    /// when it names nobody.
    pub fn providers(&self, customer: Asn) -> Option<&[Asn]> {
        let at = self.customers.binary_search_by_key(&customer, |&(asn, _)| asn).ok()?;
        self.providers_at(at)
    }

    fn providers_at(&self, at: usize) -> Option<&[Asn]> {
        let start = at.checked_sub(1).and_then(|before| self.customers.get(before));
        let start = start.map_or(0, |&(_, end)| end);
        let &(_, end) = self.customers.get(at)?;
        self.providers.get(start..end)
    }

    /// All customers with their providers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, &[Asn])> {
        let customers = self.customers.iter().enumerate();
        customers.map(|(at, &(asn, _))| (asn, self.providers_at(at).unwrap_or_default()))
    }

    /// Number of customers.
    pub fn len(&self) -> usize {
        self.customers.len()
    }

    /// Whether nobody names its providers.
    pub fn is_empty(&self) -> bool {
        self.customers.is_empty()
    }

    /// Whether `provider` is a provider of `customer`, as far as the customer says.
    pub fn hop(&self, customer: Asn, provider: Asn) -> Hop {
        match self.providers(customer) {
            None => Hop::NoAttestation,
            Some(named) if named.binary_search(&provider).is_ok() => Hop::Provider,
            Some(_) => Hop::NotProvider,
        }
    }

    /// The state of a path received from a customer, a peer or a route server's client.
    pub fn verify_upstream(&self, path: AsPath<'_>) -> AspaState {
        self.upstream(path).state
    }

    /// The state of a path received from a provider; also the weakest claim about a path whose
    /// receiver is not known, as at a public collector.
    pub fn verify_downstream(&self, path: AsPath<'_>) -> AspaState {
        self.downstream(path).state
    }

    /// As [`AspaTable::verify_upstream`], with the hop that offends.
    pub fn upstream(&self, path: AsPath<'_>) -> AspaVerdict {
        let Some(ramps) = self.ramps(path) else { return AspaVerdict::of(AspaState::Invalid) };
        let state = if ramps.max_up < ramps.hops {
            AspaState::Invalid
        } else if ramps.min_up < ramps.hops {
            AspaState::Unknown
        } else {
            AspaState::Valid
        };
        AspaVerdict { up: ramps.up, ..AspaVerdict::of(state) }
    }

    /// As [`AspaTable::verify_downstream`], with the hops that offend.
    pub fn downstream(&self, path: AsPath<'_>) -> AspaVerdict {
        let Some(ramps) = self.ramps(path) else { return AspaVerdict::of(AspaState::Invalid) };
        if ramps.max_up + ramps.max_down < ramps.hops {
            let is_one = ramps.max_up + ramps.max_down + 1 == ramps.hops;
            return AspaVerdict {
                state: AspaState::Invalid,
                up: ramps.up,
                down: ramps.down,
                leaker: ramps.up.filter(|_| is_one).map(|offence| offence.not_provider),
            };
        }
        let is_attested = ramps.min_up + ramps.min_down >= ramps.hops;
        AspaVerdict::of(if is_attested { AspaState::Valid } else { AspaState::Unknown })
    }

    /// One walk from the verifier to the origin. `None` for a path that is invalid whatever is
    /// attested: empty, or with a set.
    fn ramps(&self, path: AsPath<'_>) -> Option<Ramps> {
        let is_set = |kind| matches!(kind, SegmentKind::Set | SegmentKind::ConfedSet);
        if path.segments().any(|segment| is_set(segment.kind) && segment.count() > 0) {
            return None;
        }
        let mut walk = Walk::default();
        let mut asns = path.collapsed();
        let mut near = asns.next()?;
        let mut hops = 1;
        for far in asns {
            walk.step(hops, (near, far), (self.hop(far, near), self.hop(near, far)));
            near = far;
            hops += 1;
        }
        Some(walk.finish(hops))
    }
}

/// Lengths of the ramps in ASes, as in the draft, and the hops that end them.
struct Ramps {
    /// Number of ASes in the path, prepends collapsed.
    hops: usize,
    max_up: usize,
    min_up: usize,
    max_down: usize,
    min_down: usize,
    up: Option<AspaOffence>,
    down: Option<AspaOffence>,
}

/// The walk sees the hop that ends the ramp from the origin last, the other first.
#[derive(Default)]
struct Walk {
    last_not_up: Option<(usize, AspaOffence)>,
    last_unattested_up: Option<usize>,
    first_not_down: Option<(usize, AspaOffence)>,
    first_unattested_down: Option<usize>,
}

impl Walk {
    /// The hop between the AS at `place` from the verifier, from 1, and the next one.
    fn step(&mut self, place: usize, (near, far): (Asn, Asn), (up, down): (Hop, Hop)) {
        if up != Hop::Provider {
            self.last_unattested_up = Some(place);
        }
        if up == Hop::NotProvider {
            self.last_not_up = Some((place, AspaOffence { customer: far, not_provider: near }));
        }
        if down != Hop::Provider {
            self.first_unattested_down.get_or_insert(place);
        }
        if down == Hop::NotProvider {
            let offence = AspaOffence { customer: near, not_provider: far };
            self.first_not_down.get_or_insert((place, offence));
        }
    }

    fn finish(self, hops: usize) -> Ramps {
        let from_origin = |place: usize| hops - place;
        Ramps {
            hops,
            max_up: self.last_not_up.map_or(hops, |(place, _)| from_origin(place)),
            min_up: self.last_unattested_up.map_or(hops, from_origin),
            max_down: self.first_not_down.map_or(hops, |(place, _)| place),
            min_down: self.first_unattested_down.unwrap_or(hops),
            up: self.last_not_up.map(|(_, offence)| offence),
            down: self.first_not_down.map(|(_, offence)| offence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AsPathBuf;

    fn table(records: &[(u32, &[u32])]) -> AspaTable {
        let asns = |numbers: &[u32]| numbers.iter().copied().map(Asn).collect();
        AspaTable::from_records(records.iter().map(|&(c, p)| (Asn(c), asns(p))).collect())
    }

    fn path(asns: &[u32]) -> AsPathBuf {
        AsPathBuf::sequence(asns.iter().copied().map(Asn))
    }

    #[test]
    fn records_of_one_customer_are_united_and_as0_names_nobody() {
        let table = table(&[(3, &[9, 7]), (1, &[0]), (3, &[8, 7, 0])]);
        assert_eq!(table.providers(Asn(3)), Some(&[Asn(7), Asn(8), Asn(9)][..]));
        assert_eq!(table.providers(Asn(1)), Some(&[][..]));
        assert_eq!(table.providers(Asn(2)), None);
        assert_eq!((table.len(), table.iter().count()), (2, 2));
        assert_eq!(table.hop(Asn(3), Asn(8)), Hop::Provider);
        assert_eq!(table.hop(Asn(1), Asn(0)), Hop::NotProvider);
        assert_eq!(table.hop(Asn(2), Asn(8)), Hop::NoAttestation);
    }

    #[test]
    fn prepends_count_once_and_sets_are_invalid() {
        let table = table(&[(1, &[2]), (2, &[3])]);
        assert_eq!(table.verify_upstream(path(&[3, 3, 2, 2, 1, 1]).as_path()), AspaState::Valid);
        let mut with_set = path(&[3, 2]);
        with_set.push_segment(SegmentKind::Set, [Asn(1)]);
        assert_eq!(table.verify_upstream(with_set.as_path()), AspaState::Invalid);
        assert_eq!(table.verify_downstream(with_set.as_path()), AspaState::Invalid);
        assert_eq!(table.verify_downstream(AsPath::EMPTY), AspaState::Invalid);
        assert_eq!(table.verify_upstream(path(&[9]).as_path()), AspaState::Valid);
    }

    /// 1 passes a route of its provider 2 to its provider 3.
    #[test]
    fn the_offending_hops_meet_at_the_leaker() {
        let table = table(&[(1, &[2, 3]), (2, &[0]), (3, &[0]), (8, &[2])]);
        let verdict = table.downstream(path(&[3, 1, 2, 8]).as_path());
        assert_eq!(verdict.state, AspaState::Invalid);
        let offence = |customer, not_provider| {
            Some(AspaOffence { customer: Asn(customer), not_provider: Asn(not_provider) })
        };
        assert_eq!((verdict.up, verdict.down), (offence(2, 1), offence(3, 1)));
        assert_eq!(verdict.leaker, Some(Asn(1)));
        assert_eq!(table.upstream(path(&[1, 2, 8]).as_path()).up, offence(2, 1));
    }

    /// The draft's own formulas on lists, as a model for the walk.
    #[test]
    fn the_walk_agrees_with_the_formulas_on_all_short_paths() {
        let table = table(&[(1, &[2]), (2, &[3, 4]), (3, &[0]), (5, &[1, 3])]);
        for code in 0..6_usize.pow(5) {
            let a: Vec<Asn> = (0..5)
                .map(|place| Asn(u32::try_from(code / 6_usize.pow(place) % 6).unwrap()))
                .collect();
            if a.windows(2).any(|pair| pair[0] == pair[1]) {
                continue;
            }
            let n = a.len();
            let up = |fails: &dyn Fn(Hop) -> bool| {
                (1..n).find(|&i| fails(table.hop(a[i - 1], a[i]))).unwrap_or(n)
            };
            let down = |fails: &dyn Fn(Hop) -> bool| {
                (1..n).find(|&j| fails(table.hop(a[n - j], a[n - j - 1]))).unwrap_or(n)
            };
            let (refused, open): (&dyn Fn(Hop) -> bool, &dyn Fn(Hop) -> bool) =
                (&|hop| hop == Hop::NotProvider, &|hop| hop != Hop::Provider);
            let state = |invalid: bool, unknown: bool| match (invalid, unknown) {
                (true, _) => AspaState::Invalid,
                (false, true) => AspaState::Unknown,
                (false, false) => AspaState::Valid,
            };
            let stored = AsPathBuf::sequence(a.iter().rev().copied());
            let upstream = state(up(refused) < n, up(open) < n);
            assert_eq!(table.verify_upstream(stored.as_path()), upstream, "{stored}");
            let downstream = state(up(refused) + down(refused) < n, up(open) + down(open) < n);
            assert_eq!(table.verify_downstream(stored.as_path()), downstream, "{stored}");
        }
    }
}
