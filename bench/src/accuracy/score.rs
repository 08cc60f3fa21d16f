//! Counting.

use std::collections::BTreeMap;

use super::finding::{Finding, Truth};
use super::{Case, OURS};

/// The levels of confidence at which Routewarden is counted: all it says, medium, high.
pub const LEVELS: [(u8, &str); 3] = [
    (0, OURS),
    (routewarden_detect::CONFIDENCE_MEDIUM_MIN, "routewarden_medium"),
    (routewarden_detect::CONFIDENCE_HIGH_MIN, "routewarden_high"),
];

/// All kinds together.
pub const ALL: &str = "all";

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The first of the right kind about the truth at this position.
    True(usize),
    /// About a truth, but of another kind, or once more.
    Echo,
    /// About nothing that is in the input.
    False,
}

/// Counts of one kind, or of all, for one detector on one corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Truths of the kind.
    pub expected: usize,
    /// Of them found: kind, culprit and prefix right.
    pub found: usize,
    /// Of them only found under another kind.
    pub misnamed: usize,
    /// Findings of the kind that are about a truth but not the one that counts.
    pub echoes: usize,
    /// Findings of the kind that are about nothing in the input.
    pub false_alarms: usize,
    /// Seconds from the start of each truth found to the alarm.
    pub delays: Vec<f64>,
    /// The same to the first event that the finding rests on.
    pub first_delays: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few digits")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Counts {
    /// Share of true ones among the findings of the kind, echoes left out.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.found, self.found + self.false_alarms)
    }

    /// Share of the truths that were found.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.found, self.expected)
    }

    /// Harmonic mean of the two; 0 when nothing was found.
    pub fn f1(&self) -> Option<f64> {
        let recall = self.recall()?;
        let precision = self.precision().unwrap_or(0.0);
        let sum = recall + precision;
        Some(if sum > 0.0 { 2.0 * recall * precision / sum } else { 0.0 })
    }
}

/// The value below which so many percent of the sorted values lie (nearest rank).
pub fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// Silent cases of one detector on one corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Cases in which nothing may be said.
    pub cases: usize,
    /// Those in which something was said.
    pub broken: Vec<String>,
}

/// Figures of one detector on one corpus.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// By kind, [`ALL`] among them.
    pub kinds: BTreeMap<String, Counts>,
    /// The silent cases.
    pub silence: Silence,
}

/// By corpus and detector.
pub type Scores = BTreeMap<(&'static str, &'static str), Score>;

/// What becomes of each finding; findings stand in the order in which they were raised.
pub fn judge(truths: &[Truth], findings: &[&Finding]) -> Vec<Status> {
    let mut is_found = vec![false; truths.len()];
    let status = |finding: &&Finding| {
        let about: Vec<usize> = (0..truths.len())
            .filter(|&at| truths.get(at).is_some_and(|t| t.is_touched_by(finding)))
            .collect();
        let is_open = |at: &&usize| {
            let is_met = truths.get(**at).is_some_and(|truth| truth.is_met_by(finding));
            is_met && is_found.get(**at) == Some(&false)
        };
        match about.iter().find(is_open) {
            Some(&at) => {
                is_found.iter_mut().skip(at).take(1).for_each(|is_found| *is_found = true);
                Status::True(at)
            }
            None if about.is_empty() => Status::False,
            None => Status::Echo,
        }
    };
    findings.iter().map(status).collect()
}

/// Counts all cases for every detector, Routewarden at each of the [`LEVELS`].
pub fn score(cases: &[Case]) -> Scores {
    let mut scores = Scores::new();
    for case in cases {
        for (detector, findings) in views(case) {
            let score = scores.entry((case.corpus, detector)).or_default();
            add(score, case, &findings);
        }
    }
    scores
}

/// The findings of every detector; those of Routewarden once for each of the [`LEVELS`].
pub fn views(case: &Case) -> Vec<(&'static str, Vec<&Finding>)> {
    let mut views = Vec::new();
    for (detector, findings) in &case.findings {
        if *detector != OURS {
            views.push((*detector, findings.iter().collect()));
            continue;
        }
        for (least, name) in LEVELS {
            let sure = |finding: &&Finding| finding.confidence.is_none_or(|c| c >= least);
            views.push((name, findings.iter().filter(sure).collect()));
        }
    }
    views
}

