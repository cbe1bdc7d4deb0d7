//! Any item of the table: it is refused, or read as a session or a user that is written and read again as the same.
//! For the tests and the fuzz target `item`.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use super::item::Item;
use super::{session_item, users};
use crate::clock::Timestamp;
use crate::session::{Retries, Session, SessionId};
use crate::user::{User, UserId, UserStatus};

/// An item as a JSON object: texts, numbers, flags, lists and maps.
///
/// # Panics
///
/// If what is read is not what is written.
pub fn check(data: &[u8]) {
    let Ok(Value::Object(members)) = serde_json::from_slice(data) else { return };
    let item: Item = members.into_iter().map(|(name, value)| (name, attribute(value))).collect();
    let user = UserId::parse("7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10");
    let sid = SessionId::parse("q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs");
    let (Ok(user), Ok(sid)) = (user, sid) else { return };
    if let Ok(session) = session_item::decode(&user, &sid, &item) {
        // A session is written when it is new; its end and its repetitions are written by updates.
        let session = Session { revoked: None, retries: Retries::new(), last_replay: None, ..session };
        let written = session_item::encode(&session, Timestamp::default());
        assert_eq!(session_item::decode(&user, &sid, &written).ok(), Some(session));
    }
    if let Ok(found) = users::decode(&user, &item) {
        let found = User { status: UserStatus::Active, ..found };
        assert_eq!(users::decode(&user, &users::encode(&found)).ok(), Some(found));
    }
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Value::Object(members) => {
            AttributeValue::M(members.into_iter().map(|(name, value)| (name, attribute(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn what_a_search_began_with_or_found_is_read_and_written_as_the_same() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/item");
        let mut checked = 0;
        for entry in std::fs::read_dir(folder).expect("seeds") {
            super::check(&std::fs::read(entry.expect("an entry").path()).expect("a seed"));
            checked += 1;
        }
        assert!(checked >= 2, "{checked}");
    }

    /// One attribute of each item is missing, or is something else.
    #[test]
    fn no_attribute_of_another_kind_breaks_the_reading() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/item");
        for entry in std::fs::read_dir(folder).expect("seeds") {
            let seed = std::fs::read(entry.expect("an entry").path()).expect("a seed");
            let Ok(Value::Object(item)) = serde_json::from_slice(&seed) else { continue };
            for name in item.keys() {
                let mut less = item.clone();
                less.remove(name);
                super::check(&serde_json::to_vec(&less).expect("JSON"));
                for value in [
                    json!(null),
                    json!(true),
                    json!(-1),
                    json!(0.5),
                    json!(u64::MAX),
                    json!(1e300),
                    json!(""),
                    json!("\0\u{202e}".repeat(999)),
                    json!([]),
                    json!({}),
                ] {
                    let mut other = item.clone();
                    other[name] = value;
                    super::check(&serde_json::to_vec(&other).expect("JSON"));
                }
            }
        }
    }
}
