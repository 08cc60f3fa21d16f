//! From where to go on.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use routewarden_core::{PeerTable, Timestamp};
use routewarden_detect as detect;
use routewarden_detect::Detector;
use routewarden_store::ServiceEvent;
use tracing::info;

use super::core::Core;
use super::engine::Settings;
use super::journal::Journal;
use super::log::LogWriter;
use super::play::{Pieces, Speed, Stock};
use super::record::Record;
use super::saved::{Resumed, Saved};
use super::tidings::Tidings;
use super::{sources, tables};
use crate::config::{Config, Period};
use crate::facts;

/// The state is saved when the log since the last one is so long.
const LOG_OCTETS_MAX: u64 = 1 << 30;
/// Looking for news may take this share of the time: one part in so many. At its utmost speed, a replay
/// waits for it, so that a pause would only delay the replay.
const REPORT_SHARE: u32 = 5;
/// In a replay, news are looked for this often at most.
const REPLAY_REPORT_EVERY_MIN: Duration = Duration::from_millis(10);
/// After a restart, files of an archive are read again from so long before the last was heard.
const ARCHIVE_OVERLAP_SECS: i64 = 3_600;

/// What to go on from.
pub(super) struct Start {
    pub(super) saved: Saved,
    pub(super) core: Core,
    pub(super) log: LogWriter,
    /// Archives are to be followed from then on.
    pub(super) from: Timestamp,
    /// Sources that were not heard while the program was away: since when.
    pub(super) gaps: Vec<(Arc<str>, Timestamp)>,
    /// Whether it goes on from a saved state.
    pub(super) is_resumed: bool,
}

/// The state to go on from: the last one and the log since; else tables; else nothing.
pub(super) fn state(config: &Config, (journal, now): (&mut Journal, Timestamp)) -> Result<Start> {
    let facts = facts::of_config(config)?;
    let (mut saved, resumed) = Saved::open(&config.data_dir.join("state"), &facts)?;
    if let Some(resumed) = resumed {
        journal.service(ServiceEvent::Recovered, now);
        journal.end_other_trails(&resumed.core.trails().numbers(), now)?;
        return go_on(config, (saved, resumed), now);
    }
    journal.service(ServiceEvent::Started, now);
    let mut detector = Detector::new(detector_config(config), facts);
    let loaded = tables::load(config, now, &mut detector)?;
    let from = loaded.as_ref().map_or(now, |loaded| loaded.from);
    let mut core = match loaded {
        Some(loaded) => Core::new(detector, loaded.peers, false),
        None => Core::new(detector, PeerTable::default(), true),
    };
    core.set_trails_after(journal.trail_position()?);
    journal.end_other_trails(&[], now)?;
    let log = saved.save(&core)?;
    Ok(Start { saved, core, log, from, gaps: Vec::new(), is_resumed: false })
}

/// The state to play from; nothing was kept before.
pub(super) fn to_play(
    config: &Config,
    stock: Stock,
    (journal, now): (&mut Journal, Timestamp),
) -> Result<(Start, Pieces)> {
    journal.service(ServiceEvent::Started, now);
    let Stock { detector, peers, has_table, begins, pieces } = stock;
    let core = Core::new(detector, peers, !has_table);
    for source in core.detector().fact_sources() {
        let digest = source.sha256.map(|digest| digest.to_string());
        let version = digest.or_else(|| source.date.map(|date| date.to_string()));
        journal.facts(&source.name, version.as_deref().unwrap_or("undated"), now);
    }
    let facts = routewarden_core::facts::Facts::default();
    let (mut saved, _nothing) = Saved::open(&config.data_dir.join("state"), &facts)?;
    let log = saved.save(&core)?;
    let start = Start { saved, core, log, from: begins, gaps: Vec::new(), is_resumed: false };
    Ok((start, pieces))
}

/// Goes on from a saved state: nobody heard what happened meanwhile.
fn go_on(config: &Config, (saved, resumed): (Saved, Resumed), now: Timestamp) -> Result<Start> {
    let Resumed { mut core, mut log, records, lost_octets } = resumed;
    info!(records, lost_octets, routes = core.detector().routes(), "resumed");
    let mut gaps = Vec::new();
    for source in sources::of(config, now) {
        let name = source.handle.name();
        if source.has_sessions() {
            let batch = core.all_down(name, now);
            if !batch.events.is_empty() {
                let record = Record::Batch { source: name.to_string(), received: now, batch };
                log.append(&record)?;
                core.tell(record);
            }
        } else if source.is_heard_once()
            && let Some(&heard) = core.heard().get(&**name)
        {
            gaps.push((Arc::clone(name), heard));
        }
    }
    let archives = config.archive.iter().map(|section| section.name.as_str());
    let heard = archives.filter_map(|name| core.heard().get(name)).min().copied();
    let from = heard.map_or(now, |heard| heard.plus_secs(-ARCHIVE_OVERLAP_SECS));
    Ok(Start { saved, core, log, from, gaps, is_resumed: true })
}

pub(super) fn detector_config(config: &Config) -> detect::Config {
    detect::Config {
        bogons: config.detect.bogons,
        quorum: config.detect.quorum.and_then(|quorum| usize::try_from(quorum).ok()),
        hygiene: config.detect.hygiene,
        ..detect::Config::default()
    }
}

impl Start {
    /// What was told of before.
    pub(super) fn tidings(
        &self,
        config: &Config,
        (journal, now): (&Journal, Timestamp),
    ) -> Result<Tidings> {
        if !self.is_resumed {
            return Ok(Tidings::default());
        }
        let since = now.plus_secs(-settings(config, None).forget_after_secs);
        Ok(Tidings::told_of(journal.told(since)?))
    }
}

/// How the engine is to work; faster when something is played faster than it was.
pub(super) fn settings(config: &Config, speed: Option<Speed>) -> Settings {
    let report_every = Duration::from_millis(u64::from(config.detect.report_every_ms));
    let report_every = match speed {
        None => report_every,
        Some(Speed::Max) => REPLAY_REPORT_EVERY_MIN,
        Some(Speed::Times(times)) => {
            report_every.div_f64(times.max(1.0)).max(REPLAY_REPORT_EVERY_MIN)
        }
    };
    let report_share = if matches!(speed, Some(Speed::Max)) { 0 } else { REPORT_SHARE };
    let secs = |period: Period| i64::try_from(period.duration().as_secs()).unwrap_or(i64::MAX);
    Settings {
        report_every,
        report_share,
        warm_up_secs: (secs(config.detect.warm_up), secs(config.detect.warm_up_max)),
        save_every: config.store.snapshot_every.duration(),
        save_after_octets: LOG_OCTETS_MAX,
        forget_after_secs: secs(config.detect.ended_kept),
        retention_days: config.store.retention_days,
    }
}
