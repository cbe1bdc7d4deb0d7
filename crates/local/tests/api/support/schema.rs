//! The part of JSON Schema (2020-12) that `docs/openapi.json` uses for answers. A keyword that is not known here is a fault, so that
//! nothing of a schema goes unchecked.

use regex_lite::Regex;
use serde_json::Value;

/// Everything that is wrong with `value`, by the schema at hand in `document`.
pub(crate) fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{what} does not hold for {value}"));
    let mut inner = Vec::new();
    for (keyword, rule) in schema.as_object().expect("a schema") {
        let holds = match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().expect("a reference").trim_start_matches('#');
                inner.extend(self::faults(document, document.pointer(pointer).expect("a component"), value));
                true
            }
            "allOf" => {
                for schema in list(rule) {
                    inner.extend(self::faults(document, schema, value));
                }
                true
            }
            "anyOf" => list(rule).iter().any(|schema| self::faults(document, schema, value).is_empty()),
            "not" => !self::faults(document, rule, value).is_empty(),
            "type" => match rule {
                Value::Array(types) => types.iter().any(|kind| is(kind, value)),
                kind => is(kind, value),
            },
            "const" => rule == value,
            "enum" => list(rule).contains(value),
            "pattern" => value.as_str().is_none_or(|text| {
                Regex::new(rule.as_str().expect("a pattern")).expect("a pattern").is_match(text)
            }),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= number(rule)),
            "minimum" => value.as_u64().is_none_or(|value| value >= number(rule)),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= number(rule)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= number(rule)),
            "required" => value.as_object().is_none_or(|members| {
                list(rule).iter().all(|name| members.contains_key(name.as_str().expect("a name")))
            }),
            "additionalProperties" => {
                assert_eq!(*rule, Value::Bool(false), "nothing else is used");
                value
                    .as_object()
                    .is_none_or(|members| members.keys().all(|name| schema["properties"].get(name).is_some()))
            }
            "properties" => {
                for (name, schema) in rule.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        inner.extend(self::faults(document, schema, value));
                    }
                }
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    inner.extend(self::faults(document, rule, item));
                }
                true
            }
            "format" => match rule.as_str() {
                Some("uuid") => {
                    value.as_str().is_some_and(|text| auth_core::user::UserId::parse(text).is_ok())
                }
                Some("uri") => value.as_str().is_some_and(|text| text.parse::<http::Uri>().is_ok()),
                other => panic!("the format {other:?} is not known"),
            },
            "description" => true,
            other => panic!("the keyword {other} is not known"),
        };
        if !holds {
            fault(format!("{keyword} {rule}"));
        }
    }
    faults.extend(inner);
    faults
}

fn list(rule: &Value) -> &Vec<Value> {
    rule.as_array().expect("a list")
}

fn number(rule: &Value) -> u64 {
    rule.as_u64().expect("a number")
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("null") => value.is_null(),
        other => panic!("the type {other:?} is not known"),
    }
}

#[test]
fn a_value_that_breaks_a_rule_is_a_fault() {
    use serde_json::json;
    let document =
        json!({"components": {"schemas": {"A": {"type": "string", "pattern": "^a+$", "maxLength": 3}}}});
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": {
            "a": {"$ref": "#/components/schemas/A"},
            "b": {"type": ["integer", "null"], "minimum": 2},
            "c": {"type": "array", "maxItems": 1, "items": {"enum": ["x"]}},
            "d": {"allOf": [{"not": {"const": 1}}, {"anyOf": [{"type": "boolean"}, {"const": 2}]}]},
        },
    });
    let faulty = |value: Value| !faults(&document, &schema, &value).is_empty();
    assert!(!faulty(json!({"a": "aa", "b": null, "c": ["x"], "d": 2})));
    for value in [
        json!({}),
        json!([]),
        json!({"a": "b"}),
        json!({"a": "aaaa"}),
        json!({"a": 1}),
        json!({"a": "a", "x": 1}),
        json!({"a": "a", "b": 1}),
        json!({"a": "a", "b": "2"}),
        json!({"a": "a", "c": ["x", "x"]}),
        json!({"a": "a", "c": ["y"]}),
        json!({"a": "a", "d": 1}),
        json!({"a": "a", "d": "2"}),
    ] {
        assert!(faulty(value.clone()), "{value}");
    }
}
