//! The report on a group or a network: one page of HTML that prints clean.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use routewarden_core::Timestamp;
use routewarden_measure::{ClassCounts, Raw, Score};
use serde::Serialize;

use super::export::state_name;
use super::groups::{Group, GroupBy};
use super::ranking::{Choice, ranked};
use super::survey::Measured;
use super::{AsAnswer, Head};

/// Most networks listed.
const NETWORKS_LISTED_MAX: usize = 100;
/// Width of a bar of classes, in the units of the drawing.
const BAR_WIDTH: u64 = 120;

/// What the template is told.
#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    title: String,
    group: &'a Group,
    scores: Vec<ReportScore>,
    networks: Vec<ReportNetwork<'a>>,
    networks_left_out: usize,
    network: Option<ReportAs>,
    ready_from: u8,
    aspiring_from: u8,
}

/// A score of the report.
#[derive(Serialize)]
struct ReportScore {
    id: String,
    title: String,
    mean: String,
    mean_by_ipv4: String,
    classes: ClassCounts,
    bars: Vec<Bar>,
    label: String,
}

/// A part of a bar.
#[derive(Serialize)]
struct Bar {
    class: &'static str,
    x: u64,
    width: u64,
}

#[derive(Serialize)]
struct ReportNetwork<'a> {
    asn: u32,
    name: &'a str,
    scores: Vec<String>,
}

#[derive(Serialize)]
struct ReportAs {
    scores: Vec<ReportAsScore>,
    metrics: Vec<ReportMetric>,
}

#[derive(Serialize)]
struct ReportAsScore {
    id: String,
    title: String,
    score: String,
    class: &'static str,
}

#[derive(Serialize)]
struct ReportMetric {
    id: String,
    title: String,
    raw: String,
    score: String,
    state: &'static str,
    made_of: String,
    incidents: Vec<String>,
}

/// The report on a group, or on one network by itself.
pub(crate) fn report(
    measured: &Measured,
    (by, group): (GroupBy, &Group),
    alone: Option<&AsAnswer<'_>>,
) -> Result<String, minijinja::Error> {
    let survey = &measured.survey;
    let choice =
        Choice { group: Some((by, group.id.clone())), score: 0, class: None, best_first: false };
    let rows = if alone.is_some() { Vec::new() } else { ranked(measured, &choice) };
    let networks: Vec<ReportNetwork<'_>> = rows
        .iter()
        .take(NETWORKS_LISTED_MAX)
        .map(|row| ReportNetwork {
            asn: row.surveyed.asn.0,
            name: row.surveyed.name.as_deref().unwrap_or_default(),
            scores: row.scores.iter().map(|&score| percent(score)).collect(),
        })
        .collect();
    let classes = survey.profile.classes;
    let head = Head::of(survey);
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Names come from files of others.
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("minutes", |time: &str| minutes(time.parse().ok()));
    environment.add_filter("grouped", grouped);
    environment.add_template("report", include_str!("report.html"))?;
    let page = Page {
        title: title(group, alone),
        group,
        scores: scores(measured, group),
        networks_left_out: rows.len() - networks.len(),
        networks,
        network: alone.map(of_network),
        ready_from: classes.ready_from_percent,
        aspiring_from: classes.aspiring_from_percent,
        head,
    };
    environment.get_template("report")?.render(Serde(&page))
}

/// A time as `2008-02-24 18:47Z`.
fn minutes(time: Option<Timestamp>) -> String {
    let text = time.map(|time| time.to_string()).unwrap_or_default();
    let minutes: String = text.chars().take(16).collect();
    if minutes.is_empty() { minutes } else { format!("{}Z", minutes.replace('T', " ")) }
}

/// A number as `27,384`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let place = |at: usize| digits.len() - at;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && place(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn title(group: &Group, alone: Option<&AsAnswer<'_>>) -> String {
    match alone {
        Some(answer) => format!("{} {}", answer.asn, answer.name.unwrap_or_default()),
        None => group.name.clone().unwrap_or_else(|| group.id.clone()),
    }
}

fn scores(measured: &Measured, group: &Group) -> Vec<ReportScore> {
    let rules = &measured.survey.profile.scores;
    let scores = group.scores.iter().zip(rules).map(|(score, rule)| {
        let ClassCounts { ready, aspiring, lagging, no_data } = score.classes;
        ReportScore {
            id: score.id.clone(),
            title: rule.title.clone(),
            mean: percent(score.mean.score()),
            mean_by_ipv4: percent(score.mean_by_ipv4.score()),
            classes: score.classes,
            bars: bars(score.classes),
            label: format!(
                "{ready} ready, {aspiring} aspiring, {lagging} lagging, {no_data} without data"
            ),
        }
    });
    scores.collect()
}

/// The parts of a bar, next to each other.
fn bars(classes: ClassCounts) -> Vec<Bar> {
    let ClassCounts { ready, aspiring, lagging, no_data } = classes;
    let parts =
        [("ready", ready), ("aspiring", aspiring), ("lagging", lagging), ("no_data", no_data)];
    let total = classes.total().max(1);
    let mut passed = 0;
    let bars = parts.into_iter().map(|(class, count)| {
        let begin = passed * BAR_WIDTH / total;
        passed += u64::from(count);
        Bar { class, x: begin, width: passed * BAR_WIDTH / total - begin }
    });
    bars.filter(|bar| bar.width > 0).collect()
}

fn of_network(answer: &AsAnswer<'_>) -> ReportAs {
    let metrics = answer.metrics.iter().map(|metric| {
        let result = &metric.result;
        let inputs = result.inputs.iter().map(|(name, figure)| format!("{name} {figure}"));
        let inputs = inputs.collect::<Vec<_>>().join(", ").replace('_', " ");
        let incidents = result.incidents.iter().map(|incident| {
            let events = incident.events.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            let [from, until] = [incident.from, incident.until].map(|time| minutes(Some(time)));
            let points = incident.coefficient.points();
            let s = if (points - 1.0).abs() < f64::EPSILON { "" } else { "s" };
            format!("{points} point{s}: {from} to {until}, {events}")
        });
        let dismissed = metric.dismissed.iter();
        let dismissed = dismissed.map(|one| format!("Does not count: {}, {}", one.event, one.why));
        ReportMetric {
            id: result.id.clone(),
            title: metric.title.to_owned(),
            raw: result.raw.map(Raw::text).unwrap_or_default(),
            score: percent(result.score),
            state: state_name(result.state),
            made_of: metric.no_data_text.clone().unwrap_or(inputs),
            incidents: incidents.chain(dismissed).collect(),
        }
    });
    let scores = answer.actions.iter().map(|action| {
        let (score, class) = action.standing();
        let title = action.title.to_owned();
        ReportAsScore {
            id: action.result.id.clone(),
            title,
            score: percent(score),
            class: class.name(),
        }
    });
    ReportAs { scores: scores.collect(), metrics: metrics.collect() }
}

/// A score as people read it, a dash without data.
fn percent(score: Option<Score>) -> String {
    score.map_or_else(|| "\u{2013}".to_owned(), |score| format!("{} %", score.percent_words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_times_and_scores_are_as_people_read_them() {
        let numbers = [0, 999, 1_000, 27_384, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "27,384", "1,234,567"]);
        assert_eq!(minutes("2008-02-24T18:47:57.123456Z".parse().ok()), "2008-02-24 18:47Z");
        assert_eq!(minutes(None), "");
        let scores = [Score::ONE, Score::of_ratio(7_996, 10_000), Score::ZERO];
        assert_eq!(scores.map(|score| percent(Some(score))), ["100 %", "79.9 %", "0 %"]);
    }
}
