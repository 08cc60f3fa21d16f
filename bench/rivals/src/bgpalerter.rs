//! BGPalerter (nttgin): eight monitors of the operator's prefixes and ASes, each alarm held back
//! until enough peers show it.
//!
//! Written from the description of its rules; no program text of the original is used. Kept
//! defects of the original that change alarms: a route valid by RPKI is never a hijack, validation
//! looks at new announcements only, the visibility monitor counts withdrawals without knowing how
//! many peers had the route, and `minLength` of a path rule has no effect. Not kept: its caps of 10
//! ASNs and 10,000 prefixes, and of messages a second, without which it could not be run here.

mod config;
mod group;
mod monitors;
pub mod roas;

use std::collections::HashMap;

use routewarden_core::facts::VrpTable;
use routewarden_core::{Asn, Prefix, Timestamp};

pub use config::{Config, LengthRule, Monitor, MonitoredAs, PathRule, Quorum, Rule};
pub use group::AlertId;

use group::Group;

use crate::roa::vrp_table;
use crate::update::Update;
use crate::{Alarm, Rival, Roa, StartingTable};

/// With fewer peers than this, one is a sizeable share of them.
pub const PEERS_FEW: usize = 8;

/// The monitors with their configuration and what they hold back.
#[derive(Debug, Default)]
pub struct Bgpalerter {
    config: Config,
    vrps: Option<VrpTable>,
    groups: HashMap<AlertId, Group>,
    sent: HashMap<AlertId, Timestamp>,
    /// When a route was last seen valid.
    valid: HashMap<(Prefix, Asn), Timestamp>,
    alerts: Vec<(AlertId, Alarm)>,
    /// Payloads of the last look; `None` before the first.
    roas: Option<Vec<Roa>>,
}

impl Bgpalerter {
    /// With this configuration. Without VRPs nothing is validated.
    pub fn new(config: Config, vrps: Option<VrpTable>) -> Self {
        Bgpalerter { config, vrps, ..Bgpalerter::default() }
    }

    /// Configured as its generator does, for every prefix of the table: its origins, more-specifics
    /// not ignored; and for every AS that originates one: the upstreams and downstreams seen, if any.
    /// Quorums and times are its defaults, made for the hundreds of peers of RIS, with two
    /// exceptions for small collectors: that of the visibility monitor (40) is at most half of
    /// `peers`, and with fewer than [`PEERS_FEW`] one peer is enough for every other monitor.
    pub fn from_table(table: &StartingTable, vrps: Option<VrpTable>, peers: usize) -> Self {
        let mut config = Config::default();
        for (prefix, origins) in table.origins() {
            config.rules.get_or_default(prefix).asns = origins.to_vec();
        }
        for asn in table.origin_asns() {
            let monitored = table.neighbours(asn).cloned().map(|seen| MonitoredAs {
                upstreams: seen.upstreams,
                downstreams: seen.downstreams,
            });
            config.monitored.insert(asn, monitored);
        }
        let quorum = &mut config.quorum;
        quorum.visibility = quorum.visibility.min(peers.div_ceil(2)).max(1);
        if peers < PEERS_FEW {
            (quorum.hijack, quorum.new_prefix, quorum.misconfiguration) = (1, 1, 1);
        }
        Bgpalerter::new(config, vrps)
    }

    /// The alerts sent, with their ids.
    pub fn alerts(&self) -> &[(AlertId, Alarm)] {
        &self.alerts
    }
}

impl Rival for Bgpalerter {
    fn name(&self) -> &'static str {
        "bgpalerter"
    }

    /// To all monitors.
    fn show(&mut self, update: &Update<'_>) {
        for notice in self.notices(update) {
            self.publish(notice);
        }
    }

    /// Standing routes are not looked at again.
    fn replace_roas(&mut self, time: Timestamp, roas: &[Roa]) {
        self.vrps = Some(vrp_table(roas));
        self.watch_roas(time, roas);
    }

    fn alarms(&self) -> Vec<Alarm> {
        self.alerts.iter().map(|(_, alarm)| *alarm).collect()
    }
}
