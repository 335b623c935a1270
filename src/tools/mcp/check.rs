//! Arguments against a schema that somebody else wrote: what is plainly wrong is told before the call; the rest is the
//! server's to judge.

use serde_json::Value;

/// Schemas may nest without end; so deep nobody looks.
const MAX_DEPTH: usize = 8;

/// What is wrong, in words for a model.
pub fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    look(schema, value, "", MAX_DEPTH, &mut faults);
    faults
}

fn look(schema: &Value, value: &Value, at: &str, depth: usize, faults: &mut Vec<String>) {
    if depth == 0 {
        return;
    }
    let shown = if at.is_empty() { "The arguments".to_owned() } else { format!("`{at}`") };
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is(kind, value)) {
        faults.push(format!("{shown} must be {}, not {}.", kinds.join(" or "), kind_of(value)));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        let allowed: Vec<String> = allowed.iter().map(Value::to_string).collect();
        faults.push(format!("{shown} must be one of {}.", allowed.join(", ")));
    }
    let inside = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    if let Some(given) = value.as_object() {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !given.contains_key(name) {
                faults.push(format!("`{}` is missing.", inside(name)));
            }
        }
        for (name, value) in given {
            match schema["properties"].get(name) {
                Some(property) => look(property, value, &inside(name), depth - 1, faults),
                None if schema["additionalProperties"] == false => {
                    faults.push(format!("`{}` is not an argument.", inside(name)));
                }
                None => {}
            }
        }
    }
    if let (Some(items), true) = (value.as_array(), schema["items"].is_object()) {
        for (place, item) in items.iter().enumerate() {
            look(&schema["items"], item, &format!("{at}[{place}]"), depth - 1, faults);
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        // A kind that this version doesn't know is none of its business.
        _ => true,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_plainly_wrong_is_named_and_the_rest_is_left_to_the_server() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "number"},
                "mode": {"type": "string", "enum": ["fast", "slow"]},
                "list": {"type": "array", "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}},
                "maybe": {"type": ["string", "null"]},
                "odd": {"$ref": "#/definitions/odd"},
            },
            "required": ["a"],
            "additionalProperties": false,
        });
        for (args, expected) in [
            (json!({"a": -1.5, "mode": "fast", "list": [{"id": -3}], "maybe": null, "odd": [1]}), vec![]),
            (json!({}), vec!["`a` is missing."]),
            (json!({"a": "one"}), vec!["`a` must be number, not a string."]),
            (json!({"a": 1, "mode": "medium"}), vec!["`mode` must be one of \"fast\", \"slow\"."]),
            (
                json!({"a": 1, "list": [{"id": 1.5}, {}]}),
                vec!["`list[0].id` must be integer, not a number.", "`list[1].id` is missing."],
            ),
            (json!({"a": 1, "b": 2}), vec!["`b` is not an argument."]),
            (json!([1]), vec!["The arguments must be object, not a list."]),
        ] {
            assert_eq!(faults(&schema, &args), expected, "{args}");
        }
        assert_eq!(faults(&json!({}), &json!({"anything": [1]})), Vec::<String>::new());
    }

    #[test]
    fn a_schema_or_a_value_without_end_is_not_followed() {
        let (mut schema, mut value) = (json!({"type": "string"}), json!(1));
        for _ in 0..100 {
            schema = json!({"type": "object", "properties": {"x": schema}});
            value = json!({"x": value});
        }
        assert_eq!(faults(&schema, &value), Vec::<String>::new());
    }
}
