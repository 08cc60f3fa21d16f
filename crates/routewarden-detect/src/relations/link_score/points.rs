//! The points of each habit: ten times the weights of a logistic regression of forged against honest new
//! links of 2008 and 2021, rounded.

use super::{LinkFeatures, LinkScore, Reason};

/// Fewer than one honest new link in a hundred scores as much: see the decision.
pub(super) const SUSPICIOUS_MIN: u8 = 70;
/// Suspicion before any point.
const BASE: i32 = 27;

pub(super) fn score(features: &LinkFeatures) -> LinkScore {
    let reasons = [
        distance(features),
        near_transit(features),
        far_transit(features),
        cones(features),
        uphill(features),
    ];
    let sum: i32 = BASE + reasons.iter().map(|reason| reason.points).sum::<i32>();
    LinkScore { suspicion: u8::try_from(sum.clamp(0, 100)).unwrap_or(0), reasons }
}

/// Who connects anew had a common neighbour before.
fn distance(features: &LinkFeatures) -> Reason {
    let value = features.distance;
    let points = match value {
        0..=2 => -15,
        3 => 0,
        _ => 11,
    };
    Reason { name: "distance", value, points }
}

/// Who passes routes on has done so before.
fn near_transit(features: &LinkFeatures) -> Reason {
    let value = features.near_transit_degree;
    let points = match value {
        0 => 16,
        1..=4 => 1,
        5..=19 => -3,
        20..=99 => -6,
        _ => -12,
    };
    Reason { name: "near_transit_degree", value, points }
}

/// Origins without customers are what is forged; a new AS cannot be.
fn far_transit(features: &LinkFeatures) -> Reason {
    let value = features.far_transit_degree;
    let points = match value {
        _ if !features.is_far_known => -28,
        0 => 16,
        1..=19 => 4,
        _ => 0,
    };
    Reason { name: "far_transit_degree", value, points }
}

/// The greater sells to the smaller. The value is the near cone in percent of the far one.
fn cones(features: &LinkFeatures) -> Reason {
    let (near, far) = (u64::from(features.near_cone.max(1)), u64::from(features.far_cone.max(1)));
    let points = if far >= 2 * near {
        5
    } else if near < 2 * far {
        2
    } else if near < 8 * far {
        -3
    } else {
        -13
    };
    let value = u32::try_from(near * 100 / far).unwrap_or(u32::MAX);
    Reason { name: "cone_percent", value, points }
}

/// What goes up must come from a customer.
fn uphill(features: &LinkFeatures) -> Reason {
    let points = if features.is_uphill { 16 } else { -20 };
    Reason { name: "uphill", value: u32::from(features.is_uphill), points }
}
