//! What is measured: for each table of the summary the programs and their inputs.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::inputs::Inputs;
use super::measure::{Contender, Experiment, Says, Table};
use super::tools::Tools;

/// Name of ours where a whole program runs.
pub(super) const ROUTEWARDEN: &str = "routewarden";
/// Ours, with what the elements of a run have in common read once; and straight from the file.
pub(super) const BY_RUNS: &str = "routewarden, by runs";
pub(super) const FROM_FILE: &str = "routewarden, by runs, from the file";
/// The program that splits detection by stage, and the same with VRPs.
pub(super) const STAGES: &str = "stages";
pub(super) const STAGES_ROV: &str = "stages, each change validated (VRPs of 2025)";
/// Numbers of files and of peers of which growth is shown; as many as there are.
const GROWTH_FILES: [usize; 3] = [1, 5, 22];
const GROWTH_PEERS: [u32; 3] = [1, 10, 45];

/// All experiments of the tables asked for.
pub(super) fn of(
    tables: &[Table],
    tools: &Tools,
    inputs: &Inputs,
    cores: usize,
) -> anyhow::Result<Vec<Experiment>> {
    // The last core: the first often serves interrupts.
    let core = cores.saturating_sub(1);
    let mut experiments = Vec::new();
    for table in tables {
        experiments.extend(match table {
            Table::Decode => decode(tools, inputs, core),
            Table::EndToEnd => end_to_end(tools, inputs, cores)?,
            Table::Rib => vec![rib(tools, inputs, core)],
            Table::Detect => detect(tools, inputs, core),
            Table::Growth => growth(tools, inputs, core)?,
            Table::Rov => vec![rov(tools, inputs, core)],
        });
    }
    Ok(experiments)
}

fn contender(tool: &str, says: Says, words: impl IntoIterator<Item = OsString>) -> Contender {
    Contender { tool: tool.to_owned(), command: words.into_iter().collect(), says }
}

fn paths(files: &[PathBuf]) -> impl Iterator<Item = OsString> + '_ {
    files.iter().map(|file| file.clone().into())
}

fn decode(tools: &Tools, inputs: &Inputs, core: usize) -> Vec<Experiment> {
    let mut experiments = Vec::new();
    for (input, path) in &inputs.decoded {
        let file: OsString = path.clone().into();
        let ours = |tool, options: &[&str]| {
            let words = options.iter().map(OsString::from);
            let words = std::iter::once(tools.ours("elements")).chain(words);
            contender(tool, Says::Speed, words.chain([file.clone()]))
        };
        let mut contenders = vec![
            ours(ROUTEWARDEN, &[]),
            ours(BY_RUNS, &["--runs"]),
            ours(FROM_FILE, &["--runs", "--stream"]),
            contender("bgpkit-parser", Says::Speed, [tools.ours("elements_bgpkit"), file.clone()]),
        ];
        if tools.has("bgpdump") {
            let words = ["bgpdump", "-q", "-m"].map(OsString::from);
            contenders.push(contender("bgpdump", Says::Nothing, words.into_iter().chain([file])));
        }
        experiments.push(Experiment {
            table: Table::Decode,
            input: input.clone(),
            core: Some(core),
            contenders,
        });
    }
    if tools.has("mrtparse") {
        let script: OsString = tools.root.join("bench/compare/mrtparse_routes.py").into();
        for (input, path) in &inputs.heads {
            let file: OsString = path.clone().into();
            let theirs = [tools.python.clone().into(), script.clone(), file.clone()];
            let contenders = vec![
                contender(ROUTEWARDEN, Says::Speed, [tools.ours("elements"), file]),
                contender("mrtparse", Says::Nothing, theirs),
            ];
            let (table, input) = (Table::Decode, input.clone());
            experiments.push(Experiment { table, input, core: Some(core), contenders });
        }
    }
    experiments
}

