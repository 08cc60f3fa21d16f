//! What was sent, counted exactly.

use std::ops::AddAssign;

use serde_json::{Value, json};

/// How a stream is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// RIS Live: a websocket server.
    RisLive,
    /// BMP (RFC 7854): routers that connect.
    Bmp,
    /// BGP (RFC 4271): neighbours that connect.
    Bgp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Protocol; 3] = [Protocol::RisLive, Protocol::Bmp, Protocol::Bgp];

    /// Its name, as the configuration of the program has it.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::RisLive => "ris_live",
            Protocol::Bmp => "bmp",
            Protocol::Bgp => "bgp",
        }
    }
}

/// Counts of one stream, or of several.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sent {
    /// UPDATE messages, tables included.
    pub updates: u64,
    /// Prefixes announced in them.
    pub announced: u64,
    /// Prefixes withdrawn in them.
    pub withdrawn: u64,
    /// Of the updates, those of tables at the begin of sessions.
    pub of_tables: u64,
    /// Markers announced.
    pub markers: u64,
    /// Octets written.
    pub octets: u64,
    /// Sessions that came up.
    pub sessions: u64,
    /// Sessions that the receiver ended, or that ended by a fault.
    pub lost_sessions: u64,
    /// Faults done.
    pub faults: u64,
    /// Seconds for which writing waited for the receiver.
    pub waited_secs: f64,
    /// Updates that the rate asked for and that were given up for the same reason.
    pub given_up: u64,
}

impl AddAssign for Sent {
    fn add_assign(&mut self, other: Sent) {
        self.updates += other.updates;
        self.announced += other.announced;
        self.withdrawn += other.withdrawn;
        self.of_tables += other.of_tables;
        self.markers += other.markers;
        self.octets += other.octets;
        self.sessions += other.sessions;
        self.lost_sessions += other.lost_sessions;
        self.faults += other.faults;
        self.waited_secs += other.waited_secs;
        self.given_up += other.given_up;
    }
}

impl Sent {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "updates": self.updates,
            "announced": self.announced,
            "withdrawn": self.withdrawn,
            "of_tables": self.of_tables,
            "markers": self.markers,
            "octets": self.octets,
            "sessions": self.sessions,
            "lost_sessions": self.lost_sessions,
            "faults": self.faults,
            "waited_secs": self.waited_secs,
            "given_up": self.given_up,
        })
    }
}
