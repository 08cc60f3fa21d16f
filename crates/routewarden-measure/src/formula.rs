//! What a profile computes, in words: made of its rules, so that the words cannot say something else.

use crate::{
    ContactRule, EventKind, IncidentRule, IrrMatch, IrrRule, Measure, Metric, Profile, Role,
    RpkiRule, ShareRule, WhenNothingAnnounced,
};

impl Profile {
    /// How a metric comes to its raw value, and the raw value to a score: one line of plain English.
    pub fn formula(&self, metric: &Metric) -> String {
        match &metric.measure {
            Measure::Incidents(rule) => self.of_incidents(rule),
            Measure::SpoofedPrefixes => {
                let raw = "distinct prefixes from which spoofed packets were received";
                format!("{raw}; {}", self.of_curve())
            }
            Measure::IrrCoverage(rule) => of_irr(*rule),
            Measure::RpkiValidity(rule) => of_validity(*rule),
            Measure::RpkiInvalid => "invalid / all routes; score: 1 - raw".to_owned(),
            Measure::Contacts(rule) => of_contacts(rule),
            Measure::Share(rule) => of_share(*rule),
        }
    }

    fn of_incidents(&self, rule: &IncidentRule) -> String {
        let events: Vec<&str> = rule.events.iter().map(|kind| kind.words()).collect();
        let part = match rule.role {
            Role::Culprit => "of which the AS is the culprit",
            Role::Accomplice => "that the AS passed on from the culprit next to it",
        };
        let short = time(self.duration.short_below_secs);
        let step = time(self.duration.step_secs);
        let least = match rule.lasts_at_least_secs {
            0 => String::new(),
            secs => format!(", each lasting {} at least", time(secs)),
        };
        let weights = rule.weights.iter().map(|step| {
            let weight = f64::from(step.percent) / 100.0;
            format!("{weight} from a confidence of {}", step.confidence_from)
        });
        let weights: Vec<String> = weights.collect();
        let parts = [
            "sum over incidents of c(duration) x weight".to_owned(),
            format!("counted: {} {part}", joined(&events)),
            format!("c: 0.5 below {short}, else 1 and 1 more for each whole {step}{least}"),
            format!("weight: {}", weights.join(", ")),
            self.of_curve(),
        ];
        parts.join("; ")
    }

    fn of_curve(&self) -> String {
        let half_point = f64::from(self.half_point_percent) / 100.0;
        format!("score: {half_point} ^ sqrt(raw / 0.5)")
    }
}

fn of_irr(rule: IrrRule) -> String {
    let accepted = match rule.accept {
        IrrMatch::Exact => "has its very prefix",
        IrrMatch::Covering => "has its prefix or covers it",
    };
    let nothing = match rule.when_nothing_announced {
        WhenNothingAnnounced::NoData => "",
        WhenNothingAnnounced::Full => "; 1 for who announces nothing",
    };
    format!(
        "registered / announced routes; registered: a route object of its origin {accepted}{nothing}; \
         score: as raw"
    )
}

fn of_validity(rule: RpkiRule) -> String {
    match rule.invalid_factor {
        0 => "valid / all routes; score: as raw".to_owned(),
        factor => {
            format!("(valid - {factor} x invalid) / all routes; score: as raw, 0 where it is below")
        }
    }
}

fn of_contacts(rule: &ContactRule) -> String {
    let counted: Vec<&str> = rule.counted.iter().map(|kind| kind.words()).collect();
    format!("1 with a contact that counts, else 0; counted: {}; score: as raw", counted.join(", "))
}

fn of_share(rule: ShareRule) -> String {
    let (part, whole) = rule.of.words();
    let least = rule.least.max(1);
    format!("{part} / {whole}; no data below {least} of these; score: as raw")
}

/// `a, b and c`.
pub(crate) fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Seconds in the largest unit that fits; days are told in hours, as the framework does.
pub(crate) fn time(secs: u32) -> String {
    match secs {
        0 => "0 s".to_owned(),
        secs if secs % 3_600 == 0 => format!("{} h", secs / 3_600),
        secs if secs % 60 == 0 => format!("{} min", secs / 60),
        secs => format!("{secs} s"),
    }
}

impl EventKind {
    /// In words, of several.
    pub const fn words(self) -> &'static str {
        match self {
            EventKind::RouteLeak => "route leaks",
            EventKind::Misorigination => "misoriginations",
            EventKind::BogonPrefix => "bogon prefixes",
            EventKind::AdministrativeBogonPrefix => "administrative bogon prefixes",
            EventKind::BogonAsn => "bogon ASNs",
            EventKind::AdministrativeBogonAsn => "administrative bogon ASNs",
        }
    }
}
