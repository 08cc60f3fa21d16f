//! Faults that a stream can do.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::sent::Protocol;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Half a message, then nothing; at last the session is closed.
    MidFrame,
    /// Octets that are no message.
    Garbage,
    /// A message, one octet a second; at last the session is closed.
    SlowLoris,
    /// All peers go down and come up again, with their full tables.
    Flap,
    /// Nothing is sent, but for keepalives.
    Silence,
    /// The session is closed, and none is made.
    Close,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [FaultKind; 6] = [
        FaultKind::MidFrame,
        FaultKind::Garbage,
        FaultKind::SlowLoris,
        FaultKind::Flap,
        FaultKind::Silence,
        FaultKind::Close,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::MidFrame => "mid_frame",
            FaultKind::Garbage => "garbage",
            FaultKind::SlowLoris => "slow_loris",
            FaultKind::Flap => "flap",
            FaultKind::Silence => "silence",
            FaultKind::Close => "close",
        }
    }
}

/// A fault of the first stream of a protocol: `bmp:slow_loris@30+20` begins 30 seconds after the
/// start and lasts 20.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which protocol.
    pub protocol: Protocol,
    /// What.
    pub kind: FaultKind,
    /// After the start.
    pub at: Duration,
    /// How long.
    pub lasts: Duration,
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = || {
            let (protocol, rest) = text.split_once(':')?;
            let (kind, rest) = rest.split_once('@')?;
            let (at, lasts) = rest.split_once('+').unwrap_or((rest, "0"));
            Some((protocol, kind, at, lasts))
        };
        let (protocol, kind, at, lasts) = parts().context("not PROTOCOL:KIND@SECONDS+SECONDS")?;
        let Some(protocol) = Protocol::ALL.into_iter().find(|known| known.name() == protocol)
        else {
            bail!("unknown protocol {protocol}")
        };
        let Some(kind) = FaultKind::ALL.into_iter().find(|known| known.name() == kind) else {
            bail!("unknown fault {kind}")
        };
        let secs = |text: &str| Ok::<_, anyhow::Error>(Duration::from_secs(text.parse()?));
        Ok(Fault { protocol, kind, at: secs(at)?, lasts: secs(lasts)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_text() {
        let fault: Fault = "bmp:slow_loris@30+20".parse().unwrap();
        let (at, lasts) = (Duration::from_secs(30), Duration::from_secs(20));
        assert_eq!(fault, Fault { protocol: Protocol::Bmp, kind: FaultKind::SlowLoris, at, lasts });
        for wrong in ["bmp", "bmp:flap", "x:flap@1", "bmp:x@1", "bmp:flap@x"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }
}
