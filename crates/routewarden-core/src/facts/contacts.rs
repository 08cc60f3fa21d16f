//! Which contacts of an AS its registry names. Who they are is not kept.

use serde::Serialize;

use super::organisations::keep_last_by;
use crate::Asn;

/// What a contact is for (RFC 9083 §10.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactRole {
    /// Administrative questions.
    Administrative,
    /// Technical questions.
    Technical,
    /// The network operations centre.
    Noc,
    /// Abuse.
    Abuse,
}

impl ContactRole {
    /// All of them.
    pub const ALL: [ContactRole; 4] =
        [ContactRole::Administrative, ContactRole::Technical, ContactRole::Noc, ContactRole::Abuse];

    /// The serialised name, which is that of RDAP.
    pub const fn name(self) -> &'static str {
        match self {
            ContactRole::Administrative => "administrative",
            ContactRole::Technical => "technical",
            ContactRole::Noc => "noc",
            ContactRole::Abuse => "abuse",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        ContactRole::ALL.into_iter().find(|role| role.name() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            ContactRole::Administrative => 1,
            ContactRole::Technical => 2,
            ContactRole::Noc => 4,
            ContactRole::Abuse => 8,
        }
    }
}

/// Several [`ContactRole`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContactRoles(u8);

impl ContactRoles {
    /// Adds one.
    pub fn add(&mut self, role: ContactRole) {
        self.0 |= role.bit();
    }

    /// Whether it is among them.
    pub const fn has(self, role: ContactRole) -> bool {
        self.0 & role.bit() != 0
    }

    /// Those of both.
    #[must_use]
    pub const fn with(self, other: ContactRoles) -> Self {
        ContactRoles(self.0 | other.0)
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that there are.
    pub fn iter(self) -> impl Iterator<Item = ContactRole> {
        ContactRole::ALL.into_iter().filter(move |&role| self.has(role))
    }
}

/// What was said of one AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsContacts {
    /// The AS.
    pub asn: Asn,
    /// How many ASes the registration is of: of a narrower one more is known.
    pub registered_ases: u32,
    /// Contacts that can be reached.
    pub roles: ContactRoles,
}

/// Contacts by ASN.
#[derive(Clone, Debug, Default)]
pub struct ContactTable {
    contacts: Vec<(Asn, ContactRoles)>,
}

impl ContactTable {
    /// Builds the table from entries in any order; of those of one AS the one of the narrowest
    /// registration counts, of equally narrow ones the last given.
    pub fn from_entries(mut entries: Vec<AsContacts>) -> Self {
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.registered_ases));
        keep_last_by(&mut entries, |a, b| a.asn.cmp(&b.asn));
        let contacts = entries.into_iter().map(|entry| (entry.asn, entry.roles)).collect();
        ContactTable { contacts }
    }

    /// Contacts of an AS that can be reached, perhaps none; `None` when nothing is known of it.
    pub fn roles(&self, asn: Asn) -> Option<ContactRoles> {
        let at = self.contacts.binary_search_by_key(&asn, |held| held.0).ok()?;
        self.contacts.get(at).map(|held| held.1)
    }

    /// All ASes with their contacts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (Asn, ContactRoles)> {
        self.contacts.iter().copied()
    }

    /// Number of ASes.
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether no AS is held.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_registration_counts_and_then_the_last() {
        let entry = |registered_ases, role| {
            let mut roles = ContactRoles::default();
            roles.add(role);
            AsContacts { asn: Asn(64496), registered_ases, roles }
        };
        let table = ContactTable::from_entries(vec![
            entry(1, ContactRole::Noc),
            entry(1, ContactRole::Technical),
            entry(100, ContactRole::Abuse),
        ]);
        let roles = table.roles(Asn(64496)).unwrap();
        assert_eq!(roles.iter().collect::<Vec<_>>(), [ContactRole::Technical]);
        assert_eq!((table.len(), table.roles(Asn(1))), (1, None));
        assert!(ContactRoles::default().is_empty() && !roles.is_empty());
        let both = roles.with(
            ContactTable::from_entries(vec![entry(1, ContactRole::Abuse)])
                .roles(Asn(64496))
                .unwrap(),
        );
        assert!(both.has(ContactRole::Technical) && both.has(ContactRole::Abuse));
        for role in ContactRole::ALL {
            assert_eq!(ContactRole::from_name(role.name()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
    }
}
