//! The members of an input in order: which pieces are blocks is decided here.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;

use super::super::input::Input;
use super::block::{Block, Flaw, LEVEL_OCTETS};
use super::pool::{self, Decoded, Job};
use super::scan::{MAGIC_BITS, Magic, PIECE_OCTETS_MAX, Piece, Scanner};

/// Blocks decoded ahead for each helping thread.
const BLOCKS_AHEAD: usize = 4;
/// Most pieces of one block: 1023 magics by chance, each of which has odds of 1 in 2^48 per bit.
const BLOCK_PIECES_MAX: usize = 1024;
/// Who reads less than this at once may want no more than the beginning.
const LOOK_AHEAD_READ_OCTETS: usize = 4096;
const CRC_BITS: usize = 32;
/// `BZh` and the level.
const HEADER_OCTETS: usize = 4;

/// A piece that was cut off, and perhaps its block.
struct Ahead {
    piece: Arc<Piece>,
    job: Option<Job>,
}

/// Where in the input the chain of blocks stands.
enum Place {
    /// Before a member, or behind the last one.
    Between,
    /// In a member: its level, and the CRC of its blocks so far.
    Inside { level: usize, crc: u32 },
    /// At an error that comes behind what was given out.
    Broken(io::Error),
    /// At the end.
    Over,
}

/// A block being given out.
#[derive(Default)]
struct Output {
    block: Block,
    /// Place in its octets.
    at: usize,
    /// Place in its counts.
    counts_done: usize,
    /// Octet to repeat, and how often.
    repeat: (u8, usize),
}

/// A decoder of all members of an input, up to its end.
pub(crate) struct Bzip2 {
    scanner: Scanner,
    ahead: VecDeque<Ahead>,
    /// Nothing more comes from the scanner.
    is_scanned: bool,
    scan_error: Option<io::Error>,
    /// Threads that may help with this input; all there are when `None`.
    helpers_max: Option<usize>,
    place: Place,
    output: Output,
    /// Whether more than the beginning is read.
    is_reading: bool,
    /// Octets of the input up to the end of the block given out.
    consumed: u64,
    trailing: u64,
    source_failed: bool,
}

