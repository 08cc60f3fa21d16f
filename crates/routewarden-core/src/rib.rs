//! Adj-RIB-In (RFC 4271 §3.2) of every peer of every collector, with interned attributes.
