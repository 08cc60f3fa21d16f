//! What is known of one feed: of a collector, or of one of its peers.

use routewarden_core::Timestamp;

use super::histogram::Histogram;
use super::{
    FeedState, LAG_LEAST, LEARN, LEARN_GAPS, LEARN_LEAST, Reason, SILENT_LEAST,
    TOLERANCE_COLLECTOR, TOLERANCE_PEER,
};

/// Slots of the minute over which the seen rate is counted.
const SLOTS: usize = 6;
/// Microseconds of a slot.
pub(super) const SLOT_MICROS: i64 = 10_000_000;
const MICROS_PER_SEC: i64 = 1_000_000;
/// Lags kept; their median is told.
const LAGS: usize = 8;
/// The part of the time in which the time since the last message is shorter than the usual gap.
const USUAL_GAP_PART: f32 = 0.99;

/// The present, as the monitor counts it: microseconds that never go back, and the weight of what
/// is learnt now.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Present {
    pub(super) micros: i64,
    pub(super) weight: f32,
}

impl Present {
    fn slot(self) -> i64 {
        self.micros.div_euclid(SLOT_MICROS)
    }
}

/// Whether a collector or a peer is spoken of: a collector has many that speak, and is bound to
/// speak more regularly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Collector,
    Peer,
}

#[derive(Clone, Debug)]
pub(super) struct Feed {
    level: Level,
    first: i64,
    pub(super) heard: i64,
    pub(super) state: FeedState,
    pub(super) reason: Reason,
    pub(super) since: i64,
    /// Told to be down; heard of nothing since.
    pub(super) down: Option<Reason>,
    slot: i64,
    slots: [u32; SLOTS],
    rates: Histogram,
    gaps: Histogram,
    lags: [u32; LAGS],
    lags_held: usize,
    usual_lags: Histogram,
    /// Since when lags are learnt.
    lags_since: i64,
}

impl Feed {
    pub(super) fn new(level: Level, now: Present) -> Self {
        Feed {
            level,
            first: now.micros,
            heard: now.micros,
            state: FeedState::Unknown,
            reason: Reason::Learning,
            since: now.micros,
            down: None,
            slot: now.slot(),
            slots: [0; SLOTS],
            rates: Histogram::default(),
            gaps: Histogram::default(),
            lags: [0; LAGS],
            lags_held: 0,
            usual_lags: Histogram::default(),
            lags_since: now.micros,
        }
    }

    /// So many events were heard, that late.
    pub(super) fn hear(&mut self, events: u32, lag: Option<u32>, now: Present) {
        if self.heard < now.micros {
            self.learn_gap(now);
            self.heard = now.micros;
        }
        self.down = None;
        self.roll(now);
        if let Some(slot) = self.slots.get_mut(slot_index(now.slot())) {
            *slot = slot.saturating_add(events);
        }
        if let Some(lag) = lag {
            if let Some(held) = self.lags.get_mut(self.lags_held % LAGS) {
                *held = lag;
            }
            // Counts on to twice its size, so that it tells both the place and whether it is full.
            self.lags_held = if self.lags_held + 1 == 2 * LAGS { LAGS } else { self.lags_held + 1 };
        }
    }

    /// A gap longer than what is borne is an outage, not a habit: it is learnt as twice the usual
    /// gap at most, and with the weight of what is borne. So one outage teaches next to nothing,
    /// and a feed that becomes slow for good is understood after a few gaps. While it was told to
    /// be down nothing is learnt.
    fn learn_gap(&mut self, now: Present) {
        if self.down.is_some() {
            return;
        }
        let gap = now.micros - self.heard;
        let borne = self.borne();
        let (gap, weight) = match self.usual_gap() {
            Some(usual) if self.is_learnt() && gap > borne => (gap.min(usual * 2), borne),
            _ => (gap, gap),
        };
        #[expect(clippy::cast_precision_loss, reason = "a weight")]
        self.gaps.push(secs(gap), now.weight * secs(weight) as f32);
    }

    /// Empties the slots that have passed.
    fn roll(&mut self, now: Present) {
        let slot = now.slot();
        let passed = usize::try_from(slot - self.slot).unwrap_or(0).min(SLOTS);
        for back in (0i64..).take(passed) {
            if let Some(count) = self.slots.get_mut(slot_index(slot - back)) {
                *count = 0;
            }
        }
        self.slot = slot;
    }

    /// Events of the last minute: the slot that runs and the five before it.
    pub(super) fn seen(&mut self, now: Present) -> u64 {
        self.roll(now);
        self.slots.iter().map(|&count| u64::from(count)).sum()
    }

