//! Text frames of RIS Live, one a line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    routewarden_feeds::live::ris_live::fuzz::ris_live_json(data);
});
