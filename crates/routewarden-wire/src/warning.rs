//! Faults that a record survives (RFC 7606).

use std::fmt;

/// What a fault does to the routes of the UPDATE it stands in (RFC 7606 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// The routes are used as they are.
    Use,
    /// The attribute is left out, the routes are used (RFC 7606 "attribute discard").
    AttributeDiscard,
    /// Announced routes count as withdrawn (RFC 7606 "treat-as-withdraw").
    TreatAsWithdraw,
}

macro_rules! warnings {
    ($($(#[doc = $doc:literal])+ $name:ident = $kind:literal, $treatment:ident;)+) => {
        /// A fault in a record that can still be used.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Warning {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Warning {
            /// All warnings, in the order of their numbers.
            pub const ALL: &'static [Warning] = &[$(Warning::$name,)+];

            /// Stable name for counters.
            pub const fn kind(self) -> &'static str {
                match self { $(Warning::$name => $kind,)+ }
            }

            /// What the fault does to the routes.
            pub const fn treatment(self) -> Treatment {
                match self { $(Warning::$name => Treatment::$treatment,)+ }
            }
        }
    };
}

warnings! {
    /// The NLRI carry path identifiers (RFC 7911) although the record's subtype denies it: read
    /// as plain NLRI they are malformed or repeat the zero-length prefix, with identifiers they
    /// are entirely clean.
    AddPathGuessed = "add_path_guessed", Use;
    /// The BGP message ends before its length: a collector cut it. What is there is used.
    MessageCut = "message_cut", Use;
    /// Octets after the end of the BGP message.
    MessageTrailing = "message_trailing", Use;
    /// The marker of the BGP message is not all ones (RFC 4271 §4.1).
    MarkerNotOnes = "marker_not_ones", Use;
    /// A cut message lost a part of its attributes: its announcements are lost.
    AttributesCut = "attributes_cut", Use;
    /// The withdrawn routes run past the message (RFC 4271 §6.3). What is there is used.
    WithdrawnOverrun = "withdrawn_overrun", Use;
    /// The attributes, or one of them, run past their end (RFC 7606 §4).
    AttributeOverrun = "attribute_overrun", TreatAsWithdraw;
    /// Optional or transitive bit not as specified for the attribute (RFC 7606 §3.c).
    AttributeFlags = "attribute_flags", TreatAsWithdraw;
    /// An attribute stands twice; the first is used (RFC 7606 §3.g).
    AttributeDuplicate = "attribute_duplicate", AttributeDiscard;
    /// `MP_REACH_NLRI` or `MP_UNREACH_NLRI` stands twice (RFC 7606 §3.g).
    MpDuplicate = "mp_duplicate", TreatAsWithdraw;
    /// ORIGIN of a wrong length or value (RFC 7606 §7.1).
    OriginMalformed = "origin_malformed", TreatAsWithdraw;
    /// `AS_PATH` with an undefined or overlong segment (RFC 7606 §7.2).
    AsPathMalformed = "as_path_malformed", TreatAsWithdraw;
    /// `AS_PATH` with an empty segment. RFC 7606 §7.2 wants treat-as-withdraw; the segment
    /// says nothing and is skipped.
    AsPathEmptySegment = "as_path_empty_segment", Use;
    /// `NEXT_HOP` of a wrong length (RFC 7606 §7.3).
    NextHopMalformed = "next_hop_malformed", TreatAsWithdraw;
    /// `MULTI_EXIT_DISC` of a wrong length (RFC 7606 §7.4).
    MedMalformed = "med_malformed", TreatAsWithdraw;
    /// `LOCAL_PREF` of a wrong length (RFC 7606 §7.5).
    LocalPrefMalformed = "local_pref_malformed", TreatAsWithdraw;
    /// `ATOMIC_AGGREGATE` with a value (RFC 7606 §7.6).
    AtomicAggregateMalformed = "atomic_aggregate_malformed", AttributeDiscard;
    /// AGGREGATOR of a wrong length (RFC 7606 §7.7).
    AggregatorMalformed = "aggregator_malformed", AttributeDiscard;
    /// AGGREGATOR with an ASN of four octets in a session of two, or the other way round; the
    /// length tells which.
    AggregatorWidth = "aggregator_width", Use;
    /// COMMUNITIES of a wrong length (RFC 7606 §7.8).
    CommunitiesMalformed = "communities_malformed", TreatAsWithdraw;
    /// `ORIGINATOR_ID` of a wrong length (RFC 7606 §7.9).
    OriginatorIdMalformed = "originator_id_malformed", TreatAsWithdraw;
    /// `CLUSTER_LIST` of a wrong length (RFC 7606 §7.10).
    ClusterListMalformed = "cluster_list_malformed", TreatAsWithdraw;
    /// `MP_REACH_NLRI` ends before its NLRI begin, or its next hop has no known length
    /// (RFC 7606 §7.11).
    MpReachMalformed = "mp_reach_malformed", TreatAsWithdraw;
    /// `MP_UNREACH_NLRI` shorter than its address family (RFC 7606 §7.12).
    MpUnreachMalformed = "mp_unreach_malformed", TreatAsWithdraw;
    /// Extended communities of a wrong length (RFC 7606 §7.14).
    ExtCommunitiesMalformed = "ext_communities_malformed", TreatAsWithdraw;
    /// IPv6 address specific extended communities of a wrong length (RFC 7606 §7.15).
    Ipv6ExtCommunitiesMalformed = "ipv6_ext_communities_malformed", TreatAsWithdraw;
    /// Large communities of a wrong length (RFC 8092 §6).
    LargeCommunitiesMalformed = "large_communities_malformed", TreatAsWithdraw;
    /// OTC of a wrong length (RFC 9234 §5).
    OtcMalformed = "otc_malformed", TreatAsWithdraw;
    /// `AS4_PATH` that is no path (RFC 6793 §6).
    As4PathMalformed = "as4_path_malformed", AttributeDiscard;
    /// `AS4_PATH` with confederation segments, which are left out (RFC 6793 §6).
    As4PathConfed = "as4_path_confed", Use;
    /// `AS4_AGGREGATOR` of a wrong length (RFC 6793 §6).
    As4AggregatorMalformed = "as4_aggregator_malformed", AttributeDiscard;
    /// `AS4_PATH` or `AS4_AGGREGATOR` in a session of four-octet ASNs (RFC 6793 §6).
    As4InFourOctetSession = "as4_in_four_octet_session", AttributeDiscard;
    /// An announcement without ORIGIN (RFC 7606 §3.d).
    OriginMissing = "origin_missing", TreatAsWithdraw;
    /// An announcement without `AS_PATH` (RFC 7606 §3.d).
    AsPathMissing = "as_path_missing", TreatAsWithdraw;
    /// An announcement in the NLRI field without `NEXT_HOP` (RFC 7606 §3.d).
    NextHopMissing = "next_hop_missing", TreatAsWithdraw;
    /// Prefixes that are none (RFC 7606 §5.3): those before the fault are used.
    NlriMalformed = "nlri_malformed", Use;
    /// Bits beyond a prefix's length are set; they are masked off (RFC 4271 §4.3).
    NlriStrayBits = "nlri_stray_bits", Use;
    /// NLRI of an address family that is not read, as VPN or flow specification.
    FamilyUnsupported = "family_unsupported", Use;
    /// The peer index table holds fewer peers than it claims.
    PeerTableCut = "peer_table_cut", Use;
    /// A record holds more than its format says.
    RecordTrailing = "record_trailing", Use;
    /// Old Zebra left the addresses out of the record.
    ZebraShortRecord = "zebra_short_record", Use;
}

