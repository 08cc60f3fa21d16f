//! The parser of scenarios, and what a scenario it accepts must keep.
#![no_main]

use routewarden_lab::{ROUTE_EVENTS_MAX, Scenario};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Scenario::parse(text) {
        Ok(scenario) => {
            assert!(scenario.start <= scenario.end);
            let batches = scenario.update_batches();
            let updates: usize = batches.iter().map(|batch| batch.events.len()).sum();
            assert!(scenario.table_batch().events.len() + updates <= ROUTE_EVENTS_MAX);
            let events = batches.iter().flat_map(|batch| &batch.events);
            assert!(events.clone().all(|event| (event.peer as usize) < scenario.peers.len()));
            assert!(events.map(|event| event.time).is_sorted());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
