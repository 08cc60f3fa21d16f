//! What changed from one validator run to the next.

use std::iter::Peekable;

use serde::{Serialize, Serializer};

use super::vrp::{RovState, TrustAnchorId, TrustAnchors, Vrp, VrpTable};
use crate::{Asn, Origin, Prefix};

/// A VRP that stands in both runs with another expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Renewal {
    /// The VRP.
    pub vrp: Vrp,
    /// When it expired in the old run: seconds since 1970, 0 when not known.
    pub before: u32,
    /// When it expires in the new run.
    pub after: u32,
}

/// What became of the VRPs of one trust anchor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AnchorChange {
    /// The trust anchor's name; empty when not known.
    pub name: Box<str>,
    /// VRPs of the old run.
    pub before: usize,
    /// VRPs of the new run.
    pub after: usize,
    /// VRPs of the new run only.
    pub added: usize,
    /// VRPs of the old run only.
    pub removed: usize,
    /// VRPs of both, with another expiry.
    pub renewed: usize,
}

/// The difference of two VRP tables, by prefix, ASN, `max_len` and name of the trust anchor.
#[derive(Clone, Debug, Default)]
pub struct VrpDiff {
    added: Vec<Vrp>,
    removed: Vec<Vrp>,
    renewed: Vec<Renewal>,
    /// By name.
    anchors: Vec<AnchorChange>,
    /// Names for the VRPs above: numbers of trust anchors differ from table to table.
    trust_anchors: TrustAnchors,
}

/// The standing routes at a prefix and at its more-specifics: calls back for each.
pub type StandingRoutes<'a> = dyn Fn(&Prefix, &mut dyn FnMut(Prefix, Origin)) + 'a;

/// A standing route whose state a VRP change turned, with no BGP update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StateChange {
    /// Prefix of the route.
    pub prefix: Prefix,
    /// Its origin; `null` when serialised if it has no single one.
    #[serde(serialize_with = "single_origin")]
    pub origin: Origin,
    /// State by the old VRPs.
    pub before: RovState,
    /// State by the new VRPs.
    pub after: RovState,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn single_origin<S: Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    origin.asn().serialize(serializer)
}

/// What a VRP change does to the standing routes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Revalidation {
    /// Routes that a changed VRP covers: no other can have changed state.
    pub touched: usize,
    /// Those that did, by prefix and origin.
    pub changed: Vec<StateChange>,
}

impl VrpDiff {
    /// Compares two tables in one pass over both.
    pub fn between(old: &VrpTable, new: &VrpTable) -> Self {
        let mut diff = VrpDiff::default();
        let mut counts = vec![AnchorChange::default(); usize::from(u8::MAX) + 1];
        let names = Renumbering::of(&[old, new], &mut diff.trust_anchors);
        let [of_old, of_new] = names.as_slice() else { return diff };
        let mut old = of_old.renumbered(old).peekable();
        let mut new = of_new.renumbered(new).peekable();
        let (mut before, mut after) = (Vec::new(), Vec::new());
        loop {
            let next = old.peek().into_iter().chain(new.peek()).map(|(vrp, _)| key(vrp)).min();
            let Some(next) = next else { break };
            take_run(&mut old, next, &mut before);
            take_run(&mut new, next, &mut after);
            diff.compare(&before, &after, &mut counts);
        }
        for ((id, name), counted) in diff.trust_anchors.iter().zip(&mut counts) {
            debug_assert_eq!(diff.trust_anchors.name(id), name);
            counted.name = name.into();
        }
        // What stands after the names is that of the nameless, if there is any.
        counts.retain(|counted| counted.before + counted.after > 0);
        counts.sort_by(|a, b| a.name.cmp(&b.name));
        diff.anchors = counts;
        diff
    }

    /// Compares the VRPs of one prefix, ASN and `max_len`: one for each trust anchor, by number.
    fn compare(
        &mut self,
        before: &[(Vrp, u32)],
        after: &[(Vrp, u32)],
        counts: &mut [AnchorChange],
    ) {
        let mut unknown = AnchorChange::default();
        for &(vrp, expired) in before {
            let count = counts.get_mut(vrp.ta.position()).unwrap_or(&mut unknown);
            count.before += 1;
            match after.iter().find(|(other, _)| other.ta == vrp.ta) {
                None => {
                    count.removed += 1;
                    self.removed.push(vrp);
                }
                Some(&(_, expires)) if expires != expired => {
                    count.renewed += 1;
                    self.renewed.push(Renewal { vrp, before: expired, after: expires });
                }
                Some(_) => {}
            }
        }
        for &(vrp, _) in after {
            let count = counts.get_mut(vrp.ta.position()).unwrap_or(&mut unknown);
            count.after += 1;
            if before.iter().all(|(other, _)| other.ta != vrp.ta) {
                count.added += 1;
                self.added.push(vrp);
            }
        }
    }

