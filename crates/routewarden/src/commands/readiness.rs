//! `routewarden readiness` and `compare`.

pub(super) mod compare;
mod gather;
mod print;

use std::io::{self, Write};

use anyhow::{Context, Result};
use routewarden_core::Asn;

use crate::Exit;
use crate::cli::{ReadinessArgs, ReadinessFormat};
use crate::exit::UsageError;
use crate::readiness::{
    AsAnswer, Group, GroupBy, Head, Measured, Row, ScoresSummary, csv, group, group_where, parquet,
};

pub(super) fn run(args: &ReadinessArgs) -> Result<Exit> {
    let gathered = gather::gather(&args.measure, &args.asns)?;
    let measured = Measured::of(gathered.survey);
    let chosen = Chosen::of(args, &measured)?;
    let survey = &measured.survey;
    let ases = || survey.ases.iter().filter(|surveyed| chosen.has(surveyed.asn, surveyed));
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        ReadinessFormat::Csv | ReadinessFormat::Parquet => {
            let rows: Vec<Row<'_>> = ases().map(|surveyed| Row::of(survey, surveyed)).collect();
            if args.format == ReadinessFormat::Csv {
                csv(&mut out, survey, &rows)?;
            } else {
                out.write_all(&parquet(survey, &rows).context("cannot write Parquet")?)?;
            }
        }
        ReadinessFormat::Observatory => {
            let group = group_where(&measured, |surveyed| chosen.has(surveyed.asn, surveyed));
            serde_json::to_writer(&mut out, &ScoresSummary::of(&group))?;
            writeln!(out)?;
        }
        ReadinessFormat::Table | ReadinessFormat::Json | ReadinessFormat::Jsonl => {
            let (references, routes) = (&gathered.references, Some(&gathered.announced));
            let answers: Vec<AsAnswer<'_>> =
                ases().map(|surveyed| AsAnswer::of(survey, surveyed, references, routes)).collect();
            let group = chosen.group.as_ref().map(|(by, group)| (*by, group));
            print::print(&mut out, (&Head::of(survey), group), &answers, args.format)?;
        }
    }
    out.flush()?;
    Ok(if gathered.is_incomplete { Exit::Incomplete } else { Exit::Done })
}

/// The networks that are asked for.
struct Chosen {
    asns: Vec<Asn>,
    group: Option<(GroupBy, Group)>,
}

impl Chosen {
    fn of(args: &ReadinessArgs, measured: &Measured) -> Result<Self> {
        let asked = match &args.country {
            _ if !args.asns.is_empty() => None,
            Some(country) => Some((GroupBy::Country, country.as_str())),
            None if args.all => Some((GroupBy::World, "world")),
            None => Some((GroupBy::Constituency, "constituency")),
        };
        let Some((by, id)) = asked else {
            return Ok(Chosen { asns: args.asns.clone(), group: None });
        };
        let group = group(measured, by, id).ok_or_else(|| {
            let text = match by {
                GroupBy::Country => {
                    format!("no network of {id} is known: --orgs or --delegated say where they are")
                }
                _ => "no networks: give ASNs, --country, --constituency or --all".to_owned(),
            };
            UsageError(text)
        })?;
        Ok(Chosen { asns: Vec::new(), group: Some((by, group)) })
    }

    fn has(&self, asn: Asn, surveyed: &crate::readiness::Surveyed) -> bool {
        match &self.group {
            Some((by, group)) => by.is_in(surveyed, &group.id),
            None => self.asns.contains(&asn),
        }
    }
}
