//! The monitor of ROAs: what changed between two runs of a validator.

use std::collections::{BTreeMap, BTreeSet};

use routewarden_core::{Asn, Prefix, Timestamp};

use super::{AlertId, Bgpalerter, Monitor};
use crate::{Alarm, AlarmKind, Roa};

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoaAlert {
    /// A payload of a watched AS or prefix came.
    Added(Prefix, Asn),
    /// One went.
    Removed(Prefix, Asn),
    /// One expires within two hours.
    Expiring(Prefix, Asn),
    /// So many percent of a trust anchor's payloads went.
    TrustAnchorLost(String, usize),
    /// So many percent of a trust anchor's payloads expire within two hours.
    TrustAnchorExpiring(String, usize),
}

/// More than this of a trust anchor gone or expiring is a fault of the trust anchor.
const TRUST_ANCHOR_PERCENT_MAX: usize = 20;
/// How long before it expires a payload is told of.
const EXPIRING_SECS: i64 = 7_200;

/// How often it looks for changes.
const EVERY_SECS: i64 = 600;
/// How often it looks at the trust anchors.
const TRUST_ANCHOR_EVERY_SECS: i64 = 900;

/// Made-up cases hold a few payloads where a trust anchor has thousands: of fewer than this before
/// and after together no share is told.
const TRUST_ANCHOR_ROAS_MIN: usize = 20;

impl Bgpalerter {
    /// Compares with the payloads before; the alerts come with the next look. The first time only
    /// what expires is told of.
    pub(super) fn watch_roas(&mut self, time: Timestamp, roas: &[Roa]) {
        let before = self.roas.replace(roas.to_vec());
        let before = before.as_deref().unwrap_or(roas);
        let watched: Vec<Asn> = self.config.monitored.keys().copied().collect();
        for alert in compare(before, roas, time, &watched) {
            let of_anchor = |ta: &String| {
                let mut all = before.iter().chain(roas).filter(|roa| roa.ta == *ta);
                let one = all.next()?;
                all.nth(TRUST_ANCHOR_ROAS_MIN - 2)?;
                let detail = format!("trust-anchor-{ta}");
                Some((AlarmKind::TrustAnchorLoss, one.prefix, None, detail))
            };
            let of_roa = |prefix: &Prefix, asn: &Asn, what: &str| {
                Some((AlarmKind::RoaChange, *prefix, Some(*asn), what.to_owned()))
            };
            let about = match &alert {
                RoaAlert::Added(prefix, asn) => of_roa(prefix, asn, "added"),
                RoaAlert::Removed(prefix, asn) => of_roa(prefix, asn, "removed"),
                RoaAlert::Expiring(prefix, asn) => of_roa(prefix, asn, "expiring"),
                RoaAlert::TrustAnchorLost(ta, _) | RoaAlert::TrustAnchorExpiring(ta, _) => {
                    of_anchor(ta)
                }
            };
            let Some((kind, prefix, victim, detail)) = about else { continue };
            let every = match kind {
                AlarmKind::TrustAnchorLoss => TRUST_ANCHOR_EVERY_SECS,
                _ => EVERY_SECS,
            };
            let time = time.plus_secs(-time.secs().rem_euclid(every) + every);
            let alarm = Alarm { time, kind, prefix, culprit: None, victim };
            let asns = victim.into_iter().collect();
            let id = AlertId {
                monitor: Monitor::Roas,
                asns,
                prefix: Some(prefix),
                detail: Some(detail),
            };
            self.alerts.push((id, alarm));
        }
    }
}

