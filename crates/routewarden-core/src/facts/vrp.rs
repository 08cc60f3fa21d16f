//! Validated ROA payloads and route origin validation.

use serde::{Deserialize, Serialize};

use super::vrp_array::{Address, Record, V4, V6, VrpArray};
use crate::{AddressFamily, Asn, Origin, Prefix};

/// Number of a trust anchor in [`TrustAnchors`]; it means nothing outside its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrustAnchorId(u8);

impl TrustAnchorId {
    /// Its place in the names.
    pub(super) fn position(self) -> usize {
        usize::from(self.0)
    }
}

/// Names of the trust anchors of one VRP table, as `ripe` or `apnic`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustAnchors {
    names: Vec<Box<str>>,
}

/// Largest number of trust anchors told apart. There are five in use.
pub const TRUST_ANCHORS_MAX: usize = 255;

impl TrustAnchors {
    /// The trust anchor's number, given on first sight. From [`TRUST_ANCHORS_MAX`] on all further
    /// names share one number without a name.
    pub fn intern(&mut self, name: &str) -> TrustAnchorId {
        let at = self.names.iter().position(|held| &**held == name).unwrap_or_else(|| {
            if self.names.len() < TRUST_ANCHORS_MAX {
                self.names.push(name.into());
                self.names.len() - 1
            } else {
                TRUST_ANCHORS_MAX
            }
        });
        TrustAnchorId(u8::try_from(at).unwrap_or(u8::MAX))
    }

    /// All names with their numbers, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (TrustAnchorId, &str)> {
        (0..).map(TrustAnchorId).zip(self.names.iter().map(|name| &**name))
    }

    /// Name of the trust anchor; empty when it is not known.
    pub fn name(&self, id: TrustAnchorId) -> &str {
        self.names.get(id.position()).map_or("", |name| name)
    }
}

/// A validated ROA payload (RFC 6811 §2): `asn` may originate `prefix` and its more-specifics
/// up to `max_len` bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vrp {
    /// The VRP's prefix.
    pub prefix: Prefix,
    /// Longest prefix length allowed, in bits.
    pub max_len: u8,
    /// The authorised origin; AS0 authorises nobody (RFC 6483 §4, RFC 7607).
    pub asn: Asn,
    /// Trust anchor it was found under: see [`VrpTable::trust_anchor`].
    #[serde(skip)]
    pub ta: TrustAnchorId,
}

/// Outcome of route origin validation (RFC 6811 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RovState {
    /// At least one VRP matches the route.
    Valid,
    /// VRPs cover the route and none matches.
    Invalid,
    /// No VRP covers the route.
    NotFound,
}

/// Why a route is [`RovState::Invalid`]. The split is ours; RFC 6811 knows only the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidReason {
    /// No covering VRP has the route's origin.
    Asn,
    /// A covering VRP has the route's origin, but the route is longer than its `max_len`.
    MaxLength,
}

/// Outcome of [`VrpTable::validate`] with the VRPs it rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// The state.
    pub state: RovState,
    /// Set exactly when `state` is [`RovState::Invalid`].
    pub reason: Option<InvalidReason>,
    /// Whether VRPs cover the route and all of them are for AS0 (RFC 6483 §4): the holder says
    /// that the prefix is not to be routed at all.
    pub as0_only: bool,
    /// All VRPs that cover the route: most specific prefix first, then by ASN and `max_len`.
    pub covering: Vec<Vrp>,
}

/// All VRPs of one validator run.
#[derive(Clone, Debug, Default)]
pub struct VrpTable {
    v4: VrpArray<V4>,
    v6: VrpArray<V6>,
    trust_anchors: TrustAnchors,
    /// In the order of [`VrpTable::iter`]: when a VRP expires, in seconds since 1970, 0 when not
    /// known. Apart from the records, since validation does not need it; empty when none is known.
    expires: Vec<u32>,
}

impl VrpTable {
    /// Builds the table from VRPs in any order; equal VRPs are kept once.
    ///
    /// # Panics
    /// With more VRPs of one family than `u32` can number: readers of files cap entries far
    /// below.
    #[expect(clippy::needless_pass_by_value, reason = "the list is of no use beside the table")]
    pub fn from_vrps(vrps: Vec<Vrp>) -> Self {
        VrpTable {
            v4: VrpArray::new(&vrps, AddressFamily::Ipv4),
            v6: VrpArray::new(&vrps, AddressFamily::Ipv6),
            trust_anchors: TrustAnchors::default(),
            expires: Vec::new(),
        }
    }

