//! Many networks as one: countries, registries, sectors, the constituency, the world.

use std::collections::BTreeMap;

use routewarden_core::Asn;
use routewarden_measure::{
    AddressSpace, Aggregate, ClassCounts, Country, Mean, Profile, Score, region_name,
};
use serde::Serialize;

use super::record::Scored;
use super::survey::{Measured, Surveyed};

/// By what networks are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupBy {
    /// All of them.
    World,
    /// Country of the network.
    Country,
    /// Sub-region of UN M49 that the country is in.
    Region,
    /// Registry that gave the ASN out.
    Registry,
    /// Sector of the member of the constituency that has it.
    Sector,
    /// Those of the constituency.
    Constituency,
}

impl GroupBy {
    /// Every way, with its name.
    pub(crate) const ALL: [(&'static str, GroupBy); 6] = [
        ("world", GroupBy::World),
        ("country", GroupBy::Country),
        ("region", GroupBy::Region),
        ("registry", GroupBy::Registry),
        ("sector", GroupBy::Sector),
        ("constituency", GroupBy::Constituency),
    ];

    /// The way of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(held, _)| *held == name).map(|(_, by)| by)
    }

    /// Groups that a network is in.
    pub(crate) fn groups_of(self, surveyed: &Surveyed) -> Vec<String> {
        match self {
            GroupBy::World => vec!["world".to_owned()],
            GroupBy::Country => surveyed.country.iter().cloned().collect(),
            GroupBy::Region => {
                let country = surveyed.country.as_deref().and_then(Country::of);
                country.iter().map(Country::region_id).collect()
            }
            GroupBy::Registry => {
                surveyed.registry.iter().map(|registry| registry.name().to_owned()).collect()
            }
            GroupBy::Sector => surveyed.sectors.iter().cloned().collect(),
            GroupBy::Constituency => {
                surveyed.is_constituent.then(|| "constituency".to_owned()).into_iter().collect()
            }
        }
    }

    /// Whether a network is in a group.
    pub(crate) fn is_in(self, surveyed: &Surveyed, group: &str) -> bool {
        self.groups_of(surveyed).iter().any(|held| held == group)
    }
}

/// A group, with its scores.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Group {
    pub(crate) id: String,
    /// In words, where there are any.
    pub(crate) name: Option<String>,
    pub(crate) ases: u64,
    pub(crate) address_space: AddressSpace,
    pub(crate) scores: Vec<GroupScore>,
}

/// One score of a group.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct GroupScore {
    pub(crate) id: String,
    pub(crate) mean: Mean,
    pub(crate) mean_by_ipv4: Mean,
    pub(crate) mean_by_ipv6: Mean,
    pub(crate) classes: ClassCounts,
    /// Mean less that of the period before; `null` where there is none.
    pub(crate) trend: Option<f64>,
}

/// Gathers a group.
struct Gathering {
    ases: u64,
    space: AddressSpace,
    aggregate: Aggregate,
}

/// The groups of a measurement, by their id.
pub(crate) fn groups(measured: &Measured, by: GroupBy) -> Vec<Group> {
    let survey = &measured.survey;
    let mut gathered: BTreeMap<String, Gathering> = BTreeMap::new();
    for (surveyed, scores) in survey.ases.iter().zip(&measured.scores) {
        for id in by.groups_of(surveyed) {
            let gathering = gathered.entry(id).or_insert_with(|| Gathering::new(&survey.profile));
            gathering.take(measured, surveyed, scores);
        }
    }
    gathered.into_iter().map(|(id, gathering)| gathering.group(id, by)).collect()
}

/// One group; `None` where no network is in it.
pub(crate) fn group(measured: &Measured, by: GroupBy, id: &str) -> Option<Group> {
    groups(measured, by).into_iter().find(|group| group.id == id)
}

