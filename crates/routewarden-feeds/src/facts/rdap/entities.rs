//! Entities of an answer (RFC 9083 §5.1): the roles of those that can be reached.

use std::fmt;

use routewarden_core::facts::contacts::{ContactRole, ContactRoles};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::facts::json::{Member, Scalar, ScalarSeed, other_values};

/// Lets a visitor be its own seed: it takes values of every type.
macro_rules! seed_of_any {
    ($seed:ty, $value:ty) => {
        impl<'de> DeserializeSeed<'de> for $seed {
            type Value = $value;

            fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<$value, D::Error> {
                from.deserialize_any(self)
            }
        }
    };
}
pub(super) use seed_of_any;

/// Reads an array of entities: the roles of those that can be reached.
pub(super) struct EntitiesSeed;

seed_of_any!(EntitiesSeed, ContactRoles);

impl<'de> Visitor<'de> for EntitiesSeed {
    type Value = ContactRoles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ContactRoles, A::Error> {
        let mut all = ContactRoles::default();
        while let Some(roles) = items.next_element_seed(EntitySeed)? {
            all = all.with(roles);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ContactRoles, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(ContactRoles::default())
    }

    other_values!(ContactRoles::default());
}

/// Reads an entity, and those in it.
struct EntitySeed;

seed_of_any!(EntitySeed, ContactRoles);

impl<'de> Visitor<'de> for EntitySeed {
    type Value = ContactRoles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ContactRoles, A::Error> {
        let (mut own, mut inner) = (ContactRoles::default(), ContactRoles::default());
        let mut is_reachable = false;
        while let Some(key) = access.next_key_seed(ScalarSeed(Member::of))? {
            match key.text().as_deref() {
                Some("roles") => own = access.next_value_seed(RolesSeed)?,
                Some("vcardArray") => is_reachable = access.next_value_seed(VcardSeed(0))?,
                Some("entities") => inner = access.next_value_seed(EntitiesSeed)?,
                _ => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(if is_reachable { own.with(inner) } else { inner })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ContactRoles, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ContactRoles::default())
    }

    other_values!(ContactRoles::default());
}

/// Reads an array of roles.
struct RolesSeed;

seed_of_any!(RolesSeed, ContactRoles);

impl<'de> Visitor<'de> for RolesSeed {
    type Value = ContactRoles;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ContactRoles, A::Error> {
        let role = |name: Scalar<'_>| match name {
            Scalar::Text(name) => ContactRole::from_name(&name.to_ascii_lowercase()),
            Scalar::Number(_) | Scalar::Other => None,
        };
        let mut roles = ContactRoles::default();
        while let Some(role) = items.next_element_seed(ScalarSeed(role))? {
            if let Some(role) = role {
                roles.add(role);
            }
        }
        Ok(roles)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ContactRoles, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(ContactRoles::default())
    }

    other_values!(ContactRoles::default());
}

/// Reads `["vcard", [[name, parameters, type, value], ..]]`, or at level 1 its properties, or at level 2
/// one of them: whether there is an `email` or a `tel` with a value.
struct VcardSeed(u8);

const PROPERTY: u8 = 2;

seed_of_any!(VcardSeed, bool);

impl<'de> Visitor<'de> for VcardSeed {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        let mut found = false;
        if self.0 < PROPERTY {
            while let Some(one) = items.next_element_seed(VcardSeed(self.0 + 1))? {
                found |= one;
            }
            return Ok(found);
        }
        let is_way = |name: Scalar<'_>| match name {
            Scalar::Text(name) => ["email", "tel"].iter().any(|way| name.eq_ignore_ascii_case(way)),
            Scalar::Number(_) | Scalar::Other => false,
        };
        let is_way = items.next_element_seed(ScalarSeed(is_way))?.unwrap_or(false);
        let has_value = |value: Scalar<'_>| matches!(value, Scalar::Text(text) if !text.is_empty());
        let mut place = 1;
        while let Some(has_value) = items.next_element_seed(ScalarSeed(has_value))? {
            // Behind name, parameters and type stand the values.
            found |= is_way && has_value && place >= 3;
            place += 1;
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<bool, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    other_values!(false);
}
