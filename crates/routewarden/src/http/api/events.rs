//! What the journal records, as it is recorded: server-sent events.
//!
//! One task looks at the end of the journal and tells all readers. A reader that comes back reads
//! what it missed from the store; one that is too slow is told that it missed something.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use futures_util::stream::unfold;
use routewarden_core::Timestamp;
use routewarden_store::{JournalKind, JournalRow, StoreError, StoreReader};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::Api;
use super::history::Row;
use super::item::Item;
use super::parameters::{Parameters, bad};
use super::reads::{StoreReads, busy};
use crate::http::Problem;

/// Most readers at one time; also no more than half of all connections, so that others are served.
pub const STREAMS_MAX: usize = 512;
/// Rows that may wait for a reader; one that is slower misses some.
pub const STREAM_WAITING_MAX: usize = 256;
/// Most rows that a reader which comes back is told.
pub const CAUGHT_UP_MAX: i64 = 1_000;

/// How often the end of the journal is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Rows read at once: each may have some MiB.
const ROWS_AT_ONCE: usize = 20;
/// A stream that says nothing says so.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Tells proxies not to hold it back.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// What a row of the journal tells.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Told {
    /// Number of the row.
    seq: i64,
    /// Kind of the row, as `incident_opened`.
    what: String,
    /// What it is about: id of an incident, name of a feed or of facts, `service`, `store`.
    subject: String,
    /// Event time.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// When it was recorded, by the wall clock.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// The incident, of a row that has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<Item>,
}

/// A row as it is sent.
struct Line {
    seq: i64,
    event: &'static str,
    data: String,
}

impl Line {
    fn of(row: &JournalRow) -> Result<Self, StoreError> {
        let incident = match Row::of(row)? {
            Some(Row::Version(_, stored)) => Some(Item::listed(&stored, row.recorded_at)),
            _ => None,
        };
        let told = Told {
            seq: row.seq,
            what: row.kind.clone(),
            subject: row.subject.clone(),
            at: row.at,
            recorded_at: row.recorded_at,
            incident,
        };
        let data = serde_json::to_string(&told).map_err(StoreError::Json)?;
        Ok(Line { seq: row.seq, event: event_of(&row.kind), data })
    }

    fn event(&self) -> Event {
        Event::default().id(self.seq.to_string()).event(self.event).data(&self.data)
    }
}

/// Name of the event of a row.
fn event_of(kind: &str) -> &'static str {
    use JournalKind as Kind;
    match JournalKind::from_name(kind) {
        Some(
            Kind::IncidentOpened
            | Kind::IncidentUpdated
            | Kind::IncidentEnded
            | Kind::IncidentReopened
            | Kind::VerdictGiven
            | Kind::VerdictWithdrawn,
        ) => "incident",
        Some(Kind::ReportSent) => "report",
        Some(Kind::FeedState | Kind::GapOpened | Kind::GapClosed | Kind::GapFilled) => "feed",
        Some(Kind::FactsApplied) => "facts",
        _ => "service",
    }
}

/// Lines after a row, and whether there are more.
fn lines(reader: &StoreReader, after: i64) -> Result<(Vec<Arc<Line>>, bool), StoreError> {
    let rows = reader.journal(after.saturating_add(1), ROWS_AT_ONCE)?;
    let is_more = rows.len() == ROWS_AT_ONCE;
    let lines = rows.iter().map(|row| Line::of(row).map(Arc::new)).collect::<Result<_, _>>()?;
    Ok((lines, is_more))
}

/// All readers.
pub(super) struct Streams {
    lines: broadcast::Sender<Arc<Line>>,
    slots: Arc<Semaphore>,
    cancel: CancellationToken,
}

impl Streams {
    pub(super) fn new(connections_max: u32, cancel: CancellationToken) -> Self {
        let half = usize::try_from(connections_max / 2).unwrap_or(STREAMS_MAX);
        Streams {
            lines: broadcast::Sender::new(STREAM_WAITING_MAX),
            slots: Arc::new(Semaphore::new(half.clamp(1, STREAMS_MAX))),
            cancel,
        }
    }

