//! Running one decoder over files.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;

/// Decodes uncompressed MRT files, which it reads into memory before unless told otherwise, and says
/// how fast. Pin it to one core.
#[derive(Debug, Parser)]
struct Arguments {
    /// Decode each file so many times; the fastest counts.
    #[arg(long, default_value_t = 1)]
    repeat: u32,
    /// Read what the elements of an UPDATE have in common once, not for every element. The digest
    /// stays the same. Not every decoder can.
    #[arg(long)]
    runs: bool,
    /// Decode straight from the file, piece by piece: the time of the whole process is then that of a
    /// program that decodes it.
    #[arg(long, conflicts_with = "digest")]
    stream: bool,
    /// Print the digest that other decoders are compared by, instead of the speed.
    #[arg(long)]
    digest: bool,
    /// Uncompressed MRT files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Octets asked of a file at once, for decoders that ask for few.
const READ_OCTETS: usize = 256 << 10;

/// What decoding one file gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// Announcements, withdrawals and table entries.
    pub elements: u64,
    /// Over all their fields.
    pub digest: u64,
}

/// Where MRT records come from.
pub enum Input<'a> {
    /// A whole file in memory; records can be read where they lie.
    Memory(&'a [u8]),
    /// A file, piece by piece.
    Stream(&'a mut dyn Read),
}

/// Decodes MRT records.
pub type Decoder = fn(Input<'_>) -> Sum;

/// The ways in which a program decodes.
#[derive(Clone, Copy, Debug)]
pub struct Decoders {
    /// Every field of every element.
    pub each: Decoder,
    /// The same with what elements share read once.
    pub runs: Option<Decoder>,
    /// The digest that decoders of any kind can be held against.
    pub digest: Decoder,
}

/// Runs one of the decoders over the files named on the command line and prints a line for each
/// and for all: elements, digest, seconds, elements a second, and the file.
pub fn main(decoders: &Decoders) -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let decode = if arguments.runs { decoders.runs } else { Some(decoders.each) };
    let decode = decode.context("this decoder gives single elements only")?;
    let mut out = std::io::stdout().lock();
    let (mut elements, mut seconds) = (0, 0.0);
    for file in &arguments.files {
        let content = if arguments.stream { Vec::new() } else { std::fs::read(file)? };
        if arguments.digest {
            let sum = (decoders.digest)(Input::Stream(&mut content.as_slice()));
            writeln!(out, "{} {:016x} {}", sum.elements, sum.digest, file.display())?;
            continue;
        }
        let mut best = f64::INFINITY;
        let mut sum = Sum::default();
        for _ in 0..arguments.repeat.max(1) {
            #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
            let start = Instant::now();
            sum = if arguments.stream {
                let mut read = BufReader::with_capacity(READ_OCTETS, File::open(file)?);
                decode(Input::Stream(&mut read))
            } else {
                decode(Input::Memory(&content))
            };
            best = best.min(start.elapsed().as_secs_f64());
        }
        write_speed(&mut out, sum.elements, best)?;
        writeln!(out, " {:016x} {}", sum.digest, file.display())?;
        elements += sum.elements;
        seconds += best;
    }
    if !arguments.digest {
        write_speed(&mut out, elements, seconds)?;
        writeln!(out, " all")?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a speed, with three digits")]
fn write_speed(out: &mut impl Write, elements: u64, seconds: f64) -> std::io::Result<()> {
    let millions = elements as f64 / seconds / 1e6;
    write!(out, "{elements} elements {seconds:.6} s {millions:.3} M/s")
}
