//! What systemd is told: ready, status, alive, reloading, stopping (`sd_notify(3)`).
//!
//! Where no service manager listens (`NOTIFY_SOCKET` is not set), nothing is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// Most characters of a status line.
pub const STATUS_CHARS_MAX: usize = 256;

/// Beats of the pipeline. It beats whenever it has done something, and at least every few seconds
/// when there is nothing to do: a pipeline that hangs is told by their absence.
#[derive(Clone, Debug, Default)]
pub struct Heartbeat(Arc<AtomicU64>);

impl Heartbeat {
    /// The pipeline lives.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it beat.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The program is up: tables and facts may still come.
pub fn ready(status: &str) {
    send(&[NotifyState::Status(&one_line(status)), NotifyState::Ready]);
}

/// A line for `systemctl status`.
pub fn status(text: &str) {
    send(&[NotifyState::Status(&one_line(text))]);
}

/// The configuration is read anew; [`ready`] follows when it is.
pub fn reloading() {
    // systemd needs the time, to tell this reload from an earlier one.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the monotonic clock cannot be read"),
    }
}

/// The program ends.
pub fn stopping(status: &str) {
    send(&[NotifyState::Status(&one_line(status)), NotifyState::Stopping]);
}

/// Tells systemd that the program lives, as often as it wants to know and only while the heart
/// beats. Returns when cancelled, and at once where systemd does not ask (`WatchdogSec=`).
pub async fn watchdog(heartbeat: Heartbeat, cancel: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled().filter(|limit| !limit.is_zero()) else {
        return;
    };
    // Twice in each limit, so that one that comes late is no death.
    let step = limit / 2;
    let mut pulse = Pulse::default();
    loop {
        if pulse.is_felt(&heartbeat) {
            send(&[NotifyState::Watchdog]);
        } else {
            tracing::warn!("the pipeline has not got on for {step:?}");
        }
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(step) => {}
        }
    }
}

/// Whether the heart has beaten since it was last looked at.
#[derive(Default)]
struct Pulse {
    /// Nothing before the first look: the start itself is a sign of life.
    seen: Option<u64>,
}

impl Pulse {
    fn is_felt(&mut self, heartbeat: &Heartbeat) -> bool {
        let count = heartbeat.count();
        self.seen.replace(count) != Some(count)
    }
}

/// The protocol has one assignment a line.
fn one_line(text: &str) -> String {
    text.chars().take(STATUS_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    /// Set for the test that runs as a child of another.
    const CHILD: &str = "ROUTEWARDEN_TEST_NOTIFY_CHILD";

    /// Says everything once: run by [`systemd_is_told`] with a socket of its own, since the
    /// environment of a running program is not changed.
    #[tokio::test]
    async fn child_that_tells_everything() {
        if std::env::var_os(CHILD).is_none() {
            return;
        }
        ready("watching\nSTOPPING=1");
        status(&"é".repeat(STATUS_CHARS_MAX + 1));
        reloading();
        let cancel = CancellationToken::new();
        let task = tokio::spawn(watchdog(Heartbeat::default(), cancel.clone()));
        tokio::task::yield_now().await;
        cancel.cancel();
        task.await.unwrap();
        stopping("draining");
    }

    #[test]
    fn systemd_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "notify_systemd::tests::child_that_tells_everything"])
            .env(CHILD, "1")
            .env("NOTIFY_SOCKET", &path)
            .env("WATCHDOG_USEC", "60000000")
            .env_remove("WATCHDOG_PID")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(child.success());
        let mut buffer = [0; 4_096];
        let mut next = || {
            let length = socket.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(next(), "STATUS=watching STOPPING=1\nREADY=1\n");
        assert_eq!(next(), format!("STATUS={}\n", "é".repeat(STATUS_CHARS_MAX)));
        let reloading = next();
        let usec = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(usec.trim_end().parse::<u64>().unwrap() > 0, "{reloading}");
        assert_eq!(next(), "WATCHDOG=1\n");
        assert_eq!(next(), "STATUS=draining\nSTOPPING=1\n");
    }

    #[test]
    fn a_heart_that_stands_still_is_not_told_alive() {
        let (heartbeat, mut pulse) = (Heartbeat::default(), Pulse::default());
        assert!(pulse.is_felt(&heartbeat), "the start");
        assert!(!pulse.is_felt(&heartbeat) && !pulse.is_felt(&heartbeat));
        heartbeat.clone().beat();
        assert!(pulse.is_felt(&heartbeat), "it beats again");
        assert!(!pulse.is_felt(&heartbeat));
    }
}
