//! What is known of an AS is read back as it was written.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{ContactKind, InputKind, IrrCoverage, NoData, RpkiCounts, Share, SpoofingTests};

fn reason() -> impl Strategy<Value = NoData> {
    prop_oneof![
        Just(NoData::NoTests),
        Just(NoData::NothingAnnounced),
        Just(NoData::InputMissing { input: InputKind::Irr }),
        Just(NoData::InputMissing { input: InputKind::Routes }),
        any::<u32>().prop_map(|secs| NoData::InputTooOld {
            input: InputKind::Vrps,
            date: Timestamp::from_secs(secs),
        }),
        (any::<u32>(), any::<u32>()).prop_map(|(have, least)| NoData::TooFew { have, least }),
    ]
}

fn figure<T: std::fmt::Debug>(
    known: impl Strategy<Value = T>,
) -> impl Strategy<Value = Result<T, NoData>> {
    prop_oneof![known.prop_map(Ok), reason().prop_map(Err)]
}

fn share() -> impl Strategy<Value = Result<Share, NoData>> {
    figure(any::<[u32; 2]>().prop_map(|[part, whole]| Share { part, whole }))
}

fn inputs() -> impl Strategy<Value = AsInputs> {
    let spoofing = any::<[u32; 2]>()
        .prop_map(|[tests, received_prefixes]| SpoofingTests { tests, received_prefixes });
    let irr = any::<[u32; 3]>().prop_map(|[announced, exact, covered]| IrrCoverage {
        announced,
        exact,
        covered,
    });
    let rpki = any::<[u32; 3]>().prop_map(|[valid, not_found, invalid]| RpkiCounts {
        valid,
        not_found,
        invalid,
    });
    let contacts = prop::collection::btree_set(
        prop::sample::select(vec![ContactKind::RirAbuse, ContactKind::Irr]),
        0..3,
    );
    let figures = (figure(spoofing), figure(irr), figure(rpki), figure(contacts));
    (figures, share(), share(), share()).prop_map(
        |((spoofing, irr, rpki, contacts), aspa_providers, otc_marked, invalids_dropped)| {
            AsInputs { spoofing, irr, rpki, contacts, aspa_providers, otc_marked, invalids_dropped }
        },
    )
}

proptest! {
    #[test]
    fn inputs_are_read_back_as_written(inputs in inputs()) {
        let text = serde_json::to_string(&inputs).unwrap();
        prop_assert_eq!(serde_json::from_str::<AsInputs>(&text).unwrap(), inputs);
    }
}

#[test]
fn nothing_known_takes_no_room_and_nothing_found_is_kept() {
    assert_eq!(serde_json::to_string(&AsInputs::default()).unwrap(), "{}");
    assert_eq!(serde_json::from_str::<AsInputs>("{}").unwrap(), AsInputs::default());
    let looked_up = AsInputs { contacts: Ok(BTreeSet::new()), ..AsInputs::default() };
    assert_eq!(serde_json::to_string(&looked_up).unwrap(), r#"{"contacts":{"Ok":[]}}"#);
}

#[test]
fn what_is_not_known_here_is_refused_by_name() {
    let error = serde_json::from_str::<AsInputs>(r#"{"spoofed":{"Ok":1}}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `spoofed`"), "{error}");
}
