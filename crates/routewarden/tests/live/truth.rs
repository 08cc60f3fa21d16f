//! The incidents that the lab plays, and what is true of them.

use routewarden_core::Asn;
use routewarden_detect::IncidentKind;

use crate::daemons::stayrtr::{Roa, VICTIMS_ROA};
use crate::lab::Lab;
use crate::topology::named;

/// An incident that the lab can play.
pub(crate) struct Event {
    pub(crate) name: &'static str,
    pub(crate) kind: IncidentKind,
    pub(crate) culprit: Asn,
    /// Whom it takes from; nobody in particular for a leak.
    pub(crate) victim: Option<Asn>,
    act: Act,
    /// A route that t1b has while it lasts: prefix and AS path.
    pub(crate) sign: (&'static str, &'static str),
}

#[derive(Clone, Copy)]
enum Act {
    /// The hijacker announces this, and withdraws it.
    Announce(&'static str),
    /// The leaker tells everyone everything, and no longer.
    Leak,
}

impl Event {
    /// Begins it.
    pub(crate) fn begin(&self, lab: &Lab) {
        match self.act {
            Act::Announce(route) => lab.tell_hijacker(&format!("announce route {route}")),
            Act::Leak => lab.set_leak(true),
        }
    }

    /// Ends it.
    pub(crate) fn end(&self, lab: &Lab) {
        match self.act {
            Act::Announce(route) => lab.tell_hijacker(&format!("withdraw route {route}")),
            Act::Leak => lab.set_leak(false),
        }
    }

    /// Whether t1b has the sign of it.
    pub(crate) fn is_at_t1b(&self, lab: &Lab) -> Result<(), Vec<String>> {
        let (prefix, sign) = self.sign;
        let paths = lab.paths_at_t1b(prefix);
        if paths.iter().any(|path| path == sign) { Ok(()) } else { Err(paths) }
    }
}

/// All of them, in the order in which they are played.
pub(crate) fn events() -> [Event; 4] {
    let (hijacker, victim) = (Asn(named("att").asn), Some(Asn(named("vic").asn)));
    let hijack = |name, kind, route, sign| Event {
        name,
        kind,
        culprit: hijacker,
        victim,
        act: Act::Announce(route),
        sign,
    };
    [
        hijack(
            "origin hijack",
            IncidentKind::OriginHijack,
            "203.0.113.0/24 next-hop self",
            ("203.0.113.0/24", "64500 64503"),
        ),
        hijack(
            "sub-prefix hijack",
            IncidentKind::SubPrefixHijack,
            "203.0.113.128/25 next-hop self",
            ("203.0.113.128/25", "64500 64503"),
        ),
        hijack(
            "forged origin",
            IncidentKind::ForgedOrigin,
            "203.0.113.0/24 next-hop self as-path [ 64503 64502 ]",
            ("203.0.113.0/24", "64500 64503 64502"),
        ),
        Event {
            name: "route leak",
            kind: IncidentKind::RouteLeak,
            culprit: Asn(named("lkr").asn),
            victim: None,
            act: Act::Leak,
            sign: ("192.0.2.0/26", "64499 64504 64498 64496"),
        },
    ]
}

/// ROAs that make a route invalid that stands since the start: the leaker's own prefix becomes that
/// of m1.
pub(crate) const TURNED_ROAS: [Roa; 2] = [VICTIMS_ROA, (TURNED_PREFIX, 26, 64498)];
/// The prefix of that route.
pub(crate) const TURNED_PREFIX: &str = "192.0.2.192/26";