    /// VRPs of the new run only, by prefix, ASN and `max_len`.
    pub fn added(&self) -> &[Vrp] {
        &self.added
    }

    /// VRPs of the old run only, in the same order.
    pub fn removed(&self) -> &[Vrp] {
        &self.removed
    }

    /// VRPs of both runs whose expiry changed, in the same order. They change no route's state.
    pub fn renewed(&self) -> &[Renewal] {
        &self.renewed
    }

    /// Totals of each trust anchor, by name.
    pub fn anchors(&self) -> &[AnchorChange] {
        &self.anchors
    }

    /// Name of the trust anchor of a VRP of this difference; empty when not known.
    pub fn trust_anchor(&self, vrp: &Vrp) -> &str {
        self.trust_anchors.name(vrp.ta)
    }

    /// Differences of all sorts, as rpkilog's `diff_count` counts them.
    pub fn len(&self) -> usize {
        self.added.len() + self.removed.len() + self.renewed.len()
    }

    /// Whether both tables are the same, expiry included.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// VRPs added that no trust anchor had before.
    pub fn newly_authorised(&self) -> impl Iterator<Item = &Vrp> {
        only_in(&self.added, &self.removed)
    }

    /// VRPs removed that no trust anchor has any more.
    pub fn no_longer_authorised(&self) -> impl Iterator<Item = &Vrp> {
        only_in(&self.removed, &self.added)
    }

    /// Prefixes whose standing routes, and those of their more-specifics, need a new look: no
    /// prefix covers another. VRPs that went from one trust anchor to another change nothing.
    pub fn touched(&self) -> Vec<Prefix> {
        let changed = self.newly_authorised().chain(self.no_longer_authorised());
        let mut prefixes: Vec<Prefix> = changed.map(|vrp| vrp.prefix).collect();
        prefixes.sort_unstable();
        // A less-specific sorts before its more-specifics.
        prefixes.dedup_by(|next, held| held.covers(next));
        prefixes
    }

    /// Validates anew the standing routes that a changed VRP covers (RFC 6811 §5: validation is
    /// repeated when the VRPs change).
    pub fn revalidate(
        &self,
        old: &VrpTable,
        new: &VrpTable,
        routes: &StandingRoutes<'_>,
    ) -> Revalidation {
        let mut outcome = Revalidation::default();
        for prefix in self.touched() {
            routes(&prefix, &mut |prefix, origin| {
                outcome.touched += 1;
                let (before, _) = old.state(&prefix, origin);
                let (after, _) = new.state(&prefix, origin);
                if before != after {
                    outcome.changed.push(StateChange { prefix, origin, before, after });
                }
            });
        }
        outcome.changed.sort_unstable();
        outcome
    }
}

/// What a VRP says, whoever it was found under.
fn key(vrp: &Vrp) -> (Prefix, Asn, u8) {
    (vrp.prefix, vrp.asn, vrp.max_len)
}

/// VRPs of one list of which the other, in the same order, has none that says the same.
fn only_in<'a>(list: &'a [Vrp], other: &'a [Vrp]) -> impl Iterator<Item = &'a Vrp> {
    list.iter().filter(|vrp| other.binary_search_by_key(&key(vrp), key).is_err())
}

/// The VRPs at the front that say `wanted`.
fn take_run(
    vrps: &mut Peekable<impl Iterator<Item = (Vrp, u32)>>,
    wanted: (Prefix, Asn, u8),
    run: &mut Vec<(Vrp, u32)>,
) {
    run.clear();
    while let Some(next) = vrps.next_if(|(vrp, _)| key(vrp) == wanted) {
        run.push(next);
    }
}

/// From the numbers of trust anchors of one table to those of the difference.
struct Renumbering {
    /// By number in the table.
    ids: Vec<TrustAnchorId>,
    /// Of VRPs whose trust anchor has no name.
    nameless: TrustAnchorId,
}

