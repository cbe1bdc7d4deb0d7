//! The media type of a body (RFC 9110 §8.3): which bodies are read as JSON.

use http::{HeaderMap, header};

/// What a request says its body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/json`, or another type of `application` with the suffix `+json` (RFC 6839 §3.1).
    Json,
    /// Nothing, or `text/plain`: what `fetch` sends for a text without a `Content-Type`. A page of any origin can send it without
    /// a preflight ("CORS-safelisted request-header", Fetch Standard).
    Unlabelled,
    /// Another type, several of them, or none that can be read.
    Other,
}

impl MediaType {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
        let line = match (lines.next(), lines.next()) {
            (None, _) => return Self::Unlabelled,
            (Some(line), None) => line.to_str(),
            // Which of them holds is left to the recipient (RFC 9110 §8.3); a proxy may have chosen another one.
            (Some(_), Some(_)) => return Self::Other,
        };
        line.map_or(Self::Other, Self::parse)
    }

    fn parse(line: &str) -> Self {
        let mut parts = line.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let subtype = essence.strip_prefix("application/");
        // A JSON type has no parameters (RFC 8259 §11): what is given is ignored, and the body is read as UTF-8.
        if subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json")) {
            return Self::Json;
        }
        let unlabelled = essence == "text/plain" || line.trim().is_empty();
        if unlabelled && parts.all(is_utf_8) { Self::Unlabelled } else { Self::Other }
    }
}

/// Whether a parameter leaves the text what JSON is written in: UTF-8, of which ASCII is a part.
fn is_utf_8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return true };
    let value = value.trim().trim_matches('"').to_ascii_lowercase();
    !name.trim().eq_ignore_ascii_case("charset") || ["utf-8", "us-ascii"].contains(&value.as_str())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(lines: &[&[u8]]) -> Result<MediaType, http::Error> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CONTENT_TYPE, HeaderValue::from_bytes(line)?);
        }
        Ok(MediaType::of(&headers))
    }

    #[test]
    fn a_type_is_read_in_any_case_and_with_parameters() -> Result<(), http::Error> {
        for line in [
            "application/json",
            " Application/JSON ; charset=utf-8",
            "application/json;charset=latin1",
            "application/vnd.api+json",
            "APPLICATION/VND.API+JSON",
            "application/problem+json; profile=\"a;b\"",
        ] {
            assert_eq!(of(&[line.as_bytes()])?, MediaType::Json, "{line}");
        }
        for line in [
            "",
            " ",
            "text/plain",
            "Text/Plain;charset=UTF-8",
            "text/plain; charset=\"us-ascii\"",
            "text/plain;",
            "text/plain; format=flowed",
        ] {
            assert_eq!(of(&[line.as_bytes()])?, MediaType::Unlabelled, "{line}");
        }
        assert_eq!(of(&[])?, MediaType::Unlabelled);
        Ok(())
    }

    #[test]
    fn another_type_is_not_read_as_json() -> Result<(), http::Error> {
        for line in [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/json-seq",
            "text/json",
            "text/plain; charset=iso-8859-1",
            "text/plain; charset=utf-16",
            "text/html",
            "application/json, text/plain",
            "application/octet-stream",
            "json",
            ";charset=utf-8",
        ] {
            assert_eq!(of(&[line.as_bytes()])?, MediaType::Other, "{line}");
        }
        assert_eq!(of(&[b"application/json\xff"])?, MediaType::Other);
        assert_eq!(of(&[b"application/json", b"application/json"])?, MediaType::Other);
        assert_eq!(of(&[b"text/plain", b"application/json"])?, MediaType::Other);
        Ok(())
    }
}
