//! A block: up to some thousand events or routes in columns, with dictionaries, compressed.
//!
//! Octets: the version (1), then zstd of [`Columns`] in `postcard`'s form. An event takes about
//! eight octets before compression, beside each distinct prefix and attribute set once.

use std::collections::HashMap;
use std::sync::Arc;

use routewarden_core::{Prefix, Timestamp};
use serde::{Deserialize, Serialize};

use super::{TRAIL_BLOCK_EVENTS_MAX, TRAIL_BLOCK_OCTETS_MAX, TrailAction, TrailSpace};

const VERSION: u8 = 1;
/// What a block may decompress to.
const DECODED_OCTETS_MAX: usize = 16 << 20;
/// Level of compression: higher ones take several times as long for some percent.
const LEVEL: i32 = 3;

const ANNOUNCED: u8 = 0;
const WITHDRAWN: u8 = 1;
const NOT_SENT_AGAIN: u8 = 2;
const PEER_DOWN: u8 = 3;
const PEER_UP: u8 = 4;

/// An event as a block has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Of a route that stood: any.
    pub(super) time: Timestamp,
    /// Number of the peer in the store.
    pub(super) source: i64,
    pub(super) action: TrailAction,
}

/// Why a block cannot be read.
#[derive(Debug)]
pub(super) struct Unreadable;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Columns {
    /// Of routes that stood: their space.
    spaces: Vec<TrailSpace>,
    prefixes: Vec<Prefix>,
    attributes: Vec<Arc<[u8]>>,
    sources: Vec<i64>,
    /// Microseconds after the event before; after 1970 for the first.
    times: Vec<i64>,
    actions: Vec<u8>,
    /// Places in `sources`.
    of_source: Vec<u32>,
    /// Places in `prefixes`, of actions that have one.
    of_prefix: Vec<u32>,
    /// Places in `attributes`, of announcements.
    of_attributes: Vec<u32>,
}

/// A block that is being made.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    columns: Columns,
    prefixes: HashMap<Prefix, u32>,
    attributes: HashMap<Arc<[u8]>, u32>,
    sources: HashMap<i64, u32>,
    last: i64,
    attribute_octets: usize,
}

impl BlockBuilder {
    pub(super) fn of_spaces(spaces: Vec<TrailSpace>) -> Self {
        let columns = Columns { spaces, ..Columns::default() };
        BlockBuilder { columns, ..BlockBuilder::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.columns.actions.len()
    }

    /// Whether the next event belongs into another one.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= TRAIL_BLOCK_EVENTS_MAX || self.attribute_octets >= TRAIL_BLOCK_OCTETS_MAX
    }

    pub(super) fn push(&mut self, item: &Item) {
        let (action, prefix, attributes) = match &item.action {
            TrailAction::Announced { prefix, attributes } => {
                (ANNOUNCED, Some(*prefix), Some(attributes))
            }
            TrailAction::Withdrawn { prefix } => (WITHDRAWN, Some(*prefix), None),
            TrailAction::NotSentAgain { prefix } => (NOT_SENT_AGAIN, Some(*prefix), None),
            TrailAction::PeerDown => (PEER_DOWN, None, None),
            TrailAction::PeerUp => (PEER_UP, None, None),
        };
        let columns = &mut self.columns;
        columns.times.push(item.time.micros().wrapping_sub(self.last));
        self.last = item.time.micros();
        columns.actions.push(action);
        let at = place(&mut self.sources, &mut columns.sources, &item.source);
        columns.of_source.push(at);
        if let Some(prefix) = prefix {
            columns.of_prefix.push(place(&mut self.prefixes, &mut columns.prefixes, &prefix));
        }
        if let Some(octets) = attributes {
            let known = columns.attributes.len();
            let at = place(&mut self.attributes, &mut columns.attributes, octets);
            columns.of_attributes.push(at);
            if columns.attributes.len() > known {
                self.attribute_octets += octets.len();
            }
        }
    }

    /// The octets of the block; `None` when they cannot be made.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let columns = postcard::to_stdvec(&self.columns).ok()?;
        let mut octets = vec![VERSION];
        octets.extend(zstd::bulk::compress(&columns, LEVEL).ok()?);
        Some(octets)
    }
}

/// Place of a value in a dictionary, in which it is put.
fn place<T: Clone + std::hash::Hash + Eq>(
    places: &mut HashMap<T, u32>,
    all: &mut Vec<T>,
    value: &T,
) -> u32 {
    if let Some(&at) = places.get(value) {
        return at;
    }
    // Blocks are full long before.
    let at = u32::try_from(all.len()).unwrap_or(u32::MAX);
    places.insert(value.clone(), at);
    all.push(value.clone());
    at
}

/// A block that was read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) spaces: Vec<TrailSpace>,
    pub(super) items: Vec<Item>,
}

