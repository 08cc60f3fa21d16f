//! The scores in the JSON of MANRS's own Observatory (API v2, `/scores/summary`), for programs that read that.
//!
//! Names and nesting are those of the design page on MANRS, section 2.6; that scores are from 0 to 1,
//! the names of the classes, and that `region` takes countries, too, is as its clients read it.

use routewarden_measure::{ClassCounts, Score};
use serde::Serialize;

use super::Group;

/// The five scores it has, each with ours.
const KEY_FIGURES: [(&str, &str); 5] = [
    ("filtering", "A1"),
    ("antiSpoofing", "A2"),
    ("coordination", "A3"),
    ("routingInformationIRR", "A4-IRR"),
    ("routingInformationRPKI", "A4-RPKI"),
];

/// `{"scores": {"keyFigures": [..]}}`.
#[derive(Debug, Serialize)]
pub(crate) struct ScoresSummary {
    scores: Scores,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Scores {
    key_figures: Vec<KeyFigure>,
}

#[derive(Debug, Serialize)]
struct KeyFigure {
    id: &'static str,
    /// Mean of the networks, from 0 to 1; null without data.
    value: Option<f64>,
    /// Less that of the month before; null where there is none.
    trend: Option<f64>,
    severities: [Severity; 4],
}

/// Networks of one class.
#[derive(Debug, Serialize)]
struct Severity {
    id: &'static str,
    count: u32,
    /// Of all, from 0 to 1.
    percentage: f64,
}

impl ScoresSummary {
    /// Of networks together, or of one alone. A score that the profile has not is without data.
    pub(crate) fn of(group: &Group) -> Self {
        let ases = u32::try_from(group.ases).unwrap_or(u32::MAX);
        let figures = KEY_FIGURES.map(|(id, ours)| {
            let score = group.scores.iter().find(|score| score.id == ours);
            let nothing = ClassCounts { no_data: ases, ..ClassCounts::default() };
            KeyFigure {
                id,
                value: score.and_then(|score| score.mean.score()).map(Score::fraction),
                trend: score.and_then(|score| score.trend),
                severities: severities(score.map_or(nothing, |score| score.classes)),
            }
        });
        ScoresSummary { scores: Scores { key_figures: figures.into() } }
    }
}

fn severities(classes: ClassCounts) -> [Severity; 4] {
    let ClassCounts { ready, aspiring, lagging, no_data } = classes;
    #[expect(clippy::cast_precision_loss, reason = "sums of four 32-bit counts")]
    let total = classes.total().max(1) as f64;
    let counts = [
        ("ready", ready),
        ("aspiring", aspiring),
        ("lagging", lagging),
        ("no_data_available", no_data),
    ];
    counts.map(|(id, count)| Severity { id, count, percentage: f64::from(count) / total })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn classes_have_their_shares() {
        let classes = ClassCounts { ready: 1, aspiring: 0, lagging: 2, no_data: 1 };
        let expected = json!([
            { "id": "ready", "count": 1, "percentage": 0.25 },
            { "id": "aspiring", "count": 0, "percentage": 0.0 },
            { "id": "lagging", "count": 2, "percentage": 0.5 },
            { "id": "no_data_available", "count": 1, "percentage": 0.25 },
        ]);
        assert_eq!(serde_json::to_value(severities(classes)).unwrap(), expected);
        let nobody = serde_json::to_value(severities(ClassCounts::default())).unwrap();
        assert_eq!(nobody[0]["percentage"], 0.0);
    }
}
