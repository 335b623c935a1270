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
    tidy(&mut schema);
    schema
}

/// An optional argument is one that may be left out; that it may also be `null` is not worth a model's attention.
fn tidy(schema: &mut Value) {
    let Some(property) = schema.as_object_mut() else { return };
    property.remove("format");
    property.remove("default");
    let only = property.get("type").and_then(Value::as_array).and_then(|types| types.first()).cloned();
    if let Some(only) = only {
        property.insert("type".into(), only);
    }
    if let Some(items) = property.get_mut("items") {
        tidy(items);
    }
    for inner in property.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        tidy(inner);
    }
}

/// Reads the arguments, or says all that is wrong with them.
pub fn arguments<T: DeserializeOwned + JsonSchema>(args: Value) -> Result<T, ToolError> {
    let args = if args.is_null() { Value::Object(Map::new()) } else { args };
    let Some(given) = args.as_object() else {
        return Err(ToolError::RespondToModel(format!("The arguments must be a JSON object, not {}.", shown(&args))));
    };
    let faults = faults(&schema::<T>(), given, "");
    if !faults.is_empty() {
        return Err(ToolError::RespondToModel(faults.join(" ")));
    }
    serde_path_to_error::deserialize(args)
        .map_err(|error| ToolError::RespondToModel(format!("`{}` doesn't fit: {}.", error.path(), error.inner())))
}

/// `at`: the name of the object that is looked at, with its dot; empty for the arguments themselves.
fn faults(schema: &Value, given: &Map<String, Value>, at: &str) -> Vec<String> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut faults: Vec<String> = required
        .iter()
        .filter(|name| given.get(**name).is_none_or(Value::is_null))
        .map(|name| format!("`{at}{name}` is missing."))
        .collect();
    for (name, value) in given {
        match properties.get(name) {
            None => faults.push(format!("`{at}{name}` is not an argument; there are {}.", names(properties))),
            Some(_) if value.is_null() => {}
            Some(property) => faults.extend(faults_of(property, value, &format!("{at}{name}"))),
        }
    }
    faults
}

/// What is wrong with one value, and with those in it.
fn faults_of(property: &Value, value: &Value, name: &str) -> Vec<String> {
    // Of several forms, the one whose type the value has.
    let property = forms(property).find(|form| fits(form, value)).unwrap_or(property);
    if !fits(property, value) {
        return vec![format!("`{name}` must be {}, not {}.", wanted(property), shown(value))];
    }
    match value {
        Value::Object(given) => faults(property, given, &format!("{name}.")),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(place, item)| faults_of(&property["items"], item, &format!("{name}[{place}]")))
            .collect(),
        _ => Vec::new(),
    }
}

/// The forms that a value may have: the alternatives of `anyOf`, else the one.
fn forms(property: &Value) -> impl Iterator<Item = &Value> {
    let several = property["anyOf"].as_array();
    several.into_iter().flatten().chain(several.is_none().then_some(property))
}

fn fits(property: &Value, value: &Value) -> bool {
    if property["anyOf"].is_array() {
        return forms(property).any(|form| fits(form, value));
    }
    match property["type"].as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.as_u64().is_some_and(|number| {
            property["minimum"].as_u64().is_none_or(|least| number >= least)
                && property["maximum"].as_u64().is_none_or(|most| number <= most)
        }),
        Some("object") => value.is_object(),
        Some("array") => value.as_array().is_some_and(|items| {
            let items = items.len() as u64;
            property["minItems"].as_u64().is_none_or(|least| items >= least)
                && property["maxItems"].as_u64().is_none_or(|most| items <= most)
        }),
        _ => true,
    }
}

fn wanted(property: &Value) -> String {
    if property["anyOf"].is_array() {
        return forms(property).map(wanted).collect::<Vec<_>>().join(" or ");
    }
    let least = property["minimum"].as_u64().or_else(|| property["minItems"].as_u64());
    let most = property["maximum"].as_u64().or_else(|| property["maxItems"].as_u64());
    match (property["type"].as_str(), least, most) {
        (Some("string"), ..) => "text".into(),
        (Some("boolean"), ..) => "true or false".into(),
        (Some("object"), ..) => "an object".into(),
        (Some("array"), Some(least), Some(most)) => format!("a list of {least} to {most}"),
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

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Nested {
        #[schemars(length(min = 1, max = 2))]
        edits: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize, JsonSchema, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        old: String,
        all: Option<bool>,
    }

    #[test]
    fn lists_of_objects_are_told_and_checked_to_the_bottom() {
        let expected = json!({
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": { "old": { "type": "string" }, "all": { "type": "boolean" } },
                "additionalProperties": false,
                "required": ["old"],
            },
        });
        assert_eq!(schema::<Nested>()["properties"]["edits"], expected);
        let nested = arguments::<Nested>(json!({ "edits": [{ "old": "a", "all": null }] })).unwrap();
        assert_eq!(nested, Nested { edits: Some(vec![Inner { old: "a".into(), all: None }]) });
        for (args, expected) in [
            (json!({ "edits": "a" }), "`edits` must be a list of 1 to 2, not \"a\"."),
            (json!({ "edits": [] }), "`edits` must be a list of 1 to 2, not []."),
            (json!({ "edits": ["a"] }), "`edits[0]` must be an object, not \"a\"."),
            (
                json!({ "edits": [{ "old": "a" }, { "new": 1, "all": 1 }] }),
                "`edits[1].old` is missing. `edits[1].new` is not an argument; there are `old`, `all`. \
                 `edits[1].all` must be true or false, not 1.",
            ),
        ] {
            assert_eq!(arguments::<Nested>(args).unwrap_err().to_string(), expected);
        }
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
