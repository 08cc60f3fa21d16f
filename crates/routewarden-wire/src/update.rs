//! BGP messages (RFC 4271 §4), above all UPDATE.

use routewarden_core::AddressFamily;

use crate::attributes::{AttributeContext, Attributes, code};
use crate::cursor::Cursor;
use crate::nlri::{FamilySet, NlriField, PathIds};
use crate::{AsnWidth, Decoded, Nlri, Notification, Safi, Warning, Warnings};

/// Octets of a BGP message header (RFC 4271 §4.1).
pub(crate) const HEADER_OCTETS: usize = 19;

/// Octets of the length before the withdrawn routes (RFC 4271 §4.3).
const LENGTH_OCTETS: usize = 2;

/// What the session negotiated, as far as the octets of a message depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionContext {
    /// Octets of an ASN (RFC 6793).
    pub asn_width: AsnWidth,
    /// Whether NLRI carry path identifiers (RFC 7911).
    pub has_path_ids: bool,
}

/// How the octets of an UPDATE are to be read, family by family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateForm {
    /// Octets of an ASN (RFC 6793).
    pub asn_width: AsnWidth,
    /// Families whose NLRI carry path identifiers (RFC 7911).
    pub path_ids: FamilySet,
    /// Whether NLRI of the other families are read with path identifiers when only so they make
    /// sense ([`Warning::AddPathGuessed`]): for recorders that do not tell, not for own sessions.
    pub may_guess: bool,
    /// Whether routes count although `NEXT_HOP` is missing: some routers leave it out of what they
    /// tell of their Loc-RIB (RFC 9069).
    pub may_lack_next_hop: bool,
}

impl UpdateForm {
    /// How the NLRI of a family are read.
    #[inline]
    fn path_ids(self, (family, safi): (AddressFamily, Safi)) -> PathIds {
        match (self.path_ids.contains(family, safi), self.may_guess) {
            (true, _) => PathIds::Yes,
            (false, true) => PathIds::Guess,
            (false, false) => PathIds::No,
        }
    }
}

impl From<SessionContext> for UpdateForm {
    fn from(context: SessionContext) -> Self {
        let path_ids = if context.has_path_ids { FamilySet::ALL } else { FamilySet::NONE };
        UpdateForm {
            asn_width: context.asn_width,
            path_ids,
            may_guess: true,
            may_lack_next_hop: false,
        }
    }
}

