//! The event that API Gateway sends, as the functions take it.
//!
//! `lambda_http` makes a `http::Request` of it, for which it needs a URI, and it panics where it cannot make one: a quote in
//! the query string is enough, or a list in `X-Forwarded-Proto`. No function reads the URI (the path comes from the
//! gateway's request context), so what could break it is left out.
//!
//! Of an event no more is read than the functions look at, and the headers once: read into the types of `aws_lambda_events` as
//! a whole, it costs more than twice as many instructions (`read-request-rest`, BENCHMARKS.md).

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Uri, header};
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::request::LambdaRequest;
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::value::RawValue;
use url::Url;

use super::event_headers::EventHeaders;

/// A REST 1.0 or HTTP API 2.0 event that `lambda_http` can make a request of.
#[expect(missing_debug_implementations, reason = "it holds passwords and tokens")]
pub struct GatewayEvent(LambdaRequest);

impl GatewayEvent {
    /// What `lambda_http` works on.
    pub fn into_inner(self) -> LambdaRequest {
        self.0
    }
}

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let payload = Payload::deserialize(deserializer)?;
        // Only payload 2.0 is of another shape.
        let request = if payload.version.as_deref() == Some("2.0") {
            payload.version_2().map(LambdaRequest::ApiGatewayV2)
        } else {
            payload.version_1().map(LambdaRequest::ApiGatewayV1)
        };
        request.map(Self).map_err(D::Error::custom)
    }
}

/// The members of both shapes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    version: Option<String>,
    http_method: Option<String>,
    /// Not read before it is known whether `multiValueHeaders` has the same.
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    multi_value_headers: Option<EventHeaders>,
    cookies: Option<Vec<String>>,
    path_parameters: Option<HashMap<String, String>>,
    /// Its shape is that of the version, which may come after it.
    #[serde(borrow)]
    request_context: &'a RawValue,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

impl Payload<'_> {
    fn version_1(self) -> serde_json::Result<ApiGatewayProxyRequest> {
        let mut event = ApiGatewayProxyRequest::default();
        let method = self.http_method.as_deref().unwrap_or_default();
        event.http_method = method.parse().map_err(serde_json::Error::custom)?;
        event.path = Some("/".to_owned());
        // `multiValueHeaders` alone has every line of a header that came twice. `lambda_http` makes the URI of the other member's,
        // which stays empty, and of the gateway's own name.
        event.multi_value_headers = match self.multi_value_headers.map(EventHeaders::into_inner) {
            Some(headers) if !headers.is_empty() => headers,
            _ => read_headers(self.headers)?,
        };
        event.path_parameters = self.path_parameters.unwrap_or_default();
        event.request_context = serde_json::from_str(self.request_context.get())?;
        event.request_context.domain_name =
            event.request_context.domain_name.filter(|host| makes_a_uri(host));
        event.is_base64_encoded = self.is_base64_encoded.unwrap_or_default();
        event.body = readable(self.body, event.is_base64_encoded);
        Ok(event)
    }

    fn version_2(self) -> serde_json::Result<ApiGatewayV2httpRequest> {
        let mut event = ApiGatewayV2httpRequest::default();
        event.raw_path = Some("/".to_owned());
        event.headers = read_headers(self.headers)?;
        event.cookies = self.cookies;
        event.path_parameters = self.path_parameters.unwrap_or_default();
        event.request_context = serde_json::from_str(self.request_context.get())?;
        clean_headers(&mut event.headers);
        let host = event.headers.get(header::HOST).map(HeaderValue::as_bytes);
        event.request_context.domain_name = event
            .request_context
            .domain_name
            .filter(|domain| host == Some(domain.as_bytes()) || makes_a_uri(domain));
        event.is_base64_encoded = self.is_base64_encoded.unwrap_or_default();
        event.body = readable(self.body, event.is_base64_encoded);
        Ok(event)
    }
}

fn read_headers(headers: Option<&RawValue>) -> serde_json::Result<HeaderMap> {
    let headers = headers.map(|headers| serde_json::from_str::<EventHeaders>(headers.get())).transpose()?;
    Ok(headers.map(EventHeaders::into_inner).unwrap_or_default())
}

/// Takes out what the URI is made of and cannot be made of.
fn clean_headers(headers: &mut HeaderMap) {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !text("x-forwarded-proto").is_some_and(|scheme| scheme == "http" || scheme == "https") {
        headers.remove("x-forwarded-proto");
    }
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok());
    if !host.is_some_and(makes_a_uri) {
        headers.remove(header::HOST);
    }
}

/// Whether both parsers that a host passes on its way agree with it.
fn makes_a_uri(host: &str) -> bool {
    is_usual(host) || parses(host)
}

