//! Readiness as table, JSON, CSV.

use std::io::{self, Write};

use anyhow::Result;
use routewarden_measure::{Raw, Score};
use serde::Serialize;

use crate::cli::ReadinessFormat;
use crate::output::columns;
use crate::readiness::{AsAnswer, Group, GroupBy, Head, state_name};

/// One AS by itself.
#[derive(Serialize)]
struct Alone<'a> {
    #[serde(flatten)]
    head: &'a Head<'a>,
    #[serde(flatten)]
    answer: &'a AsAnswer<'a>,
}

/// Several.
#[derive(Serialize)]
struct Several<'a> {
    #[serde(flatten)]
    head: &'a Head<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<GroupBy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a Group>,
    ases: &'a [AsAnswer<'a>],
}

pub(super) fn print(
    out: &mut dyn Write,
    (head, group): (&Head<'_>, Option<(GroupBy, &Group)>),
    answers: &[AsAnswer<'_>],
    format: ReadinessFormat,
) -> Result<()> {
    match (format, answers) {
        (ReadinessFormat::Json, [answer]) if group.is_none() => {
            serde_json::to_writer_pretty(&mut *out, &Alone { head, answer })?;
            writeln!(out)?;
        }
        (ReadinessFormat::Json, _) => {
            let (by, group) = group.unzip();
            let several = Several { head, by, group, ases: answers };
            serde_json::to_writer_pretty(&mut *out, &several)?;
            writeln!(out)?;
        }
        (ReadinessFormat::Jsonl, _) => {
            for answer in answers {
                serde_json::to_writer(&mut *out, &Alone { head, answer })?;
                writeln!(out)?;
            }
        }
        (ReadinessFormat::Csv | ReadinessFormat::Parquet | ReadinessFormat::Observatory, _) => {}
        (ReadinessFormat::Table, [answer]) if group.is_none() => alone(out, head, answer)?,
        (ReadinessFormat::Table, _) => {
            if let Some((_, group)) = group {
                summary(out, head, group)?;
            }
            several(out, head, answers)?;
        }
    }
    Ok(())
}

/// One network: its scores, then every metric with what went in.
fn alone(out: &mut dyn Write, head: &Head<'_>, answer: &AsAnswer<'_>) -> io::Result<()> {
    let period = head.period.period;
    writeln!(out, "{} {}", answer.asn, answer.name.unwrap_or_default())?;
    writeln!(out, "{} to {}, {}\n", period.from(), period.until(), head.profile)?;
    let scores = answer.actions.iter().map(|action| {
        let (score, class) = action.standing();
        let id = action.result.id.clone();
        [id, percent(score), class.name().to_owned(), action.title.to_owned()]
    });
    columns(out, ["score", "%", "class", ""], scores)?;
    writeln!(out)?;
    let metrics = answer.metrics.iter().map(|metric| {
        let result = &metric.result;
        let raw = result.raw.map(Raw::text).unwrap_or_default();
        let inputs = result.inputs.iter().map(|(name, figure)| format!("{name} {figure}"));
        let inputs = inputs.collect::<Vec<_>>().join(", ");
        let why = metric.no_data_text.clone().unwrap_or(inputs);
        [result.id.clone(), raw, percent(result.score), state_name(result.state).to_owned(), why]
    });
    columns(out, ["metric", "raw", "%", "state", "made of"], metrics)?;
    incidents(out, answer)?;
    for missing in &head.missing {
        writeln!(out, "not given: {}", missing.text)?;
    }
    Ok(())
}

/// The incidents counted, and those that are not.
fn incidents(out: &mut dyn Write, answer: &AsAnswer<'_>) -> io::Result<()> {
    let counted = answer.metrics.iter().flat_map(|metric| {
        metric.result.incidents.iter().map(|incident| {
            let points =
                format!("{} x {} %", incident.coefficient.points(), incident.weight_percent);
            let events = incident.events.iter().cloned().collect::<Vec<_>>().join(" ");
            let (from, until) = (incident.from.to_string(), incident.until.to_string());
            [metric.result.id.clone(), points, from, until, events]
        })
    });
    let counted: Vec<[String; 5]> = counted.collect();
    if !counted.is_empty() {
        writeln!(out)?;
        let header = ["incident of", "points", "from", "until", "events"];
        columns(out, header, counted.into_iter())?;
    }
    for metric in &answer.metrics {
        for dismissed in &metric.dismissed {
            let (event, why) = (dismissed.event, dismissed.why);
            writeln!(out, "not counted in {}: {event}, {why}", metric.result.id)?;
        }
    }
    writeln!(out)
}

/// A group: the mean of each score and how many networks are of each class.
fn summary(out: &mut dyn Write, head: &Head<'_>, group: &Group) -> io::Result<()> {
    let period = head.period.period;
    let name = group.name.as_deref().unwrap_or(&group.id);
    writeln!(out, "{name}: {} networks", group.ases)?;
    writeln!(out, "{} to {}, {}\n", period.from(), period.until(), head.profile)?;
    let rows = group.scores.iter().map(|score| {
        let classes = score.classes;
        let counts = [classes.ready, classes.aspiring, classes.lagging, classes.no_data];
        let [ready, aspiring, lagging, no_data] = counts.map(|count| count.to_string());
        let mean = percent(score.mean.score());
        let by_space = percent(score.mean_by_ipv4.score());
        [score.id.clone(), mean, by_space, ready, aspiring, lagging, no_data]
    });
    let header = ["score", "mean %", "by IPv4 %", "ready", "aspiring", "lagging", "no data"];
    columns(out, header, rows)?;
    writeln!(out)
}

/// Several networks, one a row.
pub(super) fn several(
    out: &mut dyn Write,
    head: &Head<'_>,
    answers: &[AsAnswer<'_>],
) -> io::Result<()> {
    let ids = answers.first().map(|answer| {
        answer.actions.iter().map(|action| action.result.id.as_str()).collect::<Vec<_>>()
    });
    let ids = ids.unwrap_or_default().join("  ");
    let rows = answers.iter().map(|answer| {
        let scores =
            answer.actions.iter().map(|action| format!("{:>5}", percent(action.result.score)));
        let scores = scores.collect::<Vec<_>>().join("  ");
        let name = answer.name.unwrap_or_default().to_owned();
        [answer.asn.to_string(), answer.country.unwrap_or_default().to_owned(), scores, name]
    });
    columns(out, ["AS", "", &ids, "name"], rows)?;
    for missing in &head.missing {
        writeln!(out, "not given: {}", missing.text)?;
    }
    Ok(())
}

pub(super) fn percent(score: Option<Score>) -> String {
    score.map_or_else(|| "-".to_owned(), Score::percent_text)
}
