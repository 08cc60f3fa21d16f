//! Gaps of live feeds are filled from the archives of their collectors, once those have the files.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use routewarden_core::Timestamp;
use routewarden_feeds::live::follow::{ArchiveConfig, BackFill};
use routewarden_feeds::live::{SourceContext, SourceHandle, SourceState};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::warn;

use super::core::Core;
use super::engine::Order;

/// Name of the source that fills gaps.
pub(crate) const NAME: &str = "back-fill";
/// Gaps that may wait to be filled.
const GAPS_MAX: usize = 64;
/// How long after its end a gap is filled: archives publish a file some minutes after its time.
const WAIT_SECS: i64 = 900;
/// How often a gap is tried to be filled.
const ATTEMPTS_MAX: usize = 4;
/// Times in a live feed are those of receipt: the events may be older by so much.
const MARGIN_SECS: i64 = 60;

/// A gap with the collectors that were not heard in it.
struct Gap {
    source: String,
    collectors: BTreeSet<String>,
    period: (Timestamp, Timestamp),
}

/// Asks for gaps to be filled.
pub(crate) struct BackFillAsker(Option<mpsc::Sender<Gap>>);

impl BackFillAsker {
    /// Asks for a gap of a source to be filled, where there is an archive to fill it from.
    pub(crate) fn ask(&self, source: &str, period: (Timestamp, Timestamp), core: &Core) {
        let Some(gaps) = &self.0 else { return };
        let collectors: BTreeSet<String> = core.collectors_of(source).map(str::to_owned).collect();
        let gap = Gap { source: source.to_owned(), collectors, period };
        if gaps.try_send(gap).is_err() {
            warn!(source, "too many gaps wait to be filled; this one stays");
        }
    }

    /// Whether batches of this source are those that fill gaps.
    pub(crate) fn is_source(&self, source: &str) -> bool {
        self.0.is_some() && source == NAME
    }
}

/// Nothing is filled.
pub(crate) fn none() -> BackFillAsker {
    BackFillAsker(None)
}

/// Starts filling gaps from the archives.
pub(crate) fn start(
    config: &ArchiveConfig,
    runtime: &Handle,
    context: SourceContext,
    orders: mpsc::Sender<Order>,
) -> anyhow::Result<(BackFillAsker, JoinHandle<()>)> {
    // It has no session: it is there when it is asked.
    context.status.set_state(SourceState::Up, context.clock.now());
    let fill = BackFill::new(Arc::new(config.archive()?), context.clone());
    let (gaps, mut asked) = mpsc::channel::<Gap>(GAPS_MAX);
    let task = runtime.spawn(async move {
        while let Some(gap) = asked.recv().await {
            let mut due = gap.period.1.plus_secs(WAIT_SECS);
            let mut is_whole = false;
            for _ in 0..ATTEMPTS_MAX {
                let secs = u64::try_from(due.secs_since(context.clock.now())).unwrap_or(0);
                tokio::select! {
                    () = context.cancel.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(secs)) => {}
                }
                is_whole = fill_gap(&fill, &gap, &context.status).await;
                if is_whole {
                    break;
                }
                due = due.plus_secs(WAIT_SECS);
            }
            let filled = Order::Filled { source: gap.source, gap: gap.period, is_whole };
            if orders.send(filled).await.is_err() {
                return;
            }
        }
    });
    Ok((BackFillAsker(Some(gaps)), task))
}

/// Whether all of it could be filled.
async fn fill_gap(fill: &BackFill, gap: &Gap, status: &SourceHandle) -> bool {
    let (from, until) = gap.period;
    let period = (from.plus_secs(-MARGIN_SECS), until.plus_secs(MARGIN_SECS));
    let mut is_whole = !gap.collectors.is_empty();
    for collector in &gap.collectors {
        match fill.run(collector, period).await {
            Ok(filled) => is_whole &= filled.missing.is_empty() && !filled.is_cancelled,
            Err(failure) => {
                is_whole = false;
                status.fault("back_fill", format!("{collector}: {failure}"), until);
                warn!(collector, error = %failure, "a gap cannot be filled");
            }
        }
    }
    is_whole
}
