//! The description of the API: `OpenAPI` 3.1.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use routewarden_store::access::Role;
use routewarden_store::{NAME_OCTETS_MAX, Verdict};
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use super::incidents::{CLASSES, ORDERS, STATES, kinds};
use super::parameters::Parameters;
use super::{
    Api, BASE, answer, events, history, incidents, places, program, readiness, replay, table,
    updates, verdict,
};
use crate::http::Problem;
use crate::http::access::{Needs, ROUTES, Route, audit, login, setup, tokens, users};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Routewarden",
        version = "1",
        description = "The API of routewarden serve; see docs/reference/api.md.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    paths(
        incidents::list,
        incidents::one,
        history::history,
        replay::replay,
        updates::updates,
        verdict::put,
        verdict::withdraw,
        places::asn,
        places::prefix,
        places::country,
        table::prefix,
        table::asn,
        program::feeds,
        program::facts,
        program::statistics,
        readiness::frameworks::profiles,
        readiness::frameworks::periods,
        readiness::groups::list,
        readiness::groups::one,
        readiness::networks::list,
        readiness::networks::one,
        readiness::compared::compare,
        readiness::compared::providers,
        readiness::taken_out::report,
        readiness::taken_out::export,
        readiness::observatory_shape::summary,
        events::events,
        document,
        login::session,
        login::log_in,
        login::log_out,
        login::change_password,
        setup::set_up,
        users::list,
        users::add,
        users::change,
        tokens::list,
        tokens::add,
        tokens::revoke,
        audit::list
    ),
    components(schemas(events::Told))
)]
struct Described;

/// Schema of an incident, as `detect` writes it, too.
const INCIDENT: &str = include_str!("../../../../../docs/reference/incident.schema.json");

/// Where readiness is.
const READINESS: &str = "/readiness/";

/// Values of parameters that are names, wherever they are.
const NAMES: [(&str, &[&str]); 7] = [
    ("class", &CLASSES),
    ("state", &STATES),
    ("role", &["culprit", "victim", "propagator"]),
    ("match", &["exact", "covering", "covered"]),
    ("sort", &ORDERS),
    ("format", &["json", "csv", "jsonl"]),
    ("by", &["day", "hour"]),
];

/// Forms of parameters that are text, wherever they are; `docs/reference/api.md` says what they are.
const FORMATS: [(&str, &str); 8] = [
    ("from", "time"),
    ("before", "time"),
    ("gaps_from", "time"),
    ("asn", "asn"),
    ("prefix", "prefix"),
    ("address", "ip"),
    ("cursor", "cursor"),
    ("member", "member"),
];

/// The description, as `/api/v1/openapi.json` has it.
pub fn openapi() -> String {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    if let Some(document) = document.as_object_mut() {
        document.insert("servers".to_owned(), json!([{ "url": BASE }]));
    }
    put_schemas(&mut document);
    put_schemes(&mut document);
    put_operations(&mut document);
    let mut text = format!("{document:#}");
    text.push('\n');
    text
}

/// Puts in the schemas that are not of this crate, and that of a problem.
fn put_schemas(document: &mut Value) {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    let Some(schemas) = schemas else { return };
    let mut incident: Value = serde_json::from_str(INCIDENT).unwrap_or_default();
    point_at_components(&mut incident);
    if let Some(incident) = incident.as_object_mut() {
        for keyword in ["$schema", "$id"] {
            incident.remove(keyword);
        }
        if let Some(Value::Object(parts)) = incident.remove("$defs") {
            schemas.extend(parts.into_iter().map(|(name, part)| (component(&name), part)));
        }
        let description = "An incident as the detector gave it; see docs/reference/incident.md.";
        incident.insert("description".to_owned(), description.into());
    }
    schemas.insert("Incident".to_owned(), incident);
    for schema in ["VerdictAnswer", "VerdictPut"] {
        let verdict = schemas.get_mut(schema).and_then(|s| s.pointer_mut("/properties/verdict"));
        if let Some(verdict) = verdict.and_then(Value::as_object_mut) {
            verdict.insert("enum".to_owned(), json!(Verdict::ALL.map(Verdict::name)));
        }
    }
    schemas.insert("Problem".to_owned(), problem());
}

/// Name of the component for a part of the schema of incidents.
fn component(part: &str) -> String {
    format!("Incident_{part}")
}

/// References to parts of the schema of incidents become such to components.
fn point_at_components(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let part = member.as_str().and_then(|text| text.strip_prefix("#/$defs/"));
                match part.filter(|_| name == "$ref").map(component) {
                    Some(name) => *member = format!("#/components/schemas/{name}").into(),
                    None => point_at_components(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_at_components),
        _ => {}
    }
}

/// Problem details (RFC 9457).
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What was wrong (RFC 9457).",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": { "type": "string", "description": "/problems/ and the code" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "code": { "type": "string", "description": "Stable name" },
            "detail": { "type": "string", "description": "For people" },
            "parameter": { "type": "string", "description": "The parameter that was wrong" }
        }
    })
}

/// Puts the names of parameters, what is needed and the problems into every operation.
fn put_operations(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            put_needs(path, method, operation);
            put_operation(path, operation);
        }
    }
}

