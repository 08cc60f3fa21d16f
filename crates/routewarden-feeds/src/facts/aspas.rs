//! ASPAs in the JSON of rpki-client and Routinator, beside the VRPs.

use std::fmt;

use routewarden_core::Asn;
use routewarden_core::facts::AspaTable;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::json::{Member, Scalar, ScalarSeed, other_values};
use super::{Place, Reading, SkipKind, field};

/// Most providers of one ASPA; a record with more is left out. Validators refuse more, too.
pub const ASPA_PROVIDERS_MAX: usize = 10_000;

/// Records read so far.
#[derive(Default)]
pub(super) struct AspaList {
    records: Vec<(Asn, Vec<Asn>)>,
    /// Entries seen, those left out included.
    seen: u64,
}

impl AspaList {
    /// Whether the document has any, usable or not.
    pub(super) fn is_given(&self) -> bool {
        self.seen > 0
    }

    pub(super) fn into_table(self) -> AspaTable {
        AspaTable::from_records(self.records)
    }

    /// Gives the number of ASNs kept.
    fn push(&mut self, record: Option<Record>) -> Result<usize, SkipKind> {
        let Record { customer, providers } = record.ok_or(SkipKind::Fields)?;
        let customer = asn_of(customer.ok_or(SkipKind::Fields)?)?;
        let providers = providers.ok_or(SkipKind::Fields)??;
        let asns = 1 + providers.len();
        self.records.push((customer, providers));
        Ok(asns)
    }
}

fn asn_of(member: Member) -> Result<Asn, SkipKind> {
    match member {
        Member::Number(number) => u32::try_from(number).map(Asn).map_err(|_| SkipKind::Asn),
        Member::Text(text) => field::asn(&text),
        Member::Other => Err(SkipKind::Asn),
    }
}

/// Members of one ASPA.
#[derive(Default)]
struct Record {
    customer: Option<Member>,
    providers: Option<Result<Vec<Asn>, SkipKind>>,
}

/// An array of ASPAs, or the object of two such arrays, `ipv4` and `ipv6`, of older files: the
/// two say the same since an ASPA holds for both families.
pub(super) struct AspasSeed<'a, 'p> {
    pub(super) reading: &'a mut Reading<'p>,
    pub(super) aspas: &'a mut AspaList,
}

impl<'de> DeserializeSeed<'de> for AspasSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AspasSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of ASPAs")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(record) = items.next_element_seed(RecordSeed)? {
            self.aspas.seen += 1;
            match self.aspas.push(record) {
                // The caller sees the count beyond the limit and says so.
                Ok(asns) => self.reading.count(asns).map_err(A::Error::custom)?,
                Err(kind) => self.reading.skipped.skip(kind, Place::Entry(self.aspas.seen), b""),
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut families: A) -> Result<(), A::Error> {
        while families.next_key::<IgnoredAny>()?.is_some() {
            let (reading, aspas) = (&mut *self.reading, &mut *self.aspas);
            families.next_value_seed(AspasSeed { reading, aspas })?;
        }
        Ok(())
    }
}

/// Reads any value; `None` when it is no object.
struct RecordSeed;

impl<'de> DeserializeSeed<'de> for RecordSeed {
    type Value = Option<Record>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

enum Name {
    Customer,
    Providers,
    Other,
}

impl<'de> Visitor<'de> for RecordSeed {
    type Value = Option<Record>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut record = Record::default();
        let name = |key: Scalar<'_>| match key {
            Scalar::Text("customer_asid" | "customer_asn" | "customer") => Name::Customer,
            Scalar::Text("providers") => Name::Providers,
            _ => Name::Other,
        };
        while let Some(name) = access.next_key_seed(ScalarSeed(name))? {
            match name {
                Name::Customer => {
                    record.customer = Some(access.next_value_seed(ScalarSeed(Member::of))?);
                }
                Name::Providers => {
                    record.providers = Some(access.next_value_seed(ProvidersSeed)?);
                }
                Name::Other => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(record))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    other_values!(None);
}

/// Reads any value; of an array its ASNs. One bad provider spoils the record: without it the
/// customer would seem to refuse a provider that it names.
struct ProvidersSeed;

impl<'de> DeserializeSeed<'de> for ProvidersSeed {
    type Value = Result<Vec<Asn>, SkipKind>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ProvidersSeed {
    type Value = Result<Vec<Asn>, SkipKind>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut providers = Ok(Vec::new());
        while let Some(member) = items.next_element_seed(ScalarSeed(Member::of))? {
            if let Ok(asns) = &mut providers {
                match asn_of(member) {
                    Ok(_) if asns.len() == ASPA_PROVIDERS_MAX => {
                        providers = Err(SkipKind::Providers);
                    }
                    Ok(asn) => asns.push(asn),
                    Err(kind) => providers = Err(kind),
                }
            }
        }
        // A record without providers is malformed; "none" is written as AS0.
        let is_empty = providers.as_ref().is_ok_and(Vec::is_empty);
        Ok(if is_empty { Err(SkipKind::Providers) } else { providers })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err(SkipKind::Providers))
    }

    other_values!(Err(SkipKind::Providers));
}
