//! The JSON Schema of the configuration.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::Config;

/// The schema, without references and without `null`, which TOML does not have.
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<Config>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
}

/// Optional keys are left out, never null.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(mut forms)) = object.remove("anyOf") {
        forms.retain(|form| form.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(only)] = forms.as_slice() {
            for (name, value) in only {
                // What the key says of itself goes before what its type says.
                object.entry(name.clone()).or_insert_with(|| value.clone());
            }
        } else {
            object.insert("anyOf".to_owned(), Value::Array(forms));
        }
    }
}
