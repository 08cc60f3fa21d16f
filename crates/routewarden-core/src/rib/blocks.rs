//! Many short lists in few large allocations.
//!
//! Blocks come in classes of capacity. A class takes pages; pages lie in chunks, which are so
//! large that every allocator asks the system for them and gives them back by themselves. A class
//! whose last block is freed gives its pages back, and a chunk goes with its last page.

use std::collections::BTreeSet;
use std::ops::Range;

/// Items of one page: each class in use leaves half a page unused on average.
const PAGE_ITEMS: usize = 1 << PAGE_ITEMS_LOG;
const PAGE_ITEMS_LOG: u32 = 13;
/// Items of one chunk. At eight octets an item this is 32 MiB, from which on the C library of GNU
/// never keeps what is freed.
const CHUNK_ITEMS: usize = 1 << CHUNK_ITEMS_LOG;
const CHUNK_ITEMS_LOG: u32 = 22;
/// The first chunk grows up to so many items as they are needed: most tables are small.
const FIRST_ITEMS: usize = 1 << 17;
const PAGES_OF_CHUNK: u32 = 1 << (CHUNK_ITEMS_LOG - PAGE_ITEMS_LOG);
/// Most chunks: items are numbered in 32 bits.
const CHUNKS_MAX: usize = 1 << (u32::BITS - CHUNK_ITEMS_LOG);

/// A block of [`Blocks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockId {
    pub(super) class: u8,
    /// Number of its first item, counted through all chunks.
    pub(super) first: u32,
}

/// Items that a block of the class holds: every number up to 8, then four steps for each doubling.
pub(super) fn capacity(class: u8) -> usize {
    let class = usize::from(class);
    if class < 4 {
        return class + 1;
    }
    let (doublings, quarter) = ((class - 4) / 4, (class - 4) % 4);
    (5 + quarter) << doublings
}

/// The smallest class that holds so many items.
pub(super) fn class_of(items: usize) -> u8 {
    (0..u8::MAX).find(|&class| capacity(class) >= items).unwrap_or(u8::MAX)
}

/// Lists of `T`.
#[derive(Debug)]
pub(super) struct Blocks<T> {
    chunks: Vec<Chunk<T>>,
    /// Pages of the chunks that no class has.
    free_pages: BTreeSet<u32>,
    classes: Vec<Class>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Blocks { chunks: Vec::new(), free_pages: BTreeSet::new(), classes: Vec::new() }
    }
}

#[derive(Debug)]
struct Chunk<T> {
    /// Whole pages, at most [`CHUNK_ITEMS`].
    items: Vec<T>,
    /// Pages that a class has.
    used_pages: u32,
}

#[derive(Debug, Default)]
struct Class {
    /// First pages of the runs of pages that it has.
    runs: Vec<u32>,
    /// First items of the blocks that were freed.
    free: Vec<u32>,
    /// The part of the newest run that was not given out yet.
    rest: Range<u32>,
    /// Blocks in use.
    taken: u32,
}

/// Pages that a class takes at once: one, unless a block is larger.
fn pages_of_run(class: u8) -> u32 {
    u32::try_from(capacity(class).div_ceil(PAGE_ITEMS)).unwrap_or(u32::MAX)
}

impl<T: Copy + Default> Blocks<T> {
    /// A block of the class; what it holds is not specified. `None` after 2^32 items, and for
    /// blocks that exceed a chunk.
    pub(super) fn take(&mut self, class: u8) -> Option<BlockId> {
        if capacity(class) > CHUNK_ITEMS {
            return None;
        }
        if self.classes.len() <= usize::from(class) {
            self.classes.resize_with(usize::from(class) + 1, Class::default);
        }
        let items = u32::try_from(capacity(class)).ok()?;
        let of_class = self.classes.get_mut(usize::from(class))?;
        let first = if let Some(first) = of_class.free.pop() {
            first
        } else {
            if of_class.rest.len() < capacity(class) {
                let run = self.take_pages(pages_of_run(class))?;
                let of_class = self.classes.get_mut(usize::from(class))?;
                of_class.runs.push(run);
                let start = run << PAGE_ITEMS_LOG;
                // The end of the last run would be 2^32: its last item is never used.
                let end = (run + pages_of_run(class)).checked_mul(1 << PAGE_ITEMS_LOG);
                of_class.rest = start..end.unwrap_or(u32::MAX);
            }
            let rest = &mut self.classes.get_mut(usize::from(class))?.rest;
            let first = rest.start;
            rest.start += items;
            first
        };
        self.classes.get_mut(usize::from(class))?.taken += 1;
        Some(BlockId { class, first })
    }

