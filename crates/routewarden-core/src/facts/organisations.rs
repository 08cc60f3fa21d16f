//! Which organisation an AS is registered to.

use serde::Serialize;

use crate::Asn;

/// An organisation as a registry (or CAIDA's AS-to-organisation inference) names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Organisation {
    /// Handle, unique in its source, as `ORG-EX1-RIPE`.
    pub id: Box<str>,
    /// Name in words; empty when not given.
    pub name: Box<str>,
    /// ISO 3166 country code as the registry gives it; empty when not given.
    pub country: Box<str>,
}

/// ASNs with their organisations.
#[derive(Clone, Debug, Default)]
pub struct OrganisationTable {
    /// By id.
    organisations: Vec<Organisation>,
    /// By ASN: position of its organisation.
    members: Vec<(Asn, u32)>,
    /// By position of the organisation, then ASN.
    siblings: Vec<(u32, Asn)>,
    unnamed: usize,
}

impl OrganisationTable {
    /// Builds the table from organisations and (ASN, organisation id) pairs in any order.
    ///
    /// Of organisations with the same id, and of pairs with the same ASN, the last given counts.
    /// An id without an organisation makes one without name and country: two ASNs with the same
    /// unknown handle are still siblings.
    pub fn from_records(
        mut organisations: Vec<Organisation>,
        mut members: Vec<(Asn, Box<str>)>,
    ) -> Self {
        keep_last_by(&mut organisations, |a, b| a.id.cmp(&b.id));
        keep_last_by(&mut members, |a, b| a.0.cmp(&b.0));
        let known = |id: &str| organisations.binary_search_by(|held| (*held.id).cmp(id)).is_ok();
        let mut unnamed: Vec<Organisation> = members
            .iter()
            .filter(|(_, id)| !known(id))
            .map(|(_, id)| Organisation { id: id.clone(), ..Organisation::default() })
            .collect();
        keep_last_by(&mut unnamed, |a, b| a.id.cmp(&b.id));
        let unnamed_count = unnamed.len();
        organisations.extend(unnamed);
        organisations.sort_unstable();
        let position = |id: &str| {
            let at = organisations.binary_search_by(|held| (*held.id).cmp(id)).ok()?;
            u32::try_from(at).ok()
        };
        let members: Vec<(Asn, u32)> =
            members.iter().filter_map(|(asn, id)| Some((*asn, position(id)?))).collect();
        let mut siblings: Vec<(u32, Asn)> = members.iter().map(|&(asn, at)| (at, asn)).collect();
        siblings.sort_unstable();
        OrganisationTable { organisations, members, siblings, unnamed: unnamed_count }
    }

    /// The organisation an AS is registered to.
    pub fn organisation(&self, asn: Asn) -> Option<&Organisation> {
        self.organisations.get(self.position(asn)? as usize)
    }

    /// Whether two ASNs are registered to the same organisation; `None` when either is unknown.
    /// An AS is the same organisation as itself, known or not.
    ///
    /// Two ids of which one has no name give `None`: CAIDA makes such ids (`@del-64496`) for ASNs
    /// of which the registries tell no holder. `Some(false)` is weak all the same: one company
    /// often holds several handles, above all at several registries.
    pub fn same_organisation(&self, a: Asn, b: Asn) -> Option<bool> {
        if a == b {
            return Some(true);
        }
        let (a, b) = (self.organisation(a)?, self.organisation(b)?);
        let both_named = !a.name.is_empty() && !b.name.is_empty();
        if a.id == b.id { Some(true) } else { both_named.then_some(false) }
    }

    /// All ASNs of the organisation of `asn`, itself included, ascending; none when unknown.
    pub fn siblings(&self, asn: Asn) -> impl Iterator<Item = Asn> + use<'_> {
        let run = self.position(asn).map(|position| {
            let start = self.siblings.partition_point(|&(at, _)| at < position);
            let end = self.siblings.partition_point(|&(at, _)| at <= position);
            self.siblings.get(start..end).unwrap_or_default()
        });
        run.unwrap_or_default().iter().map(|&(_, asn)| asn)
    }

    /// The organisation with that id.
    pub fn by_id(&self, id: &str) -> Option<&Organisation> {
        let at = self.organisations.binary_search_by(|held| (*held.id).cmp(id)).ok()?;
        self.organisations.get(at)
    }

    /// All ASNs with their organisations, by ASN.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, &Organisation)> {
        self.members
            .iter()
            .filter_map(|&(asn, at)| Some((asn, self.organisations.get(at as usize)?)))
    }

    /// Number of ASNs.
    pub fn asn_count(&self) -> usize {
        self.members.len()
    }

    /// Number of organisations, those without an ASN included.
    pub fn organisation_count(&self) -> usize {
        self.organisations.len()
    }

    /// Number of organisations that are known by a member's id only.
    pub fn unnamed_count(&self) -> usize {
        self.unnamed
    }

    fn position(&self, asn: Asn) -> Option<u32> {
        let at = self.members.binary_search_by_key(&asn, |&(held, _)| held).ok()?;
        self.members.get(at).map(|&(_, position)| position)
    }
}

/// Sorts by `order` and keeps, of equals, the last given.
pub(super) fn keep_last_by<T>(items: &mut Vec<T>, order: impl Fn(&T, &T) -> std::cmp::Ordering) {
    // Reversed, a stable sort puts the last given first, which is what `dedup_by` keeps.
    items.reverse();
    items.sort_by(&order);
    items.dedup_by(|a, b| order(a, b).is_eq());
    items.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation(id: &str, name: &str) -> Organisation {
        Organisation { id: id.into(), name: name.into(), country: "NL".into() }
    }

    #[test]
    fn siblings_share_an_organisation_and_unknown_stays_unknown() {
        let organisations = vec![
            organisation("ORG-B", "B"),
            organisation("ORG-A", "old name"),
            organisation("ORG-A", "A"),
        ];
        let members = [(64498, "ORG-A"), (64496, "ORG-A"), (64497, "ORG-B"), (64499, "ORG-?")];
        let members = members.iter().map(|&(asn, id)| (Asn(asn), id.into())).collect();
        let table = OrganisationTable::from_records(organisations, members);
        assert_eq!(table.same_organisation(Asn(64496), Asn(64498)), Some(true));
        assert_eq!(table.same_organisation(Asn(64496), Asn(64497)), Some(false));
        assert_eq!(table.same_organisation(Asn(64496), Asn(64511)), None);
        assert_eq!(table.same_organisation(Asn(64496), Asn(64499)), None);
        assert_eq!(table.same_organisation(Asn(64511), Asn(64511)), Some(true));
        assert_eq!(&*table.organisation(Asn(64496)).unwrap().name, "A");
        assert_eq!(&*table.organisation(Asn(64499)).unwrap().name, "");
        assert_eq!(table.siblings(Asn(64498)).collect::<Vec<_>>(), [Asn(64496), Asn(64498)]);
        assert_eq!(table.siblings(Asn(64511)).count(), 0);
        assert_eq!((table.asn_count(), table.organisation_count()), (4, 3));
        assert_eq!(table.unnamed_count(), 1);
        assert_eq!(&*table.by_id("ORG-B").unwrap().name, "B");
    }
}
