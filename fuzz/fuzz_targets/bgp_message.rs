//! What a BGP speaker sends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_wire::fuzz::bgp_message(data));
