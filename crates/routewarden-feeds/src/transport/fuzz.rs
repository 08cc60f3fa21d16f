//! Bodies for the fuzzer, which a test replays on every run.

use std::io::Cursor;
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::{Limits, Transport, TransportFault};

/// Small, so that the fuzzer is fast: one block gives up to 47 MB.
const OUTPUT_OCTETS_MAX: u64 = 4 << 20;

/// Reads arbitrary octets as one input, alone in large pieces and with help in small ones, and
/// checks that both tell the same. Gives what was read when it was read to its end.
///
/// # Panics
/// When something does not hold.
pub fn bzip2(data: &[u8]) -> Option<Vec<u8>> {
    let (alone, fault) = run(data, 1, 1 << 16);
    let (helped, fault_helped) = run(data, 2, 1000);
    let (kind, kind_helped) = (fault.map(|fault| fault.kind()), fault_helped.map(|f| f.kind()));
    assert!(kind == kind_helped, "{kind:?} {kind_helped:?}");
    assert!(alone == helped);
    kind.is_none().then_some(alone)
}

fn run(data: &[u8], threads: usize, size: usize) -> (Vec<u8>, Option<TransportFault>) {
    let limits =
        Limits { output_octets_max: OUTPUT_OCTETS_MAX, ratio_max: u64::MAX, ..Limits::default() };
    let source = Box::new(Cursor::new(data.to_vec()));
    let threads = NonZeroUsize::new(threads).unwrap_or(NonZeroUsize::MIN);
    let opened = Transport::from_reader(source, limits, Arc::default());
    let Ok(transport) = opened else { return (Vec::new(), None) };
    let mut transport = transport.with_threads(threads);
    let (mut all, mut buffer) = (Vec::new(), vec![0; size]);
    let fault = loop {
        match transport.read(&mut buffer) {
            Ok(0) => break None,
            Ok(octets) => all.extend_from_slice(buffer.get(..octets).unwrap_or_default()),
            Err(fault) => break Some(fault),
        }
    };
    assert!(transport.compressed_octets() <= data.len() as u64);
    assert!(transport.trailing_octets() <= data.len() as u64);
    assert!(fault.is_some() || transport.compressed_octets() == data.len() as u64);
    (all, fault)
}
