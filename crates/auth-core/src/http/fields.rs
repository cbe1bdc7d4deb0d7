//! The members of a JSON body, by either spelling: `displayName` or `display_name`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::ApiError;
use crate::address::{Address, NotAnAddress};

/// A JSON object whose members have been read, none of them twice. Members that nobody asks for are ignored.
#[derive(Default)]
pub struct Fields(BTreeMap<String, Value>);

impl Fields {
    /// Reads a JSON object.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] if it is anything else. The text does not repeat the body.
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body).map_err(|error| {
            ApiError::InvalidRequest(match error.classify() {
                serde_json::error::Category::Data => {
                    "The body is not a JSON object with distinct members.".to_owned()
                }
                _ => format!("The body is not JSON (line {}, column {}).", error.line(), error.column()),
            })
        })
    }

    /// A text that has to be there.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] if it is missing, `null` or no text.
    pub fn text(&mut self, name: &str) -> Result<String, ApiError> {
        self.optional_text(name)?.flatten().ok_or_else(|| ApiError::field(name, "is missing"))
    }

    /// A text that may be missing (`None`) or `null` (`Some(None)`).
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] if it is no text.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<Option<String>>, ApiError> {
        match self.take(name)? {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(text))),
            Some(_) => Err(ApiError::field(name, "is not a string")),
        }
    }

    /// The address that has to be there, as `email`.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidRequest`] if it is missing or no address.
    pub fn address(&mut self) -> Result<Address, ApiError> {
        let address = self.text("email")?.parse();
        address.map_err(|error: NotAnAddress| ApiError::field("email", &error.to_string()))
    }

    fn take(&mut self, name: &str) -> Result<Option<Value>, ApiError> {
        let snake = snake_case(name);
        let camel = self.0.remove(name);
        let snake_too = self.0.remove(&snake);
        match (camel, snake_too) {
            (Some(_), Some(_)) => Err(ApiError::field(name, &format!("is given twice, also as {snake}"))),
            (camel, snake) => Ok(camel.or(snake)),
        }
    }
}

/// `displayName` as `display_name`.
pub(super) fn snake_case(name: &str) -> String {
    name.chars().fold(String::with_capacity(name.len() + 4), |mut snake, c| {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
        snake
    })
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    // RFC 8259 §4 leaves open what a second member of the same name means. Here it means nothing.
                    if fields.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a member is given twice"));
                    }
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Fields, String> {
        Fields::parse(body.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_spellings_are_read() -> Result<(), Box<dyn std::error::Error>> {
        for body in [r#"{"displayName":"Ada"}"#, r#"{"display_name":"Ada","other":[1]}"#] {
            assert_eq!(parse(body)?.text("displayName").ok().as_deref(), Some("Ada"), "{body}");
        }
        Ok(())
    }

    #[test]
    fn a_fault_names_the_field_and_not_its_value() -> Result<(), Box<dyn std::error::Error>> {
        let fault = |body| {
            parse(body).map(|mut fields| fields.text("displayName").err().map(|error| error.to_string()))
        };
        assert_eq!(fault("{}")?.as_deref(), Some("displayName is missing"));
        assert_eq!(fault(r#"{"displayName":null}"#)?.as_deref(), Some("displayName is missing"));
        assert_eq!(fault(r#"{"displayName":["hunter2"]}"#)?.as_deref(), Some("displayName is not a string"));
        assert_eq!(
            fault(r#"{"displayName":"a","display_name":"b"}"#)?.as_deref(),
            Some("displayName is given twice, also as display_name")
        );
        Ok(())
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in [
            "",
            "[]",
            "null",
            "\"a\"",
            "{",
            "{\"a\":1,\"a\":2}",
            "{\"a\":1} x",
            "\u{feff}{}",
            &"[".repeat(9999),
        ] {
            assert!(parse(body).is_err(), "{body:.20}");
        }
        assert_eq!(parse("{]").err().as_deref(), Some("The body is not JSON (line 1, column 2)."));
    }
}
