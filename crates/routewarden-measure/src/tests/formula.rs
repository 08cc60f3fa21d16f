//! Formulae say what the profile computes.

use super::*;

fn formula_of(profile: &str, metric: &str) -> String {
    let profile = Profile::built_in(profile).unwrap();
    let metric = profile.metrics.iter().find(|held| held.id == metric).unwrap();
    profile.formula(metric)
}

#[test]
fn incidents_are_told_with_their_steps_and_weights() {
    assert_eq!(
        formula_of("manrs-2024", "M2C"),
        "sum over incidents of c(duration) x weight; counted: misoriginations that the AS passed on \
         from the culprit next to it; c: 0.5 below 30 min, else 1 and 1 more for each whole 24 h; \
         weight: 1 from a confidence of 50; score: 0.6 ^ sqrt(raw / 0.5)"
    );
    let leaks = formula_of("routewarden-1", "M1");
    assert!(leaks.contains("counted: route leaks of which the AS is the culprit"), "{leaks}");
    assert!(leaks.contains("weight: 1 from a confidence of 80, 0.5 from a confidence of 50"));
    let by_day = formula_of("manrs-2018", "M3");
    let both = "bogon prefixes and administrative bogon prefixes of which";
    assert!(by_day.contains(both) && by_day.contains("each lasting 24 h at least"), "{by_day}");
}

#[test]
fn shares_are_told_with_their_rules() {
    for (profile, metric, expected) in [
        (
            "manrs-2024",
            "M7RPKI",
            "(valid - 10 x invalid) / all routes; score: as raw, 0 where it is",
        ),
        ("manrs-2023", "M7RPKI", "valid / all routes; score: as raw"),
        ("manrs-2024", "M7RPKIN", "invalid / all routes; score: 1 - raw"),
        (
            "manrs-2024",
            "M7IRR",
            "registered / announced routes; registered: a route object of its ",
        ),
        ("manrs-2018", "M7IRR", "or covers it; 1 for who announces nothing; score: as raw"),
        (
            "manrs-2024",
            "M5",
            "distinct prefixes from which spoofed packets were received; score: 0.6",
        ),
        (
            "manrs-2018",
            "M8",
            "counted: administrative contact in a registry, technical contact in a",
        ),
        ("routewarden-1", "ROV", "RPKI-invalid routes offered to it; no data below 20 of these"),
    ] {
        let formula = formula_of(profile, metric);
        assert!(formula.contains(expected), "{profile} {metric}: {formula}");
    }
}

#[test]
fn every_metric_has_one_line() {
    for id in Profile::built_in_ids() {
        let profile = Profile::built_in(id).unwrap();
        for metric in &profile.metrics {
            let formula = profile.formula(metric);
            assert!(!formula.is_empty() && !formula.contains('\n'), "{id} {}", metric.id);
        }
    }
}
