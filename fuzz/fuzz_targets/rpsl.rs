//! Dumps of routing registries.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_feeds::facts::fuzz::rpsl(data));
