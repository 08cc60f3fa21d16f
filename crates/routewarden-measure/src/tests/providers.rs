//! Which upstream to take.

use std::collections::BTreeSet;

use super::*;
use crate::{
    CANDIDATES_MAX, CandidatesError, ContactKind, ProviderCandidate, ProviderChoice, ProviderRule,
    RpkiCounts, Score, Share,
};

/// An AS with so many of ten routes valid that drops so many of 20 invalid ones.
fn inputs(valid: u32, dropped: Option<u32>) -> AsInputs {
    let mut inputs = AsInputs {
        rpki: Ok(RpkiCounts { valid, not_found: 10 - valid, invalid: 0 }),
        contacts: Ok(BTreeSet::from([ContactKind::RirNoc])),
        ..AsInputs::default()
    };
    if let Some(part) = dropped {
        inputs.invalids_dropped = Ok(Share { part, whole: 20 });
    }
    inputs
}

fn candidate(asn: u32, inputs: &AsInputs) -> Readiness {
    readiness_of(Asn(asn), "routewarden-1", Vec::new(), inputs)
}

fn choose(candidates: &[Readiness]) -> ProviderChoice {
    ProviderRule::built_in().unwrap().choose(candidates).unwrap()
}

fn places(choice: &ProviderChoice) -> Vec<(u32, Option<u32>, Option<u32>)> {
    let places = |held: &ProviderCandidate| (held.asn.0, held.place, held.ties);
    choice.candidates.iter().map(places).collect()
}

#[test]
fn the_mean_is_over_what_is_known_and_says_how_much_that_is() {
    let choice = choose(&[candidate(1, &inputs(10, Some(0))), candidate(2, &inputs(10, None))]);
    assert_eq!(places(&choice), [(2, Some(1), Some(1)), (1, Some(2), Some(1))]);
    let [second, first] = [&choice.candidates[1], &choice.candidates[0]];
    assert_eq!((first.known, first.score), (Score::from_percent(60), Some(Score::ONE)));
    assert_eq!(second.known, Score::from_percent(85));
    assert_eq!(second.score, Some(Score::of_ratio(60, 85)));
    assert_eq!(
        choice.advice,
        "AS2 comes first; nothing known speaks against it. Their scores do not rest on the same figures."
    );
}

#[test]
fn reasons_are_for_against_or_unknown() {
    let choice = choose(&[candidate(1, &inputs(7, Some(20))), candidate(2, &inputs(7, Some(0)))]);
    let reasons: Vec<_> = choice.candidates[0]
        .reasons
        .iter()
        .map(|reason| (reason.score_id.as_str(), reason.weight, reason.is_for))
        .collect();
    let expected = [
        ("A1", 35, Some(true)),
        ("A1-ROV", 25, Some(true)),
        ("A4-RPKI", 15, Some(false)),
        ("A4-IRR", 10, None),
        ("A3", 10, Some(true)),
        ("A2", 5, None),
    ];
    assert_eq!(reasons, expected);
    let texts = |at: usize| choice.candidates[0].reasons[at].text.clone();
    assert_eq!(texts(1), "it drops RPKI-invalid routes (A1-ROV is 100 %, ready)");
    assert_eq!(
        texts(3),
        "route objects for its own routes: not known (A4-IRR has no data (no route objects given))"
    );
    let against = "AS1 comes first. Against it: too many of its own routes are not RPKI-valid (A4-RPKI is \
                   70 %, aspiring).";
    assert_eq!(choice.advice, against);
    let json = serde_json::to_value(&choice).unwrap();
    assert_eq!(json["candidates"][0]["reasons"][3]["for"], serde_json::Value::Null);
    assert_eq!(json["candidates"][0]["known"], 0.85);
}

#[test]
fn equals_share_a_place_and_a_small_lead_is_called_small() {
    let same = inputs(10, Some(20));
    let choice =
        choose(&[candidate(2, &same), candidate(1, &same), candidate(3, &inputs(0, None))]);
    assert_eq!(
        places(&choice),
        [(1, Some(1), Some(2)), (2, Some(1), Some(2)), (3, Some(3), Some(1))]
    );
    assert!(choice.advice.starts_with("AS1 and AS2 share the first place."), "{}", choice.advice);
    let choice = choose(&[candidate(1, &same), candidate(2, &inputs(9, Some(20)))]);
    assert_eq!(choice.advice, "AS1 comes first, but hardly ahead of AS2.");
}

#[test]
fn no_verdict_where_less_than_half_is_known() {
    let little = AsInputs::default();
    let choice = choose(&[candidate(1, &little), candidate(2, &little)]);
    assert_eq!(choice.candidates[0].score, None);
    assert_eq!(choice.candidates[0].known, Score::from_percent(35));
    assert_eq!(places(&choice), [(1, None, None), (2, None, None)]);
    assert_eq!(choice.advice, "No verdict: of no candidate is 50 % of what matters known.");

    let choice = choose(&[candidate(1, &little), candidate(2, &inputs(10, None))]);
    assert_eq!(
        choice.advice,
        "AS2 is the only one of which enough is known: nothing to choose by. AS1: no verdict, less than 50 \
         % is known."
    );
}

#[test]
fn from_two_to_ten_are_compared_each_once() {
    let rule = ProviderRule::built_in().unwrap();
    let some = |count: usize| -> Vec<Readiness> {
        (0..).take(count).map(|asn| candidate(asn, &AsInputs::default())).collect()
    };
    for given in [0, 1, CANDIDATES_MAX + 1] {
        assert_eq!(rule.choose(&some(given)), Err(CandidatesError::Number { given }));
    }
    assert!(rule.choose(&some(CANDIDATES_MAX)).is_ok());
    let twice = [some(1), some(1)].concat();
    assert_eq!(rule.choose(&twice), Err(CandidatesError::Twice { asn: Asn(0) }));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let text = ProviderRule::BUILT_IN_TEXT;
    for (from, to, message) in [
        ("percent = 35", "percent = 36", "weight: weights add up to 101 per cent, not to 100"),
        ("percent = 35", "percent = 0", "A1: 0 is not between 1 and 100"),
        ("score = \"A2\"", "score = \"A1\"", "A1: this id is given twice"),
        ("known_least_percent = 50", "known_least_percent = 0", "known_least_percent: 0 is not"),
        ("close_percent = 5", "close_percent = 101", "close_percent: 101 is not"),
        ("subject =", "topic =", "unknown field `topic`"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = ProviderRule::parse(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{to}: {error}");
    }
}

#[test]
fn what_it_weighs_is_measured_by_our_profile() {
    let profile = Profile::built_in("routewarden-1").unwrap();
    for weight in ProviderRule::built_in().unwrap().weights {
        assert!(profile.scores.iter().any(|score| score.id == weight.score), "{}", weight.score);
    }
}
