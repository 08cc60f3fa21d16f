//! Readiness as table, JSON, CSV.

use std::io::{self, Write};

use anyhow::Result;
use routewarden_measure::{MetricState, Score};
use serde::Serialize;

use crate::cli::{ReadinessArgs, ReadinessFormat};
use crate::output::{columns, quoted};
use crate::readiness::{AsAnswer, Head};

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
    ases: &'a [AsAnswer<'a>],
}

pub(super) fn print(
    out: &mut dyn Write,
    head: &Head<'_>,
    answers: &[AsAnswer<'_>],
    args: &ReadinessArgs,
) -> Result<()> {
    match (args.format, answers) {
        (ReadinessFormat::Json, [answer]) if args.asns.len() == 1 => {
            serde_json::to_writer_pretty(&mut *out, &Alone { head, answer })?;
            writeln!(out)?;
        }
        (ReadinessFormat::Json, _) => {
            serde_json::to_writer_pretty(&mut *out, &Several { head, ases: answers })?;
            writeln!(out)?;
        }
        (ReadinessFormat::Jsonl, _) => {
            for answer in answers {
                serde_json::to_writer(&mut *out, &Alone { head, answer })?;
                writeln!(out)?;
            }
        }
        (ReadinessFormat::Csv, _) => csv(out, head, answers)?,
        (ReadinessFormat::Table, [answer]) => alone(out, head, answer)?,
        (ReadinessFormat::Table, _) => several(out, head, answers)?,
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
        let raw = result.raw.map(|raw| figure(raw.value())).unwrap_or_default();
        let inputs = result.inputs.iter().map(|(name, figure)| format!("{name} {figure}"));
        let inputs = inputs.collect::<Vec<_>>().join(", ");
        let why = metric.no_data_text.clone().unwrap_or(inputs);
        [result.id.clone(), raw, percent(result.score), state(result.state).to_owned(), why]
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

/// Several networks, one a row.
fn several(out: &mut dyn Write, head: &Head<'_>, answers: &[AsAnswer<'_>]) -> io::Result<()> {
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

/// RFC 4180: scores from 0 to 1, empty without data.
fn csv(out: &mut dyn Write, head: &Head<'_>, answers: &[AsAnswer<'_>]) -> io::Result<()> {
    let Some(first) = answers.first() else { return Ok(()) };
    write!(out, "asn,name,country,profile,from,until")?;
    for action in &first.actions {
        write!(out, ",{0},{0} class", action.result.id)?;
    }
    for metric in &first.metrics {
        write!(out, ",{0} raw,{0} state", metric.result.id)?;
    }
    writeln!(out)?;
    for answer in answers {
        let period = head.period.period;
        write!(
            out,
            "{},{},{},{},{},{}",
            answer.asn.0,
            quoted(answer.name.unwrap_or_default()),
            answer.country.unwrap_or_default(),
            quoted(head.profile),
            period.from(),
            period.until()
        )?;
        for action in &answer.actions {
            let (score, class) = action.standing();
            let score = score.map(|score| score.fraction().to_string()).unwrap_or_default();
            write!(out, ",{score},{}", class.name())?;
        }
        for metric in &answer.metrics {
            let raw = metric.result.raw.map(|raw| raw.value().to_string()).unwrap_or_default();
            write!(out, ",{raw},{}", state(metric.result.state))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn percent(score: Option<Score>) -> String {
    score.map_or_else(|| "-".to_owned(), |score| format!("{:.1}", score.fraction() * 100.0))
}

/// At most four decimals.
fn figure(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

const fn state(state: MetricState) -> &'static str {
    match state {
        MetricState::Scored => "scored",
        MetricState::Informational => "informational",
        MetricState::NoData => "no_data",
    }
}
