//! `routewarden compare`: networks side by side, and which of them to buy transit from.

use std::io::{self, Write};

use anyhow::{Context, Result};
use routewarden_measure::{ProviderChoice, ProviderRule, Readiness};
use serde::Serialize;

use super::{gather, print};
use crate::Exit;
use crate::cli::{CompareArgs, DocumentFormat};
use crate::readiness::{AsAnswer, Head};

/// The document of `--format json`.
#[derive(Serialize)]
struct Compared<'a> {
    #[serde(flatten)]
    head: &'a Head<'a>,
    ases: &'a [AsAnswer<'a>],
    #[serde(flatten)]
    choice: &'a ProviderChoice,
}

pub(in crate::commands) fn run(args: &CompareArgs) -> Result<Exit> {
    let gathered = gather::gather(&args.measure, &args.asns)?;
    let (survey, references) = (&gathered.survey, &gathered.references);
    let known = || args.asns.iter().filter_map(|&asn| survey.surveyed(asn));
    let readiness: Vec<Readiness> = known().map(|known| survey.readiness(known)).collect();
    let rule = ProviderRule::built_in().context("cannot read the weights")?;
    let choice = rule.choose(&readiness)?;
    let answers: Vec<AsAnswer<'_>> = known()
        .map(|known| AsAnswer::of(survey, known, references, Some(&gathered.announced)))
        .collect();
    let head = Head::of(survey);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        DocumentFormat::Json => {
            let compared = Compared { head: &head, ases: &answers, choice: &choice };
            serde_json::to_writer_pretty(&mut out, &compared)?;
            writeln!(out)?;
        }
        DocumentFormat::Table => {
            print::several(&mut out, &head, &answers)?;
            chosen(&mut out, &choice)?;
        }
    }
    out.flush()?;
    Ok(if gathered.is_incomplete { Exit::Incomplete } else { Exit::Done })
}

/// The candidates with the reasons for and against each.
fn chosen(out: &mut dyn Write, choice: &ProviderChoice) -> io::Result<()> {
    writeln!(out, "\nAs an upstream: {}", choice.advice)?;
    for candidate in &choice.candidates {
        let place = candidate.place.map_or_else(|| "-".to_owned(), |place| format!("{place}."));
        let (score, known) =
            (print::percent(candidate.score), print::percent(Some(candidate.known)));
        writeln!(out, "\n{place} {}  {score} %, {known} % of the weight known", candidate.asn)?;
        for reason in &candidate.reasons {
            let sign = match reason.is_for {
                Some(true) => "+",
                Some(false) => "-",
                None => "?",
            };
            writeln!(out, "   {sign} {:>3} %  {}", reason.weight, reason.text)?;
        }
    }
    Ok(())
}
