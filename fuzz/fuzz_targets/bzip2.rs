//! Our bzip2 decoder. What another decoder reads, it reads.
#![no_main]

use std::io::Read;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let ours = routewarden_feeds::transport::fuzz::bzip2(data);
    if !data.starts_with(b"BZh") {
        return;
    }
    let mut theirs = Vec::new();
    let other = bzip2::read::MultiBzDecoder::new(data).take(4 << 20);
    if { other }.read_to_end(&mut theirs).is_ok() && theirs.len() < 4 << 20 {
        assert!(ours.as_deref() == Some(theirs.as_slice()));
    }
});