    /// Frees a block.
    pub(super) fn give_back(&mut self, block: BlockId) {
        let Some(of_class) = self.classes.get_mut(usize::from(block.class)) else { return };
        of_class.taken = of_class.taken.saturating_sub(1);
        if of_class.taken > 0 {
            of_class.free.push(block.first);
            return;
        }
        for run in std::mem::take(of_class).runs {
            self.give_pages_back(run..run + pages_of_run(block.class));
        }
    }

    /// Pages that follow each other in one chunk.
    fn take_pages(&mut self, count: u32) -> Option<u32> {
        let first = self.free_run(count).or_else(|| self.make_pages(count))?;
        self.free_pages.retain(|page| !(first..first + count).contains(page));
        self.chunk_of_page_mut(first)?.used_pages += count;
        Some(first)
    }

    fn free_run(&self, count: u32) -> Option<u32> {
        let mut run = 0..0;
        for &page in &self.free_pages {
            if page != run.end || page % PAGES_OF_CHUNK == 0 {
                run.start = page;
            }
            run.end = page + 1;
            if run.len() >= usize::try_from(count).ok()? {
                return Some(run.start);
            }
        }
        None
    }

    /// New pages at the end of the first chunk that has room.
    fn make_pages(&mut self, count: u32) -> Option<u32> {
        let more = usize::try_from(count).ok()? << PAGE_ITEMS_LOG;
        let has_room = |chunk: &Chunk<T>| chunk.items.len() + more <= CHUNK_ITEMS;
        let at = self.chunks.iter().position(has_room).unwrap_or(self.chunks.len());
        if at == self.chunks.len() {
            if at >= CHUNKS_MAX {
                return None;
            }
            self.chunks.push(Chunk { items: Vec::new(), used_pages: 0 });
        }
        let items = &mut self.chunks.get_mut(at)?.items;
        if at > 0 || items.len() >= FIRST_ITEMS {
            // Only what is written to becomes resident.
            items.reserve_exact(CHUNK_ITEMS - items.len());
        }
        let made = u32::try_from(items.len() >> PAGE_ITEMS_LOG).ok()?;
        items.resize(items.len() + more, T::default());
        Some(u32::try_from(at).ok()? * PAGES_OF_CHUNK + made)
    }

    fn give_pages_back(&mut self, pages: Range<u32>) {
        let Some(chunk) = self.chunk_of_page_mut(pages.start) else { return };
        chunk.used_pages = chunk.used_pages.saturating_sub(pages.end - pages.start);
        if chunk.used_pages > 0 {
            self.free_pages.extend(pages);
            return;
        }
        chunk.items = Vec::new();
        let of_chunk = pages.start / PAGES_OF_CHUNK;
        self.free_pages.retain(|page| page / PAGES_OF_CHUNK != of_chunk);
    }

    fn chunk_of_page_mut(&mut self, page: u32) -> Option<&mut Chunk<T>> {
        self.chunks.get_mut(usize::try_from(page / PAGES_OF_CHUNK).ok()?)
    }

    /// Chunk of a block and its place there.
    fn place(block: BlockId) -> (usize, Range<usize>) {
        let first = usize::try_from(block.first).unwrap_or(usize::MAX);
        let start = first % CHUNK_ITEMS;
        (first / CHUNK_ITEMS, start..start + capacity(block.class))
    }

    /// All items of a block; none of one that was never taken.
    pub(super) fn get(&self, block: BlockId) -> &[T] {
        let (chunk, span) = Self::place(block);
        self.chunks.get(chunk).and_then(|chunk| chunk.items.get(span)).unwrap_or_default()
    }

    /// All items of a block, to be changed.
    pub(super) fn get_mut(&mut self, block: BlockId) -> &mut [T] {
        let (chunk, span) = Self::place(block);
        self.chunks.get_mut(chunk).and_then(|chunk| chunk.items.get_mut(span)).unwrap_or_default()
    }

    /// All items of a chunk from this one on: where a block says itself how long it is.
    pub(super) fn rest(&self, first: u32) -> &[T] {
        let (chunk, span) = Self::place(BlockId { class: 0, first });
        self.chunks.get(chunk).and_then(|chunk| chunk.items.get(span.start..)).unwrap_or_default()
    }

