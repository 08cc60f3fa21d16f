//! The configurations of the routers' software: Gao-Rexford in each vendor's own language.
//!
//! What a neighbour announces gets a preference and a mark (community `OWN-AS:1` for customers, `:2`
//! for peers, `:3` for providers); what is marked 2 or 3 goes to customers and the collector only.

pub(crate) mod bird;
pub(crate) mod exabgp;
pub(crate) mod frr;
pub(crate) mod gobgp;
pub(crate) mod openbgpd;
pub(crate) mod stayrtr;
