//! What API Gateway asks an authorizer: every payload that it sends, read leniently, as only a few members matter.

use std::borrow::Cow;
use std::collections::HashMap;

use auth_core::client::Client;
use auth_core::config::CookieConfig;
use auth_core::forwarding::{Peer, TrustedProxy};
use auth_core::http::cookie::REFRESH_TOKEN;
use auth_core::http::incoming::bearer;
use auth_core::http::location;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::headers::Headers;

/// A request to be authorized: REST `TOKEN`, REST `REQUEST`, HTTP API 1.0 and 2.0, WebSocket `REQUEST`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Event {
    /// `1.0` or `2.0` from an HTTP API, absent otherwise.
    version: Option<String>,
    /// `TOKEN` or `REQUEST`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// The whole header value, of a `TOKEN` authorizer. An HTTP API 1.0 has it too, but as a list of all identity sources.
    authorization_token: Option<String>,
    method_arn: Option<String>,
    /// What an HTTP API with payload 2.0 calls the method's ARN.
    route_arn: Option<String>,
    headers: Option<Headers>,
    /// Every line of a header, from a REST API.
    multi_value_headers: Option<Headers>,
    /// Payload 2.0 has cookies apart from the headers.
    cookies: Option<Vec<String>>,
    query_string_parameters: Option<HashMap<String, Value>>,
    request_context: Option<RequestContext>,
    /// The invocation that it came with.
    #[serde(skip)]
    invocation_id: String,
    /// The proxy that is believed in whom it forwards for.
    #[serde(skip)]
    proxy: TrustedProxy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RequestContext {
    request_id: Option<String>,
    /// The path that the client called, with the stage or the base path.
    path: Option<String>,
    /// Only a WebSocket API has connections.
    connection_id: Option<IgnoredAny>,
    identity: Option<Caller>,
    http: Option<Caller>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Caller {
    /// What payload 2.0 has here.
    path: Option<String>,
    source_ip: Option<String>,
    user_agent: Option<String>,
}

impl Event {
    /// The access token: of `Authorization: Bearer`, or on a WebSocket, where a browser cannot set headers, of the query
    /// parameter `access_token` (RFC 6750 §2.3).
    pub(crate) fn access_token(&self) -> Option<&str> {
        let whole = self.authorization_token.as_deref().filter(|_| self.kind.as_deref() == Some("TOKEN"));
        if let Some(value) = whole.or_else(|| self.header("authorization")) {
            return bearer(value);
        }
        if !self.is_websocket() {
            return None;
        }
        self.query_string_parameters.as_ref()?.get("access_token")?.as_str()
    }

    /// Whether a WebSocket is being opened.
    pub(crate) fn is_websocket(&self) -> bool {
        self.request_context.as_ref().is_some_and(|context| context.connection_id.is_some())
    }

    /// The refresh token of the header `X-Refresh-Token`.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.header("x-refresh-token").map(str::trim).filter(|token| !token.is_empty())
    }

    /// The refresh tokens of the cookies.
    pub(crate) fn refresh_cookies(&self, cookies: &CookieConfig) -> Vec<String> {
        let apart = self.cookies.iter().flatten().map(String::as_str);
        let lines = self.multi_value_headers.iter().flat_map(|headers| headers.named("cookie"));
        let lines = lines.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        cookies.find(REFRESH_TOKEN, apart.chain(lines).chain(self.header("cookie")))
    }

    /// The key that makes a renewal repeatable. `Idempotency-Key` would be that of the request to the API itself.
    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.header("x-refresh-idempotency-key")
    }

    /// What comes before `/auth/…` in the path, if it is one of the service's own routes behind the authorizer.
    pub(crate) fn base_path(&self) -> Option<&str> {
        let context = self.request_context.as_ref()?;
        let path = context.http.as_ref().and_then(|http| http.path.as_deref()).or(context.path.as_deref())?;
        location::guarded_base_path(path)
    }

    /// Every line of a header. A REST API gives the last one alone beside them.
    fn lines(&self, name: &'static str) -> Vec<Cow<'_, str>> {
        let all = self.multi_value_headers.iter().flat_map(|headers| headers.named(name));
        let mut lines: Vec<_> = all.filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
        if lines.is_empty() {
            let headers = self.headers.iter().flat_map(|headers| headers.named(name));
            lines.extend(headers.filter_map(Value::as_str));
        }
        lines.into_iter().map(Cow::Borrowed).collect()
    }

    fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.as_ref()?.named(name).next()?.as_str()
    }

    /// Everything of the stage that is being called: `arn:…:api/stage/*`. The exact ARN would make a cached answer refuse
    /// the next route.
    pub(crate) fn stage(&self) -> Option<String> {
        let arn = self.method_arn.as_deref().or(self.route_arn.as_deref())?;
        let mut parts = arn.splitn(3, '/');
        let (api, stage, _method) = (parts.next()?, parts.next()?, parts.next()?);
        // A wildcard of the payload's would become one of the policy's.
        let plain = !api.contains(['*', '?']) && !stage.contains(['*', '?']);
        let known = plain && api.starts_with("arn:") && api.contains(":execute-api:") && !stage.is_empty();
        known.then(|| format!("{api}/{stage}/*"))
    }

    /// Whether the answer may be a simple one: only an HTTP API with payload 2.0 takes it.
    pub(crate) fn takes_simple_answer(&self) -> bool {
        self.version.as_deref() == Some("2.0")
    }

    /// In an invocation of the authorizer, which believes a proxy.
    pub(crate) fn in_invocation(mut self, id: String, proxy: TrustedProxy) -> Self {
        self.invocation_id = id;
        self.proxy = proxy;
        self
    }

    /// Who called.
    pub(crate) fn client(&self) -> Client {
        let context = self.request_context.as_ref();
        let source = context.and_then(|context| context.identity.as_ref().or(context.http.as_ref()));
        let ip = source.and_then(|source| source.source_ip.as_deref()).unwrap_or_default();
        let user_agent = source.and_then(|source| source.user_agent.as_deref()).unwrap_or_default();
        let caller = self.proxy.caller(Peer::new(ip, user_agent), |name| self.lines(name));
        Client::new(
            &caller.ip,
            &caller.user_agent,
            context.and_then(|context| context.request_id.as_deref()).unwrap_or_default(),
        )
        .in_invocation(&self.invocation_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &serde_json::Value) -> Result<Event, serde_json::Error> {
        Event::deserialize(json)
    }

    #[test]
    fn headers_are_kept_that_are_read_and_no_others() -> Result<(), serde_json::Error> {
        let event = event(&serde_json::json!({
            "headers": {
                "Accept": "*/*", "X-Refresh-Token": " r ", "x-Refresh-Idempotency-Key": "k", "x-deep": {"a": [1, {}]},
                "AUTHORIZATION": "Bearer first", "Authorization": "Bearer second", "cookie": 7,
            },
            "multiValueHeaders": {"Accept": [], "COOKIE": ["a=1", "__Secure-refresh_token=c"]},
        }))?;
        assert_eq!(event.refresh_token(), Some("r"));
        assert_eq!(event.idempotency_key(), Some("k"));
        assert_eq!(event.refresh_cookies(&CookieConfig::default()), ["c"]);
        assert_eq!(event.access_token(), Some("first"));
        Ok(())
    }

    #[test]
    fn headers_that_are_none_are_an_error() {
        for headers in [serde_json::json!([]), serde_json::json!("a"), serde_json::json!(1)] {
            assert!(event(&serde_json::json!({ "headers": headers })).is_err());
        }
    }

    #[test]
    fn the_policy_covers_the_whole_stage() -> Result<(), serde_json::Error> {
        for (arn, stage) in [
            (
                "arn:aws:execute-api:eu-west-1:123456789012:a1b2/PROD/GET/auth/me",
                Some("arn:aws:execute-api:eu-west-1:123456789012:a1b2/PROD/*"),
            ),
            (
                "arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2/$default/GET/",
                Some("arn:aws-cn:execute-api:cn-north-1:123456789012:a1b2/$default/*"),
            ),
            (
                "arn:aws:execute-api:eu-west-1:123456789012:a1b2/PROD/$connect",
                Some("arn:aws:execute-api:eu-west-1:123456789012:a1b2/PROD/*"),
            ),
            ("arn:aws:execute-api:eu-west-1:123456789012:a1b2", None),
            ("arn:aws:execute-api:eu-west-1:123456789012:a1b2//GET", None),
            ("arn:aws:execute-api:eu-west-1:123456789012:a1*/PROD/GET", None),
            ("arn:aws:execute-api:eu-west-1:123456789012:a1b2/P?OD/GET", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(event(&serde_json::json!({ "methodArn": arn }))?.stage().as_deref(), stage, "{arn}");
        }
        Ok(())
    }

    #[test]
    fn a_header_is_found_in_any_case_and_a_query_only_on_a_websocket() -> Result<(), serde_json::Error> {
        for (json, token) in [
            (serde_json::json!({"type": "TOKEN", "authorizationToken": "Bearer t"}), Some("t")),
            (serde_json::json!({"type": "TOKEN", "authorizationToken": "t"}), None),
            (serde_json::json!({"headers": {"AuthoriZation": "bearer t"}}), Some("t")),
            (serde_json::json!({"headers": {}, "queryStringParameters": {"access_token": "t"}}), None),
            (
                serde_json::json!({"requestContext": {"connectionId": "c"}, "queryStringParameters": {"access_token": "t"}}),
                Some("t"),
            ),
            (
                serde_json::json!({"requestContext": {"connectionId": "c"}, "headers": {"Authorization": "Bearer h"}, "queryStringParameters": {"access_token": "t"}}),
                Some("h"),
            ),
            (serde_json::json!({"headers": null, "queryStringParameters": null}), None),
        ] {
            assert_eq!(event(&json)?.access_token(), token, "{json}");
        }
        Ok(())
    }
}
