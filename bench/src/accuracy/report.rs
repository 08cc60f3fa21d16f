//! The figures as tables.

use std::collections::BTreeMap;

use super::finding::Finding;
use super::score::{ALL, Counts, LEVELS, Score, Scores, Status, judge, percentile, views};
use super::windows::{CONSTITUENCY_MODULUS, Window};
use super::{Case, OURS};

/// One more line.
fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.push_str(&words.to_string());
    text.push('\n');
}

fn share(value: Option<f64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.3}"))
}

fn secs(values: &[f64], percent: usize) -> String {
    percentile(values, percent).map_or("-".to_owned(), |value| format!("{value:.1}"))
}

/// One row for each corpus, detector and kind.
pub fn results_tsv(scores: &Scores) -> String {
    let mut text = String::from(
        "corpus\tdetector\tkind\texpected\tfound\tmisnamed\techoes\tfalse_alarms\tprecision\trecall\t\
         f1\tdelay_median_s\tdelay_p90_s\tdelay_max_s\tfirst_seen_median_s\n",
    );
    for ((corpus, detector), score) in scores {
        for (kind, counts) in &score.kinds {
            let Counts { expected, found, misnamed, echoes, false_alarms, delays, first_delays } =
                counts;
            let (precision, recall) = (share(counts.precision()), share(counts.recall()));
            let f1 = share(counts.f1());
            let [median, p90, max] = [50, 90, 100].map(|percent| secs(delays, percent));
            let first = secs(first_delays, 50);
            line(
                &mut text,
                format_args!(
                    "{corpus}\t{detector}\t{kind}\t{expected}\t{found}\t{misnamed}\t{echoes}\t\
                     {false_alarms}\t{precision}\t{recall}\t{f1}\t{median}\t{p90}\t{max}\t{first}"
                ),
            );
        }
    }
    text
}

/// Every finding with what became of it, and every truth that was not found.
pub fn findings_tsv(cases: &[Case]) -> String {
    let mut text = String::from(
        "corpus\tcase\tdetector\tstatus\tkind\tculprits\tvictims\tprefix\tprefixes\talarms\tconfidence\t\
         raised\n",
    );
    for case in cases {
        for (detector, findings) in &case.findings {
            let findings: Vec<&Finding> = findings.iter().collect();
            let statuses = judge(&case.truths, &findings);
            for (finding, status) in findings.iter().zip(&statuses) {
                let status = match status {
                    Status::True(_) => "true",
                    Status::Echo => "echo",
                    Status::False => "false",
                };
                let head = format!("{}\t{}\t{detector}\t{status}", case.corpus, case.name);
                line(&mut text, format_args!("{head}\t{}", finding_row(finding)));
            }
            for (at, truth) in case.truths.iter().enumerate() {
                if !statuses.contains(&Status::True(at)) {
                    let culprit = truth.culprit.map(|asn| asn.to_string()).unwrap_or_default();
                    let victim = truth.victim.map(|asn| asn.to_string()).unwrap_or_default();
                    let prefix =
                        truth.prefixes.first().map(ToString::to_string).unwrap_or_default();
                    line(
                        &mut text,
                        format_args!(
                            "{}\t{}\t{detector}\tmissed\t{}\t{culprit}\t{victim}\t{prefix}\t{}\t0\t\t{}",
                            case.corpus,
                            case.name,
                            truth.kind,
                            truth.prefixes.len(),
                            truth.start
                        ),
                    );
                }
            }
        }
    }
    text
}

fn finding_row(finding: &Finding) -> String {
    let some = |asns: &[routewarden_core::Asn]| {
        let few: Vec<String> = asns.iter().take(5).map(ToString::to_string).collect();
        few.join(" ")
    };
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        finding.kind,
        some(&finding.culprits),
        some(&finding.victims),
        finding.prefixes.first().map(ToString::to_string).unwrap_or_default(),
        finding.prefixes.len(),
        finding.alarms,
        finding.confidence.map(|confidence| confidence.to_string()).unwrap_or_default(),
        finding.raised,
    )
}

