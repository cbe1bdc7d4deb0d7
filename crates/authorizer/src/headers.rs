//! The headers of an event that the authorizer looks at. The others, two dozen as browsers send them, are read over: keeping them
//! would be half of what reading an event costs.

use std::fmt;

use auth_core::forwarding;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// What [`Headers::named`] can be asked for, in lower case.
const READ: [&str; 8] = [
    "authorization",
    "x-refresh-token",
    "x-refresh-idempotency-key",
    "cookie",
    forwarding::SECRET_HEADER,
    forwarding::X_FORWARDED_FOR,
    forwarding::CLOUDFRONT_VIEWER_ADDRESS,
    forwarding::X_FORWARDED_USER_AGENT,
];

/// Values of headers by name, in the event's order.
pub(crate) struct Headers(Vec<(&'static str, Value)>);

impl Headers {
    /// Every value of a header of [`READ`]. A REST API passes names on in the case that the client used.
    pub(crate) fn named(&self, name: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Headers;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("headers by name")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Headers, M::Error> {
                let mut headers = Vec::new();
                while let Some(Name(name)) = map.next_key()? {
                    match name {
                        Some(name) => headers.push((name, map.next_value()?)),
                        None => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(Headers(headers))
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// One of [`READ`], in whatever case, or another.
struct Name(Option<&'static str>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl Visitor<'_> for Read {
            type Value = Name;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a header")
            }

            fn visit_str<E>(self, name: &str) -> Result<Name, E> {
                Ok(Name(READ.into_iter().find(|known| known.eq_ignore_ascii_case(name))))
            }
        }

        deserializer.deserialize_str(Read)
    }
}
