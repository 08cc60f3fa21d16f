//! Every route of the API with what is asked of it.

use std::path::Path;

use anyhow::Result;
use routewarden_detect::IncidentKind;
use routewarden_store::{IncidentFilter, StoreReader};

use super::fill::{SECS, T0, asn, class, country, prefix, skewed};

/// Paths of each route: they are asked in turn.
const PATHS: usize = 200;
/// Rank of the rarest kind, class and so on.
const RARE_CLASS: u32 = 4;

/// What the paths are made of.
pub(crate) struct Samples {
    ids: Vec<String>,
}

impl Samples {
    /// From all over the store in a folder.
    pub(crate) fn of(folder: &Path, incidents: usize) -> Result<Self> {
        let reader = StoreReader::open(folder)?;
        let mut random = fastrand::Rng::with_seed(2);
        let mut ids = Vec::new();
        while ids.len() < PATHS.min(incidents) {
            let cursor = anywhere(&mut random).parse()?;
            let page = reader.list(&IncidentFilter::default(), Some(cursor), 1)?;
            ids.extend(page.incidents.into_iter().map(|incident| incident.id));
        }
        Ok(Samples { ids })
    }

    /// Routes by name, each with its paths below the API.
    pub(crate) fn routes(&self) -> Vec<(&'static str, Vec<String>)> {
        let of_id = |suffix: &str| {
            self.ids.iter().map(|id| format!("/incidents/{id}{suffix}")).collect::<Vec<_>>()
        };
        let mut routes = vec![
            ("one incident", of_id("")),
            ("history", of_id("/history")),
            ("replay", of_id("/replay")),
        ];
        routes.extend(lists());
        routes.extend(filtered_by_parts());
        routes.extend(places());
        routes.extend(program());
        routes
    }
}

/// A cursor somewhere in the two years.
fn anywhere(random: &mut fastrand::Rng) -> String {
    format!("{}000000.1", T0 + random.u32(1..SECS))
}

/// As many paths as are asked in turn.
fn each(mut path: impl FnMut(&mut fastrand::Rng) -> String) -> Vec<String> {
    let mut random = fastrand::Rng::with_seed(3);
    (0..PATHS).map(|_| path(&mut random)).collect()
}

fn rare_kind() -> &'static str {
    IncidentKind::ALL.last().map_or("", |kind| kind.name())
}

fn lists() -> Vec<(&'static str, Vec<String>)> {
    let list = |query: String| each(|_| format!("/incidents?{query}"));
    let (kind, class) = (rare_kind(), class(RARE_CLASS).name());
    vec![
        ("list", list(String::new())),
        ("list of 500", list("limit=500".to_owned())),
        ("list, anywhere", each(|random| format!("/incidents?cursor={}", anywhere(random)))),
        ("list, oldest first", list("sort=first_seen".to_owned())),
        (
            "list from a time on",
            each(|random| format!("/incidents?before={}", T0 + random.u32(1..SECS))),
        ),
        ("open", list("open=true".to_owned())),
        ("open, worst first", list("open=true&sort=-severity".to_owned())),
        ("open, surest first, of a kind", list(format!("open=true&sort=-confidence&kind={kind}"))),
        ("rare kind", list(format!("kind={kind}"))),
        ("rare kind, class and state", list(format!("kind={kind}&class={class}&state=ongoing"))),
        ("csv of 1,000", list("format=csv&limit=1000".to_owned())),
        ("jsonl of 1,000", list("format=jsonl&limit=1000".to_owned())),
    ]
}

fn filtered_by_parts() -> Vec<(&'static str, Vec<String>)> {
    let (kind, class) = (rare_kind(), class(RARE_CLASS).name());
    let rare = format!("kind={kind}&class={class}");
    let often = asn(0).0;
    let any_asn = |random: &mut fastrand::Rng| asn(skewed(random, 80_000)).0;
    let any_country = |random: &mut fastrand::Rng| country(skewed(random, 200));
    let any_prefix = |random: &mut fastrand::Rng, len| {
        prefix(skewed(random, 1 << 20), len).map(|prefix| prefix.to_string()).unwrap_or_default()
    };
    let list = |query: String| each(|_| format!("/incidents?{query}"));
    vec![
        ("any AS", each(|random| format!("/incidents?asn={}", any_asn(random)))),
        ("AS most often there", list(format!("asn={often}"))),
        ("AS most often there, in a role", list(format!("asn={often}&role=propagator"))),
        ("AS most often there, rare", list(format!("asn={often}&{rare}"))),
        ("country", each(|random| format!("/incidents?country={}", any_country(random)))),
        ("country, rare", list(format!("country={}&{rare}", country(0)))),
        ("AS and country", list(format!("asn={often}&country={}", country(150)))),
        ("member", each(|random| format!("/incidents?member=member-{}", random.u32(..50)))),
        ("constituency", list("constituency=true".to_owned())),
        ("constituency, rare", list(format!("constituency=true&{rare}"))),
        ("not the constituency", list("constituency=false".to_owned())),
        ("member and country", list(format!("member=member-0&country={}", country(150)))),
        (
            "prefix, exact",
            each(|random| format!("/incidents?match=exact&prefix={}", any_prefix(random, 48))),
        ),
        (
            "prefix, covering",
            each(|random| format!("/incidents?match=covering&prefix={}", any_prefix(random, 64))),
        ),
        (
            "prefix, covered by a /44",
            each(|random| format!("/incidents?prefix={}", any_prefix(random, 44))),
        ),
        (
            "prefix, covered by a /36",
            each(|random| format!("/incidents?prefix={}", any_prefix(random, 36))),
        ),
        ("prefix, covered by the /32", list("prefix=2001:db8::/32".to_owned())),
        ("prefix, covered by the /32, rare", list(format!("prefix=2001:db8::/32&{rare}"))),
        ("prefix that nobody has", list("prefix=192.0.2.0/24".to_owned())),
    ]
}

fn places() -> Vec<(&'static str, Vec<String>)> {
    let path = |path: String| each(|_| path.clone());
    vec![
        ("an AS", each(|random| format!("/asns/{}", asn(skewed(random, 80_000)).0))),
        ("the AS most often there", path(format!("/asns/{}", asn(0).0))),
        (
            "a prefix",
            each(|random| {
                let prefix = prefix(skewed(random, 1 << 20), 48);
                prefix.map(|prefix| format!("/prefixes/{prefix}")).unwrap_or_default()
            }),
        ),
        ("the prefix of all", path("/prefixes/2001:db8::/32".to_owned())),
        ("a country", each(|random| format!("/countries/{}", country(skewed(random, 200))))),
        ("the country most often there", path(format!("/countries/{}", country(0)))),
    ]
}

fn program() -> Vec<(&'static str, Vec<String>)> {
    let day = |secs: u32| routewarden_core::Timestamp::from_secs(secs).to_string();
    let path = |path: String| each(|_| path.clone());
    vec![
        ("feeds", path("/feeds".to_owned())),
        ("facts", path("/facts".to_owned())),
        (
            "statistics of two years",
            path(format!("/statistics?from={}&before={}", day(T0), day(T0 + SECS))),
        ),
        (
            "statistics of a month by the hour",
            path(format!("/statistics?by=hour&from={}&before={}", day(T0), day(T0 + 31 * 86_400))),
        ),
        ("the description", path("/openapi.json".to_owned())),
    ]
}
