//! One stream: a session after the other, an even rate, markers and faults.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use routewarden_core::{Asn, Timestamp};

use super::clock;
use super::fault::{Fault, FaultKind};
use super::marker::{Marker, Markers, VICTIMS, victims_announcement};
use super::pacer::{Pacer, SLOT};
use super::recording::{Recording, Updates};
use super::sent::{Protocol, Sent};
use super::session::{Outgoing, Session};
use super::table::table;

/// Peers of a stream that announce victims and markers.
const MARKING_PEERS: usize = 3;
/// Updates put between two looks at the session.
const PUT_AT_ONCE_MAX: u64 = 20_000;
const CONNECT_AGAIN_AFTER: Duration = Duration::from_millis(50);
const GARBAGE_OCTETS: usize = 512;
const LORIS_EVERY: Duration = Duration::from_secs(1);

/// What all streams share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) recording: Arc<Recording>,
    pub(super) markers: Markers,
    /// After so many updates of a stream comes a marker; none if 0.
    pub(super) marker_every: u64,
    pub(super) markers_from: Duration,
    pub(super) begun: Instant,
    pub(super) duration: Duration,
    pub(super) burst: Duration,
    /// Sessions are to end.
    pub(super) is_stopped: AtomicBool,
    /// Streams that have sent all.
    pub(super) done: AtomicUsize,
}

impl Shared {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    fn elapsed(&self) -> Duration {
        Instant::now().duration_since(self.begun)
    }

    fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }
}

/// Makes a session; `None` while there is nobody to make it with.
pub(super) type Begin = Box<dyn FnMut() -> Result<Option<Session>> + Send>;

/// One stream.
pub(super) struct Stream {
    pub(super) protocol: Protocol,
    pub(super) peers: Vec<u16>,
    pub(super) updates: Updates,
    pub(super) rate: f64,
    pub(super) faults: VecDeque<Fault>,
    pub(super) begin: Begin,
    pub(super) shared: Arc<Shared>,
    /// What was sent so far, for all to see.
    pub(super) told: Arc<Mutex<Sent>>,
}

/// What a stream remembers between its sessions.
#[derive(Default)]
struct Progress {
    sent: Sent,
    position: usize,
    has_looped: bool,
    since_marker: u64,
    standing: Vec<Marker>,
    closed_until: Duration,
    is_done: bool,
}

impl Stream {
    /// Sends until the time is over, then keeps the session up until told to stop.
    pub(super) fn run(mut self) {
        let mut progress = Progress::default();
        while !self.shared.is_stopped() {
            let is_closed = self.shared.elapsed() < progress.closed_until;
            let begun = if is_closed { Ok(None) } else { (self.begin)() };
            let Ok(Some(mut session)) = begun else {
                self.tell_if_over(&mut progress);
                thread::sleep(CONNECT_AGAIN_AFTER);
                continue;
            };
            progress.sent.sessions += 1;
            let driven = self.drive(&mut session, &mut progress);
            progress.sent.octets += session.octets;
            progress.sent.waited_secs += session.waited.as_secs_f64();
            if driven.is_err() {
                progress.sent.lost_sessions += 1;
            }
            self.tell(&progress.sent);
        }
    }