/// A BGP message.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum BgpMessage<'a> {
    /// OPEN: its body.
    Open(&'a [u8]),
    /// UPDATE.
    Update(Update<'a>),
    /// NOTIFICATION.
    Notification(Notification<'a>),
    /// KEEPALIVE.
    Keepalive,
    /// ROUTE-REFRESH (RFC 2918): its body.
    RouteRefresh(&'a [u8]),
    /// A message type that is not known.
    Unknown {
        /// Type.
        message_type: u8,
        /// Body.
        body: &'a [u8],
    },
}

/// BGP message type numbers (RFC 4271 §4.1, RFC 2918).
pub mod message_type {
    /// OPEN.
    pub const OPEN: u8 = 1;
    /// UPDATE.
    pub const UPDATE: u8 = 2;
    /// NOTIFICATION.
    pub const NOTIFICATION: u8 = 3;
    /// KEEPALIVE.
    pub const KEEPALIVE: u8 = 4;
    /// ROUTE-REFRESH.
    pub const ROUTE_REFRESH: u8 = 5;
}

impl<'a> BgpMessage<'a> {
    /// Reads a message with its header. A message that ends before its length is read as far
    /// as it goes ([`Warning::MessageCut`]). Messages may be longer than 4,096 octets
    /// (RFC 8654). `None` when there is no whole header, or its length is below 19.
    pub fn decode(octets: &'a [u8], context: SessionContext) -> Option<Decoded<Self>> {
        let mut warnings = Warnings::NONE;
        let frame = MessageFrame::read(octets, &mut warnings)?;
        let value = if frame.message_type == message_type::UPDATE {
            let mut update = Update::unread(context.asn_width);
            update.read(frame.body, context.into(), frame.is_cut)?;
            BgpMessage::Update(update)
        } else {
            frame.decode_other()?
        };
        warnings.merge(value.warnings());
        Some(Decoded { value, warnings })
    }

    /// Faults found in the body.
    #[inline]
    pub fn warnings(&self) -> Warnings {
        match self {
            BgpMessage::Update(update) => update.warnings,
            _ => Warnings::NONE,
        }
    }
}

/// A message whose body has not been read.
#[derive(Clone, Copy)]
pub(crate) struct MessageFrame<'a> {
    pub(crate) message_type: u8,
    pub(crate) body: &'a [u8],
    /// Whether the body ends before the message's length.
    pub(crate) is_cut: bool,
}

impl<'a> MessageFrame<'a> {
    #[inline]
    pub(crate) fn read(octets: &'a [u8], warnings: &mut Warnings) -> Option<Self> {
        let mut rest = Cursor::new(octets);
        if rest.array::<16>()? != [0xff; 16] {
            warnings.insert(Warning::MarkerNotOnes);
        }
        let length = usize::from(rest.u16()?).checked_sub(HEADER_OCTETS)?;
        let message_type = rest.u8()?;
        let body = rest.take_up_to(length);
        let is_cut = body.len() < length;
        if is_cut {
            warnings.insert(Warning::MessageCut);
        }
        if rest.remaining() > 0 {
            warnings.insert(Warning::MessageTrailing);
        }
        Some(MessageFrame { message_type, body, is_cut })
    }

    /// The message, unless it is an UPDATE; `None` when it is malformed.
    pub(crate) fn decode_other(self) -> Option<BgpMessage<'a>> {
        let MessageFrame { message_type, body, .. } = self;
        Some(match message_type {
            message_type::OPEN => BgpMessage::Open(body),
            message_type::NOTIFICATION => BgpMessage::Notification(Notification::decode(body)?),
            message_type::KEEPALIVE => BgpMessage::Keepalive,
            message_type::ROUTE_REFRESH => BgpMessage::RouteRefresh(body),
            _ => BgpMessage::Unknown { message_type, body },
        })
    }
}

/// A BGP UPDATE (RFC 4271 §4.3, RFC 4760).
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    withdrawn: NlriField<'a>,
    mp_unreach: NlriField<'a>,
    announced: NlriField<'a>,
    mp_reach: NlriField<'a>,
    attributes: Attributes<'a>,
    warnings: Warnings,
    end_of_rib: Option<(AddressFamily, Safi)>,
}

impl<'a> Update<'a> {
    /// Reads the body of an UPDATE: what follows the message header. `None` when it is too
    /// short for its length fields. Octets beyond 65,535 are never looked at: no message is
    /// longer.
    #[inline]
    pub fn decode(body: &'a [u8], form: impl Into<UpdateForm>) -> Option<Self> {
        let form = form.into();
        let mut update = Self::unread(form.asn_width);
        update.read(body, form, false)?;
        Some(update)
    }

    /// An UPDATE without anything in it.
    #[inline]
    pub(crate) fn unread(asn_width: AsnWidth) -> Self {
        let context = AttributeContext { asn_width, is_rib_entry: false };
        Update {
            withdrawn: NlriField::EMPTY,
            mp_unreach: NlriField::EMPTY,
            announced: NlriField::EMPTY,
            mp_reach: NlriField::EMPTY,
            attributes: Attributes::unread(context),
            warnings: Warnings::NONE,
            end_of_rib: None,
        }
    }