/// Means of groups in a month that was kept, by group and score: of the networks that are in them now.
pub(crate) fn past_means(
    measured: &Measured,
    kept: &[(Asn, Scored)],
    by: GroupBy,
) -> BTreeMap<String, Vec<(String, Option<f64>)>> {
    let rules = &measured.survey.profile.scores;
    let mut means: BTreeMap<String, Vec<Mean>> = BTreeMap::new();
    for (asn, scored) in kept {
        let Some(surveyed) = measured.survey.surveyed(*asn) else { continue };
        for id in by.groups_of(surveyed) {
            let of_group = means.entry(id).or_insert_with(|| vec![Mean::default(); rules.len()]);
            for (mean, rule) in of_group.iter_mut().zip(rules) {
                if let Some(Some(score)) = scored.scores.get(&rule.id) {
                    mean.add(Score::nearest(*score), 1);
                }
            }
        }
    }
    let named = |means: Vec<Mean>| {
        let means = rules.iter().zip(means);
        let means = means.map(|(rule, mean)| (rule.id.clone(), mean.score().map(Score::fraction)));
        means.collect()
    };
    means.into_iter().map(|(id, means)| (id, named(means))).collect()
}

/// What changed since means of before.
pub(crate) fn put_trend(group: &mut Group, before: &[(String, Option<f64>)]) {
    for score in &mut group.scores {
        let before = before.iter().find(|(id, _)| *id == score.id).and_then(|(_, mean)| *mean);
        let now = score.mean.score().map(Score::fraction);
        score.trend = now.zip(before).map(|(now, before)| now - before);
    }
}

/// One network as a group of its own.
pub(crate) fn alone(measured: &Measured, asn: Asn) -> Option<Group> {
    measured.survey.surveyed(asn)?;
    let group = group_where(measured, |surveyed| surveyed.asn == asn);
    Some(Group { id: asn.to_string(), ..group })
}

/// The networks that are wanted, as one group.
pub(crate) fn group_where(measured: &Measured, wanted: impl Fn(&Surveyed) -> bool) -> Group {
    let mut gathering = Gathering::new(&measured.survey.profile);
    let rows = measured.survey.ases.iter().zip(&measured.scores);
    for (surveyed, scores) in rows.filter(|(surveyed, _)| wanted(surveyed)) {
        gathering.take(measured, surveyed, scores);
    }
    gathering.group("world".to_owned(), GroupBy::World)
}

impl Gathering {
    fn new(profile: &Profile) -> Self {
        let aggregate = Aggregate::new(profile);
        Gathering { ases: 0, space: AddressSpace::default(), aggregate }
    }

    fn take(&mut self, measured: &Measured, surveyed: &Surveyed, scores: &[Option<Score>]) {
        self.ases += 1;
        self.space.ipv4_24s += surveyed.space.ipv4_24s;
        self.space.ipv6_48s += surveyed.space.ipv6_48s;
        self.aggregate.add_scores(&measured.survey.profile, scores, surveyed.space);
    }

    fn group(self, id: String, by: GroupBy) -> Group {
        let scores = self.aggregate.summaries().iter().map(|summary| GroupScore {
            id: summary.id.clone(),
            mean: summary.mean,
            mean_by_ipv4: summary.mean_by_ipv4,
            mean_by_ipv6: summary.mean_by_ipv6,
            classes: summary.classes,
            trend: None,
        });
        let (ases, address_space) = (self.ases, self.space);
        Group { name: name(by, &id), ases, address_space, scores: scores.collect(), id }
    }
}

/// Name of a group for display.
fn name(by: GroupBy, id: &str) -> Option<String> {
    match by {
        GroupBy::World => Some("World".to_owned()),
        GroupBy::Constituency => Some("Constituency".to_owned()),
        GroupBy::Country => Country::of(id).map(|country| country.name.to_owned()),
        GroupBy::Region => region_name(id).map(str::to_owned),
        GroupBy::Registry | GroupBy::Sector => None,
    }
}
