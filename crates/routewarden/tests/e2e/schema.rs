//! The keywords of JSON Schema that our schema uses. A whole validator would take longer to
//! build than all of this workspace; a keyword that is not known here fails the test.

use serde_json::Value;

pub(crate) struct Schema {
    root: Value,
}

/// Keywords that say nothing about a value.
const SILENT: [&str; 6] = ["$schema", "$id", "title", "description", "$defs", "pattern"];

impl Schema {
    pub(crate) fn parse(text: &str) -> Self {
        Schema { root: serde_json::from_str(text).unwrap() }
    }

    /// What is wrong with the value, each with its path.
    pub(crate) fn errors(&self, value: &Value) -> Vec<String> {
        let mut errors = Vec::new();
        self.check(&self.root, value, "$", &mut errors);
        errors
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, errors: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            match keyword.as_str() {
                "$ref" => {
                    let pointer = rule.as_str().unwrap().trim_start_matches('#');
                    self.check(self.root.pointer(pointer).unwrap(), value, path, errors);
                }
                "oneOf" => {
                    let fits = rule.as_array().unwrap().iter().filter(|one| {
                        let mut inner = Vec::new();
                        self.check(one, value, path, &mut inner);
                        inner.is_empty()
                    });
                    if fits.count() != 1 {
                        errors.push(format!("{path}: not one of the forms"));
                    }
                }
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{path}[{at}]"), errors);
                    }
                }
                "properties" => {
                    for (name, inner) in rule.as_object().unwrap() {
                        if let Some(value) = value.get(name) {
                            self.check(inner, value, &format!("{path}.{name}"), errors);
                        }
                    }
                }
                "additionalProperties" => self.check_others(schema, rule, value, path, errors),
                "propertyNames" => {}
                keyword => check_plain(keyword, rule, value, path, errors),
            }
        }
    }

    fn check_others(
        &self,
        schema: &Value,
        rule: &Value,
        value: &Value,
        path: &str,
        errors: &mut Vec<String>,
    ) {
        let known = |name: &str| schema.get("properties").is_some_and(|p| p.get(name).is_some());
        for (name, value) in value.as_object().into_iter().flatten() {
            if known(name) {
                continue;
            }
            if rule == &Value::Bool(false) {
                errors.push(format!("{path}: {name} is not named"));
            } else {
                self.check(rule, value, &format!("{path}.{name}"), errors);
            }
        }
    }
}

fn check_plain(keyword: &str, rule: &Value, value: &Value, path: &str, errors: &mut Vec<String>) {
    let holds = match keyword {
        "type" => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("type {other} is not known here"),
        },
        "enum" => rule.as_array().unwrap().contains(value),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "required" => {
            let lacks = rule.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            for name in lacks.filter(|name| value.get(name).is_none()) {
                errors.push(format!("{path}: lacks {name}"));
            }
            true
        }
        silent if SILENT.contains(&silent) => true,
        other => panic!("keyword {other} is not known here"),
    };
    if !holds {
        errors.push(match keyword {
            "type" => format!("{path}: no {}", rule.as_str().unwrap()),
            "enum" => format!("{path}: not one of {rule}"),
            _ => format!("{path}: breaks {keyword} {rule}"),
        });
    }
}