/// Decompression alone, by every tool there is and in every way that uses all cores.
fn end_to_end(tools: &Tools, inputs: &Inputs, cores: usize) -> anyhow::Result<Vec<Experiment>> {
    let one = |path: &Path| vec![path.to_owned()];
    let first_rrc12 = inputs.updates_rrc12.first().context("no rrc12 file")?;
    let mut sets = vec![
        ("table of jinx, 2014-05-30 (.bz2)".to_owned(), one(&inputs.table_jinx)),
        ("table of route-views2, 2008-02-24 (.bz2)".to_owned(), one(&inputs.table)),
        (
            format!("{} update files of route-views2 (.bz2)", inputs.updates.len()),
            inputs.updates.clone(),
        ),
        ("one update file of rrc12 (.gz)".to_owned(), one(first_rrc12)),
        (
            format!("{} update files of rrc12 (.gz)", inputs.updates_rrc12.len()),
            inputs.updates_rrc12.clone(),
        ),
    ];
    // In a quick run the last set is the one file again.
    sets.truncate(if inputs.updates_rrc12.len() > 1 { 5 } else { 4 });
    let experiment = |(input, files): (String, Vec<PathBuf>)| {
        let count = [tools.ours("routewarden"), "mrt".into(), "-q".into(), "--count".into()];
        let ours = contender(ROUTEWARDEN, Says::Nothing, count.into_iter().chain(paths(&files)));
        let is_gzip = files.iter().all(|file| file.extension().is_some_and(|end| end == "gz"));
        let names: &[&str] =
            if is_gzip { &["gzip", "pigz", "igzip"] } else { &["lbzip2", "bzip2"] };
        let mut contenders = vec![ours];
        for name in names.iter().filter(|name| tools.has(name)) {
            let alone = [OsString::from(name), "-dc".into()];
            contenders.push(contender(
                &format!("{name} -dc"),
                Says::Nothing,
                alone.into_iter().chain(paths(&files)),
            ));
            if files.len() > 1 {
                contenders.push(each_alone(name, &files, cores));
            }
        }
        Experiment { table: Table::EndToEnd, input, core: None, contenders }
    };
    Ok(sets.into_iter().map(experiment).collect())
}

/// One process for each file, as many at a time as there are cores.
fn each_alone(name: &str, files: &[PathBuf], cores: usize) -> Contender {
    let single = if name == "lbzip2" { " -n1" } else { "" };
    let script = format!("printf '%s\\0' \"$@\" | xargs -0 -P {cores} -n 1 {name}{single} -dc");
    let words = ["sh".into(), "-c".into(), script.into(), "sh".into()];
    let tool = format!("{name}{single} -dc, {cores} at a time");
    contender(&tool, Says::Nothing, words.into_iter().chain(paths(files)))
}

fn rib(tools: &Tools, inputs: &Inputs, core: usize) -> Experiment {
    let table = [tools.ours("rib"), "--table".into(), inputs.plain_table.clone().into()];
    let words = table.into_iter().chain(paths(&inputs.plain_updates));
    Experiment {
        table: Table::Rib,
        input: format!(
            "table of route-views2, 2008-02-24, and {} update files",
            inputs.plain_updates.len()
        ),
        core: Some(core),
        contenders: vec![contender("rib", Says::Json, words)],
    }
}

/// `detect` from a table and updates.
fn detect_words(tools: &Tools, table: &Path, updates: &[PathBuf]) -> Vec<OsString> {
    let mut words = vec![tools.ours("routewarden"), "detect".into(), "-q".into()];
    words.extend(["--format".into(), "json".into(), "--rib".into(), table.into()]);
    words.extend(paths(updates));
    words
}

