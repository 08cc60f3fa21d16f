//! Profiles compiled in, what makes none, and periods.

use super::*;
use crate::{
    DOCUMENT_OCTETS_MAX, DocumentError, DocumentFault, METRICS_MAX, PERIOD_DAYS_MAX,
    PROFILE_DEFAULT, PeriodError,
};

#[test]
fn the_profiles_compiled_in_make_sense() {
    for id in Profile::built_in_ids() {
        let profile = Profile::built_in(id).unwrap();
        assert_eq!(profile.id, id);
        for metric in &profile.metrics {
            let is_informational = !profile.is_scored(&metric.id);
            assert!(id != "manrs-2018" || is_informational, "{id} {}", metric.id);
        }
    }
    assert_eq!(Profile::built_in_ids().count(), 4);
    let metrics = Profile::built_in(PROFILE_DEFAULT).unwrap().metrics;
    let ids: Vec<&str> = metrics.iter().map(|metric| metric.id.as_str()).collect();
    let framework = ["M1", "M1C", "M2", "M2C", "M3", "M3C", "M4", "M4C"];
    assert_eq!(&ids[..8], framework);
    for id in ["M5", "M7IRR", "M7RPKI", "M7RPKIN", "M8", "M3C-administrative"] {
        assert!(ids.contains(&id), "{id}");
    }
}

#[test]
fn leaks_are_scored_before_2024_and_by_ours_only() {
    let scored = |id: &str| Profile::built_in(id).unwrap().is_scored("M1C");
    assert!(scored("manrs-2023") && scored("routewarden-1"));
    assert!(!scored("manrs-2024") && !scored("manrs-2018"));
}

#[test]
fn an_unknown_profile_names_those_known() {
    let error = Profile::built_in("manrs-2030").unwrap_err().to_string();
    let known = "known are manrs-2018, manrs-2023, manrs-2024, routewarden-1";
    assert_eq!(error, format!("no profile \"manrs-2030\": {known}"));
    assert_eq!(Profile::built_in_text("x"), None);
}

/// The default with one text replaced by another where it first stands.
fn altered(from: &str, to: &str) -> DocumentError {
    let text = Profile::built_in_text(PROFILE_DEFAULT).unwrap();
    assert!(text.contains(from), "{from}");
    Profile::parse(&text.replacen(from, to, 1)).unwrap_err()
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    for (from, to, message) in [
        ("half_point_percent = 60", "half_point_percent = 100", "half_point_percent: 100 is not"),
        ("step_secs = 86400", "step_secs = 0", "duration.step_secs: 0 is not"),
        ("ready_from_percent = 80", "ready_from_percent = 101", "classes.ready_from_percent: 101"),
        ("aspiring_from_percent = 60", "aspiring_from_percent = 81", "aspiring_from_percent: 81"),
        ("id = \"M1C\"", "id = \"M1\"", "M1: this id is given twice"),
        ("events = [\"route_leak\"]", "events = []", "M1: events must not be empty"),
        ("percent = 100", "percent = 0", "M1: 0 is not between 1 and 100"),
        ("confidence_from = 50", "confidence_from = 101", "M1: 101 is not between 0 and 100"),
        ("metrics = [\"M2\"", "metrics = [\"M9\"", "A1: no metric is named \"M9\""),
        ("metrics = [\"M2\"", "metrics = [\"M8\"", "A1: M8 is no penalty"),
        ("metrics = [\"M5\"]", "metrics = []", "A2: metrics must not be empty"),
        ("metrics = [\"M5\"]", "metrics = [\"M5\", \"M5\"]", "A2: this id is given twice"),
        ("id = \"A2\"", "id = \"A1\"", "A1: this id is given twice"),
    ] {
        let error = altered(from, to).to_string();
        assert!(error.contains(message), "{to}: {error}");
    }
    let weights = "[{ confidence_from = 50, percent = 50 }, { confidence_from = 50, percent = 9 }]";
    let error = altered("[{ confidence_from = 50, percent = 100 }]", weights);
    let DocumentError::Invalid { at, fault } = error else { panic!("{error}") };
    assert_eq!((at.as_str(), fault), ("M1", DocumentFault::WeightOrder));
}

#[test]
fn what_is_no_profile_names_its_line() {
    let error = altered("half_point_percent = 60", "half_points = 60");
    assert!(matches!(error, DocumentError::Syntax { line: 9, .. }), "{error}");
    let error = altered("role = \"culprit\"", "role = \"victim\"").to_string();
    assert!(error.contains("victim"), "{error}");
    assert!(Profile::parse("").is_err());
}

#[test]
fn profiles_have_limits() {
    let long = "#".repeat(DOCUMENT_OCTETS_MAX + 1);
    assert!(matches!(Profile::parse(&long), Err(DocumentError::TooLong { octets: 262_145 })));
    let metric = |number| {
        format!("\n[[metric]]\nid = \"X{number}\"\ntitle = \"\"\nmeasure = \"rpki_invalid\"\n")
    };
    let text = Profile::built_in_text(PROFILE_DEFAULT).unwrap().to_owned();
    let many = text + &(0..METRICS_MAX).map(metric).collect::<String>();
    let error = Profile::parse(&many).unwrap_err().to_string();
    assert_eq!(error, "metric: more than 64");
}

#[test]
fn a_month_is_a_calendar_month_in_utc() {
    let text = |period: Period| format!("{} {}", period.from(), period.until());
    let month = |text: &str| text.parse::<Period>();
    assert_eq!(text(month("2024-02").unwrap()), "2024-02-01T00:00:00Z 2024-03-01T00:00:00Z");
    assert_eq!(text(month("2026-12").unwrap()), "2026-12-01T00:00:00Z 2027-01-01T00:00:00Z");
    for wrong in ["2026-00", "2026-13", "2026-1", "2026", "26-10", "1969-12", "9999-12", "2026-+1"]
    {
        assert_eq!(month(wrong), Err(PeriodError::NoMonth), "{wrong}");
    }
}

#[test]
fn a_rolling_period_ends_when_told() {
    let period = Period::rolling(30, at(0)).unwrap();
    assert_eq!((period.from(), period.until()), (at(-30 * DAY), at(0)));
    assert_eq!(Period::rolling(0, at(0)), Err(PeriodError::Empty));
    assert_eq!(Period::rolling(PERIOD_DAYS_MAX + 1, at(0)), Err(PeriodError::TooLong));
    assert!(Period::rolling(PERIOD_DAYS_MAX, at(0)).is_ok());
    assert_eq!(month().up_to(at(-1)), Err(PeriodError::Empty));
    assert_eq!(month().up_to(at(90 * DAY)), Ok(month()));
}
