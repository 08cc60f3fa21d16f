//! Looks at the table for those who ask over HTTP: between two batches, a bounded step at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use routewarden_detect::look::{Query, Walk};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::core::Core;
use crate::status::{Look, NoLook};

/// Looks that may wait for the engine.
pub(crate) const LOOKS_WAITING_MAX: usize = 16;
/// Milliseconds for which somebody waits for a look.
pub(crate) const LOOK_WAIT_MS_MAX: u64 = 5_000;
/// Milliseconds for which a survey of the whole table is waited for.
pub(crate) const SURVEY_WAIT_MS_MAX: u64 = 600_000;
/// Looks may take this share of the engine's time: one part in so many.
const LOOK_SHARE: u32 = 5;

struct Asked {
    query: Query,
    reply: oneshot::Sender<Look>,
}

/// Where looks are asked for.
#[derive(Clone)]
pub(crate) struct LookAsker {
    asked: mpsc::Sender<Asked>,
    has_begun: Arc<AtomicBool>,
    wait: Duration,
}

/// A look that has begun, and who waits for it.
type UnderWay = (Walk, oneshot::Sender<Look>);

/// Where they are taken: the engine's.
pub(crate) struct LookDesk {
    asked: mpsc::Receiver<Asked>,
    has_begun: Arc<AtomicBool>,
    under_way: Option<UnderWay>,
    /// A look at all of the table, which makes its steps when nobody else looks.
    survey: Option<UnderWay>,
    /// Before that, no further step is made.
    next_at: Instant,
}

/// Both ends.
pub(crate) fn desk() -> (LookAsker, LookDesk) {
    let (sender, asked) = mpsc::channel(LOOKS_WAITING_MAX);
    let has_begun = Arc::new(AtomicBool::new(false));
    let wait = Duration::from_millis(LOOK_WAIT_MS_MAX);
    let asker = LookAsker { asked: sender, has_begun: Arc::clone(&has_begun), wait };
    (asker, LookDesk { asked, has_begun, under_way: None, survey: None, next_at: Instant::now() })
}

impl LookAsker {
    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&self, query: Query) -> Result<Look, NoLook> {
        let wait = match query {
            Query::Prefixes { .. } | Query::Asn(_) => self.wait,
            Query::Origins { .. } | Query::Routes { .. } => {
                Duration::from_millis(SURVEY_WAIT_MS_MAX)
            }
        };
        if !self.has_begun.load(Ordering::Relaxed) {
            return Err(NoLook::Starting);
        }
        let (reply, answer) = oneshot::channel();
        self.asked.try_send(Asked { query, reply }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => NoLook::Busy,
            mpsc::error::TrySendError::Closed(_) => NoLook::Ending,
        })?;
        let answer = timeout(wait, answer).await.map_err(|_| NoLook::TooSlow)?;
        answer.map_err(|_| NoLook::Ending)
    }
}

impl LookDesk {
    /// From now on looks are taken.
    pub(crate) fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Waits until there is a step to make. Nothing is lost when it is not waited for to the end.
    pub(crate) async fn ready(&mut self) {
        while self.under_way.is_none() {
            let asked = if self.survey.is_some() {
                match self.asked.try_recv() {
                    Ok(asked) => Some(asked),
                    // The survey has a step to make.
                    Err(_) => break,
                }
            } else {
                self.asked.recv().await
            };
            match asked {
                Some(asked) => self.begin_look(asked),
                None => std::future::pending().await,
            }
        }
        sleep_until(self.next_at).await;
    }

    /// Begins a look. Of surveys there is one at a time: the one before is given up.
    fn begin_look(&mut self, Asked { query, reply }: Asked) {
        let place = match query {
            Query::Origins { .. } | Query::Routes { .. } => &mut self.survey,
            Query::Prefixes { .. } | Query::Asn(_) => &mut self.under_way,
        };
        *place = Some((Walk::new(query), reply));
    }

    /// Makes a step of the look under way, if it may; else of the survey.
    pub(crate) fn step(&mut self, core: &Core) {
        let started = Instant::now();
        if started < self.next_at {
            return;
        }
        let place = if self.under_way.is_some() { &mut self.under_way } else { &mut self.survey };
        let Some((walk, reply)) = place else { return };
        if reply.is_closed() {
            *place = None;
            return;
        }
        let answer = walk.step(core.detector());
        if let Some(answer) = answer
            && let Some((_, reply)) = place.take()
        {
            let look = Look { in_baseline: core.in_baseline(), answer };
            // Who asked may have gone meanwhile.
            let _is_gone = reply.send(look).is_err();
        }
        self.next_at = Instant::now() + started.elapsed() * (LOOK_SHARE - 1);
    }
}

#[cfg(test)]
mod tests {
    use routewarden_core::facts::Facts;
    use routewarden_core::{Asn, PeerTable};
    use routewarden_detect::look::Answer;
    use routewarden_detect::{Config, Detector};

    use super::*;

    const QUERY: Query = Query::Asn(Asn(64_496));

    fn core() -> Core {
        let mut core = Core::new(
            Detector::new(Config::default(), Facts::default()),
            PeerTable::default(),
            true,
        );
        core.keep_by_as();
        core
    }

    /// The engine's part.
    async fn serve(mut desk: LookDesk) {
        let core = core();
        loop {
            desk.ready().await;
            desk.step(&core);
        }
    }

    #[tokio::test]
    async fn a_look_is_answered_once_the_engine_has_begun() {
        let (asker, desk) = desk();
        assert_eq!(asker.ask(QUERY).await.unwrap_err(), NoLook::Starting);
        desk.begin();
        let engine = tokio::spawn(serve(desk));
        for _ in 0..3 {
            let look = asker.ask(QUERY).await.unwrap();
            assert!(look.in_baseline && matches!(look.answer, Answer::Asn(_)));
        }
        engine.abort();
        assert!(engine.await.unwrap_err().is_cancelled());
        assert_eq!(asker.ask(QUERY).await.unwrap_err(), NoLook::Ending);
    }

    #[tokio::test]
    async fn only_so_many_wait_and_not_for_ever() {
        let (mut asker, desk) = desk();
        desk.begin();
        asker.wait = Duration::from_millis(50);
        let asks = (0..LOOKS_WAITING_MAX).map(|_| asker.ask(QUERY));
        let (waited, refused) =
            tokio::join!(futures_util::future::join_all(asks), asker.ask(QUERY));
        assert_eq!(refused.unwrap_err(), NoLook::Busy);
        assert!(waited.into_iter().all(|look| look.unwrap_err() == NoLook::TooSlow));
        // Nobody waits for these any more: they take no time from who asks next.
        asker.wait = Duration::from_millis(LOOK_WAIT_MS_MAX);
        let engine = tokio::spawn(serve(desk));
        let look = loop {
            match asker.ask(QUERY).await {
                Err(NoLook::Busy) => tokio::task::yield_now().await,
                look => break look,
            }
        };
        assert!(look.is_ok());
        engine.abort();
    }
}
