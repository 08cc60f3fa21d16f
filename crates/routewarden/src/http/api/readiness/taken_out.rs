//! Scores taken out: a report that prints clean, and tables for other programs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::Response;
use routewarden_core::Asn;
use routewarden_measure::Readiness;
use serde::Serialize;

use super::{When, answered, as_answer, bys, internal, no_group, no_network, plain, text};
use crate::http::Problem;
use crate::http::api::parameters::Parameters;
use crate::http::api::{Api, answer};
use crate::readiness::{
    GroupBy, Head, Measured, Row, alone, csv, group, parquet, report as report_of,
};

/// Names of the forms of an export.
pub(in crate::http::api) const FORMATS: [&str; 3] = ["csv", "json", "parquet"];

/// The networks of a group, or one network.
struct Subject {
    by: GroupBy,
    id: String,
    asn: Option<Asn>,
}

impl Subject {
    /// `by` and `id`; the world where neither is given. `by=as` asks for one network.
    fn of(query: &mut Parameters) -> Result<Self, Problem> {
        let names: Vec<&'static str> = bys().into_iter().chain(["as"]).collect();
        let by = query.one_of("by", &names)?;
        let id = query.take("id", "the id of a group, or an ASN", plain)?;
        match (by, id) {
            (None, None) => Ok(Subject { by: GroupBy::World, id: "world".to_owned(), asn: None }),
            (Some("as"), Some(id)) => {
                let asn = id.parse().map_err(|_| no_group())?;
                Ok(Subject { by: GroupBy::World, id: "world".to_owned(), asn: Some(asn) })
            }
            (Some(by), Some(id)) => {
                let by = GroupBy::named(by).unwrap_or(GroupBy::World);
                Ok(Subject { by, id, asn: None })
            }
            _ => Err(no_group()),
        }
    }

    fn rows<'a>(&self, measured: &'a Measured) -> Vec<Row<'a>> {
        let survey = &measured.survey;
        let is_asked = |asn| self.asn.is_none_or(|asked| asked == asn);
        let ases = survey.ases.iter();
        let ases = ases.filter(|s| is_asked(s.asn) && self.by.is_in(s, &self.id));
        ases.map(|surveyed| Row::of(survey, surveyed)).collect()
    }
}

/// A report that prints clean
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/report",
    operation_id = "getReadinessReport",
    params(
        ("by" = Option<String>, Query, description = "By what networks are taken together, or as"),
        ("id" = Option<String>, Query, description = "Id of a group, or an ASN"),
        When,
    ),
    responses((status = 200, description = "The report", content_type = "text/html", body = String))
)]
pub(in crate::http::api) async fn report(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = answered(&api, &uri, Subject::of, |_, held, subject| {
        let one = subject.asn.map(|asn| as_answer(held, asn).ok_or_else(|| no_network(asn)));
        let one = one.transpose()?;
        let group = match &one {
            Some(one) => alone(&held.measured, one.asn),
            None => group(&held.measured, subject.by, &subject.id),
        };
        let group = group.ok_or_else(no_group)?;
        let page = report_of(&held.measured, (subject.by, &group), one.as_ref());
        page.map(String::into_bytes).map_err(|error| internal(&error))
    });
    let mut response = answer::tagged(&headers, "text/html; charset=utf-8", page.await?.into());
    // It has its style in it, and nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Scores for other programs
#[utoipa::path(
    get,
    tag = "readiness",
    path = "/readiness/export",
    operation_id = "exportReadiness",
    params(
        ("by" = Option<String>, Query, description = "By what networks are taken together, or as"),
        ("id" = Option<String>, Query, description = "Id of a group, or an ASN"),
        ("format" = Option<String>, Query, description = "csv (when not given), json or parquet"),
        When,
    ),
    responses(
        (status = 200, description = "One network a row", content(
            (String = "text/csv"), (String = "application/vnd.apache.parquet"), (Object = "application/json")
        ))
    )
)]
pub(in crate::http::api) async fn export(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut format = "csv";
    let read = |query: &mut Parameters| {
        format = query.one_of("format", &FORMATS)?.unwrap_or(format);
        Ok((Subject::of(query)?, format))
    };
    let place = api.reads.export().await?;
    let octets = answered(&api, &uri, read, |_, held, (subject, format)| {
        exported(&held.measured, &subject, format)
    });
    let octets = octets.await?;
    let media_type = match format {
        "parquet" => "application/vnd.apache.parquet",
        "json" => "application/json",
        _ => "text/csv; charset=utf-8",
    };
    Ok(answer::tagged(&headers, media_type, answer::kept(octets, place)))
}

/// Every network with all of its figures.
#[derive(Serialize)]
struct Exported<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    ases: Vec<Readiness>,
}

fn exported(measured: &Measured, subject: &Subject, format: &str) -> Result<Vec<u8>, Problem> {
    let rows = subject.rows(measured);
    match format {
        "parquet" => parquet(&measured.survey, &rows).map_err(|error| internal(&error)),
        "json" => {
            let ases = rows.into_iter().map(|row| row.readiness).collect();
            text(&Exported { head: Head::of(&measured.survey), ases })
        }
        _ => {
            let mut octets = Vec::new();
            csv(&mut octets, &measured.survey, &rows).map_err(|error| internal(&error))?;
            Ok(octets)
        }
    }
}
