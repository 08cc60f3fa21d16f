//! Participants of a programme for routing security, as MANRS.

use serde::Serialize;

use crate::{Asn, Timestamp};

/// One AS of a participant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Participant {
    /// The AS.
    pub asn: Asn,
    /// Programme, as `net-ops` or `ixp`; empty when not said.
    pub programme: Box<str>,
    /// Name of the participant; empty when not said.
    pub name: Box<str>,
    /// Since when, if that is said.
    pub since: Option<Timestamp>,
}

/// Participants by ASN.
#[derive(Clone, Debug, Default)]
pub struct ParticipantTable {
    participants: Vec<Participant>,
}

impl ParticipantTable {
    /// Builds the table from entries in any order; equal ones are kept once.
    pub fn from_entries(mut participants: Vec<Participant>) -> Self {
        participants.sort_unstable();
        participants.dedup();
        ParticipantTable { participants }
    }

    /// Entries of an AS: one for each programme it takes part in.
    pub fn of(&self, asn: Asn) -> &[Participant] {
        let start = self.participants.partition_point(|held| held.asn < asn);
        let end = self.participants.partition_point(|held| held.asn <= asn);
        self.participants.get(start..end).unwrap_or_default()
    }

    /// All entries by ASN.
    pub fn iter(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.participants.len()
    }

    /// Whether no entry is held.
    pub fn is_empty(&self) -> bool {
        self.participants.is_empty()
    }
}