impl Block {
    pub(super) fn decode(octets: &[u8]) -> Result<Self, Unreadable> {
        let compressed = octets.strip_prefix(&[VERSION]).ok_or(Unreadable)?;
        let columns = zstd::bulk::decompress(compressed, DECODED_OCTETS_MAX);
        let columns = columns.map_err(|_| Unreadable)?;
        let columns: Columns = postcard::from_bytes(&columns).map_err(|_| Unreadable)?;
        let items = columns.items().ok_or(Unreadable)?;
        Ok(Block { spaces: columns.spaces, items })
    }

    /// The same, to be gone on with.
    pub(super) fn into_builder(self) -> BlockBuilder {
        let mut builder = BlockBuilder::of_spaces(self.spaces);
        for item in &self.items {
            builder.push(item);
        }
        builder
    }
}

impl Columns {
    /// `None` when the columns do not fit one another.
    fn items(&self) -> Option<Vec<Item>> {
        let mut times = self.times.iter();
        let mut sources = self.of_source.iter();
        let mut prefixes = self.of_prefix.iter();
        let mut attributes = self.of_attributes.iter();
        let mut micros = 0_i64;
        let mut items = Vec::with_capacity(self.actions.len());
        for &action in &self.actions {
            micros = micros.wrapping_add(*times.next()?);
            let source = *at(&self.sources, *sources.next()?)?;
            let mut prefix = || at(&self.prefixes, *prefixes.next()?).copied();
            let action = match action {
                ANNOUNCED => TrailAction::Announced {
                    prefix: prefix()?,
                    attributes: Arc::clone(at(&self.attributes, *attributes.next()?)?),
                },
                WITHDRAWN => TrailAction::Withdrawn { prefix: prefix()? },
                NOT_SENT_AGAIN => TrailAction::NotSentAgain { prefix: prefix()? },
                PEER_DOWN => TrailAction::PeerDown,
                PEER_UP => TrailAction::PeerUp,
                _ => return None,
            };
            items.push(Item { time: Timestamp::from_micros(micros), source, action });
        }
        Some(items)
    }
}

fn at<T>(all: &[T], place: u32) -> Option<&T> {
    all.get(usize::try_from(place).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(n: u8) -> Prefix {
        if n.is_multiple_of(2) {
            Prefix::v4(u32::from(n) << 24, 8).unwrap()
        } else {
            Prefix::v6(u128::from(n) << 120, 128).unwrap()
        }
    }

    fn item() -> impl Strategy<Value = Item> {
        let action = (0u8..5, any::<u8>(), prop::collection::vec(any::<u8>(), 0..9));
        let action = action.prop_map(|(action, n, octets)| match action {
            ANNOUNCED => TrailAction::Announced { prefix: prefix(n), attributes: octets.into() },
            WITHDRAWN => TrailAction::Withdrawn { prefix: prefix(n) },
            NOT_SENT_AGAIN => TrailAction::NotSentAgain { prefix: prefix(n) },
            PEER_DOWN => TrailAction::PeerDown,
            _ => TrailAction::PeerUp,
        });
        (any::<i64>(), any::<i64>(), action).prop_map(|(time, source, action)| Item {
            time: Timestamp::from_micros(time),
            source,
            action,
        })
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out(items in prop::collection::vec(item(), 0..200), cut in 0usize..200) {
            let spaces = vec![TrailSpace { prefix: prefix(1), is_exact: true }];
            let mut builder = BlockBuilder::of_spaces(spaces.clone());
            for (count, item) in items.iter().enumerate() {
                if count == cut {
                    // Written and gone on with later: the same octets.
                    let octets = builder.encode().unwrap();
                    builder = Block::decode(&octets).unwrap().into_builder();
                }
                builder.push(item);
            }
            let octets = builder.encode().unwrap();
            prop_assert_eq!(builder.len(), items.len());
            prop_assert_eq!(Block::decode(&octets).unwrap(), Block { spaces, items });
        }

        #[test]
        fn damaged_octets_are_an_error(
            items in prop::collection::vec(item(), 1..20), at in any::<usize>(), bit in 0u8..8,
        ) {
            let mut builder = BlockBuilder::default();
            for item in &items {
                builder.push(item);
            }
            let mut octets = builder.encode().unwrap();
            let at = at % octets.len();
            octets[at] ^= 1 << bit;
            // Whatever comes of it, it is no panic.
            drop(Block::decode(&octets));
            prop_assert!(Block::decode(&octets[..at]).is_err());
        }
    }

    #[test]
    fn a_block_is_full_by_count_and_by_octets() {
        let announced = |n: u64, octets: usize| Item {
            time: Timestamp::default(),
            source: 1,
            action: TrailAction::Announced {
                prefix: prefix(0),
                attributes: n.to_be_bytes().into_iter().cycle().take(octets).collect(),
            },
        };
        let count = |octets| {
            let mut builder = BlockBuilder::default();
            (0..u64::MAX)
                .take_while(|&n| {
                    let is_full = builder.is_full();
                    builder.push(&announced(n, octets));
                    !is_full
                })
                .count()
        };
        assert_eq!(count(8), TRAIL_BLOCK_EVENTS_MAX);
        assert_eq!(count(1 << 20), 4);
    }
}