/// How many of one kind and class, in findings, in single alarms, and in the constituency.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    findings: usize,
    alarms: usize,
    constituency: usize,
}

/// By detector, kind and class; with [`ALL`] in place of kind and class too.
fn tallies(window: &Window) -> BTreeMap<(&'static str, String, &'static str), Tally> {
    let mut tallies: BTreeMap<_, Tally> = BTreeMap::new();
    for (detector, findings) in &window.case.findings {
        for finding in findings {
            let class = class(finding);
            for key in [
                (*detector, finding.kind.clone(), class),
                (*detector, ALL.to_owned(), class),
                (*detector, ALL.to_owned(), ALL),
            ] {
                let tally = tallies.entry(key).or_default();
                tally.findings += 1;
                tally.alarms += finding.alarms;
                tally.constituency += usize::from(window.is_constituency(finding));
            }
        }
    }
    tallies
}

/// Class of confidence; rivals have none.
fn class(finding: &Finding) -> &'static str {
    let names = ["low", "medium", "high"];
    let Some(confidence) = finding.confidence else { return "none" };
    let reached = LEVELS.iter().zip(names).rev().find(|((least, _), _)| confidence >= *least);
    reached.map_or("low", |(_, name)| name)
}

#[expect(clippy::cast_precision_loss, reason = "counts of alarms")]
fn a_day(count: usize, window: &Window) -> f64 {
    count as f64 / window.hours() * 24.0
}

/// One row for each window, detector, kind and class.
pub fn windows_tsv(windows: &[Window]) -> String {
    let mut text = String::from(
        "window\thours\tdetector\tkind\tclass\tfindings\tfindings_a_day\talarms\talarms_a_day\t\
         constituency_findings\tconstituency_findings_a_day\n",
    );
    for window in windows {
        for ((detector, kind, class), tally) in tallies(window) {
            line(
                &mut text,
                format_args!(
                    "{}\t{:.2}\t{detector}\t{kind}\t{class}\t{}\t{:.1}\t{}\t{:.1}\t{}\t{:.1}",
                    window.case.name,
                    window.hours(),
                    tally.findings,
                    a_day(tally.findings, window),
                    tally.alarms,
                    a_day(tally.alarms, window),
                    tally.constituency,
                    a_day(tally.constituency, window),
                ),
            );
        }
    }
    text
}

/// The ASes of each window's sample constituency.
pub fn constituency_tsv(windows: &[Window]) -> String {
    let mut text = String::from("window\tasn\n");
    for window in windows {
        for asn in &window.constituency {
            line(&mut text, format_args!("{}\t{}", window.case.name, asn.0));
        }
    }
    text
}

/// The page for people.
pub fn summary(scores: &Scores, windows: &[Window], missing: &[&str]) -> String {
    let mut text = String::from(
        "# Accuracy\n\nHow to read it: `bench/README.md`; what is counted and how the rivals are \
         configured: `docs/decisions/0017-accuracy-benchmark.md`.\n",
    );
    let mut last = "";
    for (corpus, _) in scores.keys() {
        if *corpus != last {
            of_corpus(&mut text, corpus, scores);
            last = corpus;
        }
    }
    for window in windows {
        of_window(&mut text, window);
    }
    for name in missing {
        line(&mut text, format_args!("\nWindow `{name}`: left out, its files are not there."));
    }
    text
}

