//! Events on a table, beside a naive model of it; four octets an event.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_core::rib::fuzz::rib_ops(data));
