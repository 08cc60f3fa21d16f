//! Tests of whether a network lets packets with forged source addresses out.

use serde::Serialize;

use crate::{Asn, Prefix, Timestamp};

/// One test with a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SpooferTest {
    /// The AS of the client.
    pub asn: Asn,
    /// When.
    pub at: Timestamp,
    /// The prefix that the client is in.
    pub prefix: Prefix,
    /// Whether packets with a forged address that is routable were received from there; else they were
    /// blocked.
    pub is_received: bool,
}

/// Tests by AS and time.
#[derive(Clone, Debug, Default)]
pub struct SpooferTable {
    tests: Vec<SpooferTest>,
}

/// What the tests of an AS in some time say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SpooferCounts {
    /// Tests.
    pub tests: u32,
    /// Distinct prefixes from which packets with a forged address that is routable were received.
    pub received_prefixes: u32,
}

impl SpooferTable {
    /// Builds the table from tests in any order; equal ones are kept once.
    pub fn from_tests(mut tests: Vec<SpooferTest>) -> Self {
        tests.sort_unstable();
        tests.dedup();
        tests.shrink_to_fit();
        SpooferTable { tests }
    }

    /// Tests of an AS from a time on and before another, by time.
    pub fn of(&self, asn: Asn, from: Timestamp, until: Timestamp) -> &[SpooferTest] {
        let start = self.tests.partition_point(|held| (held.asn, held.at) < (asn, from));
        let end = self.tests.partition_point(|held| (held.asn, held.at) < (asn, until));
        self.tests.get(start..end).unwrap_or_default()
    }

    /// What the tests of an AS from a time on and before another say.
    pub fn tests(&self, asn: Asn, from: Timestamp, until: Timestamp) -> SpooferCounts {
        let tests = self.of(asn, from, until);
        let received = tests.iter().filter(|test| test.is_received);
        let mut prefixes: Vec<Prefix> = received.map(|test| test.prefix).collect();
        prefixes.sort_unstable();
        prefixes.dedup();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        SpooferCounts { tests: count(tests.len()), received_prefixes: count(prefixes.len()) }
    }

    /// All tests by ASN, then by time.
    pub fn iter(&self) -> impl Iterator<Item = &SpooferTest> {
        self.tests.iter()
    }

    /// Number of tests.
    pub fn len(&self) -> usize {
        self.tests.len()
    }

    /// Whether no test is held.
    pub fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u32) -> Timestamp {
        Timestamp::from_secs(1_600_000_000 + secs)
    }

    #[test]
    fn prefixes_are_counted_once_and_tests_each() {
        let test = |asn, secs, prefix: &str, is_received| SpooferTest {
            asn: Asn(asn),
            at: at(secs),
            prefix: prefix.parse().unwrap(),
            is_received,
        };
        let first = test(64496, 10, "192.0.2.0/24", true);
        let table = SpooferTable::from_tests(vec![
            test(64496, 30, "198.51.100.0/24", false),
            first,
            test(64496, 20, "192.0.2.0/24", true),
            test(64496, 20, "2001:db8::/40", true),
            first,
            test(64497, 20, "203.0.113.0/24", false),
        ]);
        let counts = |asn, from, until| {
            let SpooferCounts { tests, received_prefixes } = table.tests(Asn(asn), from, until);
            (tests, received_prefixes)
        };
        assert_eq!((table.len(), table.is_empty()), (5, false));
        assert_eq!(counts(64496, at(0), at(99)), (4, 2));
        assert_eq!(counts(64496, at(10), at(20)), (1, 1));
        assert_eq!(counts(64496, at(30), at(99)), (1, 0));
        assert_eq!(counts(64497, at(20), at(21)), (1, 0));
        assert_eq!(counts(64498, at(0), at(99)), (0, 0));
        assert_eq!(counts(64496, at(99), at(0)), (0, 0));
    }
}
