//! What Routewarden must not fall below: `bench/accuracy/baseline.tsv`.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::OURS;
use super::score::{Counts, Scores};

/// First lines of the file.
const HEAD: &str = "\
# What Routewarden finds, made by `cargo xtask accuracy --update`; a fall fails `make test`.
# See docs/decisions/0017-accuracy-benchmark.md.
corpus\tkind\texpected\tfound\tfalse_alarms\tprecision\trecall
";

/// Three counts of one kind on one corpus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    expected: usize,
    found: usize,
    false_alarms: usize,
}

/// By corpus and kind.
pub type Baseline = BTreeMap<(String, String), Row>;

/// The figures of a run.
pub fn of(scores: &Scores) -> Baseline {
    let ours = scores.iter().filter(|((_, detector), _)| *detector == OURS);
    let rows = ours.flat_map(|((corpus, _), score)| {
        score.kinds.iter().map(|(kind, counts)| {
            let Counts { expected, found, false_alarms, .. } = *counts;
            (((*corpus).to_owned(), kind.clone()), Row { expected, found, false_alarms })
        })
    });
    // A kind that is only ever an echo has no figure to hold.
    rows.filter(|(_, row)| *row != Row::default()).collect()
}

/// As it is kept.
pub fn write(baseline: &Baseline) -> String {
    let mut text = HEAD.to_owned();
    for ((corpus, kind), row) in baseline {
        let Row { expected, found, false_alarms } = *row;
        let counts = Counts { expected, found, false_alarms, ..Counts::default() };
        let figure =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        let (precision, recall) = (figure(counts.precision()), figure(counts.recall()));
        text.push_str(
            &format_args!(
                "{corpus}\t{kind}\t{expected}\t{found}\t{false_alarms}\t{precision}\t{recall}\n"
            )
            .to_string(),
        );
    }
    text
}

/// Reads what [`write()`] wrote; the ratios are for people.
pub fn read(text: &str) -> anyhow::Result<Baseline> {
    let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let mut next = || fields.next().with_context(|| format!("too few fields: {line}"));
            let key = (next()?.to_owned(), next()?.to_owned());
            let row = Row {
                expected: next()?.parse()?,
                found: next()?.parse()?,
                false_alarms: next()?.parse()?,
            };
            Ok((key, row))
        })
        .collect()
}

/// What is worse now, in words. Empty when nothing is.
pub fn falls(baseline: &Baseline, now: &Baseline) -> Vec<String> {
    let mut falls = Vec::new();
    for ((corpus, kind), is) in now {
        let Some(was) = baseline.get(&(corpus.clone(), kind.clone())) else {
            falls.push(format!("{corpus} {kind}: not in the baseline"));
            continue;
        };
        // Cross-multiplied, so that equal ratios are equal.
        if is.found * was.expected < was.found * is.expected {
            falls.push(format!(
                "{corpus} {kind}: recall {} of {}, was {} of {}",
                is.found, is.expected, was.found, was.expected
            ));
        }
        let (said, was_said) = (is.found + is.false_alarms, was.found + was.false_alarms);
        if is.false_alarms * was_said > was.false_alarms * said
            || was_said == 0 && is.false_alarms > 0
        {
            falls.push(format!(
                "{corpus} {kind}: precision {} of {said}, was {} of {was_said}",
                is.found, was.found
            ));
        }
    }
    let gone = baseline.keys().filter(|key| !now.contains_key(*key));
    let is_loss = |key: &&(String, String)| baseline.get(*key).is_some_and(|was| was.expected > 0);
    let gone = gone.filter(is_loss);
    falls.extend(
        gone.map(|(corpus, kind)| {
            format!("{corpus} {kind}: in the baseline, but not in the corpus")
        }),
    );
    falls
}

/// The silent cases in which Routewarden says something of medium confidence or more.
pub fn broken_silences(scores: &Scores) -> Vec<String> {
    let medium = scores.iter().filter(|((_, detector), _)| *detector == "routewarden_medium");
    medium
        .flat_map(|((corpus, _), score)| {
            let name = move |case: &String| format!("{corpus} {case}: must be silent, is not");
            score.silence.broken.iter().map(name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline(rows: &[(&str, usize, usize, usize)]) -> Baseline {
        let row = |&(kind, expected, found, false_alarms): &(&str, usize, usize, usize)| {
            (("scenarios".to_owned(), kind.to_owned()), Row { expected, found, false_alarms })
        };
        rows.iter().map(row).collect()
    }

    #[test]
    fn text_round_trips() {
        let is = baseline(&[("moas", 0, 0, 2), ("origin_hijack", 3, 2, 1)]);
        let text = write(&is);
        assert!(text.ends_with("scenarios\torigin_hijack\t3\t2\t1\t0.667\t0.667\n"), "{text}");
        assert_eq!(read(&text).unwrap(), is);
        assert!(read(&format!("{HEAD}scenarios\tmoas\tx\t0\t0\n")).is_err());
    }

    #[test]
    fn what_falls() {
        let was = baseline(&[("origin_hijack", 4, 3, 1)]);
        let falls = |rows| falls(&was, &baseline(rows));
        assert_eq!(falls(&[("origin_hijack", 4, 3, 1)]), [""; 0]);
        assert_eq!(falls(&[("origin_hijack", 8, 6, 2)]), [""; 0], "the same ratios of more");
        assert_eq!(falls(&[("origin_hijack", 4, 4, 0)]), [""; 0]);
        assert_eq!(falls(&[("origin_hijack", 4, 2, 0)]).len(), 1, "recall");
        assert_eq!(falls(&[("origin_hijack", 4, 3, 2)]).len(), 1, "precision");
        assert_eq!(falls(&[("origin_hijack", 4, 3, 1), ("moas", 0, 0, 1)]).len(), 1, "new");
        assert_eq!(falls(&[]).len(), 1, "gone");
    }
}