fn corrupt(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Bzip2 {
    /// Starts at the `BZh` of a member.
    pub(crate) fn new(input: Input) -> Self {
        Bzip2 {
            consumed: input.consumed(),
            scanner: Scanner::new(input),
            ahead: VecDeque::new(),
            is_scanned: false,
            scan_error: None,
            helpers_max: None,
            place: Place::Between,
            output: Output::default(),
            is_reading: false,
            trailing: 0,
            source_failed: false,
        }
    }

    /// Decodes on this many threads at most, the reading one among them.
    pub(crate) fn set_threads(&mut self, threads: NonZeroUsize) {
        self.helpers_max = Some(threads.get() - 1);
    }

    /// Octets of the input up to the end of the block being given out; of all the input behind
    /// the last one.
    pub(crate) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Octets between and behind the members.
    pub(crate) fn trailing(&self) -> u64 {
        self.trailing
    }

    /// Whether the last error was one of reading the input.
    pub(crate) fn source_failed(&self) -> bool {
        self.source_failed
    }

    /// The input, at its end when the decoder is.
    pub(crate) fn into_inner(self) -> Input {
        self.scanner.into_input()
    }

    /// The next block; `None` at the end of the last member.
    fn next_block(&mut self) -> io::Result<Option<Block>> {
        loop {
            let place = std::mem::replace(&mut self.place, Place::Over);
            match place {
                Place::Over => return Ok(None),
                Place::Broken(error) => return Err(error),
                Place::Between | Place::Inside { .. } => {}
            }
            self.look_ahead();
            let Some(Ahead { piece, job }) = self.next_ahead() else {
                let error = self.end_of_input();
                let is_end = matches!(place, Place::Between) && !self.source_failed;
                return if is_end { Ok(None) } else { Err(error) };
            };
            match (place, piece.magic) {
                (Place::Inside { level, crc }, Magic::Block) => {
                    return self.block(&piece, job, level, crc).map(Some);
                }
                (Place::Inside { crc, .. }, Magic::End) => self.end_of_member(&piece, crc)?,
                (Place::Inside { .. }, Magic::None) => return Err(corrupt("no bzip2 block")),
                _ => self.between(&piece, 0)?,
            }
        }
    }

    /// Cuts off another piece; `None` at the end of the input.
    fn scan(&mut self) -> Option<Arc<Piece>> {
        if self.is_scanned {
            return None;
        }
        let piece = self.scanner.next_piece().unwrap_or_else(|error| {
            self.scan_error = Some(error);
            None
        });
        self.is_scanned = piece.is_none();
        piece.map(Arc::new)
    }

    /// Takes the next piece.
    fn next_ahead(&mut self) -> Option<Ahead> {
        let scanned = |piece| Ahead { piece, job: None };
        self.ahead.pop_front().or_else(|| self.scan().map(scanned))
    }

    fn is_at_end(&mut self) -> bool {
        if self.ahead.is_empty()
            && let Some(piece) = self.scan()
        {
            self.ahead.push_back(Ahead { piece, job: None });
        }
        self.ahead.is_empty()
    }

    /// Why there are no more pieces, when more are needed.
    fn end_of_input(&mut self) -> io::Error {
        self.consumed = self.scanner.input().consumed();
        let error = self.scan_error.take();
        self.source_failed = error.is_some();
        error.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Keeps the helpers busy with what comes after the next block. A file of one block, or one
    /// of which only the beginning is read, needs none.
    fn look_ahead(&mut self) {
        if !self.is_reading || self.helpers_max == Some(0) {
            return;
        }
        let threads = pool::threads();
        let helpers = self.helpers_max.map_or(threads, |most| most.min(threads));
        while self.ahead.len() < helpers * BLOCKS_AHEAD {
            // The next block is decoded here and now, unless a helper has begun.
            let is_next = self.ahead.is_empty();
            let Some(piece) = self.scan() else { return };
            let may_help = piece.magic == Magic::Block && !is_next;
            let job = if may_help { pool::submit(&piece) } else { None };
            let is_refused = may_help && job.is_none();
            self.ahead.push_back(Ahead { piece, job });
            if is_refused {
                return;
            }
        }
    }

    /// Decodes the block that a piece begins with.
    fn block(
        &mut self,
        piece: &Arc<Piece>,
        job: Option<Job>,
        level: usize,
        crc: u32,
    ) -> io::Result<Block> {
        let decoded = match job {
            Some(job) => self.wait(job),
            None => pool::decode(piece),
        };
        let (block, behind) = match decoded {
            Ok(block) if block.bits == piece.bits() => (block, None),
            Ok(block) => {
                let error = self.no_magic(piece, block.bits);
                (block, Some(error))
            }
            Err(Flaw::Cut) => self.block_of_pieces(piece)?,
            Err(Flaw::Corrupt(what)) => return Err(corrupt(what)),
        };
        if block.text.len() > level * LEVEL_OCTETS {
            return Err(corrupt("a bzip2 block is too long for its level"));
        }
        let crc = crc.rotate_left(1) ^ block.crc;
        self.place = behind.map_or(Place::Inside { level, crc }, Place::Broken);
        self.consumed = piece.offset + ((piece.start_bit + block.bits) / 8) as u64;
        Ok(block)
    }

    /// Waits for a helper, and meanwhile does what others may do.
    fn wait(&self, job: Job) -> Decoded {
        let jobs = || self.ahead.iter().filter_map(|ahead| ahead.job.as_ref());
        while job.is_running() && jobs().any(Job::help) {}
        job.wait()
    }

    /// What stands where a block ends and no magic follows.
    fn no_magic(&mut self, piece: &Piece, bits: usize) -> io::Error {
        let left = piece.bits() - bits;
        let is_cut = left < MAGIC_BITS && Magic::may_begin_with(piece.bits_at(bits, left), left);
        if is_cut && piece.is_open && self.is_at_end() {
            return self.end_of_input();
        }
        corrupt("no bzip2 block behind a block")
    }

    /// Decodes a block that does not end in its piece: the magic that ends it is there by chance,
    /// unless the input is damaged or cut. Helpers would decode what is no block.
    fn block_of_pieces(&mut self, first: &Arc<Piece>) -> io::Result<(Block, Option<io::Error>)> {
        self.helpers_max = Some(0);
        let mut parts = vec![Arc::clone(first)];
        let mut octets = first.octets.len();
        loop {
            let known = parts.len();
            if known == BLOCK_PIECES_MAX || octets > PIECE_OCTETS_MAX {
                return Err(corrupt("a bzip2 block has no end"));
            }
            // Twice as many each time, so that many magics do not take many attempts.
            while parts.len() < known * 2 && octets <= PIECE_OCTETS_MAX {
                let Some(next) = self.next_ahead() else { break };
                octets += next.piece.octets.len();
                parts.push(next.piece);
            }
            let whole = Piece::join(parts.iter().map(Arc::as_ref));
            let Some(whole) = whole.filter(|_| parts.len() > known) else {
                return Err(self.end_of_input());
            };
            match pool::decode(&whole) {
                Ok(block) => {
                    let is_whole = self.give_back(parts, block.bits);
                    let behind = (!is_whole).then(|| self.no_magic(&whole, block.bits));
                    return Ok((block, behind));
                }
                Err(Flaw::Cut) => {}
                Err(Flaw::Corrupt(what)) => return Err(corrupt(what)),
            }
        }
    }

    /// Gives back the pieces behind a block of `bits`; whether one ends where the block does.
    fn give_back(&mut self, parts: Vec<Arc<Piece>>, mut bits: usize) -> bool {
        let mut parts = VecDeque::from(parts);
        while let Some(part) = parts.front().filter(|part| bits >= part.bits() && bits > 0) {
            bits -= part.bits();
            parts.pop_front();
        }
        if bits == 0 {
            for piece in parts.into_iter().rev() {
                self.ahead.push_front(Ahead { piece, job: None });
            }
        }
        bits == 0
    }

    /// Reads the end of a member, and what stands between it and the next one.
    fn end_of_member(&mut self, piece: &Piece, crc: u32) -> io::Result<()> {
        if piece.bits() < MAGIC_BITS + CRC_BITS {
            // Cut, or the CRC is part of a magic by chance.
            let Some(next) = self.next_ahead() else { return Err(self.end_of_input()) };
            let whole = Piece::join([piece, &*next.piece]);
            return whole.map_or(Ok(()), |whole| self.end_of_member(&whole, crc));
        }
        if piece.bits_at(MAGIC_BITS, CRC_BITS) != u64::from(crc) {
            return Err(corrupt("wrong CRC of a bzip2 stream"));
        }
        let octets = (piece.start_bit + MAGIC_BITS + CRC_BITS).div_ceil(8);
        self.consumed = piece.offset + octets as u64;
        self.between(piece, octets)
    }

    /// Looks for another member from octet `from` of a piece; zeros may stand before it.
    fn between(&mut self, piece: &Piece, from: usize) -> io::Result<()> {
        let octets = piece.octets.get(from..piece.end_bit / 8).unwrap_or_default();
        let zeros = octets.iter().take_while(|octet| **octet == 0).count();
        let rest = octets.get(zeros..).unwrap_or_default();
        let offset = piece.offset + (from + zeros) as u64;
        self.trailing += zeros as u64;
        let is_short = (1..HEADER_OCTETS + MAGIC_BITS / 8).contains(&rest.len());
        if is_short && piece.is_open && !self.is_at_end() {
            // Very long padding: the rest of the header is in the next piece.
            let next = self.next_ahead().map(|next| next.piece);
            let whole = next.and_then(|next| Piece::join([piece, &*next]));
            return whole.map_or(Ok(()), |whole| self.between(&whole, from + zeros));
        }
        match rest {
            [] if piece.is_open => self.place = Place::Between,
            [b'B', b'Z', b'h', level @ b'1'..=b'9', behind @ ..] => {
                if !behind.is_empty() || !piece.end_bit.is_multiple_of(8) {
                    return Err(
                        self.no_magic(piece, (from + zeros + HEADER_OCTETS) * 8 - piece.start_bit)
                    );
                }
                self.consumed = offset + HEADER_OCTETS as u64;
                self.place = Place::Inside { level: usize::from(level - b'0'), crc: 0 };
            }
            _ => self.skip_rest(offset)?,
        }
        Ok(())
    }

    /// Passes over what belongs to no member.
    fn skip_rest(&mut self, from: u64) -> io::Result<()> {
        self.ahead.clear();
        while self.scan().is_some() {}
        if self.scan_error.is_some() {
            return Err(self.end_of_input());
        }
        self.consumed = self.scanner.input().consumed();
        self.trailing += self.consumed - from;
        self.place = Place::Over;
        Ok(())
    }
}

impl Read for Bzip2 {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let given = self.output.give(out);
            if given > 0 || out.is_empty() {
                return Ok(given);
            }
            self.is_reading |= out.len() >= LOOK_AHEAD_READ_OCTETS;
            match self.next_block()? {
                Some(block) => self.output = Output { block, ..Output::default() },
                None => return Ok(0),
            }
        }
    }
}

impl Output {
    /// Writes what there is and has room; how many octets.
    fn give(&mut self, out: &mut [u8]) -> usize {
        let text = &self.block.text;
        let mut given = 0;
        loop {
            let room = out.get_mut(given..).unwrap_or_default();
            let (octet, more) = &mut self.repeat;
            let repeated = room.len().min(*more);
            room.get_mut(..repeated).unwrap_or_default().fill(*octet);
            *more -= repeated;
            given += repeated;
            if *more > 0 {
                return given;
            }
            let room = room.get_mut(repeated..).unwrap_or_default();
            let count = self.block.counts.get(self.counts_done);
            let end = count.map_or(text.len(), |count| *count as usize);
            let copied = room.len().min(end - self.at);
            let octets = text.get(self.at..self.at + copied).unwrap_or_default();
            if let Some(to) = room.get_mut(..octets.len()) {
                to.copy_from_slice(octets);
            }
            self.at += copied;
            given += copied;
            if self.at < end || count.is_none() {
                return given;
            }
            self.repeat = self.block.run_at(end);
            self.at += 1;
            self.counts_done += 1;
        }
    }
}
