//! The summary of a run, as Markdown.

use super::agreement::{Row, Verdict};
use super::experiments::{BY_FILES, BY_PEERS, BY_RUNS, FROM_FILE, ROUTEWARDEN, STAGES};
use super::measure::{Sample, Table};
use super::statistics::{Samples, Spread, digits, line};
use super::tools::Tools;

/// Which way a figure is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
}

/// A target and what was reached.
struct Target {
    what: String,
    bound: Bound,
    wanted: f64,
    reached: f64,
    unit: &'static str,
}

impl Target {
    fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast => self.reached >= self.wanted,
            Bound::AtMost => self.reached <= self.wanted,
        }
    }
}

/// Everything the summary is made of.
pub(super) struct Report<'a> {
    pub(super) is_quick: bool,
    pub(super) rounds: u32,
    pub(super) machine: &'a str,
    pub(super) versions: &'a str,
    pub(super) tools: &'a Tools,
    pub(super) agreement: &'a [Row],
    pub(super) samples: &'a Samples,
}

impl Report<'_> {
    /// The whole page.
    pub(super) fn markdown(&self) -> String {
        let mut targets = Vec::new();
        let tables = [
            self.decode(&mut targets),
            self.end_to_end(&mut targets),
            self.rib(&mut targets),
            self.detect(&mut targets),
            self.growth(),
            self.rov(),
        ];
        let mut page = String::from("# Comparison\n\n");
        if self.is_quick {
            page.push_str(
                "A quick run on smaller inputs, to try the comparison: **not for quoting**.\n\n",
            );
        }
        line(
            &mut page,
            &format!(
                "{} rounds, the programs of a table in turn. Figures are medians, with the least and the \
             most in brackets. CPU seconds are user and system of the whole process. Made by \
             `cargo xtask compare`; every single run is in `raw.tsv`.",
                self.rounds
            ),
        );
        line(&mut page, &format!("\n```\n{}```\n\n```\n{}```", self.machine, self.versions));
        self.left_out(&mut page);
        page.push_str(&targets_table(&targets));
        self.agreement(&mut page);
        for table in tables {
            page.push_str(&table);
        }
        page
    }

    fn left_out(&self, page: &mut String) {
        page.push_str("\n## Left out\n\n");
        for found in self.tools.found.iter().filter(|found| found.version.is_none()) {
            line(page, &format!("- {}: not installed ({})", found.name, found.install));
        }
        for left_out in &self.tools.left_out {
            line(page, &format!("- {}: {}", left_out.name, left_out.reason));
        }
    }

    fn agreement(&self, page: &mut String) {
        page.push_str(
            "\n## Agreement\n\nNumber of routes and a digest over (time, peer, kind, prefix, path) of \
             each; see `bench/src/hash.rs`.\n\n\
             | input | tool | routes | digest | |\n|---|---|---|---|---|\n",
        );
        for row in self.agreement {
            let verdict = match &row.verdict {
                Verdict::Same => "as ours".to_owned(),
                Verdict::Known(reason) => format!(
                    "known difference: {reason}; ours {} {}",
                    row.ours.elements, row.ours.digest
                ),
                Verdict::Unknown => format!(
                    "**DIFFERS**, not known why; ours {} {}",
                    row.ours.elements, row.ours.digest
                ),
            };
            let Row { input, tool, theirs, .. } = row;
            line(
                page,
                &format!(
                    "| {input} | {tool} | {} | {} | {verdict} |",
                    theirs.elements, theirs.digest
                ),
            );
        }
    }

    fn decode(&self, targets: &mut Vec<Target>) -> String {
        let mut page = heading(
            "Decoding on one core",
            "Uncompressed files, every attribute of every route read and hashed. Speeds are million \
             routes per second: of CPU time of the whole process with start and reading of the \
             file, and of decoding alone as the program measures it. `routewarden` reads the \
             attributes anew for every route; by runs it reads once what the routes of an UPDATE \
             share. Both have the file in memory before, as bgpkit-parser; from the file it is \
             decoded piece by piece, as bgpdump does. The last columns say how many times as fast \
             ours is: every route anew, then by runs (of CPU time: from the file).\n\n\
             | input | tool | CPU s | M/s of CPU time | M/s decoding alone | resident MB | \
             ours by CPU time | ours decoding alone |\n|---|---|---|---|---|---|---|---|",
        );
        for input in self.samples.inputs(Table::Decode) {
            let at = |tool| (Table::Decode, input, tool);
            let routes = self.median(at(ROUTEWARDEN), |s| s.said("elements")).unwrap_or_default();
            let alone = |tool| {
                self.samples.spread(at(tool), |s| Some(routes / 1e6 / s.said("decode_seconds")?))
            };
            let by_cpu =
                |tool| self.samples.spread(at(tool), |s| Some(routes / 1e6 / s.cpu_secs()));
            for tool in self.samples.tools(Table::Decode, input) {
                let of_cpu = [ROUTEWARDEN, FROM_FILE].map(|our| ratio(by_cpu(our), by_cpu(tool)));
                let of_alone = [ROUTEWARDEN, BY_RUNS].map(|our| ratio(alone(our), alone(tool)));
                line(
                    &mut page,
                    &format!(
                        "| {input} | {tool} | {} | {} | {} | {} | {} | {} |",
                        cell(self.samples.spread(at(tool), |s| Some(s.cpu_secs()))),
                        cell(by_cpu(tool)),
                        cell(alone(tool)),
                        cell(self.resident(at(tool))),
                        of_cpu.map(times).join(", "),
                        of_alone.map(times).join(", "),
                    ),
                );
                let (wanted, of, reached) = match tool {
                    "bgpkit-parser" => (10.0, "decoding alone", of_alone),
                    "bgpdump" => (50.0, "CPU time", of_cpu),
                    _ => continue,
                };
                for (how, reached) in ["every route anew", "by runs"].iter().zip(reached) {
                    let Some(reached) = reached else { continue };
                    let what = format!("{how}, {of}, times {tool}: {input}");
                    targets.push(Target {
                        what,
                        bound: Bound::AtLeast,
                        wanted,
                        reached,
                        unit: "x",
                    });
                }
            }
        }
        page
    }

    fn end_to_end(&self, targets: &mut Vec<Target>) -> String {
        let mut page = heading(
            "End to end beside decompression alone",
            "All cores. Ours is `routewarden mrt -q --count`: decompression, decoding and counting; \
             the others only decompress, to `/dev/null`.\n\n\
             | input | tool | wall s | CPU s | resident MB | our wall time over it |\n\
             |---|---|---|---|---|---|",
        );
        for input in self.samples.inputs(Table::EndToEnd) {
            let at = |tool| (Table::EndToEnd, input, tool);
            let wall = |tool| self.samples.spread(at(tool), |s| Some(s.wall_secs));
            let mut best: Option<(&str, f64)> = None;
            for tool in self.samples.tools(Table::EndToEnd, input) {
                let over = ratio(wall(ROUTEWARDEN), wall(tool));
                line(
                    &mut page,
                    &format!(
                        "| {input} | {tool} | {} | {} | {} | {} |",
                        cell(wall(tool)),
                        cell(self.samples.spread(at(tool), |s| Some(s.cpu_secs()))),
                        cell(self.resident(at(tool))),
                        times(over),
                    ),
                );
                if let Some(over) = over.filter(|_| tool != ROUTEWARDEN)
                    && best.is_none_or(|(_, most)| over > most)
                {
                    best = Some((tool, over));
                }
            }
            if let Some((tool, reached)) = best {
                let wanted = if input.ends_with("(.gz)") { 1.3 } else { 1.2 };
                let what = format!("end to end over the fastest ({tool}): {input}");
                targets.push(Target { what, bound: Bound::AtMost, wanted, reached, unit: "x" });
            }
        }
        page
    }

    fn rib(&self, targets: &mut Vec<Target>) -> String {
        let mut page = heading(
            "Table of routes",
            "`rib`: one core, one decoding thread, uncompressed files. Resident sizes are those of \
             the process.\n\n| figure | |\n|---|---|",
        );
        for input in self.samples.inputs(Table::Rib) {
            let at = (Table::Rib, input, "rib");
            line(&mut page, &format!("| input | {input} |"));
            for (what, key, scale) in [
                ("routes", "routes", 1.0),
                ("peers", "peers", 1.0),
                ("million routes decoded and loaded a second", "routes_per_second", 1e6),
                ("octets a route, all in", "octets_per_route", 1.0),
                ("million updates decoded and applied a second", "events_per_second", 1e6),
                ("resident MB after loading", "resident_loaded", 1e6),
                ("resident MB after replaying the updates", "resident_replayed", 1e6),
                ("resident MB after withdrawing everything", "resident_withdrawn", 1e6),
            ] {
                let spread = self.samples.spread(at, |s| Some(s.said(key)? / scale));
                line(&mut page, &format!("| {what} | {} |", cell(spread)));
            }
            for (key, bound, wanted, scale, unit) in [
                ("routes_per_second", Bound::AtLeast, 4.0, 1e6, " M/s"),
                ("octets_per_route", Bound::AtMost, 40.0, 1.0, " octets"),
            ] {
                if let Some(reached) = self.median(at, |s| Some(s.said(key)? / scale)) {
                    let what = format!("table of routes: {key}");
                    targets.push(Target { what, bound, wanted, reached, unit });
                }
            }
        }
        page
    }

    fn detect(&self, targets: &mut Vec<Target>) -> String {
        let mut page = heading(
            "Detection",
            "`detect`: the whole program, from compressed files to the report. The stages are the \
             differences between pipelines that end one stage later each, with one decoding thread \
             on one core.\n\n\
             | what | wall s | CPU s | resident MB | M routes/s of CPU time |\n|---|---|---|---|---|",
        );
        for input in self.samples.inputs(Table::Detect) {
            let routes = self.median((Table::Detect, input, STAGES), |s| s.said("elements"));
            let is_stages = |tool: &&&str| tool.starts_with(STAGES);
            let tools = self.samples.tools(Table::Detect, input);
            for tool in tools.iter().filter(|tool| !is_stages(tool)) {
                let at = (Table::Detect, input, *tool);
                let speed = self.samples.spread(at, |s| Some(routes? / 1e6 / s.cpu_secs()));
                let cells = [
                    cell(self.samples.spread(at, |s| Some(s.wall_secs))),
                    cell(self.samples.spread(at, |s| Some(s.cpu_secs()))),
                    cell(self.resident(at)),
                    cell(speed),
                ];
                line(&mut page, &format!("| {tool}: {input} | {} |", cells.join(" | ")));
                if let Some(speed) = speed.filter(|_| tool.ends_with("on 1 core")) {
                    let what = format!("{tool}: routes a second of CPU time");
                    let (bound, wanted, unit) = (Bound::AtLeast, 1.0, " M/s");
                    targets.push(Target { what, bound, wanted, reached: speed.median, unit });
                }
            }
            for tool in tools.iter().filter(is_stages) {
                page.push_str(&self.stages((Table::Detect, input, tool)));
            }
        }
        page
    }

    fn stages(&self, at: (Table, &str, &str)) -> String {
        let mut page = format!("\n{}:\n\n| stage | s | M routes/s |\n|---|---|---|\n", at.2);
        for stage in ["read", "decode", "stream", "table", "detect", "report"] {
            let key = format!("{stage}_seconds");
            let secs = self.samples.spread(at, |s| s.said(&key));
            let speed =
                self.samples.spread(at, |s| Some(s.said("elements")? / 1e6 / s.said(&key)?));
            // A difference below the noise is no speed.
            let speed = speed.filter(|speed| speed.least > 0.0);
            line(&mut page, &format!("| {stage} | {} | {} |", cell(secs), cell(speed)));
        }
        page
    }

    fn growth(&self) -> String {
        let mut page = heading(
            "Growth",
            "`detect` from uncompressed files, pinned to one core.\n\n![growth](growth.svg)\n\n\
             | what grows | size | wall s | CPU s | resident MB |\n|---|---|---|---|---|",
        );
        for input in [BY_FILES, BY_PEERS] {
            for size in self.samples.tools(Table::Growth, input) {
                let at = (Table::Growth, input, size);
                line(
                    &mut page,
                    &format!(
                        "| {input} | {size} | {} | {} | {} |",
                        cell(self.samples.spread(at, |s| Some(s.wall_secs))),
                        cell(self.samples.spread(at, |s| Some(s.cpu_secs()))),
                        cell(self.resident(at)),
                    ),
                );
            }
        }
        page
    }

    fn rov(&self) -> String {
        let mut page =
            heading("Route origin validation", "`rov`, one core.\n\n| figure | |\n|---|---|");
        for input in self.samples.inputs(Table::Rov) {
            line(&mut page, &format!("| input | {input} |"));
            for (what, key, scale) in [
                ("VRPs", "vrps", 1.0),
                ("routes", "validations", 1.0),
                ("ms to build the table", "build_ms", 1.0),
                ("octets of the table for each VRP", "octets_per_vrp", 1.0),
                ("million validations a second, sorted", "validations_per_s_sorted", 1e6),
                ("million validations a second, shuffled", "validations_per_s_shuffled", 1e6),
            ] {
                let spread = self.samples.spread((Table::Rov, input, "rov"), |s| match key {
                    "octets_per_vrp" => Some(s.said("table_octets")? / s.said("vrps")?),
                    _ => Some(s.said(key)? / scale),
                });
                line(&mut page, &format!("| {what} | {} |", cell(spread)));
            }
        }
        page
    }

    fn median(
        &self,
        at: (Table, &str, &str),
        figure: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<f64> {
        self.samples.spread(at, figure).map(|spread| spread.median)
    }

    fn resident(&self, at: (Table, &str, &str)) -> Option<Spread> {
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        self.samples.spread(at, |s| Some(s.resident_octets as f64 / 1e6))
    }
}

fn targets_table(targets: &[Target]) -> String {
    let mut page = heading("Targets", "| what | target | reached | |\n|---|---|---|---|");
    for target in targets {
        let bound = if target.bound == Bound::AtLeast { "at least" } else { "at most" };
        line(
            &mut page,
            &format!(
                "| {} | {bound} {}{unit} | {}{unit} | {} |",
                target.what,
                target.wanted,
                digits(target.reached),
                if target.is_met() { "met" } else { "**missed**" },
                unit = target.unit,
            ),
        );
    }
    page
}

fn heading(title: &str, text: &str) -> String {
    format!("\n## {title}\n\n{text}\n")
}

fn cell(spread: Option<Spread>) -> String {
    match spread {
        // What does not vary, as a count, needs no brackets.
        Some(Spread { median, least, most }) if least.total_cmp(&most).is_eq() => digits(median),
        Some(spread) => spread.to_string(),
        None => "-".to_owned(),
    }
}

fn ratio(over: Option<Spread>, under: Option<Spread>) -> Option<f64> {
    Some(over?.median / under?.median)
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or("-".to_owned(), |ratio| format!("{}x", digits(ratio)))
}