fn of_corpus(text: &mut String, corpus: &str, scores: &Scores) {
    line(text, format_args!("\n## {corpus}\n"));
    let own: Vec<(&str, &Score)> = scores
        .iter()
        .filter(|((of, _), _)| *of == corpus)
        .map(|((_, detector), score)| (*detector, score))
        .collect();
    text.push_str(
        "| detector | expected | found | other kind | false alarms | precision | recall | F1 | delay \
         median, p90, max (s) | silent cases broken |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (detector, score) in &own {
        let counts = score.kinds.get(ALL).cloned().unwrap_or_default();
        let [median, p90, max] = [50, 90, 100].map(|percent| secs(&counts.delays, percent));
        line(
            text,
            format_args!(
                "| {detector} | {} | {} | {} | {} | {} | {} | {} | {median}, {p90}, {max} | {} of {} |",
                counts.expected,
                counts.found,
                counts.misnamed,
                counts.false_alarms,
                share(counts.precision()),
                share(counts.recall()),
                share(counts.f1()),
                score.silence.broken.len(),
                score.silence.cases,
            ),
        );
    }
    text.push_str("\nFound of expected, by kind, with false alarms behind `+`:\n\n");
    by_kind(text, &own);
    for (detector, score) in &own {
        if !score.silence.broken.is_empty() {
            let broken = score.silence.broken.join(", ");
            line(text, format_args!("\nNot silent, {detector}: {broken}"));
        }
    }
}

fn by_kind(text: &mut String, scores: &[(&str, &Score)]) {
    let mut kinds: Vec<&String> = scores.iter().flat_map(|(_, score)| score.kinds.keys()).collect();
    kinds.sort();
    kinds.dedup();
    let names: Vec<&str> = scores.iter().map(|(detector, _)| *detector).collect();
    line(text, format_args!("| kind | {} |", names.join(" | ")));
    line(text, format_args!("|---|{}", "---|".repeat(names.len())));
    for kind in kinds.into_iter().filter(|kind| *kind != ALL) {
        let cell = |(_, score): &(&str, &Score)| {
            let Some(counts) = score.kinds.get(kind) else { return "-".to_owned() };
            let false_alarms = match counts.false_alarms {
                0 => String::new(),
                some => format!(" +{some}"),
            };
            format!("{}/{}{false_alarms}", counts.found, counts.expected)
        };
        let cells: Vec<String> = scores.iter().map(cell).collect();
        line(text, format_args!("| {kind} | {} |", cells.join(" | ")));
    }
}

fn of_window(text: &mut String, window: &Window) {
    line(
        text,
        format_args!(
            "\n## {}\n\nWatched from {} to {}, {:.2} hours. Nothing is judged here. Sample constituency: \
             the {} ASes of the table whose number {CONSTITUENCY_MODULUS} divides \
             (`constituency.tsv`).\n",
            window.case.name,
            window.from,
            window.until,
            window.hours(),
            window.constituency.len()
        ),
    );
    text.push_str(
        "| detector | class | findings | a day | single alarms | a day | constituency | a day |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for ((detector, kind, class), tally) in tallies(window) {
        if kind == ALL && (class != ALL || detector == OURS) {
            line(
                text,
                format_args!(
                    "| {detector} | {class} | {} | {:.0} | {} | {:.0} | {} | {:.0} |",
                    tally.findings,
                    a_day(tally.findings, window),
                    tally.alarms,
                    a_day(tally.alarms, window),
                    tally.constituency,
                    a_day(tally.constituency, window),
                ),
            );
        }
    }
    if !window.case.truths.is_empty() {
        text.push_str("\nOf the incident that is known to be in it:\n\n");
        text.push_str("| detector | found | alarm after (s) |\n|---|---|---|\n");
        for (detector, findings) in views(&window.case) {
            let delay = delay(window, &findings);
            let found = if delay.is_some() { "yes" } else { "no" };
            let after = delay.map_or("-".to_owned(), |after| after.to_string());
            line(text, format_args!("| {detector} | {found} | {after} |"));
        }
    }
}

/// Whole seconds to the alarm of the first truth.
fn delay(window: &Window, findings: &[&Finding]) -> Option<i64> {
    let statuses = judge(&window.case.truths, findings);
    let at = statuses.iter().position(|status| *status == Status::True(0))?;
    Some(findings.get(at)?.raised.secs_since(window.case.truths.first()?.start))
}
