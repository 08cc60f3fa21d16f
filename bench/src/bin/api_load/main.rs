//! The read API of `routewarden serve` under load: fills a store with made-up incidents, asks every
//! route with `wrk`, lets many read events, and prints one summary as JSON.

#![expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]

mod fill;
mod readers;
mod routes;
mod wrk;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use routewarden_bench::program::{Program, data, free_port};
use serde_json::json;

use self::wrk::Load;

/// How long the program may take until it answers.
const START_WITHIN: Duration = Duration::from_mins(2);

/// Puts the read API under load and measures how fast it answers.
#[derive(Debug, Parser)]
struct Arguments {
    /// The program.
    #[arg(long, default_value = "target/release/routewarden")]
    program: PathBuf,
    /// Folder for the store, which is filled when there is none and kept.
    #[arg(long)]
    folder: PathBuf,
    /// Incidents in the store.
    #[arg(long, default_value_t = 1_000_000)]
    incidents: usize,
    /// Connections that ask at one time.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Seconds for each route.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Readers of events.
    #[arg(long, default_value_t = 500)]
    readers: usize,
    /// Only routes whose name has this in it.
    #[arg(long, default_value = "")]
    only: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = &arguments.folder;
    std::fs::create_dir_all(data(folder))?;
    let store = fill::fill(&data(folder), arguments.incidents)?;
    let samples = routes::Samples::of(&data(folder), arguments.incidents)?;
    let (http, bmp) = (free_port()?, free_port()?);
    let mut program =
        Program::start(&arguments.program, folder, http, &configuration(folder, http, bmp))?;
    wait_for(&mut program)?;
    let idle = megabytes(&program)?;
    let load = Load {
        http,
        connections: arguments.connections,
        duration: Duration::from_secs(arguments.seconds),
    };
    let mut routes = Vec::new();
    for (name, paths) in samples.routes() {
        if name.contains(&arguments.only) {
            let answers = load.run(&paths)?;
            let resident = megabytes(&program)?;
            let measured = json!({ "route": name, "resident_mb": resident, "answers": answers });
            writeln!(std::io::stderr(), "{measured}")?;
            routes.push(measured);
        }
    }
    let events = readers::run(&mut program, (http, bmp), arguments.readers)?;
    let summary = json!({
        "store": store,
        "resident_mb_idle": idle,
        "connections": arguments.connections,
        "routes": routes,
        "events": events,
    });
    writeln!(std::io::stdout(), "{summary:#}")?;
    if !program.stop()? {
        bail!("the program did not end well");
    }
    Ok(())
}

fn wait_for(program: &mut Program) -> Result<()> {
    let begun = std::time::Instant::now();
    while program.status().is_err() {
        program.ensure_running()?;
        if begun.elapsed() > START_WITHIN {
            bail!("no answer within {START_WITHIN:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "megabytes")]
fn megabytes(program: &Program) -> Result<f64> {
    Ok((program.usage().context("the program is gone")?.0 / 100_000) as f64 / 10.0)
}

/// With a router that does not come before all routes are measured: until then what is open in the
/// store stays open.
fn configuration(folder: &Path, http: std::net::SocketAddr, bmp: std::net::SocketAddr) -> String {
    format!(
        "data_dir = \"{}\"\n[http]\nlisten = \"{http}\"\nconnections_max = 2000\n\
         requests_per_second_max = 1000000\n[access]\nmode = \"off\"\n[detect]\nbogons = false\nquorum = 1\n\
         warm_up = \"1s\"\nwarm_up_max = \"1h\"\n\
         [[bmp]]\nname = \"bmp\"\nlisten = \"{bmp}\"\nallow = [\"127.0.0.0/8\"]\n",
        data(folder).display()
    )
}
