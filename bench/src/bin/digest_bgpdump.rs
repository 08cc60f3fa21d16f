//! Reads the text of `bgpdump -m` or `bgpdump -H` from standard input and prints the number of
//! routes and the digest that decoders are compared by.

use std::io::Write;

fn main() -> anyhow::Result<()> {
    let sum = routewarden_bench::bgpdump::digest(std::io::stdin().lock())?;
    writeln!(std::io::stdout(), "{} {:016x} -", sum.elements, sum.digest)?;
    Ok(())
}
