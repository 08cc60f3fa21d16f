//! Body of `scenario_toml`; a test of the program replays it.

use routewarden_lab::{ROUTE_EVENTS_MAX, Scenario};

/// Parses a scenario and checks what one that is accepted must keep.
pub(crate) fn scenario(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match Scenario::parse(text) {
        Ok(scenario) => {
            assert!(scenario.start <= scenario.end);
            let updates: usize = scenario.update_batches().map(|batch| batch.events.len()).sum();
            assert!(scenario.table_batch().events.len() + updates <= ROUTE_EVENTS_MAX);
            let mut events = scenario.update_batches().flat_map(|batch| &batch.events);
            assert!(events.all(|event| (event.peer as usize) < scenario.peers.len()));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