    /// As [`from_vrps`](Self::from_vrps), of VRPs with the time at which each expires, in seconds
    /// since 1970, 0 when not known. Of equal VRPs the last expiry counts: so long one stands.
    pub fn from_expiring(mut entries: Vec<(Vrp, u32)>) -> Self {
        // The order of the arrays.
        let key = |vrp: &Vrp| (vrp.prefix, vrp.asn, vrp.max_len, vrp.ta);
        entries.sort_unstable_by_key(|(vrp, expires)| (key(vrp), std::cmp::Reverse(*expires)));
        entries.dedup_by_key(|(vrp, _)| key(vrp));
        let table = Self::from_vrps(entries.iter().map(|&(vrp, _)| vrp).collect());
        let is_known = entries.iter().any(|&(_, expires)| expires != 0);
        let expires = entries.into_iter().map(|(_, expires)| expires);
        VrpTable { expires: if is_known { expires.collect() } else { Vec::new() }, ..table }
    }

    /// The table with names for its trust anchors.
    #[must_use]
    pub fn with_trust_anchors(self, trust_anchors: TrustAnchors) -> Self {
        VrpTable { trust_anchors, ..self }
    }

    /// State of a route with its reason, without allocation (RFC 6811 §2).
    pub fn state(&self, prefix: &Prefix, origin: Origin) -> (RovState, Option<InvalidReason>) {
        match prefix.family() {
            AddressFamily::Ipv4 => state(self.v4.chain(prefix), prefix, origin),
            AddressFamily::Ipv6 => state(self.v6.chain(prefix), prefix, origin),
        }
    }

    /// State of a route with its reason and every covering VRP (RFC 6811 §2).
    pub fn validate(&self, prefix: &Prefix, origin: Origin) -> Validity {
        let (state, reason) = self.state(prefix, origin);
        let covering: Vec<Vrp> = self.covering(prefix).collect();
        let as0_only = !covering.is_empty() && covering.iter().all(|vrp| vrp.asn == Asn(0));
        Validity { state, reason, as0_only, covering }
    }

    /// VRPs that cover `prefix`: most specific first, then by ASN and `max_len`.
    pub fn covering(&self, prefix: &Prefix) -> impl Iterator<Item = Vrp> + use<'_> {
        let is_v4 = prefix.is_ipv4();
        let v4 = is_v4.then(|| self.v4.covering(prefix)).into_iter().flatten();
        v4.chain((!is_v4).then(|| self.v6.covering(prefix)).into_iter().flatten())
    }

    /// VRPs whose prefix is `prefix` or a more-specific of it, by prefix, ASN and `max_len`: a
    /// change of these cannot alter the state of any other route than `prefix` and its
    /// more-specifics.
    pub fn covered(&self, prefix: &Prefix) -> impl Iterator<Item = Vrp> + use<'_> {
        let is_v4 = prefix.is_ipv4();
        let v4 = is_v4.then(|| self.v4.covered(prefix)).into_iter().flatten();
        v4.chain((!is_v4).then(|| self.v6.covered(prefix)).into_iter().flatten())
    }

    /// All VRPs by prefix, ASN and `max_len`.
    pub fn iter(&self) -> impl Iterator<Item = Vrp> {
        self.v4.iter().chain(self.v6.iter())
    }

    /// All VRPs by prefix, ASN and `max_len`, with the time at which each expires: in seconds since
    /// 1970, 0 when not known.
    pub fn iter_expiring(&self) -> impl Iterator<Item = (Vrp, u32)> {
        self.iter().zip(self.expires.iter().copied().chain(std::iter::repeat(0)))
    }

    /// Names of the trust anchors.
    pub fn trust_anchors(&self) -> &TrustAnchors {
        &self.trust_anchors
    }

    /// Name of the trust anchor of a VRP of this table; empty when it is not known.
    pub fn trust_anchor(&self, vrp: &Vrp) -> &str {
        self.trust_anchors.name(vrp.ta)
    }

    /// Number of VRPs.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Octets of memory the table's arrays take.
    pub fn heap_octets(&self) -> usize {
        let expires = self.expires.capacity() * size_of::<u32>();
        self.v4.heap_octets() + self.v6.heap_octets() + expires
    }

    /// Whether no VRP is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How one covering VRP stands to a route.
enum Outcome {
    Matched,
    TooLong,
    OtherOrigin,
}

