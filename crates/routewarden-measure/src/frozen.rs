//! What is known of an AS as it is kept: what was not given is left out, so an AS of which nothing is
//! known is `{}`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{AsInputs, ContactKind, IrrCoverage, NoData, RpkiCounts, Share, SpoofingTests};

/// A figure, or why there is none; left out where it is as by default: not given.
type Kept<T> = Option<Result<T, NoData>>;

/// [`AsInputs`] as written.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Frozen {
    #[serde(skip_serializing_if = "Option::is_none")]
    spoofing: Kept<SpoofingTests>,
    #[serde(skip_serializing_if = "Option::is_none")]
    irr: Kept<IrrCoverage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rpki: Kept<RpkiCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Kept<BTreeSet<ContactKind>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aspa_providers: Kept<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    otc_marked: Kept<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invalids_dropped: Kept<Share>,
}

impl From<AsInputs> for Frozen {
    fn from(inputs: AsInputs) -> Self {
        let default = AsInputs::default();
        Frozen {
            spoofing: kept(inputs.spoofing, &default.spoofing),
            irr: kept(inputs.irr, &default.irr),
            rpki: kept(inputs.rpki, &default.rpki),
            contacts: kept(inputs.contacts, &default.contacts),
            aspa_providers: kept(inputs.aspa_providers, &default.aspa_providers),
            otc_marked: kept(inputs.otc_marked, &default.otc_marked),
            invalids_dropped: kept(inputs.invalids_dropped, &default.invalids_dropped),
        }
    }
}

fn kept<T: PartialEq>(figure: Result<T, NoData>, default: &Result<T, NoData>) -> Kept<T> {
    Some(figure).filter(|figure| figure != default)
}

impl From<Frozen> for AsInputs {
    fn from(frozen: Frozen) -> Self {
        let default = AsInputs::default();
        AsInputs {
            spoofing: frozen.spoofing.unwrap_or(default.spoofing),
            irr: frozen.irr.unwrap_or(default.irr),
            rpki: frozen.rpki.unwrap_or(default.rpki),
            contacts: frozen.contacts.unwrap_or(default.contacts),
            aspa_providers: frozen.aspa_providers.unwrap_or(default.aspa_providers),
            otc_marked: frozen.otc_marked.unwrap_or(default.otc_marked),
            invalids_dropped: frozen.invalids_dropped.unwrap_or(default.invalids_dropped),
        }
    }
}
