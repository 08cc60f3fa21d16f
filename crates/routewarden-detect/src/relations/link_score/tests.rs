//! New links of a made-up Internet.

use super::*;
use crate::relations::infer;
use routewarden_core::AsPathBuf;

/// 1, 2 and 3 are at the top; 10 to 15 sell transit and buy from two of them; each has ten stubs, 100 to
/// 159, of which every second one buys from the next network, too.
fn model() -> LinkModel {
    let mut set = PathSet::new(Vec::new());
    let mut insert = |path: &[u32]| {
        set.insert(AsPathBuf::sequence(path.iter().copied().map(Asn)).as_path());
    };
    for stub in 0..60_u32 {
        let mut providers = vec![10 + stub / 10];
        if stub.is_multiple_of(2) {
            providers.push(10 + (stub / 10 + 1) % 6);
        }
        for provider in providers {
            let tops = [1 + provider % 3, 1 + (provider + 1) % 3];
            for top in tops {
                for other in 1..=3 {
                    if tops.contains(&other) {
                        insert(&[other, provider, 100 + stub]);
                    } else {
                        insert(&[other, top, provider, 100 + stub]);
                    }
                }
            }
        }
        // Own customers of the top.
        for other in 1..=3 {
            if 1 + stub % 3 != other {
                insert(&[other, 1 + stub % 3, 200 + stub]);
            }
        }
    }
    let inferred = infer(&set, None);
    assert_eq!(inferred.clique, [Asn(1), Asn(2), Asn(3)]);
    LinkModel::new(&set, &inferred)
}

fn score(model: &LinkModel, path: &[u32], at: usize) -> Option<LinkScore> {
    model.score(&path.iter().copied().map(Asn).collect::<Vec<_>>(), at)
}

#[test]
fn what_was_seen_is_known() {
    let model = model();
    assert!(model.knows(Asn(10), Asn(100)) && model.knows(Asn(100), Asn(10)));
    assert!(!model.knows(Asn(100), Asn(150)) && !model.knows(Asn(100), Asn(9)));
    assert!(model.knows_as(Asn(100)) && !model.knows_as(Asn(9)));
}

#[test]
fn a_stub_that_passes_on_another_stub_is_suspicious() {
    let model = model();
    // 101 buys from 10 only, 121 from 12 only.
    let forged = score(&model, &[2, 10, 101, 121], 2).unwrap();
    assert!(forged.suspicion >= SUSPICIOUS_MIN, "{forged:?}");
    let names: Vec<&str> = forged.reasons.iter().map(|reason| reason.name).collect();
    let expected =
        ["distance", "near_transit_degree", "far_transit_degree", "cone_percent", "uphill"];
    assert_eq!(names, expected);
    assert_eq!(forged.reasons[1].value, 0);
}

#[test]
fn a_network_that_sells_transit_wins_a_customer() {
    let model = model();
    // 121 of 12 moves to 11, which has a neighbour in common with 12.
    let won = score(&model, &[1, 11, 121], 1).unwrap();
    assert!(won.suspicion < SUSPICIOUS_MIN, "{won:?}");
    let forged = score(&model, &[2, 10, 101, 121], 2).unwrap();
    assert!(won.suspicion + 30 < forged.suspicion, "{won:?} {forged:?}");
    // A new AS is nobody's victim.
    let new = score(&model, &[1, 11, 999], 1).unwrap();
    assert!(new.suspicion < won.suspicion, "{new:?}");
}

#[test]
fn features_are_those_of_the_graph() {
    let model = model();
    let path = [2, 10, 101, 121].map(Asn);
    let features = model.features(&path, 2).unwrap();
    let expected = LinkFeatures {
        distance: 4,
        near_transit_degree: 0,
        far_transit_degree: 0,
        near_cone: 1,
        far_cone: 1,
        is_uphill: true,
        is_far_known: true,
    };
    assert_eq!(features, expected);
    // 100 buys from 10 and 11, 110 from 11 and 12.
    assert_eq!(model.features(&[100, 110].map(Asn), 0).unwrap().distance, 2);
    // 101 buys from 10, which buys from 2 and 3 but not from 1; 201 buys from 2.
    assert_eq!(model.features(&[101, 2].map(Asn), 0).unwrap().distance, 2);
    assert_eq!(model.features(&[101, 1].map(Asn), 0).unwrap().distance, 3);
    assert_eq!(model.features(&[101, 201].map(Asn), 0).unwrap().distance, 3);
    let downhill = model.features(&[100, 10, 121].map(Asn), 1).unwrap();
    assert!(!downhill.is_uphill && downhill.near_cone > 10 && downhill.far_cone == 1);
    // The collector itself took the route.
    assert!(!model.features(&[101, 121].map(Asn), 0).unwrap().is_uphill);
}

#[test]
fn what_is_no_link_has_no_score() {
    let model = model();
    assert_eq!(score(&model, &[1, 10], 1), None);
    assert_eq!(score(&model, &[], 0), None);
    assert_eq!(score(&model, &[998, 999], 0), None, "both are new");
    assert!(score(&LinkModel::default(), &[1, 2], 0).is_none());
}