/// State of a route from the records that cover it.
fn state<'a, A: Address + 'a>(
    covering: impl Iterator<Item = &'a Record<A>>,
    prefix: &Prefix,
    origin: Origin,
) -> (RovState, Option<InvalidReason>) {
    let mut covered = false;
    let mut reason = InvalidReason::Asn;
    for record in covering {
        covered = true;
        match outcome(record.asn, record.max_len, prefix, origin) {
            Outcome::Matched => return (RovState::Valid, None),
            Outcome::TooLong => reason = InvalidReason::MaxLength,
            Outcome::OtherOrigin => {}
        }
    }
    if covered { (RovState::Invalid, Some(reason)) } else { (RovState::NotFound, None) }
}

/// `asn` and `max_len` are of a VRP that covers `prefix`.
fn outcome(asn: Asn, max_len: u8, prefix: &Prefix, origin: Origin) -> Outcome {
    // RFC 6811 §2: an origin of NONE (set, or empty path) matches no VRP.
    // RFC 6483 §4, RFC 7607 §2: AS0 is no origin, so it matches nothing either.
    if asn == Asn(0) || origin.asn() != Some(asn) {
        Outcome::OtherOrigin
    } else if prefix.len() <= max_len {
        Outcome::Matched
    } else {
        Outcome::TooLong
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InvalidReason::{Asn as OtherAsn, MaxLength};
    use RovState::{Invalid, NotFound, Valid};
    use proptest::prelude::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    fn vrp(prefix: &str, max_len: u8, asn: u32) -> Vrp {
        Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta: TrustAnchorId::default() }
    }

    #[test]
    fn rfc6811_states_and_our_reasons() {
        let table = VrpTable::from_vrps(vec![
            vrp("10.0.0.0/16", 20, 64500),
            vrp("10.0.0.0/8", 24, 64501),
            vrp("203.0.113.0/24", 32, 0),
        ]);
        let state = |prefix: &str, asn| table.state(&p(prefix), Origin::As(Asn(asn)));
        assert_eq!(state("10.0.0.0/16", 64500), (Valid, None));
        assert_eq!(state("10.0.0.0/20", 64500), (Valid, None));
        assert_eq!(state("10.0.0.0/21", 64500), (Invalid, Some(MaxLength)));
        assert_eq!(state("10.0.0.0/21", 64501), (Valid, None));
        assert_eq!(state("10.0.0.0/16", 64502), (Invalid, Some(OtherAsn)));
        assert_eq!(state("0.0.0.0/0", 64500), (NotFound, None));
        assert_eq!(state("11.0.0.0/8", 64500), (NotFound, None));
        assert_eq!(state("203.0.113.0/24", 0), (Invalid, Some(OtherAsn)));
    }

    #[test]
    fn rfc6811_a_route_without_single_origin_is_invalid_if_covered() {
        let table = VrpTable::from_vrps(vec![vrp("192.0.2.0/24", 24, 64500)]);
        for origin in [Origin::Set, Origin::None] {
            assert_eq!(table.state(&p("192.0.2.0/24"), origin), (Invalid, Some(OtherAsn)));
            assert_eq!(table.state(&p("198.51.100.0/24"), origin), (NotFound, None));
        }
    }

    #[test]
    fn rfc6483_as0_only_is_told_apart() {
        let as0 = vrp("192.0.2.0/24", 24, 0);
        let route = (p("192.0.2.0/24"), Origin::As(Asn(64500)));
        let alone = VrpTable::from_vrps(vec![as0]).validate(&route.0, route.1);
        assert!(alone.as0_only);
        assert_eq!(alone.covering, [as0]);
        let both = VrpTable::from_vrps(vec![as0, vrp("192.0.2.0/23", 24, 64500)]);
        let both = both.validate(&route.0, route.1);
        assert_eq!((both.state, both.as0_only), (Valid, false));
        assert_eq!(both.covering.len(), 2);
        assert!(!VrpTable::default().validate(&route.0, route.1).as0_only);
    }

    #[test]
    fn serialised_names_are_stable() {
        let table = VrpTable::from_vrps(vec![vrp("192.0.2.0/24", 24, 64500)]);
        let validity = table.validate(&p("192.0.2.0/25"), Origin::As(Asn(64500)));
        assert_eq!(
            serde_json::to_string(&validity).unwrap(),
            r#"{"state":"invalid","reason":"max_length","as0_only":false,"covering":[{"prefix":"192.0.2.0/24","max_len":24,"asn":64500}]}"#
        );
        assert_eq!(serde_json::to_string(&NotFound).unwrap(), r#""not_found""#);
    }

    #[test]
    fn trust_anchors_keep_their_names() {
        let mut anchors = TrustAnchors::default();
        let (ripe, apnic) = (anchors.intern("ripe"), anchors.intern("apnic"));
        assert_eq!(anchors.intern("ripe"), ripe);
        let vrps = vec![Vrp { ta: apnic, ..vrp("192.0.2.0/24", 24, 64500) }];
        let table = VrpTable::from_vrps(vrps).with_trust_anchors(anchors.clone());
        assert_eq!(table.trust_anchor(&table.iter().next().unwrap()), "apnic");
        for number in 0..600 {
            anchors.intern(&number.to_string());
        }
        let other = anchors.intern("one too many");
        assert_eq!((anchors.name(other), anchors.name(ripe)), ("", "ripe"));
    }

    #[test]
    fn the_last_expiry_of_equal_vrps_counts() {
        let (a, b) = (vrp("192.0.2.0/24", 24, 64500), vrp("2001:db8::/32", 48, 64499));
        let table = VrpTable::from_expiring(vec![(b, 0), (a, 5), (a, 9), (a, 7)]);
        assert_eq!(table.iter_expiring().collect::<Vec<_>>(), [(a, 9), (b, 0)]);
        let table = VrpTable::from_expiring(vec![(b, 0), (a, 0)]);
        assert_eq!(table.iter_expiring().collect::<Vec<_>>(), [(a, 0), (b, 0)]);
    }

    /// Prefixes of few distinct bits, so that they nest and repeat, on both sides of the bits
    /// that the index is keyed by.
    fn small_prefix() -> impl Strategy<Value = Prefix> {
        (any::<bool>(), 0u32..16, 0u32..4, 0u8..=4, any::<bool>()).prop_map(
            |(v4, upper, lower, len, deep)| {
                let bits = upper << 28 | lower << 14;
                let len = if deep { len + 14 } else { len };
                if v4 {
                    Prefix::v4(bits, len).unwrap()
                } else {
                    Prefix::v6(u128::from(bits) << 96 | u128::from(lower) << 48, len * 4).unwrap()
                }
            },
        )
    }

    fn origins() -> impl Strategy<Value = Origin> {
        let asn = (0u32..4).prop_map(|asn| Origin::As(Asn(asn)));
        prop_oneof![6 => asn, 1 => Just(Origin::Set), 1 => Just(Origin::None)]
    }

    /// RFC 6811 §2 word for word, over a plain list.
    fn by_definition(
        vrps: &[Vrp],
        prefix: &Prefix,
        origin: Origin,
    ) -> (RovState, Option<InvalidReason>) {
        let covering = || vrps.iter().filter(|vrp| vrp.prefix.covers(prefix));
        let same = || covering().filter(|vrp| vrp.asn.0 != 0 && origin == Origin::As(vrp.asn));
        if covering().next().is_none() {
            (NotFound, None)
        } else if same().any(|vrp| prefix.len() <= vrp.max_len) {
            (Valid, None)
        } else if same().next().is_some() {
            (Invalid, Some(MaxLength))
        } else {
            (Invalid, Some(OtherAsn))
        }
    }

    proptest! {
        #[test]
        fn rfc6811_equals_the_definition(
            vrps in prop::collection::vec((small_prefix(), 0u8..=20, 0u32..4), 0..40),
            asked in prop::collection::vec((small_prefix(), origins()), 1..20),
        ) {
            let vrps: Vec<Vrp> = vrps
                .into_iter()
                .map(|(prefix, max_len, asn)| {
                    Vrp { prefix, max_len, asn: Asn(asn), ta: TrustAnchorId::default() }
                })
                .collect();
            let table = VrpTable::from_vrps(vrps.clone());
            let mut naive = vrps;
            naive.sort_unstable_by_key(|vrp| (vrp.prefix, vrp.asn, vrp.max_len));
            naive.dedup();
            prop_assert_eq!(table.iter().collect::<Vec<_>>(), naive.clone());
            prop_assert_eq!(table.len(), naive.len());
            for (prefix, origin) in &asked {
                prop_assert_eq!(
                    table.state(prefix, *origin), by_definition(&naive, prefix, *origin));
                let of = |keep: &dyn Fn(&Vrp) -> bool| -> Vec<Vrp> {
                    naive.iter().copied().filter(|vrp| keep(vrp)).collect()
                };
                let mut covering = of(&|vrp| vrp.prefix.covers(prefix));
                covering.sort_by_key(|vrp| std::cmp::Reverse(vrp.prefix.len()));
                prop_assert_eq!(table.covering(prefix).collect::<Vec<_>>(), covering);
                let covered = of(&|vrp| prefix.covers(&vrp.prefix));
                prop_assert_eq!(table.covered(prefix).collect::<Vec<_>>(), covered);
            }
        }
    }
}