fn detect(tools: &Tools, inputs: &Inputs, core: usize) -> Vec<Experiment> {
    let input = format!("route-views2, 2008-02-24, {} update files", inputs.updates.len());
    let files = || {
        let table = ["--table".into(), inputs.table.clone().into()];
        table.into_iter().chain(paths(&inputs.updates))
    };
    let stages = tools.ours("stages");
    let vrps = [stages.clone(), "--vrps".into(), vrps(inputs).into()];
    let detect = |tool: &str, options: &[&str]| {
        let mut words = detect_words(tools, &inputs.table, &inputs.updates);
        words.extend(options.iter().map(OsString::from));
        contender(tool, Says::Nothing, words)
    };
    let single = ["--threads", "1", "--shards", "1"];
    let one = vec![
        contender(STAGES, Says::Json, std::iter::once(stages).chain(files())),
        contender(STAGES_ROV, Says::Json, vrps.into_iter().chain(files())),
        detect("detect on 1 core", &single),
    ];
    let all = vec![
        detect("detect, 1 thread, 1 shard", &single),
        detect("detect, 2 threads, 1 shard", &["--threads", "2", "--shards", "1"]),
        detect("detect, 2 threads, 2 shards", &["--threads", "2", "--shards", "2"]),
        detect("detect, 2 threads, 8 shards", &["--threads", "2", "--shards", "8"]),
        detect("detect as it comes", &[]),
    ];
    let table = Table::Detect;
    vec![
        Experiment { table, input: input.clone(), core: Some(core), contenders: one },
        Experiment { table, input, core: None, contenders: all },
    ]
}

fn vrps(inputs: &Inputs) -> PathBuf {
    inputs.data.join("rpki/rpkiclient_summary_20250720T093135Z.json.bz2")
}

/// Tool names of the growth experiments are the sizes.
pub(super) const BY_FILES: &str = "update files (with the table)";
/// See [`BY_FILES`].
pub(super) const BY_PEERS: &str = "peers (of table and updates)";

fn growth(tools: &Tools, inputs: &Inputs, core: usize) -> anyhow::Result<Vec<Experiment>> {
    // The first file begins before the table.
    let later = inputs.plain_updates.get(1..).context("one update file is not enough")?;
    let mut by_files = Vec::new();
    for count in GROWTH_FILES.into_iter().filter(|&count| count <= later.len().max(1)) {
        let files = later.get(..count).unwrap_or(later);
        let words = detect_words(tools, &inputs.plain_table, files);
        by_files.push(contender(&count.to_string(), Says::Nothing, words));
    }
    let mut by_peers = Vec::new();
    for peers in GROWTH_PEERS {
        let folder = inputs.scratch.join(format!("{peers}-peers/route-views2"));
        std::fs::create_dir_all(&folder)?;
        let cut = std::process::Command::new(tools.ours("cut_peers"))
            .arg("--peers")
            .arg(peers.to_string())
            .arg("--out")
            .arg(&folder)
            .arg("--table")
            .arg(&inputs.plain_table)
            .args(&inputs.plain_updates)
            .status()?;
        anyhow::ensure!(cut.success(), "cut_peers: {cut}");
        let in_folder = |path: &PathBuf| Some(folder.join(path.file_name()?));
        let table = in_folder(&inputs.plain_table).context("no name")?;
        let updates: Vec<PathBuf> = inputs.plain_updates.iter().filter_map(in_folder).collect();
        let words = detect_words(tools, &table, &updates);
        by_peers.push(contender(&peers.to_string(), Says::Nothing, words));
    }
    let experiment = |input: &str, contenders| Experiment {
        table: Table::Growth,
        input: input.to_owned(),
        core: Some(core),
        contenders,
    };
    Ok(vec![experiment(BY_FILES, by_files), experiment(BY_PEERS, by_peers)])
}

fn rov(tools: &Tools, inputs: &Inputs, core: usize) -> Experiment {
    let origins = inputs.data.join("origins/dfz-v4-prefix-origin.2021.csv.gz");
    let words = [tools.ours("rov"), vrps(inputs).into(), origins.into()];
    Experiment {
        table: Table::Rov,
        input: "VRPs of 2025-07-20, IPv4 routes of 2021".to_owned(),
        core: Some(core),
        contenders: vec![contender("rov", Says::Json, words)],
    }
}