fn put_operation(path: &str, operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        if path.starts_with(READINESS) {
            put_readiness_forms(path, parameter);
        } else {
            put_names(parameter);
        }
        leave_out_null(parameter);
    }
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
    let Some(responses) = responses else { return };
    responses.insert(
        "default".to_owned(),
        json!({
            "description": "A problem",
            "content": {
                "application/problem+json": {
                    "schema": { "$ref": "#/components/schemas/Problem" }
                }
            }
        }),
    );
}

/// Says what a request must bring, from the table that the guard goes by.
fn put_needs(path: &str, method: &str, operation: &mut Value) {
    let path = format!("{BASE}{path}");
    let is_it =
        |route: &&Route| route.path == path && route.method.as_str().eq_ignore_ascii_case(method);
    let (Some(route), Some(operation)) = (ROUTES.iter().find(is_it), operation.as_object_mut())
    else {
        return;
    };
    let (schemes, role) = match route.needs {
        Needs::Nothing => (json!([]), None),
        Needs::Metrics => (json!([{ "cookie": [] }, { "token": [] }]), Some(Role::Viewer)),
        Needs::Role(role) => (json!([{ "cookie": [] }, { "token": [] }]), Some(role)),
        Needs::Login(role) => (json!([{ "cookie": [] }]), Some(role)),
    };
    operation.insert("security".to_owned(), schemes);
    if let Some(role) = role {
        operation.insert("x-role".to_owned(), role.name().into());
    }
}

/// Cookie and token.
fn put_schemes(document: &mut Value) {
    let components = document.get_mut("components").and_then(Value::as_object_mut);
    let Some(components) = components else { return };
    let schemes = json!({
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": "rw_session",
            "description": "Of a login; named __Host-rw over TLS. What changes something needs the \
                            header X-Routewarden: 1, too."
        },
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A token, as POST /tokens or routewarden token add gives it."
        }
    });
    components.insert("securitySchemes".to_owned(), schemes);
}

/// Names and forms of parameters of readiness: some are called as others are elsewhere.
fn put_readiness_forms(path: &str, parameter: &mut Value) {
    let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
    let with_as = path.ends_with("/report") || path.ends_with("/export");
    let names: Vec<&'static str> = match name {
        "by" => readiness::bys().into_iter().chain(with_as.then_some("as")).collect(),
        "class" => readiness::networks::classes().into(),
        "order" => readiness::networks::ORDERS.into(),
        "format" => readiness::taken_out::FORMATS.into(),
        "profile" => routewarden_measure::Profile::built_in_ids().collect(),
        _ => Vec::new(),
    };
    let schema = match name {
        _ if !names.is_empty() => json!({ "type": "string", "enum": names }),
        "period" => json!({ "type": "string", "pattern": readiness::PERIOD_PATTERN }),
        "id" | "score" => json!({ "type": "string", "pattern": readiness::PLAIN_PATTERN }),
        "asns" => json!({ "type": "string", "pattern": readiness::compared::ASNS_PATTERN }),
        "month" => {
            json!({ "type": "string", "pattern": readiness::observatory_shape::MONTH_PATTERN })
        }
        "country" => json!({ "type": "string", "pattern": "^[A-Za-z]{2}$" }),
        "region" => {
            json!({ "type": "string", "pattern": readiness::observatory_shape::PLACE_PATTERN })
        }
        _ => return put_names(parameter),
    };
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("schema".to_owned(), schema);
    }
}

fn put_names(parameter: &mut Value) {
    let kinds = kinds();
    let named = parameter.get("name").and_then(Value::as_str).and_then(|name| {
        let mut all = NAMES.iter().copied().chain([("kind", kinds.as_slice())]);
        all.find(|(known, _)| *known == name)
    });
    if let (Some((_, names)), Some(parameter)) = (named, parameter.as_object_mut()) {
        parameter.insert("schema".to_owned(), json!({ "type": "string", "enum": names }));
    }
    let name = parameter.get("name").and_then(Value::as_str).unwrap_or_default();
    let format = FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
    let is_id = name == "id";
    let schema = parameter.get_mut("schema").and_then(Value::as_object_mut);
    let schema = schema.filter(|schema| has_type(schema, "string"));
    let Some(schema) = schema else { return };
    if let Some(format) = format {
        schema.insert("format".to_owned(), format.into());
    }
    if is_id {
        schema.insert("pattern".to_owned(), id_pattern().into());
    }
}

/// What ids of incidents are made of; see [`super::path::IncidentId`].
fn id_pattern() -> String {
    format!("^[!-~]{{1,{NAME_OCTETS_MAX}}}$")
}

fn has_type(schema: &Map<String, Value>, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::Array(types)) => types.iter().any(|known| known == name),
        Some(known) => known == name,
        None => false,
    }
}

/// A parameter that need not be given is never null.
fn leave_out_null(parameter: &mut Value) {
    let Some(kind) = parameter.pointer_mut("/schema/type") else { return };
    let one = kind.as_array().and_then(|kinds| kinds.iter().find(|kind| *kind != "null"));
    if let Some(one) = one.cloned() {
        *kind = one;
    }
}

/// This description
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "getOpenapi",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub(super) async fn document(
    State(api): State<Arc<Api>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Parameters::of(&uri)?.finish()?;
    Ok(answer::tagged(&headers, "application/json", Bytes::clone(&api.document)))
}
