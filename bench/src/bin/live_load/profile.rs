//! What is sent in each profile, and what goes wrong.

use std::time::Duration;

use clap::ValueEnum;
use routewarden_bench::load::Fault;

/// A kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// 30,000 updates a second for ten minutes.
    Steady,
    /// 300,000 updates a second for a minute.
    Burst,
    /// 6,000 updates a second, and everything that can go wrong.
    Faults,
    /// As much as a collector hears in 24 hours, at 30,000 a second.
    Soak,
}

/// Something that happens to the program, not to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The RPKI cache is started anew, with another session.
    RestartCache,
    /// No octet can be written to the data folder for so long.
    FillDisk(Duration),
    /// The program is killed (SIGKILL) and started again, so many times at random moments.
    Kill(u32),
}

impl Profile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Profile::Steady => "steady",
            Profile::Burst => "burst",
            Profile::Faults => "faults",
            Profile::Soak => "soak",
        }
    }

    /// Updates a second over all three protocols.
    pub(crate) const fn rate(self) -> f64 {
        match self {
            Profile::Steady | Profile::Soak => 30_000.0,
            Profile::Burst => 300_000.0,
            Profile::Faults => 6_000.0,
        }
    }

    /// How long it takes, for a recording of so many updates a second.
    pub(crate) fn duration(self, recorded_rate: f64) -> Duration {
        const DAY_SECS: f64 = 86_400.0;
        match self {
            Profile::Steady | Profile::Faults => Duration::from_mins(10),
            Profile::Burst => Duration::from_mins(1),
            Profile::Soak => Duration::from_secs_f64(recorded_rate * DAY_SECS / self.rate()),
        }
    }

    /// How long what ended is kept, where not as usual: of a day that passes in a quarter of an hour,
    /// incidents go as much sooner.
    pub(crate) const fn ended_kept(self) -> Option<&'static str> {
        match self {
            Profile::Soak => Some("1m"),
            Profile::Steady | Profile::Burst | Profile::Faults => None,
        }
    }

    /// What the streams do wrong. The silence is longer than what a feed may take to be degraded.
    pub(crate) fn faults(self) -> Vec<Fault> {
        if self != Profile::Faults {
            return Vec::new();
        }
        let all = [
            "bmp:flap@20",
            "bgp:flap@35",
            "ris_live:mid_frame@50+10",
            "bmp:mid_frame@70+10",
            "bmp:slow_loris@90+30",
            "bmp:garbage@125",
            "bgp:garbage@130",
            "ris_live:garbage@135",
            "bgp:close@145+5",
            "ris_live:silence@155+130",
        ];
        all.iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// What happens to the program, and when.
    pub(crate) fn acts(self) -> Vec<(Duration, Act)> {
        if self != Profile::Faults {
            return Vec::new();
        }
        vec![
            (Duration::from_secs(10), Act::RestartCache),
            (Duration::from_secs(290), Act::FillDisk(Duration::from_secs(15))),
            (Duration::from_secs(320), Act::Kill(20)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_the_profile_is_one() {
        assert_eq!(Profile::Faults.faults().len(), 10);
        assert!(Profile::Steady.faults().is_empty());
    }
}
