//! The commented example, which is also the file that packages install.

/// `config/routewarden.toml`: every key with its default. A line that begins with `#` and no space
/// after it is a key that may be uncommented; the default holds while it is not.
pub const EXAMPLE: &str = include_str!("../../../../config/routewarden.toml");

/// The example with every key that is commented out.
#[cfg(test)]
pub(super) fn uncommented() -> String {
    let line = |line: &'static str| match line.strip_prefix('#') {
        Some(key) if !key.is_empty() && !key.starts_with([' ', '#']) => key,
        _ => line,
    };
    EXAMPLE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::config::{Weight, check, schema};

    fn written(text: &str) -> Value {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn it_is_taken_as_it_is() {
        let checked =
            check(Path::new("/nonexistent/routewarden.toml"), EXAMPLE.as_bytes()).unwrap();
        let kinds: Vec<&str> = checked.warnings.iter().map(|warning| warning.kind).collect();
        assert_eq!(kinds, ["no_source"]);
    }

    /// Only the files that it names are lacking.
    #[test]
    fn every_key_that_is_commented_out_is_right() {
        let text = uncommented();
        let error = check(Path::new("/nonexistent/routewarden.toml"), text.as_bytes()).unwrap_err();
        let told = |finding: &crate::config::Finding| finding.weight == Weight::Error;
        for finding in error.findings.iter().filter(|finding| told(finding)) {
            assert_eq!(finding.kind, "unreadable", "{error}");
        }
        assert_eq!(error.untold, 0);
    }

    #[test]
    fn it_has_every_key_of_the_schema_with_its_default() {
        let mut keys = 0;
        compare("", &schema(), &written(&uncommented()), &mut keys);
        assert!(keys > 60, "{keys}");
    }

    fn compare(path: &str, schema: &Value, value: &Value, keys: &mut usize) {
        for (name, schema) in schema["properties"].as_object().unwrap() {
            let path = format!("{path}.{name}");
            let mut value = &value[name];
            assert!(!value.is_null(), "the example lacks {path}");
            *keys += 1;
            let (mut inner, items) = (schema, &schema["items"]);
            if items["properties"].is_object() {
                (inner, value) = (items, &value[0]);
            }
            if inner["properties"].is_object() {
                compare(&path, inner, value, keys);
            } else if let Some(default) = schema.get("default").filter(|d| !is_empty(d)) {
                assert_eq!(value, default, "the example's default of {path}");
            }
        }
    }

    /// An example is of more use than an empty list.
    fn is_empty(default: &Value) -> bool {
        default.as_array().is_some_and(Vec::is_empty)
    }
}
