//! A BMP session.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| routewarden_wire::fuzz::bmp_message(data));
