//! The fuzz bodies of RTR and RPSL over damaged input, and over the seeds of the fuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "test code: helpers outside of #[test] functions"
)]

use std::path::Path;

use proptest::prelude::*;
use routewarden_feeds::facts::fuzz::rpsl;
use routewarden_feeds::facts::rtr::fuzz::rtr_pdu;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// Every cut, and every octet changed in some ways.
fn damage(seed: &[u8], body: fn(&[u8])) {
    body(seed);
    for at in 0..seed.len() {
        body(&seed[..at]);
        let mut damaged = seed.to_vec();
        for flip in [1, 0x10, 0x80, 0xff] {
            damaged[at] = seed[at] ^ flip;
            body(&damaged);
        }
        for octet in *b"\n :," {
            damaged[at] = octet;
            body(&damaged);
        }
    }
}

#[test]
fn damaged_responses_never_panic() {
    let seeds = seeds("rtr_pdu");
    assert!(seeds.len() >= 4);
    for seed in &seeds {
        damage(seed, rtr_pdu);
    }
}

#[test]
fn damaged_dumps_never_panic() {
    let seeds = seeds("rpsl");
    assert!(seeds.len() >= 4);
    for seed in &seeds {
        damage(seed, rpsl);
    }
}

proptest! {
    #[test]
    fn arbitrary_octets_never_panic(data: Vec<u8>) {
        rtr_pdu(&data);
        rpsl(&data);
    }

    #[test]
    fn arbitrary_objects_never_panic(
        text in "((route|route6|as-set|aut-num|origin|members|import): ?[ASas0-9:/.,#-]{0,20}\n|\n|[ +\t]x\n){0,20}",
    ) {
        rpsl(text.as_bytes());
    }
}
