//! Holding alarms back until enough peers show them.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use routewarden_core::{Asn, Prefix, Timestamp};

use super::{Bgpalerter, Monitor};
use crate::{ALARMS_MAX, Alarm};

/// What makes two alarms the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId {
    /// Who says it.
    pub monitor: Monitor,
    /// ASNs it names, in the order of their texts.
    pub asns: Vec<Asn>,
    /// The prefix, unless it is about two neighbours.
    pub prefix: Option<Prefix>,
    /// What tells it apart beyond that: index of the path rule, state of validation.
    pub detail: Option<String>,
}

impl fmt::Display for AlertId {
    /// As the original writes it: `208585-2a00:5884:ffff::/48`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asns = self.asns.iter().map(|asn| asn.0.to_string());
        let prefix = self.prefix.iter().map(ToString::to_string);
        let parts: Vec<String> = asns.chain(prefix).chain(self.detail.clone()).collect();
        f.write_str(&parts.join("-"))
    }
}

/// Who is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Witness {
    /// First AS of the path.
    As(Asn),
    /// Of a withdrawal, the peer's address.
    Address(IpAddr),
}

/// Something that a monitor found, before anybody else has seen it.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) id: AlertId,
    pub(super) witness: Witness,
    pub(super) alarm: Alarm,
}

/// The same found by some.
#[derive(Debug)]
pub(super) struct Group {
    since: Timestamp,
    witnesses: BTreeSet<Witness>,
    messages: usize,
}

impl Bgpalerter {
    pub(super) fn publish(&mut self, notice: Notice) {
        let Notice { id, witness, alarm } = notice;
        let now = alarm.time;
        let is_recent = |sent: &Timestamp| now.secs_since(*sent) <= self.config.interval_secs;
        if self.sent.get(&id).is_some_and(is_recent) || self.alerts.len() >= ALARMS_MAX {
            return;
        }
        let new = || Group { since: now, witnesses: BTreeSet::new(), messages: 0 };
        let group = self.groups.entry(id.clone()).or_insert_with(new);
        // The last look at the clock before this event.
        let looked = now.secs() - now.secs().rem_euclid(self.config.fade_check_secs.max(1));
        if looked - group.since.secs() > self.config.fade_off_secs {
            *group = new();
        }
        group.witnesses.insert(witness);
        group.messages += 1;
        let count = match id.monitor {
            Monitor::Misconfiguration => group.messages,
            _ => group.witnesses.len(),
        };
        if count >= self.config.quorum.of(id.monitor) {
            self.groups.remove(&id);
            self.sent.insert(id.clone(), now);
            self.alerts.push((id, alarm));
        }
    }
}
