//! What a script does: an alarm for every origin that was not there before.

use std::collections::BTreeMap;

use routewarden_core::{Asn, Prefix, PrefixMap, Timestamp};

use crate::update::Update;
use crate::{ALARMS_MAX, Alarm, AlarmKind, Rival, Roa, StartingTable};

/// Alarms on any new origin of a known prefix, or of a more-specific of one, seen by one peer.
/// It has no memory beyond that: no peers, no RPKI, no neighbours. A prefix that nothing covers is
/// learned with its first origin.
#[derive(Debug, Default)]
pub struct Naive {
    known: PrefixMap<Vec<Asn>>,
    alarmed: BTreeMap<(Prefix, Asn), Timestamp>,
    alarms: Vec<Alarm>,
}

impl Naive {
    /// With the origins of the table.
    pub fn new(table: &StartingTable) -> Self {
        let mut naive = Naive::default();
        for (prefix, origins) in table.origins() {
            *naive.known.get_or_default(prefix) = origins.to_vec();
        }
        naive
    }
}

impl Rival for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn show(&mut self, update: &Update<'_>) {
        let Some(origin) = update.route.and_then(|route| route.as_path.origin()) else { return };
        let nearest = self.known.covering(&update.prefix).next();
        let Some((known, origins)) = nearest else {
            self.known.get_or_default(update.prefix).push(origin);
            return;
        };
        if origins.contains(&origin) || self.alarms.len() >= ALARMS_MAX {
            return;
        }
        let kind = if known == update.prefix {
            AlarmKind::OriginHijack
        } else {
            AlarmKind::SubPrefixHijack
        };
        let alarm = Alarm {
            time: update.time,
            kind,
            prefix: update.prefix,
            culprit: Some(origin),
            victim: origins.first().copied(),
        };
        if self.alarmed.insert((update.prefix, origin), update.time).is_none() {
            self.alarms.push(alarm);
        }
    }

    /// It does not know of them.
    fn replace_roas(&mut self, _: Timestamp, _: &[Roa]) {}

    fn alarms(&self) -> Vec<Alarm> {
        self.alarms.clone()
    }
}

#[cfg(test)]
mod tests {
    use routewarden_core::{AsPathBuf, Peer, RouteAttributes};

    use super::*;

    fn said(naive: &mut Naive, prefix: &str, path: &[u32]) -> Option<(AlarmKind, Option<Asn>)> {
        let path = AsPathBuf::sequence(path.iter().copied().map(Asn));
        let peer = Peer { collector: String::new(), asn: Asn(1), addr: [192, 0, 2, 1].into() };
        let before = naive.alarms.len();
        naive.show(&Update {
            time: Timestamp::from_secs(1),
            peer: &peer,
            prefix: prefix.parse().unwrap(),
            route: Some(RouteAttributes::from_path(path.as_path())),
        });
        naive.alarms.get(before).map(|alarm| (alarm.kind, alarm.culprit))
    }

    #[test]
    fn any_new_origin_is_an_alarm_once() {
        let mut table = StartingTable::default();
        table.know_origin("192.0.2.0/24".parse().unwrap(), Asn(64500));
        let mut naive = Naive::new(&table);
        assert_eq!(said(&mut naive, "192.0.2.0/24", &[1, 64500]), None);
        assert_eq!(said(&mut naive, "192.0.2.0/25", &[1, 64500]), None);
        let hijack = Some((AlarmKind::OriginHijack, Some(Asn(64510))));
        assert_eq!(said(&mut naive, "192.0.2.0/24", &[1, 64510]), hijack);
        assert_eq!(said(&mut naive, "192.0.2.0/24", &[2, 64510]), None);
        let sub_prefix = Some((AlarmKind::SubPrefixHijack, Some(Asn(64510))));
        assert_eq!(said(&mut naive, "192.0.2.0/25", &[1, 64510]), sub_prefix);
        assert_eq!(said(&mut naive, "198.51.100.0/24", &[1, 64510]), None);
        let hijack = Some((AlarmKind::OriginHijack, Some(Asn(64500))));
        assert_eq!(said(&mut naive, "198.51.100.0/24", &[1, 64500]), hijack);
    }
}