fn add(score: &mut Score, case: &Case, findings: &[&Finding]) {
    if case.truths.is_empty() {
        score.silence.cases += 1;
        if !findings.is_empty() {
            score.silence.broken.push(case.name.clone());
        }
    }
    let statuses = judge(&case.truths, findings);
    let mut count = |kind: &str, change: &mut dyn FnMut(&mut Counts)| {
        change(score.kinds.entry(kind.to_owned()).or_default());
        change(score.kinds.entry(ALL.to_owned()).or_default());
    };
    for (at, truth) in case.truths.iter().enumerate() {
        let is_found = statuses.contains(&Status::True(at));
        let is_touched = findings.iter().any(|finding| truth.is_touched_by(finding));
        count(&truth.kind, &mut |counts| {
            counts.expected += 1;
            counts.found += usize::from(is_found);
            counts.misnamed += usize::from(!is_found && is_touched);
        });
    }
    for (finding, status) in findings.iter().zip(&statuses) {
        count(&finding.kind, &mut |counts| match status {
            Status::Echo => counts.echoes += 1,
            Status::False => counts.false_alarms += 1,
            Status::True(at) => {
                if let Some(truth) = case.truths.get(*at) {
                    counts.delays.push(secs_between(truth, finding.raised));
                    counts.first_delays.push(secs_between(truth, finding.first_seen));
                }
            }
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a few hours")]
fn secs_between(truth: &Truth, alarm: routewarden_core::Timestamp) -> f64 {
    (alarm.micros() - truth.start.micros()) as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use routewarden_core::{Asn, Timestamp};

    use super::*;

    fn truth(kind: &str, culprit: u32) -> Truth {
        Truth {
            kind: kind.to_owned(),
            culprit: Some(Asn(culprit)),
            victim: None,
            prefixes: Vec::new(),
            start: Timestamp::from_secs(100),
        }
    }

    fn finding(kind: &str, culprit: u32, confidence: u8) -> Finding {
        Finding {
            kind: kind.to_owned(),
            culprits: vec![Asn(culprit)],
            victims: Vec::new(),
            prefixes: Vec::new(),
            confidence: Some(confidence),
            first_seen: Timestamp::from_secs(101),
            raised: Timestamp::from_secs(104),
            is_of_standing: false,
            alarms: 1,
        }
    }

    fn case(name: &str, truths: Vec<Truth>, findings: Vec<Finding>) -> Case {
        let findings = vec![(OURS, findings)];
        Case { corpus: "scenarios", name: name.to_owned(), truths, findings }
    }

    #[test]
    fn found_misnamed_echo_and_false() {
        let cases = [
            case(
                "a",
                vec![truth("origin_hijack", 1), truth("forged_origin", 2)],
                vec![
                    finding("moas", 1, 20),
                    finding("origin_hijack", 1, 90),
                    finding("origin_hijack", 1, 90),
                    finding("moas", 2, 60),
                    finding("origin_hijack", 3, 30),
                ],
            ),
            case("quiet", Vec::new(), Vec::new()),
            case("loud", Vec::new(), vec![finding("moas", 4, 55)]),
        ];
        let scores = score(&cases);
        let ours = &scores[&("scenarios", OURS)];
        let hijack = &ours.kinds["origin_hijack"];
        assert_eq!(
            (hijack.expected, hijack.found, hijack.echoes, hijack.false_alarms),
            (1, 1, 1, 1)
        );
        assert_eq!((hijack.precision(), hijack.recall()), (Some(0.5), Some(1.0)));
        assert_eq!(
            (hijack.delays.as_slice(), hijack.first_delays.as_slice()),
            (&[4.0][..], &[1.0][..])
        );
        let forged = &ours.kinds["forged_origin"];
        assert_eq!((forged.expected, forged.found, forged.misnamed), (1, 0, 1));
        assert_eq!((forged.precision(), forged.f1()), (None, Some(0.0)));
        let moas = &ours.kinds["moas"];
        assert_eq!((moas.expected, moas.echoes, moas.false_alarms), (0, 2, 1));
        let all = &ours.kinds[ALL];
        assert_eq!((all.expected, all.found, all.false_alarms, all.misnamed), (2, 1, 2, 1));
        assert_eq!(
            (ours.silence.cases, ours.silence.broken.as_slice()),
            (2, &["loud".to_owned()][..])
        );
        let medium = &scores[&("scenarios", "routewarden_medium")];
        assert_eq!((medium.kinds[ALL].false_alarms, medium.silence.broken.len()), (1, 1));
        let high = &scores[&("scenarios", "routewarden_high")];
        assert_eq!((high.kinds[ALL].false_alarms, high.silence.broken.len()), (0, 0));
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        let values = [5.0, 1.0, 2.0, 4.0, 3.0];
        assert_eq!(percentile(&values, 50), Some(3.0));
        assert_eq!(percentile(&values, 90), Some(5.0));
        assert_eq!(percentile(&values, 100), Some(5.0));
        assert_eq!(percentile(&[7.0], 50), Some(7.0));
        assert_eq!(percentile(&[], 50), None);
    }
}