    /// Reads the body into an empty UPDATE; `None` when it is too short for its length fields.
    pub(crate) fn read(&mut self, body: &'a [u8], form: UpdateForm, is_cut: bool) -> Option<()> {
        let body = body.get(..usize::from(u16::MAX)).unwrap_or(body);
        let mut rest = Cursor::new(body);
        let withdrawn_length = usize::from(rest.u16()?);
        let withdrawn = rest.take_up_to(withdrawn_length);
        let withdrawn_end = body.len() - rest.remaining();
        if withdrawn.len() < withdrawn_length && !is_cut {
            self.warnings.insert(Warning::WithdrawnOverrun);
        }
        let attribute_length = match rest.u16() {
            Some(length) => usize::from(length),
            // Lost with the tail of the message, or a fault that is already noted.
            None if is_cut || !self.warnings.is_empty() => {
                rest = Cursor::new(&[]);
                0
            }
            None => return None,
        };
        let attributes = rest.take_up_to(attribute_length);
        let is_short = attributes.len() < attribute_length;
        self.attributes.note_all(attributes);
        if is_cut && is_short {
            // The collector lost them, the peer did not err: no reason to withdraw.
            self.warnings.insert(Warning::AttributesCut);
        } else {
            self.warnings.merge(self.attributes.warnings());
            if is_short {
                self.warnings.insert(Warning::AttributeOverrun);
            }
        }
        // Of a cut message too little is left to doubt what its recorder says.
        let form = UpdateForm { may_guess: form.may_guess && !is_cut, ..form };
        let announced_at = body.len() - rest.remaining();
        self.read_nlri(body, [withdrawn_end, announced_at], form, is_cut);
        if !attributes.is_empty() {
            self.read_mp_nlri(body, announced_at - attributes.len(), form);
        }
        self.check_mandatory(form);
        self.end_of_rib = self.find_end_of_rib(body);
        Some(())
    }

    #[inline]
    fn read_nlri(
        &mut self,
        body: &'a [u8],
        [withdrawn_end, announced_at]: [usize; 2],
        form: UpdateForm,
        is_cut: bool,
    ) {
        let ipv4 = (AddressFamily::Ipv4, Safi::Unicast);
        let path_ids = form.path_ids(ipv4);
        let mut warnings = Warnings::NONE;
        let withdrawn = body.get(..withdrawn_end).unwrap_or_default();
        self.withdrawn.read(withdrawn, LENGTH_OCTETS, ipv4, path_ids, &mut warnings);
        self.announced.read(body, announced_at, ipv4, path_ids, &mut warnings);
        if is_cut && warnings.contains(Warning::NlriMalformed) {
            // The prefix that the cut went through.
            warnings = Warnings::NONE;
        }
        self.warnings.merge(warnings);
    }

    /// Reads the NLRI in the attributes, which begin at `attributes_at` in the body.
    #[inline]
    fn read_mp_nlri(&mut self, body: &'a [u8], attributes_at: usize, form: UpdateForm) {
        // The NLRI are the end of the value.
        let field = |octets: &[u8], end| {
            let end = attributes_at + end;
            (body.get(..end).unwrap_or_default(), end - octets.len())
        };
        let attributes = &self.attributes;
        if let Some(unreach) = attributes.mp_unreach() {
            let (octets, start) = field(unreach.nlri_octets, attributes.end_of(code::MP_UNREACH));
            match unreach.family() {
                None => self.warnings.insert(Warning::FamilyUnsupported),
                Some(family) => {
                    let path_ids = form.path_ids(family);
                    self.mp_unreach.read(octets, start, family, path_ids, &mut self.warnings);
                }
            }
        }
        let is_incomplete = self.warnings.contains(Warning::AttributesCut);
        if let Some(reach) = attributes.mp_reach().filter(|_| !is_incomplete) {
            let (octets, start) = field(reach.nlri_octets, attributes.end_of(code::MP_REACH));
            match reach.family() {
                None => self.warnings.insert(Warning::FamilyUnsupported),
                Some(family) => {
                    let path_ids = form.path_ids(family);
                    self.mp_reach.read(octets, start, family, path_ids, &mut self.warnings);
                }
            }
        }
    }

