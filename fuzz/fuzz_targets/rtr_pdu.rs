//! What an RTR cache sends. The first octet chooses version and what is held.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_feeds::facts::rtr::fuzz::rtr_pdu(data));
