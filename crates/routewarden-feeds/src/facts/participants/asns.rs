//! ASNs of a participant, in any of the forms in use.

use std::fmt;

use routewarden_core::Asn;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::facts::field;
use crate::facts::json::{Member, ObjectSeed, Scalar, ScalarSeed};

/// One ASN or an array of them; `None` when one of them is none.
pub(super) struct AsnList(pub(super) Option<Vec<Asn>>);

impl Default for AsnList {
    fn default() -> Self {
        AsnList(Some(Vec::new()))
    }
}

fn asn_of(scalar: Scalar<'_>) -> Option<Asn> {
    match scalar {
        Scalar::Number(number) => u32::try_from(number).ok().map(Asn),
        Scalar::Text(text) => field::asn(text).ok(),
        Scalar::Other => None,
    }
}

impl<'de> Deserialize<'de> for AsnList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsnListVisitor)
    }
}

struct AsnListVisitor;

impl<'de> Visitor<'de> for AsnListVisitor {
    type Value = AsnList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ASN or an array of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AsnList, A::Error> {
        let mut all = Some(Vec::new());
        while let Some(AsnItem(asn)) = items.next_element()? {
            all = all.zip(asn).map(|(mut all, asn)| {
                all.push(asn);
                all
            });
        }
        Ok(AsnList(all))
    }

    fn visit_u64<E>(self, number: u64) -> Result<AsnList, E> {
        Ok(AsnList(asn_of(Scalar::Number(number)).map(|asn| vec![asn])))
    }

    fn visit_str<E>(self, text: &str) -> Result<AsnList, E> {
        Ok(AsnList(asn_of(Scalar::Text(text)).map(|asn| vec![asn])))
    }

    fn visit_unit<E>(self) -> Result<AsnList, E> {
        Ok(AsnList::default())
    }
}

/// One ASN of an array: itself, or an object that has it in `asn`.
struct AsnItem(Option<Asn>);

impl<'de> Deserialize<'de> for AsnItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsnItemVisitor)
    }
}

struct AsnItemVisitor;

impl<'de> Visitor<'de> for AsnItemVisitor {
    type Value = AsnItem;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ASN")
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<AsnItem, A::Error> {
        let asn = match ObjectSeed(["asn"]).visit_map(access)? {
            Some([Some(Member::Number(number))]) => asn_of(Scalar::Number(number)),
            Some([Some(Member::Text(text))]) => asn_of(Scalar::Text(&text)),
            _ => None,
        };
        Ok(AsnItem(asn))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<AsnItem, A::Error> {
        Ok(AsnItem(ScalarSeed(asn_of).visit_seq(items)?))
    }

    fn visit_u64<E>(self, number: u64) -> Result<AsnItem, E> {
        Ok(AsnItem(asn_of(Scalar::Number(number))))
    }

    fn visit_str<E>(self, text: &str) -> Result<AsnItem, E> {
        Ok(AsnItem(asn_of(Scalar::Text(text))))
    }

    fn visit_i64<E>(self, _: i64) -> Result<AsnItem, E> {
        Ok(AsnItem(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<AsnItem, E> {
        Ok(AsnItem(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<AsnItem, E> {
        Ok(AsnItem(None))
    }

    fn visit_unit<E>(self) -> Result<AsnItem, E> {
        Ok(AsnItem(None))
    }
}
