//! What DynamoDB charges for requests, in capacity units.
//!
//! The figures are the engine's own answer to `ReturnConsumedCapacity`; [`crate::capacity`] holds it to AWS's rules. Of a
//! refused condition neither it nor DynamoDB says anything, so that this is computed: the existing item, in kilobytes rounded
//! up, and at least one unit ("DynamoDB read and write operations", Developer Guide).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// What a write unit covers.
pub(crate) const WRITE_UNIT_BYTES: usize = 1_024;

/// One request that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Charge {
    /// The package of the function that asked; empty for a client of the tests.
    role: String,
    operation: String,
    reads: f64,
    writes: f64,
}

/// The request, asking what it costs.
pub(crate) fn asking(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut request)) = serde_json::from_slice(body) else { return body.clone() };
    request.insert("ReturnConsumedCapacity".to_owned(), "TOTAL".into());
    Value::Object(request).to_string().into()
}

impl Charge {
    /// Reads it from the answer.
    pub(crate) fn of(role: &str, operation: &str, answer: &[u8]) -> Self {
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let units = units(&answer);
        let reading = matches!(operation, "BatchGetItem" | "GetItem" | "Query");
        let (reads, writes) = if reading { (units, 0.0) } else { (0.0, units) };
        Self { role: role.to_owned(), operation: operation.to_owned(), reads, writes }
    }
}

fn units(answer: &Value) -> f64 {
    let each = |one: &Value| one["CapacityUnits"].as_f64().unwrap_or_default();
    match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().map(each).sum(),
        Value::Null if refuses_condition(answer) => {
            let bytes = answer["Item"].as_object().map_or(0, size);
            f64::from(
                u32::try_from(bytes.div_ceil(WRITE_UNIT_BYTES).max(1)).expect("an item of some kilobytes"),
            )
        }
        one => each(one),
    }
}

fn refuses_condition(answer: &Value) -> bool {
    answer["__type"].as_str().is_some_and(|code| code.ends_with("ConditionalCheckFailedException"))
}

/// The size of an item as DynamoDB counts it: names and texts in UTF-8, a number as half its digits and one byte, a flag as
/// one byte ("DynamoDB item sizes and formats", Developer Guide).
pub(crate) fn size(item: &Map<String, Value>) -> usize {
    let value = |value: &Value| match value.as_object().and_then(|typed| typed.iter().next()) {
        Some((kind, Value::String(number))) if kind == "N" => number.len().div_ceil(2) + 1,
        Some((_, Value::String(text))) => text.len(),
        // Each text of a set, and the set: 3 bytes, and one for each member ("DynamoDB item sizes and formats").
        Some((_, Value::Array(texts))) => {
            3 + texts.iter().map(|text| 1 + text.as_str().map_or(0, str::len)).sum::<usize>()
        }
        _ => 1,
    };
    item.iter().map(|(name, typed)| name.len() + value(typed)).sum()
}

/// What each function has asked for and what it consumed, by package.
pub(crate) fn bill(charges: &[Charge]) -> Value {
    let mut functions: BTreeMap<&str, Vec<&Charge>> = BTreeMap::new();
    for charge in charges {
        functions.entry(&charge.role).or_default().push(charge);
    }
    functions
        .into_iter()
        .map(|(role, charges)| (role.to_owned(), sum(&charges)))
        .collect::<Map<_, _>>()
        .into()
}

fn sum(charges: &[&Charge]) -> Value {
    let mut requests: BTreeMap<&str, u64> = BTreeMap::new();
    for charge in charges {
        *requests.entry(&charge.operation).or_default() += 1;
    }
    let reads: f64 = charges.iter().map(|charge| charge.reads).sum();
    let writes: f64 = charges.iter().map(|charge| charge.writes).sum();
    json!({"requests": requests, "read_units": reads, "write_units": writes})
}
