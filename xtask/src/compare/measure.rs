//! Running programs in turn, and what each cost.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value};
use wait4::Wait4 as _;

/// Exit codes of a run that counts: success, and `routewarden`'s "done, but with faulty input".
const GOOD_CODES: [i32; 2] = [0, 3];

/// A table of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Table {
    /// Decoding uncompressed files on one core.
    Decode,
    /// From compressed files to counts on all cores, beside decompression alone.
    EndToEnd,
    /// The table of routes.
    Rib,
    /// `detect`, split by stage and as a whole.
    Detect,
    /// Time and memory as files and peers grow.
    Growth,
    /// Route origin validation.
    Rov,
}

impl Table {
    /// As it stands in the raw figures.
    pub(super) fn name(self) -> &'static str {
        match self {
            Table::Decode => "decode",
            Table::EndToEnd => "end_to_end",
            Table::Rib => "rib",
            Table::Detect => "detect",
            Table::Growth => "growth",
            Table::Rov => "rov",
        }
    }
}

/// What the output of a program tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// Nothing that is kept: standard output goes to `/dev/null`.
    Nothing,
    /// The last line of `elements`: `N elements S s M M/s all`.
    Speed,
    /// One JSON object.
    Json,
}

/// One program on one input.
#[derive(Clone, Debug)]
pub(super) struct Contender {
    pub(super) tool: String,
    pub(super) command: Vec<OsString>,
    pub(super) says: Says,
}

/// Contenders that are run in turn on the same input.
#[derive(Clone, Debug)]
pub(super) struct Experiment {
    pub(super) table: Table,
    pub(super) input: String,
    /// The core all are pinned to; all cores when `None`.
    pub(super) core: Option<usize>,
    pub(super) contenders: Vec<Contender>,
}

/// What one run cost.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) table: Table,
    pub(super) input: String,
    pub(super) tool: String,
    pub(super) round: u32,
    pub(super) wall_secs: f64,
    pub(super) user_secs: f64,
    pub(super) system_secs: f64,
    /// Largest resident size of the process or of one it waited for.
    pub(super) resident_octets: u64,
    /// What the program said of itself.
    pub(super) says: Map<String, Value>,
}

impl Sample {
    pub(super) fn cpu_secs(&self) -> f64 {
        self.user_secs + self.system_secs
    }

    /// A number that the program said.
    pub(super) fn said(&self, key: &str) -> Option<f64> {
        self.says.get(key).and_then(Value::as_f64)
    }
}

/// Runs all contenders of an experiment one after the other, `rounds` times: A B C A B C.
pub(super) fn run(experiment: &Experiment, rounds: u32) -> anyhow::Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for round in 1..=rounds {
        for contender in &experiment.contenders {
            let sample = once(experiment, contender, round)
                .with_context(|| format!("{} on {}", contender.tool, experiment.input))?;
            let (table, input) = (experiment.table.name(), &experiment.input);
            writeln!(
                std::io::stderr(),
                "{table}, {input}, round {round}: {} {:.3} s wall, {:.3} s CPU",
                contender.tool,
                sample.wall_secs,
                sample.cpu_secs()
            )?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this chore is for")]
fn once(experiment: &Experiment, contender: &Contender, round: u32) -> anyhow::Result<Sample> {
    let pin = experiment.core.map(|core| ["taskset".into(), "-c".into(), core.to_string().into()]);
    let mut words = pin.iter().flatten().chain(&contender.command);
    let mut command = Command::new(words.next().context("no command")?);
    command.args(words);
    let is_kept = contender.says != Says::Nothing;
    command.stdin(Stdio::null()).stdout(if is_kept { Stdio::piped() } else { Stdio::null() });
    let start = Instant::now();
    let mut child = command.spawn().context("cannot be started")?;
    let mut output = String::new();
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut output)?;
    }
    let used = child.wait4()?;
    let wall_secs = start.elapsed().as_secs_f64();
    let code = used.status.code();
    ensure!(code.is_some_and(|code| GOOD_CODES.contains(&code)), "ended with {}", used.status);
    Ok(Sample {
        table: experiment.table,
        input: experiment.input.clone(),
        tool: contender.tool.clone(),
        round,
        wall_secs,
        user_secs: used.rusage.utime.as_secs_f64(),
        system_secs: used.rusage.stime.as_secs_f64(),
        resident_octets: used.rusage.maxrss,
        says: said(contender.says, &output).with_context(|| format!("not understood: {output}"))?,
    })
}

fn said(says: Says, output: &str) -> anyhow::Result<Map<String, Value>> {
    match says {
        Says::Nothing => Ok(Map::new()),
        Says::Json => Ok(serde_json::from_str(output)?),
        Says::Speed => {
            let mut words = output.lines().last().context("no output")?.split(' ');
            let elements: u64 = words.next().context("no count")?.parse()?;
            let secs: f64 = words.nth(1).context("no seconds")?.parse()?;
            let mut map = Map::new();
            map.insert("elements".to_owned(), elements.into());
            map.insert("decode_seconds".to_owned(), secs.into());
            Ok(map)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn experiment(command: &[&str], says: Says) -> Experiment {
        let command = command.iter().map(OsString::from).collect();
        Experiment {
            table: Table::Decode,
            input: "none".to_owned(),
            core: None,
            contenders: vec![Contender { tool: "sh".to_owned(), command, says }],
        }
    }

    #[test]
    fn what_a_child_used_and_said_is_its_own() {
        let script = r#"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo "{\"x\": 2.5}""#;
        let samples = run(&experiment(&["sh", "-c", script], Says::Json), 2).unwrap();
        assert_eq!(samples.iter().map(|sample| sample.round).collect::<Vec<_>>(), [1, 2]);
        for sample in samples {
            assert_eq!(sample.said("x"), Some(2.5));
            assert!(sample.cpu_secs() > 0.0 && sample.wall_secs > 0.0);
            assert!(sample.resident_octets > 100_000);
        }
    }

    #[test]
    fn a_child_that_fails_fails_the_run() {
        assert!(run(&experiment(&["false"], Says::Nothing), 1).is_err());
        assert!(run(&experiment(&["/no/such/program"], Says::Nothing), 1).is_err());
        assert!(run(&experiment(&["sh", "-c", "exit 3"], Says::Nothing), 1).is_ok());
    }

    #[test]
    fn the_speed_line_of_elements() {
        let output = "7 elements 0.5 s 0.000 M/s 0123 a\n12 elements 0.75 s 0.000 M/s all\n";
        let said = said(Says::Speed, output).unwrap();
        assert_eq!(said.get("elements"), Some(&12.into()));
        assert_eq!(said.get("decode_seconds"), Some(&0.75.into()));
    }
}
