//! The reference of the configuration in Markdown, made from the schema.

use serde_json::Value;

use super::schema;
use super::structure::{choices, text_of};

/// A table of keys for each section, in alphabetical order.
pub fn reference() -> String {
    let mut out = String::new();
    section("", "Top level", &schema(), &mut out);
    out
}

fn section(path: &str, title: &str, schema: &Value, out: &mut String) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties else { return };
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    out.extend(["## ", title, "\n\n"]);
    if let Some(text) = text_of(schema, "description").filter(|_| !path.is_empty()) {
        out.extend([one_line(text).trim_end_matches('.'), ".\n\n"]);
    }
    let mut inner = Vec::new();
    let mut rows = String::new();
    for (name, schema) in properties {
        let key = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        if let Some((title, schema)) = table(&key, schema) {
            inner.push((key, title, schema));
            continue;
        }
        let default = if is_required(name) { "required".to_owned() } else { default(schema) };
        let what = text_of(schema, "description").map(one_line).unwrap_or_default();
        let row = ["`", name, "` | ", &form(schema), " | ", &default, " | ", &what];
        rows.extend(["| "].into_iter().chain(row).chain([" |\n"]));
    }
    if !rows.is_empty() {
        out.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        out.push_str(&rows);
        out.push('\n');
    }
    for (key, title, schema) in inner {
        section(&key, &title, schema, out);
    }
}

/// Heading and schema of what is written as a table of its own.
fn table<'a>(key: &str, schema: &'a Value) -> Option<(String, &'a Value)> {
    if schema.get("properties").is_some() {
        return Some((format!("`[{key}]`"), schema));
    }
    let items = schema.get("items").filter(|items| items.get("properties").is_some())?;
    Some((format!("`[[{key}]]`"), items))
}

fn default(schema: &Value) -> String {
    match schema.get("default") {
        Some(Value::Array(list)) if list.is_empty() => "none".to_owned(),
        Some(value) => format!("`{value}`"),
        None => "none".to_owned(),
    }
}

/// What may be written.
fn form(schema: &Value) -> String {
    let choices = choices(schema);
    if !choices.is_empty() {
        let quoted: Vec<String> = choices.iter().map(|choice| format!("`\"{choice}\"`")).collect();
        return quoted.join(", ");
    }
    let number = |name| schema.get(name).and_then(Value::as_u64);
    match (text_of(schema, "type"), number("minimum"), number("maximum")) {
        (Some("array"), ..) => {
            let most = number("maxItems").map(|most| format!("up to {most} "));
            let items = schema.get("items").map(form).unwrap_or_default();
            format!("list: {}{items}", most.unwrap_or_default())
        }
        (Some("integer"), Some(least), Some(most)) => format!("{least} to {most}"),
        (Some("integer"), ..) => "whole number".to_owned(),
        (Some("boolean"), ..) => "`true`, `false`".to_owned(),
        _ => text_of(schema, "format").unwrap_or("text").replace('-', " "),
    }
}

/// Line breaks of the source are none of the text; a bar would end the cell.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
