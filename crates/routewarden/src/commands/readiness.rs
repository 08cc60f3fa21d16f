//! `routewarden readiness`.

mod gather;
mod print;

use std::io::{self, Write};

use anyhow::Result;
use routewarden_core::Asn;

use crate::Exit;
use crate::cli::ReadinessArgs;
use crate::exit::UsageError;
use crate::readiness::{AsAnswer, Head};

pub(super) fn run(args: &ReadinessArgs) -> Result<Exit> {
    let gathered = gather::gather(&args.measure, &args.asns)?;
    let survey = &gathered.survey;
    let is_asked = |asn: Asn, country: Option<&str>| {
        args.all
            || args.asns.contains(&asn)
            || args.country.is_some() && args.country.as_deref() == country
    };
    let chosen = survey.ases.iter().filter(|known| is_asked(known.asn, known.country.as_deref()));
    let routes = Some((&gathered.references, &gathered.announced));
    let answers: Vec<AsAnswer<'_>> =
        chosen.map(|surveyed| AsAnswer::of(survey, surveyed, routes)).collect();
    if answers.is_empty() {
        let country = args.country.as_deref().unwrap_or_default();
        return Err(
            UsageError(format!("no network of {country}: give --orgs or --delegated")).into()
        );
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    print::print(&mut out, &Head::of(survey), &answers, args)?;
    out.flush()?;
    Ok(if gathered.is_incomplete { Exit::Incomplete } else { Exit::Done })
}
