//! How often a client may ask: each address so many times a second, and some seconds' worth at once.
//!
//! One number for each slot tells when all that was asked for so far would have been due, were it
//! asked evenly (the generic cell rate algorithm). Addresses are dealt out to a fixed number of
//! slots, so that no crowd of addresses takes memory; two that share one share its rate.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So many seconds' worth of requests may come at once.
pub const BURST_SECS: u32 = 4;

/// Addresses beyond these share.
const SLOTS: usize = 16_384;

/// Where a request came from: the other end of the connection, or who is behind it when that is a
/// proxy that is believed.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);

impl ClientAddress {
    /// What is limited as one: an IPv4 address, or a network of 64 bits, of which a client has all.
    pub(super) fn place(self) -> IpAddr {
        match self.0.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            address @ IpAddr::V4(_) => address,
        }
    }
}

/// What all clients have asked for.
pub(super) struct RateLimit {
    /// Nanoseconds between two requests that come evenly.
    interval: u64,
    /// Nanoseconds at which all that was asked for is due.
    due: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl RateLimit {
    /// Each address may ask so many times a second.
    pub(super) fn new(per_second: u32) -> Self {
        RateLimit {
            interval: 1_000_000_000 / u64::from(per_second.max(1)),
            due: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Counts a request at a time since the limit began; else tells after what there is room for one.
    pub(super) fn take(&self, client: ClientAddress, now: Duration) -> Result<(), Duration> {
        let slot = self.hasher.hash_one(client.place()) % SLOTS as u64;
        let Some(due) = usize::try_from(slot).ok().and_then(|slot| self.due.get(slot)) else {
            return Ok(());
        };
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let full = now.saturating_add(u64::from(BURST_SECS) * 1_000_000_000);
        let next = |due: u64| due.max(now).saturating_add(self.interval);
        let taken = due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| {
            Some(next(due)).filter(|next| *next <= full)
        });
        taken.map(drop).map_err(|due| Duration::from_nanos(next(due).saturating_sub(full)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> ClientAddress {
        ClientAddress(address.parse().unwrap())
    }

    /// Takes as many as there are.
    fn take_all(limit: &RateLimit, address: &str, now: Duration) -> u32 {
        (0..u32::MAX).find(|_| limit.take(client(address), now).is_err()).unwrap()
    }

    #[test]
    fn a_burst_is_taken_and_then_as_many_as_time_gives() {
        let limit = RateLimit::new(50);
        let address = "192.0.2.1";
        let mut now = Duration::from_secs(7);
        assert_eq!(take_all(&limit, address, now), 50 * BURST_SECS);
        let wait = limit.take(client(address), now).unwrap_err();
        assert_eq!(wait, Duration::from_millis(20));
        for (later, taken) in [
            (Duration::from_millis(19), 0),
            (Duration::from_millis(1), 1),
            (Duration::from_secs(1), 50),
            (Duration::from_hours(1), 50 * BURST_SECS),
        ] {
            now += later;
            assert_eq!(take_all(&limit, address, now), taken, "{later:?}");
        }
    }

    #[test]
    fn each_address_is_by_itself() {
        let limit = RateLimit::new(1);
        let now = Duration::ZERO;
        let all = (1..=99).map(|n| take_all(&limit, &format!("192.0.2.{n}"), now)).sum::<u32>();
        // Two share a slot once in 16,384 times.
        assert!(all >= 90 * BURST_SECS, "{all}");
    }

    #[test]
    fn a_network_of_64_bits_is_one_client() {
        for (one, other, is_same) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let is_one = client(one).place() == client(other).place();
            assert_eq!(is_one, is_same, "{one} {other}");
        }
    }
}