    /// As [`Blocks::rest`], to be changed.
    pub(super) fn rest_mut(&mut self, first: u32) -> &mut [T] {
        let (chunk, span) = Self::place(BlockId { class: 0, first });
        let chunk = self.chunks.get_mut(chunk);
        chunk.and_then(|chunk| chunk.items.get_mut(span.start..)).unwrap_or_default()
    }

    /// Copies the first `items` items of a block to another; both hold as many.
    pub(super) fn copy(&mut self, from: BlockId, to: BlockId, items: usize) {
        let ((chunk, span), (to_chunk, to_span)) = (Self::place(from), Self::place(to));
        if chunk == to_chunk {
            if let Some(chunk) = self.chunks.get_mut(chunk) {
                chunk.items.copy_within(span.start..span.start + items, to_span.start);
            }
            return;
        }
        let Ok([source, target]) = self.chunks.get_disjoint_mut([chunk, to_chunk]) else { return };
        let source = source.items.get(span).and_then(|source| source.get(..items));
        let target = target.items.get_mut(to_span).and_then(|target| target.get_mut(..items));
        if let (Some(source), Some(target)) = (source, target) {
            target.copy_from_slice(source);
        }
    }

    /// Whether no page is held.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.free_pages.is_empty() && self.chunks.iter().all(|chunk| chunk.items.capacity() == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes_grow_by_a_quarter_at_most() {
        let capacities: Vec<usize> = (0..14).map(capacity).collect();
        assert_eq!(capacities, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24]);
        for items in 1..70_000 {
            let held = capacity(class_of(items));
            assert!(held >= items && held * 4 <= items.max(4) * 5);
        }
    }

    #[test]
    fn a_class_without_blocks_holds_no_pages() {
        let mut blocks = Blocks::<u64>::default();
        let taken: Vec<BlockId> = (0..100_000).filter_map(|_| blocks.take(2)).collect();
        for (block, value) in taken.iter().zip(0..) {
            blocks.get_mut(*block).fill(value);
        }
        assert!(taken.iter().zip(0..).all(|(block, value)| blocks.get(*block) == [value; 3]));
        for block in taken {
            blocks.give_back(block);
        }
        assert!(blocks.is_empty());
        assert_eq!(blocks.get(BlockId { class: 2, first: 7 }), [0_u64; 0]);
    }

    #[test]
    fn chunks_are_begun_when_one_is_full_and_go_with_their_last_page() {
        let mut blocks = Blocks::<u8>::default();
        let class = class_of(65_536);
        let taken: Vec<BlockId> = (0..130).filter_map(|_| blocks.take(class)).collect();
        let firsts: BTreeSet<u32> = taken.iter().map(|block| block.first).collect();
        assert_eq!((firsts.len(), blocks.chunks.len()), (130, 3));
        let small = blocks.take(0).unwrap();
        for block in &taken {
            blocks.give_back(*block);
        }
        assert_eq!(blocks.chunks.iter().filter(|chunk| chunk.items.capacity() > 0).count(), 1);
        blocks.give_back(small);
        assert!(blocks.is_empty());
        assert_eq!(blocks.take(class_of(CHUNK_ITEMS + 1)), None);
    }

    proptest! {
        /// Blocks of pages of one and of several keep what was written to them, whatever comes
        /// and goes; pages are used again; nothing is held at the end.
        #[test]
        fn blocks_never_overlap(ops in prop::collection::vec((0usize..6, 0usize..40), 1..400)) {
            let sizes = [1, 40, 3_000, 9_000, 20_000, 65_536];
            let mut blocks = Blocks::<u16>::default();
            let mut held: Vec<(BlockId, u16)> = Vec::new();
            let mut made_max = 0;
            for ((size, at), value) in ops.into_iter().zip(0..) {
                if at < held.len() {
                    let (block, _) = held.swap_remove(at);
                    blocks.give_back(block);
                } else {
                    let block = blocks.take(class_of(sizes[size])).unwrap();
                    blocks.get_mut(block).fill(value);
                    held.push((block, value));
                }
                for (block, value) in &held {
                    let items = blocks.get(*block);
                    prop_assert!(items.len() == capacity(block.class));
                    prop_assert!(items.first() == Some(value) && items.last() == Some(value));
                }
                made_max = made_max.max(blocks.chunks.iter().map(|c| c.items.len()).sum());
            }
            // At most 40 blocks of eight pages at a time, in any order.
            prop_assert!(made_max <= 2 * 40 * 65_536);
            for (block, _) in held {
                blocks.give_back(block);
            }
            prop_assert!(blocks.is_empty());
        }
    }
}
