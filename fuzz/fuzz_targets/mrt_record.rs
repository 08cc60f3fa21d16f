//! A stream of MRT records.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_wire::fuzz::mrt_record(data));
