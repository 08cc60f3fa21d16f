//! What a rival says.

use routewarden_core::{Asn, Prefix, Timestamp};

/// One alarm. Most rivals raise one for each prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// Time of the event that raised it.
    pub time: Timestamp,
    /// What it says, in our words.
    pub kind: AlarmKind,
    /// The prefix it is about.
    pub prefix: Prefix,
    /// Who is said to have done it, if it says so.
    pub culprit: Option<Asn>,
    /// Whose prefix it is, if configured.
    pub victim: Option<Asn>,
}

/// What an alarm says, in the names of Routewarden's incident kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// A foreign origin of the very prefix.
    OriginHijack,
    /// A foreign origin of a more-specific.
    SubPrefixHijack,
    /// An origin of a prefix that nobody should announce.
    Squatting,
    /// The right origin behind a neighbour it does not have.
    ForgedOrigin,
    /// A path that breaks a pattern further from the origin.
    ForgedPath,
    /// A more-specific with the right origin, and nothing else to say against it.
    SamePathMoreSpecific,
    /// A route passed on although it must not be.
    RouteLeak,
    /// Invalid by route origin validation.
    RpkiInvalid,
    /// Withdrawn by many.
    PrefixOutage,
    /// A neighbour not seen before, not next to the origin of the route.
    NewNeighbour,
    /// A watched AS announces what it never did.
    UnexpectedOrigination,
    /// A ROA of a watched AS came, went, or expires soon.
    RoaChange,
    /// Too many ROAs of one trust anchor went at once.
    TrustAnchorLoss,
}

impl AlarmKind {
    /// The name of the incident kind it is held against.
    pub const fn name(self) -> &'static str {
        match self {
            AlarmKind::OriginHijack => "origin_hijack",
            AlarmKind::SubPrefixHijack => "sub_prefix_hijack",
            AlarmKind::Squatting => "squatting",
            AlarmKind::ForgedOrigin => "forged_origin",
            AlarmKind::ForgedPath => "forged_path",
            AlarmKind::SamePathMoreSpecific => "same_path_more_specific",
            AlarmKind::RouteLeak => "route_leak",
            AlarmKind::RpkiInvalid => "rpki_invalid",
            AlarmKind::PrefixOutage => "prefix_outage",
            AlarmKind::NewNeighbour => "new_neighbour",
            AlarmKind::UnexpectedOrigination => "unexpected_origination",
            AlarmKind::RoaChange => "roa_change",
            AlarmKind::TrustAnchorLoss => "trust_anchor_loss",
        }
    }
}
