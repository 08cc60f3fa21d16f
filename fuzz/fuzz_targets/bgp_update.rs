//! The body of a BGP UPDATE.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_wire::fuzz::bgp_update(data));