/// A set of [`Warning`]s; needs no memory of its own.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Warnings {
    bits: u64,
}

/// Warnings must fit the set.
const _: () = assert!(Warning::ALL.len() <= 64);

impl Warnings {
    /// No warning.
    pub const NONE: Warnings = Warnings { bits: 0 };

    const fn of(treatment: Treatment) -> Warnings {
        let mut bits = 0;
        let mut all = Warning::ALL;
        while let Some((&warning, rest)) = all.split_first() {
            if warning.treatment() as u8 == treatment as u8 {
                bits |= 1 << warning as u8;
            }
            all = rest;
        }
        Warnings { bits }
    }

    /// All warnings that turn announcements into withdrawals.
    pub const TREAT_AS_WITHDRAW: Warnings = Warnings::of(Treatment::TreatAsWithdraw);

    /// Adds a warning.
    pub const fn insert(&mut self, warning: Warning) {
        self.bits |= 1 << warning as u8;
    }

    /// Adds all warnings of `other`.
    pub const fn merge(&mut self, other: Warnings) {
        self.bits |= other.bits;
    }

    /// Whether the warning is in the set.
    pub const fn contains(self, warning: Warning) -> bool {
        self.bits & (1 << warning as u8) != 0
    }

    /// Whether the sets have a warning in common.
    pub const fn intersects(self, other: Warnings) -> bool {
        self.bits & other.bits != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Number of warnings.
    pub const fn len(self) -> u32 {
        self.bits.count_ones()
    }

    /// The warnings in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Warning> {
        Warning::ALL.iter().copied().filter(move |&warning| self.contains(warning))
    }
}

impl fmt::Debug for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Warning::kind)).finish()
    }
}

/// A value together with the faults it survived.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<T> {
    /// The value.
    pub value: T,
    /// Faults found so far. Entries of RIB records are read lazily and carry their own.
    pub warnings: Warnings,
}
