//! The headers of an event: JSON members into a `HeaderMap`.

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// As many as a browser sends through a gateway.
const USUAL: usize = 24;

/// Headers by name: one line each, or a list of them.
///
/// What is no header in HTTP is left out: an event is not refused for a header that nobody reads. Beyond ASCII a value is kept as
/// it is, as bytes that are no text (RFC 9110 §5.5).
#[derive(Default)]
pub(super) struct EventHeaders(HeaderMap);

impl EventHeaders {
    pub(super) fn into_inner(self) -> HeaderMap {
        self.0
    }
}

impl<'de> Deserialize<'de> for EventHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Headers;

        impl<'de> Visitor<'de> for Headers {
            type Value = EventHeaders;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("headers by name")
            }

            fn visit_unit<E>(self) -> Result<EventHeaders, E> {
                Ok(EventHeaders::default())
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<EventHeaders, M::Error> {
                let mut headers = HeaderMap::with_capacity(USUAL);
                while let Some(Text(name)) = map.next_key()? {
                    let name = HeaderName::from_bytes(name.as_bytes()).ok();
                    map.next_value_seed(Lines { headers: &mut headers, name })?;
                }
                Ok(EventHeaders(headers))
            }
        }

        // The member may be null.
        deserializer.deserialize_any(Headers)
    }
}

/// Text, borrowed where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Where the line or the lines of one header go.
struct Lines<'a> {
    headers: &'a mut HeaderMap,
    name: Option<HeaderName>,
}

impl Lines<'_> {
    fn append(&mut self, line: &str) {
        if let (Some(name), Ok(value)) = (&self.name, HeaderValue::from_bytes(line.as_bytes())) {
            // More than a map can hold do not come through any gateway, and would not be read.
            let _ = self.headers.try_append(name, value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Lines<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Lines<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a line of a header, or a list of them")
    }

    fn visit_str<E>(mut self, line: &str) -> Result<(), E> {
        self.append(line);
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(mut self, mut lines: S) -> Result<(), S::Error> {
        while let Some(Text(line)) = lines.next_element()? {
            self.append(&line);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<HeaderMap, serde_json::Error> {
        serde_json::from_str::<EventHeaders>(json).map(EventHeaders::into_inner)
    }

    #[test]
    fn a_header_has_one_line_or_several() -> Result<(), serde_json::Error> {
        let headers = read(r#"{"Host": "a.example", "cookie": ["a=1", "b=\"2\""], "COOKIE": "c=3"}"#)?;
        assert_eq!(headers["host"], "a.example");
        assert_eq!(headers.get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=\"2\"", "c=3"]);
        assert!(read("null")?.is_empty());
        Ok(())
    }

    #[test]
    fn what_is_no_header_is_left_out_and_the_others_are_kept() -> Result<(), serde_json::Error> {
        let headers = read(
            r#"{"": "a", "a b": "a", "x-line": "a\r\nx-other: b", "x-null": "\u0000", "x-é": "a", "x-name": "Zoë", "x": "1"}"#,
        )?;
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["x-name"].as_bytes(), "Zoë".as_bytes());
        assert_eq!(headers["x"], "1");
        Ok(())
    }

    #[test]
    fn more_headers_than_a_map_holds_are_no_panic() -> Result<(), serde_json::Error> {
        let many: Vec<String> = (0..40_000).map(|number| format!(r#""x-{number}": "1""#)).collect();
        assert!(read(&format!("{{{}}}", many.join(",")))?.len() > 20_000);
        Ok(())
    }

    #[test]
    fn another_shape_is_an_error() {
        for json in ["1", "[]", r#""a""#, r#"{"a": 1}"#, r#"{"a": [1]}"#, r#"{"a": {}}"#, r#"{"a": null}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