    /// To be called once a minute: learns the minute's rate and lag, unless the feed is in trouble.
    pub(super) fn learn_minute(&mut self, now: Present) {
        if matches!(self.state, FeedState::Degraded | FeedState::Down) {
            return;
        }
        let seen = u32::try_from(self.seen(now)).unwrap_or(u32::MAX);
        self.rates.push(seen, now.weight);
        if let Some(lag) = self.lag_micros().filter(|_| seen > 0) {
            self.usual_lags.push(secs(lag), now.weight);
        }
    }

    /// Median of the events in a minute.
    pub(super) fn expected(&self) -> Option<f32> {
        self.rates.quantile(0.5)
    }

    pub(super) fn is_learnt(&self) -> bool {
        let heard = self.heard - self.first;
        let is_busy = || {
            let usual = self.usual_gap();
            usual.is_some_and(|usual| heard >= LEARN_LEAST.max(usual.saturating_mul(LEARN_GAPS)))
        };
        heard >= LEARN || self.level == Level::Collector && is_busy()
    }

    /// Microseconds; longer gaps are rare.
    fn usual_gap(&self) -> Option<i64> {
        let secs = self.gaps.quantile(USUAL_GAP_PART)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^26")]
        Some(secs.ceil() as i64 * MICROS_PER_SEC)
    }

    /// Microseconds of silence that are borne before the feed is degraded.
    pub(super) fn borne(&self) -> i64 {
        let times = match self.level {
            Level::Collector => TOLERANCE_COLLECTOR,
            Level::Peer => TOLERANCE_PEER,
        };
        self.usual_gap().unwrap_or(0).saturating_mul(times).max(SILENT_LEAST)
    }

    /// Median lag of the last batches, in microseconds.
    pub(super) fn lag_micros(&self) -> Option<i64> {
        let mut lags = self.lags;
        let held = lags.get_mut(..self.lags_held.min(LAGS))?;
        held.sort_unstable();
        held.get(held.len() / 2).map(|&lag| i64::from(lag) * 1_000)
    }

    fn is_lagging(&self, now: Present) -> bool {
        let usual = self.usual_lags.quantile(0.5).filter(|_| now.micros - self.lags_since >= LEARN);
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^26")]
        let usual = usual.map(|secs| secs.ceil() as i64 * MICROS_PER_SEC);
        let most = usual.map(|usual| usual.saturating_mul(TOLERANCE_COLLECTOR).max(LAG_LEAST));
        matches!((self.lag_micros(), most), (Some(lag), Some(most)) if lag > most)
    }

    /// The clock jumped: what was measured against the other clock tells nothing.
    pub(super) fn forget_lag(&mut self, now: Present) {
        self.lags_held = 0;
        self.usual_lags.clear();
        self.lags_since = now.micros;
    }

    pub(super) fn scale(&mut self, by: f32) {
        for histogram in [&mut self.rates, &mut self.gaps, &mut self.usual_lags] {
            histogram.scale(by);
        }
    }

    /// The state that the feed should have now.
    pub(super) fn judge(&self, now: Present) -> (FeedState, Reason) {
        if let Some(reason) = self.down {
            return (FeedState::Down, reason);
        }
        if !self.is_learnt() {
            return (FeedState::Unknown, Reason::Learning);
        }
        if now.micros - self.heard > self.borne() {
            return (FeedState::Degraded, Reason::Silent);
        }
        if self.level == Level::Collector && self.is_lagging(now) {
            return (FeedState::Degraded, Reason::Lagging);
        }
        (FeedState::Ok, Reason::Speaks)
    }

    /// Enters a state; gives the one before when it is another.
    pub(super) fn enter(
        &mut self,
        (state, reason): (FeedState, Reason),
        now: Present,
    ) -> Option<FeedState> {
        let before = self.state;
        self.reason = reason;
        if before == state {
            return None;
        }
        (self.state, self.since) = (state, now.micros);
        Some(before)
    }
}

fn slot_index(slot: i64) -> usize {
    usize::try_from(slot).unwrap_or(0) % SLOTS
}

/// Whole seconds of microseconds.
fn secs(micros: i64) -> u32 {
    u32::try_from(micros.div_euclid(MICROS_PER_SEC).max(0)).unwrap_or(u32::MAX)
}

/// Milliseconds between the two, none below zero: a clock ahead of ours is not early data.
pub(super) fn lag_millis(event_time: Timestamp, received: Timestamp) -> u32 {
    let micros = received.micros().saturating_sub(event_time.micros());
    u32::try_from((micros / 1_000).max(0)).unwrap_or(u32::MAX)
}