    fn tell(&self, sent: &Sent) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = *sent;
    }

    fn tell_if_over(&self, progress: &mut Progress) {
        if self.shared.elapsed() >= self.shared.duration && !progress.is_done {
            progress.is_done = true;
            self.shared.done.fetch_add(1, Ordering::AcqRel);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    fn drive(&mut self, session: &mut Session, progress: &mut Progress) -> Result<()> {
        self.put_table(session, progress)?;
        let mut pacer = Pacer::new(self.rate, self.shared.burst, Instant::now());
        let before = progress.sent;
        while !self.shared.is_stopped() {
            let now = Instant::now();
            if self.shared.elapsed() >= self.shared.duration {
                self.finish(session, progress)?;
                session.tend(now)?;
                thread::sleep(SLOT);
                continue;
            }
            if let Some(fault) = self.due() {
                progress.sent.faults += 1;
                self.fail(fault, session, progress)?;
            }
            let mut count = pacer.take(now);
            while count > 0 {
                let part = count.min(PUT_AT_ONCE_MAX);
                self.put_next(part, session, progress)?;
                session.tend(now)?;
                count -= part;
            }
            self.follow_markers(session, progress)?;
            session.tend(now)?;
            progress.sent.given_up = before.given_up + pacer.given_up();
            self.tell(&Sent {
                octets: progress.sent.octets + session.octets,
                waited_secs: progress.sent.waited_secs + session.waited.as_secs_f64(),
                ..progress.sent
            });
            thread::sleep(pacer.until_next_slot(Instant::now()));
        }
        Ok(())
    }

    fn due(&mut self) -> Option<Fault> {
        let elapsed = self.shared.elapsed();
        self.faults.pop_front_if(|fault| fault.at <= elapsed)
    }

    /// Victims, what stands of the recording, standing markers.
    fn put_table(&self, session: &mut Session, progress: &mut Progress) -> Result<()> {
        let now = clock::now();
        for (peer, asn) in self.marking_peers() {
            for victim in 0..VICTIMS {
                put_made(&victims_announcement(victim, asn)?, peer, session, progress)?;
            }
        }
        let recording = Arc::clone(&self.shared.recording);
        let standing = table(&recording, &self.updates, progress.position, progress.has_looped)?;
        for update in &standing {
            let outgoing = Outgoing { peer: update.peer, number: None, message: &update.message };
            session.put(&outgoing, now)?;
            progress.sent.updates += 1;
            progress.sent.of_tables += 1;
            progress.sent.announced += u64::from(update.announced);
        }
        for marker in progress.standing.clone() {
            for (peer, asn) in self.marking_peers() {
                put_made(&marker.announcement(asn)?, peer, session, progress)?;
            }
        }
        for &peer in &self.peers {
            session.put_end_of_table(peer, now)?;
        }
        session.flush()
    }

    fn marking_peers(&self) -> Vec<(u16, Asn)> {
        let peers = self.shared.recording.peers();
        let asn = |&peer: &u16| Some((peer, peers.get(usize::from(peer))?.asn));
        self.peers.iter().filter_map(asn).take(MARKING_PEERS).collect()
    }

    fn put_next(&self, count: u64, session: &mut Session, progress: &mut Progress) -> Result<()> {
        let recording = Arc::clone(&self.shared.recording);
        let now = clock::now();
        let has_markers = self.shared.elapsed() >= self.shared.markers_from;
        for _ in 0..count {
            let Some(&number) = self.updates.get(progress.position) else { return Ok(()) };
            let update = recording.update(number).context("no such update")?;
            let outgoing =
                Outgoing { peer: update.peer, number: Some(number), message: update.message };
            session.put(&outgoing, now)?;
            progress.sent.updates += 1;
            progress.sent.announced += u64::from(update.announced);
            progress.sent.withdrawn += u64::from(update.withdrawn);
            progress.position += 1;
            if progress.position == self.updates.len() {
                (progress.position, progress.has_looped) = (0, true);
            }
            progress.since_marker += u64::from(has_markers);
            if has_markers && progress.since_marker == self.shared.marker_every {
                progress.since_marker = 0;
                self.put_marker(session, progress)?;
            }
        }
        Ok(())
    }

    fn put_marker(&self, session: &mut Session, progress: &mut Progress) -> Result<()> {
        // What is before it in the buffer goes first, so that its time is that of its writing.
        session.flush()?;
        let now = clock::now();
        let Some(marker) = self.shared.markers.next(self.protocol, now) else { return Ok(()) };
        for (peer, asn) in self.marking_peers() {
            put_made(&marker.announcement(asn)?, peer, session, progress)?;
        }
        progress.sent.markers += 1;
        progress.standing.push(marker);
        session.flush()
    }

    /// A BGP neighbour has one peer, and what one peer AS alone says may be too little to report:
    /// each neighbour also sends the markers of the others.
    fn follow_markers(&self, session: &mut Session, progress: &mut Progress) -> Result<()> {
        if self.protocol != Protocol::Bgp {
            return Ok(());
        }
        for marker in self.shared.markers.of(self.protocol) {
            if progress.standing.contains(&marker) {
                continue;
            }
            for (peer, asn) in self.marking_peers() {
                put_made(&marker.announcement(asn)?, peer, session, progress)?;
            }
            progress.standing.push(marker);
        }
        Ok(())
    }

    /// Withdraws the markers, once.
    fn finish(&self, session: &mut Session, progress: &mut Progress) -> Result<()> {
        if progress.is_done {
            return Ok(());
        }
        let now = clock::now();
        for marker in std::mem::take(&mut progress.standing) {
            let message = marker.withdrawal()?;
            for (peer, _) in self.marking_peers() {
                session.put(&Outgoing { peer, number: None, message: &message }, now)?;
                progress.sent.updates += 1;
                progress.sent.withdrawn += 1;
            }
        }
        session.flush()?;
        self.tell(&Sent {
            octets: progress.sent.octets + session.octets,
            waited_secs: progress.sent.waited_secs + session.waited.as_secs_f64(),
            ..progress.sent
        });
        self.tell_if_over(progress);
        Ok(())
    }

    fn fail(&self, fault: Fault, session: &mut Session, progress: &mut Progress) -> Result<()> {
        let until = self.shared.elapsed() + fault.lasts;
        match fault.kind {
            FaultKind::Garbage => {
                let mut octets = [0; GARBAGE_OCTETS];
                fastrand::Rng::with_seed(fault.at.as_secs()).fill(&mut octets);
                session.put_raw(&octets);
            }
            FaultKind::Flap => {
                let now = clock::now();
                if !session.put_peers(false, now)? {
                    bail!("a flap is the end of such a session");
                }
                session.flush()?;
                session.put_peers(true, now)?;
                self.put_table(session, progress)?;
            }
            FaultKind::Silence => self.hold(until, session)?,
            FaultKind::Close => {
                progress.closed_until = until;
                bail!("closed as told");
            }
            FaultKind::MidFrame => {
                let frame = self.next_frame(session, progress, clock::now())?;
                session.put_raw(frame.get(..frame.len() / 2).unwrap_or_default());
                session.flush()?;
                // What keeps alive would be part of the frame.
                while self.shared.elapsed() < until && !session.is_over() {
                    thread::sleep(SLOT);
                }
                bail!("half a frame");
            }
            FaultKind::SlowLoris => {
                for octet in self.next_frame(session, progress, clock::now())? {
                    if self.shared.elapsed() >= until || session.is_over() {
                        break;
                    }
                    session.put_raw(&[octet]);
                    session.flush()?;
                    thread::sleep(LORIS_EVERY);
                }
                bail!("an octet a second");
            }
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    fn hold(&self, until: Duration, session: &mut Session) -> Result<()> {
        while self.shared.elapsed() < until && !self.shared.is_stopped() {
            session.tend(Instant::now())?;
            thread::sleep(SLOT);
        }
        Ok(())
    }

    fn next_frame(
        &self,
        session: &mut Session,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<Vec<u8>> {
        let number = *self.updates.get(progress.position).context("no update")?;
        let update = self.shared.recording.update(number).context("no such update")?;
        session.frame(&Outgoing { peer: update.peer, number: None, message: update.message }, now)
    }
}

/// An UPDATE made by us that announces one prefix.
fn put_made(
    message: &[u8],
    peer: u16,
    session: &mut Session,
    progress: &mut Progress,
) -> Result<()> {
    session.put(&Outgoing { peer, number: None, message }, clock::now())?;
    progress.sent.updates += 1;
    progress.sent.announced += 1;
    Ok(())
}