/// A host as a gateway has it, which nothing needs to be parsed for.
fn is_usual(host: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    // A last label that begins with a digit may be a number, and the host an address; `xn--` has rules of its own.
    let is_name =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()));
    is_name
        && host.len() < 254
        && host
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(usual) && !label.starts_with("xn--"))
}

fn parses(host: &str) -> bool {
    Url::parse(&format!("https://{host}/"))
        .is_ok_and(|url| url.path() == "/" && url.as_str().parse::<Uri>().is_ok())
}

/// A body that says it is base64 and is not, is no body.
fn readable(body: Option<String>, base64: bool) -> Option<String> {
    body.filter(|body| !base64 || STANDARD.decode(body).is_ok())
}

#[cfg(test)]
mod tests {
    use lambda_http::Request;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn request(event: &Value) -> Result<Request, serde_json::Error> {
        serde_json::from_str::<GatewayEvent>(&event.to_string()).map(|event| event.into_inner().into())
    }

    fn version_2_event() -> Value {
        json!({"version": "2.0", "rawPath": "/auth/login", "rawQueryString": "", "headers": {"host": "a.example"},
            "requestContext": {"stage": "$default", "domainName": "a.example", "http": {"method": "POST", "path": "/auth/login"}}, "isBase64Encoded": false})
    }

    fn version_1_event() -> Value {
        json!({"resource": "/auth/login", "path": "/auth/login", "httpMethod": "POST", "headers": {"Host": "a.example"},
            "multiValueHeaders": {"Host": ["a.example"]}, "requestContext": {"stage": "PROD", "httpMethod": "POST", "domainName": "a.example"}, "isBase64Encoded": false})
    }

    #[test]
    fn nothing_that_a_client_chooses_breaks_the_request() {
        let hosts = ["a b", "a.example:99999", "", "[", "1.2.3.999", "é", "xn--a", "a/b", "a?b", "a@b"];
        let queries = ["\"", "<>", "a b", "%", "é", "\u{0}", "a=%ff"];
        for host in hosts {
            for (mut event, member) in
                [(version_1_event(), "multiValueHeaders"), (version_2_event(), "headers")]
            {
                let value = if member == "headers" { json!(host) } else { json!([host]) };
                event[member]["host"] = value;
                event["requestContext"]["domainName"] = json!(host);
                assert!(request(&event).is_ok(), "{host}");
            }
        }
        for query in queries {
            let mut event = version_2_event();
            event["rawQueryString"] = json!(query);
            event["rawPath"] = json!(format!("/{query}"));
            assert!(request(&event).is_ok(), "{query}");
            let mut event = version_1_event();
            event["multiValueQueryStringParameters"] = json!({query: [query]});
            event["path"] = json!(format!("/{query}"));
            assert!(request(&event).is_ok(), "{query}");
        }
        for proto in ["https, http", "javascript", "\""] {
            let mut event = version_2_event();
            event["headers"]["x-forwarded-proto"] = json!(proto);
            assert!(request(&event).is_ok(), "{proto}");
        }
        for mut event in [version_1_event(), version_2_event()] {
            event["body"] = json!("not base64!");
            event["isBase64Encoded"] = json!(true);
            assert!(request(&event).is_ok());
        }
    }

    #[test]
    fn an_api_has_a_usual_host() {
        for host in
            ["a.example", "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "localhost", "a--b.c-d"]
        {
            assert!(is_usual(host), "{host}");
        }
        for host in
            ["", ".", "a.", "a..b", "1.2.3.4", "a.0x1", "a.1", "xn--a.b", "a.xn--a", "a_b", "A.b", "a:1", "é"]
        {
            assert!(!is_usual(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn a_usual_host_would_have_been_parsed(host in "[a-z0-9x.-]{1,24}") {
            prop_assert!(!is_usual(&host) || parses(&host), "{host}");
        }
    }

    #[test]
    fn the_version_is_the_events_own_member_and_no_clients() -> Result<(), serde_json::Error> {
        let mut event = version_1_event();
        event["multiValueHeaders"]["version"] = json!(["2.0"]);
        event["body"] = json!(r#"{"version":"2.0"}"#);
        let read = |event: &Value| serde_json::from_str(&event.to_string()).map(GatewayEvent::into_inner);
        assert!(matches!(read(&event)?, LambdaRequest::ApiGatewayV1(_)));
        event["version"] = json!("1.0");
        assert!(matches!(read(&event)?, LambdaRequest::ApiGatewayV1(_)));
        assert!(matches!(read(&version_2_event())?, LambdaRequest::ApiGatewayV2(_)));
        Ok(())
    }

    #[test]
    fn every_line_of_a_header_is_kept() -> Result<(), serde_json::Error> {
        let mut event = version_1_event();
        event["headers"]["Cookie"] = json!("b=2");
        event["multiValueHeaders"]["Cookie"] = json!(["a=1", "b=2"]);
        let request = request(&event)?;
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1", "b=2"]);
        Ok(())
    }
}