    /// RFC 7606 §3.d, with RFC 4760 §3: `NEXT_HOP` is only needed for the NLRI field.
    #[inline]
    fn check_mandatory(&mut self, form: UpdateForm) {
        if self.announced.is_empty() && self.mp_reach.is_empty() {
            return;
        }
        let malformed = self.attributes.warnings();
        let lacks =
            |code, malformation| !self.attributes.has(code) && !malformed.contains(malformation);
        let lacks_origin = lacks(code::ORIGIN, Warning::OriginMalformed);
        let lacks_path = lacks(code::AS_PATH, Warning::AsPathMalformed);
        let needs_next_hop = !self.announced.is_empty() && !form.may_lack_next_hop;
        let lacks_next_hop = needs_next_hop && lacks(code::NEXT_HOP, Warning::NextHopMalformed);
        if lacks_origin {
            self.warnings.insert(Warning::OriginMissing);
        }
        if lacks_path {
            self.warnings.insert(Warning::AsPathMissing);
        }
        if lacks_next_hop {
            self.warnings.insert(Warning::NextHopMissing);
        }
    }

    /// RFC 4724 §2: an UPDATE with nothing in it, or with an empty `MP_UNREACH_NLRI` only.
    #[inline]
    fn find_end_of_rib(&self, body: &[u8]) -> Option<(AddressFamily, Safi)> {
        if body == [0; 4] {
            return Some((AddressFamily::Ipv4, Safi::Unicast));
        }
        let unreach = self.attributes.mp_unreach()?;
        let is_alone = self.attributes.count() == 1
            && unreach.nlri_octets.is_empty()
            && self.withdrawn.is_empty()
            && self.announced.is_empty();
        is_alone.then(|| unreach.family()).flatten()
    }

    /// Whether announcements count as withdrawals because of a fault (RFC 7606 §2).
    pub fn is_treated_as_withdraw(&self) -> bool {
        self.warnings.intersects(Warnings::TREAT_AS_WITHDRAW)
    }

    /// Routes withdrawn: the withdrawn field, `MP_UNREACH_NLRI`, and, when the attributes are
    /// malformed, those announced (RFC 7606).
    pub fn withdrawn(&self) -> impl Iterator<Item = Nlri> + Clone + use<'a> {
        let [announced, mp_reach] = if self.is_treated_as_withdraw() {
            self.announced_fields()
        } else {
            [NlriField::EMPTY; 2]
        };
        [self.withdrawn, self.mp_unreach, announced, mp_reach].into_iter().flatten()
    }

    /// Routes announced: the NLRI field and `MP_REACH_NLRI`; none when the attributes are
    /// malformed (RFC 7606).
    pub fn announced(&self) -> impl Iterator<Item = Nlri> + Clone + use<'a> {
        let fields = if self.is_treated_as_withdraw() {
            [NlriField::EMPTY; 2]
        } else {
            self.announced_fields()
        };
        fields.into_iter().flatten()
    }

    /// What [`withdrawn`](Self::withdrawn) and then [`announced`](Self::announced) give, by fields:
    /// each that is not empty, and whether its routes are announced.
    #[inline]
    pub fn for_each_field(&self, mut visit: impl FnMut(&NlriField<'a>, bool)) {
        let is_announced = !self.is_treated_as_withdraw();
        let fields = [
            (&self.withdrawn, false),
            (&self.mp_unreach, false),
            (&self.announced, is_announced),
            (&self.mp_reach, is_announced),
        ];
        for (field, is_announced) in fields {
            if !field.is_empty() {
                visit(field, is_announced);
            }
        }
    }

    /// The withdrawn field and the NLRI of `MP_UNREACH_NLRI`, as sent.
    pub fn withdrawn_fields(&self) -> [NlriField<'a>; 2] {
        [self.withdrawn, self.mp_unreach]
    }

    /// The NLRI field and the NLRI of `MP_REACH_NLRI`, as sent: malformed attributes change
    /// nothing.
    pub fn announced_fields(&self) -> [NlriField<'a>; 2] {
        [self.announced, self.mp_reach]
    }

    /// The path attributes of the routes announced.
    pub fn attributes(&self) -> &Attributes<'a> {
        &self.attributes
    }

    /// Faults found.
    pub fn warnings(&self) -> Warnings {
        self.warnings
    }

    /// The family whose initial transfer this message ends (RFC 4724 §2).
    pub fn end_of_rib(&self) -> Option<(AddressFamily, Safi)> {
        self.end_of_rib
    }
}

#[cfg(test)]
mod tests;
