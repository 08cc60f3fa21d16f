//! A snapshot of a table.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_core::rib::fuzz::rib_snapshot(data));
