//! Many short lists in few large allocations.
//!
//! Blocks come in classes of capacity, each class in pages of its own. Freed blocks are used again;
//! a class whose last block is freed gives its pages back.

use std::ops::Range;

/// Octets of one page, at least: large enough that the allocator gives it back to the system.
const PAGE_OCTETS: usize = 192 << 10;

/// A block of [`Blocks`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockId {
    pub(super) class: u8,
    pub(super) number: u32,
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

/// The capacity as a power of two, rounded up.
fn capacity_log(class: u8) -> u32 {
    match class {
        0 | 1 => u32::from(class),
        2 | 3 => 2,
        _ => 3 + u32::from(class - 4) / 4,
    }
}

/// The smallest class that holds so many items.
pub(super) fn class_of(items: usize) -> u8 {
    (0..u8::MAX).find(|&class| capacity(class) >= items).unwrap_or(u8::MAX)
}

/// Lists of `T`.
#[derive(Debug)]
pub(super) struct Blocks<T> {
    classes: Vec<Class<T>>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Blocks { classes: Vec::new() }
    }
}

#[derive(Debug)]
struct Class<T> {
    pages: Vec<Box<[T]>>,
    free: Vec<u32>,
    /// Blocks ever made in the pages there are.
    made: u32,
}

impl<T> Default for Class<T> {
    fn default() -> Self {
        Class { pages: Vec::new(), free: Vec::new(), made: 0 }
    }
}

impl<T: Copy + Default> Blocks<T> {
    /// Items of one page, at most, as a power of two.
    const PAGE_ITEMS_LOG: u32 = (PAGE_OCTETS / size_of::<T>()).ilog2();

    /// Blocks of one page as a power of two: every access asks, and a shift is faster than a
    /// division.
    fn blocks_of_page_log(class: u8) -> u32 {
        Self::PAGE_ITEMS_LOG.saturating_sub(capacity_log(class))
    }

    /// Page of a block and its place there.
    fn place(block: BlockId) -> (usize, Range<usize>) {
        let number = usize::try_from(block.number).unwrap_or(usize::MAX);
        let log = Self::blocks_of_page_log(block.class);
        let start = (number & ((1 << log) - 1)) * capacity(block.class);
        (number >> log, start..start + capacity(block.class))
    }

    /// A block of the class; what it holds is not specified. `None` after 2^32 blocks.
    pub(super) fn take(&mut self, class: u8) -> Option<BlockId> {
        if self.classes.len() <= usize::from(class) {
            self.classes.resize_with(usize::from(class) + 1, Class::default);
        }
        let of_class = self.classes.get_mut(usize::from(class))?;
        if let Some(number) = of_class.free.pop() {
            return Some(BlockId { class, number });
        }
        let block = BlockId { class, number: of_class.made };
        of_class.made = of_class.made.checked_add(1)?;
        if Self::place(block).0 >= of_class.pages.len() {
            let items = capacity(class) << Self::blocks_of_page_log(class);
            of_class.pages.push(vec![T::default(); items].into_boxed_slice());
        }
        Some(block)
    }

    /// Frees a block.
    pub(super) fn give_back(&mut self, block: BlockId) {
        let Some(of_class) = self.classes.get_mut(usize::from(block.class)) else { return };
        of_class.free.push(block.number);
        if u32::try_from(of_class.free.len()) == Ok(of_class.made) {
            *of_class = Class::default();
        }
    }

    /// All items of a block; none of one that was never taken.
    pub(super) fn get(&self, block: BlockId) -> &[T] {
        let (page, span) = Self::place(block);
        let of_class = self.classes.get(usize::from(block.class));
        of_class.and_then(|of_class| of_class.pages.get(page)?.get(span)).unwrap_or_default()
    }

    /// All items of a block, to be changed.
    pub(super) fn get_mut(&mut self, block: BlockId) -> &mut [T] {
        let (page, span) = Self::place(block);
        let of_class = self.classes.get_mut(usize::from(block.class));
        of_class
            .and_then(|of_class| of_class.pages.get_mut(page)?.get_mut(span))
            .unwrap_or_default()
    }

    /// Copies the first `items` items of a block to another of a different class.
    pub(super) fn copy(&mut self, from: BlockId, to: BlockId, items: usize) {
        let (small, large) = (from.class.min(to.class), from.class.max(to.class));
        let (low, high) = self.classes.split_at_mut(usize::from(large));
        let (Some(low), Some(high)) = (low.get_mut(usize::from(small)), high.first_mut()) else {
            return;
        };
        let (source, target) = if from.class == small { (low, high) } else { (high, low) };
        let ((page, span), (to_page, to_span)) = (Self::place(from), Self::place(to));
        let source = source.pages.get(page).and_then(|page| page.get(span)?.get(..items));
        let target =
            target.pages.get_mut(to_page).and_then(|page| page.get_mut(to_span)?.get_mut(..items));
        if let (Some(source), Some(target)) = (source, target) {
            target.copy_from_slice(source);
        }
    }

    /// Whether no page is held.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.classes.iter().all(|class| class.pages.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_grow_by_a_quarter_at_most() {
        let capacities: Vec<usize> = (0..14).map(capacity).collect();
        assert_eq!(capacities, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24]);
        for items in 1..70_000 {
            let held = capacity(class_of(items));
            assert!(held >= items && held * 4 <= items.max(4) * 5);
            assert_eq!(1 << capacity_log(class_of(items)), held.next_power_of_two());
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
        assert_eq!(blocks.get(BlockId { class: 2, number: 7 }), [0_u64; 0]);
    }
}
