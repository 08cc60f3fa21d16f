use super::*;
use proptest::prelude::*;
use std::path::Path;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&root).unwrap_or_else(|e| panic!("{}: {e}", root.display()));
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn corpora_do_not_break_the_table() {
    let snapshots = corpus("rib_snapshot");
    assert!(snapshots.iter().filter(|octets| read(octets, LIMITS).is_some()).count() >= 3);
    for octets in &snapshots {
        rib_snapshot(octets);
    }
    let ops = corpus("rib_ops");
    assert!(!ops.is_empty());
    for octets in &ops {
        rib_ops(octets);
    }
}

#[test]
fn every_cut_and_every_flipped_bit_of_a_snapshot_is_noticed() {
    for octets in corpus("rib_snapshot") {
        if read(&octets, LIMITS).is_none() || octets.len() > 2_000 {
            continue;
        }
        for cut in 0..octets.len() {
            assert!(read(&octets[..cut], LIMITS).is_none(), "cut at {cut}");
        }
        for bit in 0..octets.len() * 8 {
            let mut damaged = octets.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&damaged, LIMITS).is_none(), "bit {bit}");
            rib_snapshot(&damaged);
        }
    }
}

proptest! {
    #[test]
    fn random_events_give_what_the_model_gives(octets in prop::collection::vec(any::<u8>(), 0..1_200)) {
        rib_ops(&octets);
    }
}