impl Renumbering {
    fn of(tables: &[&VrpTable], common: &mut TrustAnchors) -> Vec<Renumbering> {
        let ids = tables.iter().map(|table| {
            table.trust_anchors().iter().map(|(_, name)| common.intern(name)).collect()
        });
        let ids: Vec<Vec<TrustAnchorId>> = ids.collect();
        // Interned last, so that it takes no number from a name.
        let nameless = common.intern("");
        ids.into_iter().map(|ids| Renumbering { ids, nameless }).collect()
    }

    fn renumbered<'a>(&'a self, table: &'a VrpTable) -> impl Iterator<Item = (Vrp, u32)> + 'a {
        table.iter_expiring().map(|(vrp, expires)| {
            let ta = self.ids.get(vrp.ta.position()).copied().unwrap_or(self.nameless);
            (Vrp { ta, ..vrp }, expires)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::OriginTable;
    use proptest::prelude::*;

    fn p(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    /// A table of (prefix, `max_len`, ASN, trust anchor, expiry).
    fn table(entries: &[(&str, u8, u32, &str, u32)]) -> VrpTable {
        let mut anchors = TrustAnchors::default();
        let vrps = entries.iter().map(|&(prefix, max_len, asn, ta, expires)| {
            (Vrp { prefix: p(prefix), max_len, asn: Asn(asn), ta: anchors.intern(ta) }, expires)
        });
        let vrps = vrps.collect();
        VrpTable::from_expiring(vrps).with_trust_anchors(anchors)
    }

    fn text(diff: &VrpDiff, vrps: &[Vrp]) -> Vec<String> {
        let one =
            |v: &Vrp| format!("{}-{} {} {}", v.prefix, v.max_len, v.asn, diff.trust_anchor(v));
        vrps.iter().map(one).collect()
    }

    #[test]
    fn trust_anchors_are_compared_by_name() {
        let old = table(&[
            ("192.0.2.0/24", 24, 64500, "ripe", 10),
            ("198.51.100.0/24", 24, 64501, "apnic", 10),
            ("203.0.113.0/24", 24, 64502, "", 10),
            ("203.0.113.0/24", 25, 64502, "ripe", 10),
        ]);
        let new = table(&[
            ("198.51.100.0/24", 24, 64501, "arin", 10),
            ("192.0.2.0/24", 24, 64500, "ripe", 20),
            ("203.0.113.0/24", 24, 64502, "", 10),
            ("2001:db8::/32", 48, 64503, "ripe", 0),
        ]);
        let diff = VrpDiff::between(&old, &new);
        assert_eq!(
            text(&diff, diff.added()),
            ["198.51.100.0/24-24 AS64501 arin", "2001:db8::/32-48 AS64503 ripe"]
        );
        assert_eq!(
            text(&diff, diff.removed()),
            ["198.51.100.0/24-24 AS64501 apnic", "203.0.113.0/24-25 AS64502 ripe"]
        );
        assert_eq!((diff.renewed().len(), diff.len()), (1, 5));
        assert_eq!((diff.renewed()[0].before, diff.renewed()[0].after), (10, 20));
        let counts: Vec<_> = diff
            .anchors()
            .iter()
            .map(|a| (&*a.name, a.before, a.after, a.added, a.removed, a.renewed))
            .collect();
        assert_eq!(
            counts,
            [
                ("", 1, 1, 0, 0, 0),
                ("apnic", 1, 0, 0, 1, 0),
                ("arin", 0, 1, 1, 0, 0),
                ("ripe", 2, 2, 1, 1, 1)
            ]
        );
        // What only went to another trust anchor touches no route.
        assert_eq!(diff.touched(), [p("203.0.113.0/24"), p("2001:db8::/32")]);
        assert!(VrpDiff::between(&new, &new).is_empty());
    }

    #[test]
    fn touched_prefixes_are_maximal() {
        let new = table(&[
            ("192.0.2.128/25", 25, 64500, "ripe", 0),
            ("192.0.2.0/24", 24, 64500, "ripe", 0),
            ("192.0.2.0/24", 25, 64501, "ripe", 0),
            ("192.0.3.0/24", 24, 64500, "ripe", 0),
        ]);
        let diff = VrpDiff::between(&VrpTable::default(), &new);
        assert_eq!(diff.touched(), [p("192.0.2.0/24"), p("192.0.3.0/24")]);
    }

    #[test]
    fn a_standing_route_turns_invalid_without_an_update() {
        let old = table(&[("192.0.2.0/24", 24, 64500, "ripe", 0)]);
        let new = table(&[("192.0.2.0/24", 24, 64511, "ripe", 0)]);
        let diff = VrpDiff::between(&old, &new);
        let standing = |top: &Prefix, each: &mut dyn FnMut(Prefix, Origin)| {
            assert_eq!(*top, p("192.0.2.0/24"));
            each(p("192.0.2.0/24"), Origin::As(Asn(64500)));
            each(p("192.0.2.0/24"), Origin::Set);
        };
        let outcome = diff.revalidate(&old, &new, &standing);
        assert_eq!(outcome.touched, 2);
        assert_eq!(
            serde_json::to_string(&outcome.changed).unwrap(),
            r#"[{"prefix":"192.0.2.0/24","origin":64500,"before":"valid","after":"invalid"}]"#
        );
    }

    fn entry() -> impl Strategy<Value = (Vrp, u32)> {
        (0u32..32, 1u8..=5, 0u8..=2, 0u32..3, 0u8..3, 0u32..3).prop_map(
            |(bits, len, more, asn, ta, expires)| {
                let mut anchors = TrustAnchors::default();
                let ids = ["a", "b", "c"].map(|name| anchors.intern(name));
                let prefix = Prefix::v4(bits << 27, len).unwrap();
                let ta = ids[usize::from(ta)];
                (Vrp { prefix, max_len: len + more, asn: Asn(asn), ta }, expires)
            },
        )
    }

    proptest! {
        /// The difference equals that of sets, and only touched routes change their state.
        #[test]
        fn equals_sets_and_full_revalidation(
            old in prop::collection::vec(entry(), 0..30),
            new in prop::collection::vec(entry(), 0..30),
            routes in prop::collection::vec((0u32..64, 1u8..=6, 0u32..4), 0..40),
        ) {
            let named = |names: [&str; 3], vrps: &[(Vrp, u32)]| {
                let mut anchors = TrustAnchors::default();
                for name in names {
                    anchors.intern(name);
                }
                VrpTable::from_expiring(vrps.to_vec()).with_trust_anchors(anchors)
            };
            // The same numbers mean other names in the second table.
            let old = named(["a", "b", "c"], &old);
            let new = named(["c", "a", "b"], &new);
            let diff = VrpDiff::between(&old, &new);
            let set = |table: &VrpTable| -> std::collections::BTreeMap<_, u32> {
                table.iter_expiring()
                    .map(|(v, e)| ((key(&v), table.trust_anchor(&v).to_owned()), e)).collect()
            };
            let (before, after) = (set(&old), set(&new));
            let named = |v: &Vrp| (key(v), diff.trust_anchor(v).to_owned());
            let mut added: Vec<_> = diff.added().iter().map(named).collect();
            added.sort();
            prop_assert_eq!(added, after.keys().filter(|k| !before.contains_key(*k))
                .cloned().collect::<Vec<_>>());
            let mut removed: Vec<_> = diff.removed().iter().map(named).collect();
            removed.sort();
            prop_assert_eq!(removed, before.keys().filter(|k| !after.contains_key(*k))
                .cloned().collect::<Vec<_>>());
            prop_assert_eq!(diff.renewed().len(),
                before.iter().filter(|(k, e)| after.get(*k).is_some_and(|a| a != *e)).count());

            let routes = routes.into_iter()
                .map(|(bits, len, asn)| (Prefix::v4(bits << 26, len).unwrap(), Asn(asn))).collect();
            let routes = OriginTable::from_entries(routes);
            let full: Vec<StateChange> = routes.iter()
                .flat_map(|(prefix, asns)| asns.iter().map(move |&a| (prefix, Origin::As(a))))
                .map(|(prefix, origin)| StateChange {
                    prefix, origin,
                    before: old.state(&prefix, origin).0, after: new.state(&prefix, origin).0,
                })
                .filter(|change| change.before != change.after).collect();
            let standing = routes.standing();
            prop_assert_eq!(diff.revalidate(&old, &new, &standing).changed, full);
        }
    }
}
