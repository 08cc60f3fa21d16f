//! `routewarden validate`.

use std::io::{self, Write};

use anyhow::Result;
use routewarden_core::facts::{FactSource, InvalidReason, RovState, Validity};
use routewarden_core::{Asn, Origin, Prefix};
use serde::Serialize;

use crate::cli::{DocumentFormat, FactArgs, ValidateArgs};
use crate::{Exit, facts};

#[derive(Serialize)]
struct Document<'a> {
    prefix: Prefix,
    asn: Asn,
    #[serde(flatten)]
    validity: &'a Validity,
    vrps: Option<&'a FactSource>,
}

pub(super) fn run(args: &ValidateArgs) -> Result<Exit> {
    let named = FactArgs { vrps: Some(args.vrps.clone()), ..FactArgs::default() };
    let facts = facts::load(&named)?;
    let Some(vrps) = &facts.vrps else { return Ok(Exit::Error) };
    let validity = vrps.table.validate(&args.prefix, Origin::As(args.asn));
    let mut out = io::stdout().lock();
    match args.format {
        DocumentFormat::Json => {
            let document = Document {
                prefix: args.prefix,
                asn: args.asn,
                validity: &validity,
                vrps: Some(&vrps.source),
            };
            serde_json::to_writer(&mut out, &document)?;
            writeln!(out)?;
        }
        DocumentFormat::Table => {
            writeln!(out, "{} {}: {}", args.prefix, args.asn, words(&validity))?;
            for vrp in &validity.covering {
                let anchor = vrps.table.trust_anchor(vrp);
                writeln!(out, "  {} up to /{} {} {anchor}", vrp.prefix, vrp.max_len, vrp.asn)?;
            }
            let date = vrps.source.date.map(|date| format!(", {date}")).unwrap_or_default();
            writeln!(out, "by {} VRPs of {}{date}", vrps.source.entries, vrps.source.name)?;
        }
    }
    Ok(Exit::Done)
}

fn words(validity: &Validity) -> &'static str {
    match (validity.state, validity.reason) {
        (RovState::Valid, _) => "valid",
        (RovState::NotFound, _) => "not found: no VRP covers the prefix",
        (RovState::Invalid, _) if validity.as0_only => {
            "invalid: covered by AS0 only, which nobody may originate"
        }
        (RovState::Invalid, Some(InvalidReason::MaxLength)) => {
            "invalid: longer than the AS's VRPs allow"
        }
        (RovState::Invalid, _) => "invalid: no covering VRP has this AS",
    }
}
