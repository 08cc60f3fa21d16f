//! The parsers of reference facts. The first octet chooses the parser.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((&kind, file)) = data.split_first() {
        routewarden_feeds::facts::fuzz::facts(kind, file);
    }
});
