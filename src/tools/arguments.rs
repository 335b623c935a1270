//! Arguments: the schema that a model is told, and the check of what it sends against that same schema, in words
//! that it can act on.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::agent::ports::tool::ToolError;

/// How much of a wrong value is shown, in characters.
const SHOWN_VALUE: usize = 40;

/// The JSON schema of `T`, without the parts that only programs read.
pub fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.meta_schema = None;
        settings.inline_subschemas = true;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
        root.remove("description");
    }
    for property in schema["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        tidy(property);
    }
    schema
}

/// An optional argument is one that may be left out; that it may also be `null` is not worth a model's attention.
fn tidy(property: &mut Value) {
    let Some(property) = property.as_object_mut() else { return };
    property.remove("format");
    property.remove("default");
    let only = property.get("type").and_then(Value::as_array).and_then(|types| types.first()).cloned();
    if let Some(only) = only {
        property.insert("type".into(), only);
    }
}

/// Reads the arguments, or says all that is wrong with them.
pub fn arguments<T: DeserializeOwned + JsonSchema>(args: Value) -> Result<T, ToolError> {
    let args = if args.is_null() { Value::Object(Map::new()) } else { args };
    let Some(given) = args.as_object() else {
        return Err(ToolError::RespondToModel(format!("The arguments must be a JSON object, not {}.", shown(&args))));
    };
    let faults = faults(&schema::<T>(), given);
    if !faults.is_empty() {
        return Err(ToolError::RespondToModel(faults.join(" ")));
    }
    serde_path_to_error::deserialize(args)
        .map_err(|error| ToolError::RespondToModel(format!("`{}` doesn't fit: {}.", error.path(), error.inner())))
}

fn faults(schema: &Value, given: &Map<String, Value>) -> Vec<String> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut faults: Vec<String> = required
        .iter()
        .filter(|name| given.get(**name).is_none_or(Value::is_null))
        .map(|name| format!("`{name}` is missing."))
        .collect();
    for (name, value) in given {
        match properties.get(name) {
            None => faults.push(format!("`{name}` is not an argument; there are {}.", names(properties))),
            Some(_) if value.is_null() => {}
            Some(property) if fits(property, value) => {}
            Some(property) => faults.push(format!("`{name}` must be {}, not {}.", wanted(property), shown(value))),
        }
    }
    faults
}

fn fits(property: &Value, value: &Value) -> bool {
    match property["type"].as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("integer") => value.as_u64().is_some_and(|number| {
            property["minimum"].as_u64().is_none_or(|least| number >= least)
                && property["maximum"].as_u64().is_none_or(|most| number <= most)
        }),
        _ => true,
    }
}

fn wanted(property: &Value) -> String {
    match (property["type"].as_str(), property["minimum"].as_u64(), property["maximum"].as_u64()) {
        (Some("string"), ..) => "text".into(),
        (Some("boolean"), ..) => "true or false".into(),
        (Some("array"), ..) => "a list".into(),
        (_, Some(least), Some(most)) => format!("a whole number from {least} to {most}"),
        (_, Some(least), None) => format!("a whole number, {least} or more"),
        _ => "a whole number".into(),
    }
}

fn names(properties: &Map<String, Value>) -> String {
    properties.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn shown(value: &Value) -> String {
    super::wording::one_line(&value.to_string(), SHOWN_VALUE)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Args {
        /// A file.
        path: String,
        #[schemars(range(min = 1))]
        line_start: Option<u64>,
        #[schemars(range(max = 10))]
        context: Option<u64>,
        files_only: Option<bool>,
    }

    fn fault(args: Value) -> String {
        arguments::<Args>(args).unwrap_err().to_string()
    }

    #[test]
    fn the_schema_holds_what_a_model_needs_and_nothing_else() {
        let expected = json!({
            "type": "object",
            "properties": {
                "path": { "description": "A file.", "type": "string" },
                "line_start": { "type": "integer", "minimum": 1 },
                "context": { "type": "integer", "minimum": 0, "maximum": 10 },
                "files_only": { "type": "boolean" },
            },
            "additionalProperties": false,
            "required": ["path"],
        });
        assert_eq!(schema::<Args>(), expected);
    }

    #[test]
    fn arguments_that_fit_are_read_and_null_counts_as_left_out() {
        let expected = Args { path: "a".into(), line_start: Some(3), context: None, files_only: None };
        assert_eq!(arguments::<Args>(json!({ "path": "a", "line_start": 3, "context": null })).unwrap(), expected);
    }

    #[test]
    fn each_fault_is_named_with_what_would_fit() {
        assert_eq!(fault(json!({})), "`path` is missing.");
        assert_eq!(fault(Value::Null), "`path` is missing.");
        assert_eq!(fault(json!({ "path": null })), "`path` is missing.");
        assert_eq!(fault(json!("notes.txt")), "The arguments must be a JSON object, not \"notes.txt\".");
        assert_eq!(fault(json!({ "path": 7 })), "`path` must be text, not 7.");
        assert_eq!(
            fault(json!({ "path": "a", "line_start": "ten" })),
            "`line_start` must be a whole number, 1 or more, not \"ten\"."
        );
        assert_eq!(
            fault(json!({ "path": "a", "line_start": -1 })),
            "`line_start` must be a whole number, 1 or more, not -1."
        );
        assert_eq!(
            fault(json!({ "path": "a", "context": 11 })),
            "`context` must be a whole number from 0 to 10, not 11."
        );
        assert_eq!(
            fault(json!({ "file": "a", "files_only": "yes" })),
            "`path` is missing. `file` is not an argument; there are `path`, `line_start`, `context`, `files_only`. \
             `files_only` must be true or false, not \"yes\"."
        );
    }
}