    /// Tells all readers what is recorded from now on, until it is cancelled.
    pub(super) async fn follow(&self, reads: &Arc<StoreReads>) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            tokio::select! {
                () = self.cancel.cancelled() => return,
                _ = look.tick() => {}
            }
            // Without a store, or while others read: at the next look.
            if let Ok(seq) = self.tell(reads, told).await {
                told = Some(seq);
            }
        }
    }

    /// Tells what was recorded after the row that was told last; gives the row told now.
    async fn tell(&self, reads: &Arc<StoreReads>, told: Option<i64>) -> Result<i64, Problem> {
        let last = reads.read(StoreReader::last_seq).await?;
        // Nobody listens, or the first look: what was recorded before is in the lists.
        let Some(mut told) = told.filter(|_| self.lines.receiver_count() > 0) else {
            return Ok(last);
        };
        while told < last {
            let (lines, is_more) = reads.read(move |reader| lines(reader, told)).await?;
            for line in lines {
                told = line.seq;
                // Without a reader it is not wanted.
                drop(self.lines.send(line));
            }
            if !is_more {
                break;
            }
        }
        Ok(told.max(last))
    }
}

/// One reader.
struct Reader {
    waiting: VecDeque<Arc<Line>>,
    /// How many rows it missed, to be told first.
    missed: u64,
    lines: broadcast::Receiver<Arc<Line>>,
    /// The row that it was told last.
    told: i64,
    cancel: CancellationToken,
    _slot: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            let missed = std::mem::take(&mut self.missed);
            if missed > 0 {
                let data = format!("{{\"what\":\"missed\",\"rows\":{missed}}}");
                return Some((Ok(Event::default().event("missed").data(data)), self));
            }
            if let Some(line) = self.waiting.pop_front() {
                self.told = line.seq;
                return Some((Ok(line.event()), self));
            }
            let received = tokio::select! {
                () = self.cancel.cancelled() => return None,
                received = self.lines.recv() => received,
            };
            match received {
                Ok(line) if line.seq > self.told => self.waiting.push_back(line),
                Ok(_) => {}
                Err(RecvError::Lagged(rows)) => self.missed = rows,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, Self::next)
    }
}

/// What is recorded, as it is recorded
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "streamEvents",
    params(("Last-Event-ID" = Option<i64>, Header, description = "The last row that was told", minimum = 0)),
    responses((status = 200, description = "Server-sent events; data is a Told", body = String, content_type = "text/event-stream"))
)]
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    let after = last_event_id(&headers)?;
    let slot = Arc::clone(&api.streams.slots).try_acquire_owned();
    let slot = slot.map_err(|_| busy("too_many_streams", "too many readers of events"))?;
    // Before the store is read, so that nothing is between.
    let lines = api.streams.lines.subscribe();
    let (waiting, missed) = match after {
        Some(after) => caught_up(&api.reads, after).await?,
        None => (VecDeque::new(), 0),
    };
    let cancel = api.streams.cancel.clone();
    let told = waiting.back().map_or(0, |line| line.seq);
    let reader = Reader { waiting, missed, lines, told, cancel, _slot: slot };
    let sse = Sse::new(reader.stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([UNBUFFERED], sse).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(&LAST_EVENT_ID) else { return Ok(None) };
    let seq = value.to_str().ok().and_then(|text| text.parse().ok());
    let seq = seq.filter(|seq: &i64| *seq >= 0);
    seq.map(Some).ok_or_else(|| bad("Last-Event-ID", "expected the id of an event"))
}

/// What was recorded since a row; or how much it was, when that is too much or cannot be told.
async fn caught_up(
    reads: &Arc<StoreReads>,
    after: i64,
) -> Result<(VecDeque<Arc<Line>>, u64), Problem> {
    let last = reads.read(StoreReader::last_seq).await?;
    if !(0..=CAUGHT_UP_MAX).contains(&(last - after)) {
        return Ok((VecDeque::new(), last.abs_diff(after)));
    }
    let (mut waiting, mut after) = (VecDeque::new(), after);
    loop {
        let (found, is_more) = reads.read(move |reader| lines(reader, after)).await?;
        after = found.last().map_or(after, |line| line.seq);
        waiting.extend(found);
        if !is_more {
            return Ok((waiting, 0));
        }
    }
}