/// Compares two runs, sorted. As in the original with its default `checkOnlyASns`, only payloads
/// that name a watched AS count: a foreign AS authorised for a watched prefix is not told of.
pub fn compare(before: &[Roa], after: &[Roa], now: Timestamp, watched: &[Asn]) -> Vec<RoaAlert> {
    type Key<'a> = (&'a str, Prefix, Asn, u8);
    fn keys(roas: &[Roa]) -> BTreeSet<Key<'_>> {
        roas.iter().map(|roa| (roa.ta.as_str(), roa.prefix, roa.asn, roa.max_len)).collect()
    }
    let (was, is) = (keys(before), keys(after));
    let ours = |key: &&Key<'_>| watched.contains(&key.2);
    let mut alerts: Vec<RoaAlert> = Vec::new();
    alerts.extend(is.difference(&was).filter(ours).map(|key| RoaAlert::Added(key.1, key.2)));
    alerts.extend(was.difference(&is).filter(ours).map(|key| RoaAlert::Removed(key.1, key.2)));
    let expires = |roa: &&Roa| {
        roa.expires.is_some_and(|at| (0..=EXPIRING_SECS).contains(&at.secs_since(now)))
    };
    let expiring: Vec<&Roa> = after.iter().filter(expires).collect();
    let own = expiring.iter().filter(|roa| watched.contains(&roa.asn));
    alerts.extend(own.map(|roa| RoaAlert::Expiring(roa.prefix, roa.asn)));
    let gone = was.difference(&is).map(|key| key.0);
    for (ta, percent) in over(gone, was.iter().map(|key| key.0)) {
        alerts.push(RoaAlert::TrustAnchorLost(ta, percent));
    }
    let expiring = expiring.iter().map(|roa| roa.ta.as_str());
    for (ta, percent) in over(expiring, after.iter().map(|roa| roa.ta.as_str())) {
        alerts.push(RoaAlert::TrustAnchorExpiring(ta, percent));
    }
    alerts.sort();
    alerts
}

/// Trust anchors of which more than the limit is among `part`, with how many percent.
fn over<'a>(
    part: impl Iterator<Item = &'a str>,
    whole: impl Iterator<Item = &'a str>,
) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    part.for_each(|ta| counts.entry(ta).or_default().0 += 1);
    whole.for_each(|ta| counts.entry(ta).or_default().1 += 1);
    counts
        .into_iter()
        .filter(|(_, (part, whole))| part * 100 > whole * TRUST_ANCHOR_PERCENT_MAX)
        .map(|(ta, (part, whole))| (ta.to_owned(), part * 100 / whole.max(1)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roa(prefix: &str, asn: u32, expires: Option<u32>) -> Roa {
        Roa {
            ta: "ripe".to_owned(),
            prefix: prefix.parse().unwrap(),
            asn: Asn(asn),
            max_len: 24,
            expires: expires.map(Timestamp::from_secs),
        }
    }

    /// The shape of the original's own test: of five payloads three go, one of the two left
    /// expires. Its data are not in the vectors.
    #[test]
    fn three_of_five_removed_and_one_of_two_expiring() {
        let names = ["192.0.2.0/26", "192.0.2.64/26", "192.0.2.128/26", "192.0.2.192/26"];
        let mut before: Vec<Roa> = names.iter().map(|name| roa(name, 2914, None)).collect();
        before.push(roa("198.51.100.0/24", 64500, None));
        let after = [roa("192.0.2.0/26", 2914, Some(1_000)), roa("198.51.100.0/24", 64500, None)];
        let alerts = compare(&before, &after, Timestamp::from_secs(500), &[Asn(2914)]);
        let p = |text: &str| text.parse().unwrap();
        let expected = [
            RoaAlert::Removed(p(names[1]), Asn(2914)),
            RoaAlert::Removed(p(names[2]), Asn(2914)),
            RoaAlert::Removed(p(names[3]), Asn(2914)),
            RoaAlert::Expiring(p(names[0]), Asn(2914)),
            RoaAlert::TrustAnchorLost("ripe".to_owned(), 60),
            RoaAlert::TrustAnchorExpiring("ripe".to_owned(), 50),
        ];
        assert_eq!(alerts, expected);
    }

    #[test]
    fn a_foreign_as_authorised_for_our_prefix_is_not_told_of() {
        let before = [roa("192.0.2.0/24", 2914, None)];
        let after = [roa("192.0.2.0/24", 2914, None), roa("192.0.2.0/24", 64510, None)];
        let alerts = compare(&before, &after, Timestamp::from_secs(500), &[Asn(2914)]);
        assert_eq!(alerts, []);
        let alerts = compare(&before, &after, Timestamp::from_secs(500), &[Asn(64510)]);
        assert_eq!(alerts, [RoaAlert::Added("192.0.2.0/24".parse().unwrap(), Asn(64510))]);
    }
}
