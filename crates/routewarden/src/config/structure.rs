//! Holds a document against the schema: all unknown and missing keys, wrong types and values at
//! once, each with its place.
//!
//! The schema is made from the types of the configuration, so that what it takes can be read into
//! them. Only the keywords that it uses are looked at.

use std::ops::Range;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Document, Key, place};
use super::finding::Finding;
use super::values::check_form;

/// Names that are so much alike are taken for a slip (1 is the same name).
const LIKENESS_MIN: f64 = 0.75;
/// Characters of a wrong value that are shown.
const SHOWN_CHARS_MAX: usize = 60;

/// Everything by which the document differs from the schema, each with its key.
pub(super) fn check(document: &Document<'_>, schema: &Value) -> Vec<(Key, Finding)> {
    let mut check = Check { document, findings: Vec::new() };
    check.table(schema, document.root.get_ref(), &(0..0), &Key::default());
    check.findings
}

struct Check<'a> {
    document: &'a Document<'a>,
    findings: Vec<(Key, Finding)>,
}

impl Check<'_> {
    fn add(&mut self, span: &Range<usize>, kind: &'static str, key: &Key, message: String) {
        let finding = self.document.error(span, kind, key, message);
        self.findings.push((key.clone(), finding));
    }

    fn table(&mut self, schema: &Value, table: &DeTable<'_>, span: &Range<usize>, key: &Key) {
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        for (name, value) in table {
            let inner = key.name(name.get_ref());
            if let Some(schema) = known.get(name.get_ref().as_ref()) {
                self.value(schema, value, &place(name, value), &inner);
            } else {
                let text = unknown(name.get_ref(), known);
                self.add(&name.span(), "unknown_key", &inner, text);
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.keys().any(|written| written.get_ref() == name) {
                let what = known.get(name).and_then(|schema| text_of(schema, "description"));
                let text = format!("is missing ({})", what.unwrap_or_default());
                self.add(span, "missing_key", &key.name(name), text);
            }
        }
    }

    fn value(
        &mut self,
        schema: &Value,
        value: &Spanned<DeValue<'_>>,
        at: &Range<usize>,
        key: &Key,
    ) {
        let expected = text_of(schema, "type").unwrap_or("string");
        match (expected, value.get_ref()) {
            ("object", DeValue::Table(table)) => self.table(schema, table, at, key),
            ("array", DeValue::Array(list)) => {
                self.count(schema, list.len(), at, key);
                let Some(items) = schema.get("items") else { return };
                for (number, item) in list.iter().enumerate() {
                    self.value(items, item, &item.span(), &key.element(number));
                }
            }
            ("string", DeValue::String(text)) => self.text(schema, text, at, key),
            ("integer", DeValue::Integer(number)) => {
                let digits: String = number.as_str().chars().filter(|&c| c != '_').collect();
                let number = i128::from_str_radix(&digits, number.radix()).unwrap_or(i128::MAX);
                self.number(schema, number, at, key);
            }
            ("boolean", DeValue::Boolean(_)) => {}
            (_, found) => {
                let mut text = format!("is {}, not {}", found_words(found), words(expected));
                let is_tables = schema.pointer("/items/properties").is_some();
                if is_tables && found.is_table() {
                    text = format!("is one table, not a list of them: write [[{key}]]");
                }
                self.add(at, "wrong_type", key, text);
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, at: &Range<usize>, key: &Key) {
        let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
        let choices = choices(schema);
        if !choices.is_empty() && !choices.contains(&text) {
            let told =
                format!("{shown:?} is not one of {}{}", choices.join(", "), meant(text, &choices));
            self.add(at, "bad_value", key, told);
        }
        let form = text_of(schema, "format").unwrap_or_default();
        if let Err(error) = check_form(form, text) {
            self.add(at, "bad_value", key, format!("{shown:?} is wrong: {error}"));
        }
    }

    fn number(&mut self, schema: &Value, number: i128, at: &Range<usize>, key: &Key) {
        let limit = |name| schema.get(name).and_then(Value::as_i64).map(i128::from);
        let (least, most) = (limit("minimum"), limit("maximum"));
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (least, _) => format!("from {} on", least.unwrap_or_default()),
            };
            self.add(at, "out_of_range", key, format!("{number} is out of range: {range}"));
        }
    }

    fn count(&mut self, schema: &Value, count: usize, at: &Range<usize>, key: &Key) {
        let limit = |name| schema.get(name).and_then(Value::as_u64).and_then(|n| n.try_into().ok());
        if limit("minItems").is_some_and(|least: usize| count < least) {
            self.add(at, "out_of_range", key, "is empty: at least one is needed".to_owned());
        }
        if let Some(most) = limit("maxItems").filter(|&most| count > most) {
            let text = format!("has {count} elements: at most {most} are taken");
            self.add(at, "out_of_range", key, text);
        }
    }
}

pub(super) fn text_of<'a>(schema: &'a Value, keyword: &str) -> Option<&'a str> {
    schema.get(keyword).and_then(Value::as_str)
}

/// The texts that a schema takes, if it names them.
pub(super) fn choices(schema: &Value) -> Vec<&str> {
    let list = |keyword| schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
    let plain = list("enum").filter_map(Value::as_str);
    plain.chain(list("oneOf").filter_map(|one| text_of(one, "const"))).collect()
}

fn unknown(name: &str, known: &Map<String, Value>) -> String {
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    let hint = meant(name, &names);
    if hint.is_empty() {
        return format!("is not known here; known are {}", names.join(", "));
    }
    format!("is not known here{hint}")
}

/// `; did you mean "listen"?`
fn meant(text: &str, known: &[&str]) -> String {
    let likeness = |name: &&&str| strsim::jaro_winkler(&text.to_lowercase(), name);
    let best = known.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let best = best.filter(|name| likeness(name) >= LIKENESS_MIN);
    best.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

fn words(kind: &str) -> &'static str {
    match kind {
        "object" => "a table",
        "array" => "a list",
        "integer" => "a whole number",
        "boolean" => "true or false",
        _ => "a text in quotes",
    }
}

fn found_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
