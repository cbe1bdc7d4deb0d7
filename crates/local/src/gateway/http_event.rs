//! The events of an HTTP API: payload 2.0 for functions, 1.0 and 2.0 for authorizers.
//!
//! Sources: "Create AWS Lambda proxy integrations for HTTP APIs" and "Control access to HTTP APIs with AWS Lambda
//! authorizers" in the API Gateway Developer Guide.

use serde_json::{Map, Value, json};

use base64::Engine as _;
use percent_encoding::percent_decode_str;

use super::authorizer::Principal;
use super::exchange::Exchange;
use super::rest_event::text_map;
use super::route::Matched;
use crate::api::Api;
use crate::template::ACCOUNT;

/// The event of a function.
///
/// What is not there is missing, never `null`. Header names are in lower case, several values are joined by commas,
/// cookies have a field of their own, paths and parameters are decoded.
pub(super) fn function_event(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    principal: Option<&Principal>,
) -> Value {
    let mut event = parts(api, exchange, matched);
    if let (Some(principal), Some(Value::Object(context))) = (principal, event.get_mut("requestContext")) {
        context.insert("authorizer".to_owned(), json!({"lambda": principal.context}));
    }
    let encoded = match body(exchange) {
        Some((text, encoded)) => {
            event.insert("body".to_owned(), Value::from(text));
            encoded
        }
        None => false,
    };
    event.insert("isBase64Encoded".to_owned(), Value::Bool(encoded));
    Value::Object(event)
}

/// The event of an authorizer with payload 2.0.
pub(super) fn request_event(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    identity: &[String],
) -> Value {
    let mut event = parts(api, exchange, matched);
    event.insert("type".to_owned(), Value::from("REQUEST"));
    event.insert("routeArn".to_owned(), Value::from(exchange.arn(api)));
    let identity = if identity.is_empty() { Value::Null } else { Value::from(identity.to_vec()) };
    event.insert("identitySource".to_owned(), identity);
    Value::Object(event)
}

/// The event of an authorizer with payload 1.0: the parts of the request under the names of a REST API.
pub(super) fn request_event_1_0(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    identity: &[String],
) -> Value {
    let joined = identity.join(",");
    let context = super::rest_event::request_context(api, exchange, matched);
    json!({
        "version": "1.0",
        "type": "REQUEST",
        "methodArn": exchange.arn(api),
        "identitySource": joined,
        "authorizationToken": joined,
        "resource": matched.route.path,
        "path": raw_path(exchange),
        "httpMethod": exchange.client.method.as_str(),
        "headers": headers(exchange),
        "queryStringParameters": query(exchange),
        "pathParameters": text_map(&matched.parameters),
        "stageVariables": text_map(&api.stage_variables),
        "requestContext": context,
    })
}

fn parts(api: &Api, exchange: &Exchange, matched: &Matched<'_>) -> Map<String, Value> {
    let route_key = match matched.route.path.as_str() {
        "$default" => "$default".to_owned(),
        path => format!("{} {path}", matched.route.method),
    };
    let mut event = Map::new();
    for (name, value) in [
        ("version", Value::from("2.0")),
        ("routeKey", Value::from(route_key.clone())),
        ("rawPath", Value::from(raw_path(exchange))),
        ("rawQueryString", Value::from(exchange.client.uri.query().unwrap_or_default())),
        ("headers", Value::Object(headers(exchange))),
        ("requestContext", request_context(api, exchange, &route_key)),
    ] {
        event.insert(name.to_owned(), value);
    }
    let cookies: Vec<_> =
        exchange.header("cookie").iter().flat_map(|header| header.split("; ")).map(Value::from).collect();
    if !cookies.is_empty() {
        event.insert("cookies".to_owned(), Value::Array(cookies));
    }
    for (name, map) in [
        ("queryStringParameters", query(exchange)),
        ("pathParameters", text_map(&matched.parameters)),
        ("stageVariables", text_map(&api.stage_variables)),
    ] {
        if !map.is_empty() {
            event.insert(name.to_owned(), Value::Object(map));
        }
    }
    event
}

/// The path with the base path mapping and decoded, which is how an HTTP API hands it on.
fn raw_path(exchange: &Exchange) -> String {
    percent_decode_str(&exchange.full_path).decode_utf8_lossy().into_owned()
}

fn headers(exchange: &Exchange) -> Map<String, Value> {
    let headers = exchange.headers().into_iter().filter(|(name, _)| name != "cookie");
    headers.map(|(name, values)| (name, Value::from(values.join(",")))).collect()
}

fn query(exchange: &Exchange) -> Map<String, Value> {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in &exchange.query {
        let joined = match parameters.get(name).and_then(Value::as_str) {
            Some(earlier) => format!("{earlier},{value}"),
            None => value.clone(),
        };
        parameters.insert(name.clone(), Value::from(joined));
    }
    parameters
}

fn request_context(api: &Api, exchange: &Exchange, route_key: &str) -> Value {
    json!({
        "accountId": ACCOUNT,
        "apiId": api.id,
        "domainName": exchange.domain_name(),
        "domainPrefix": exchange.domain_prefix(),
        "http": {
            "method": exchange.client.method.as_str(),
            "path": raw_path(exchange),
            "protocol": exchange.protocol(),
            "sourceIp": exchange.client.peer.to_string(),
            "userAgent": exchange.user_agent().unwrap_or_default(),
        },
        "requestId": exchange.extended_request_id,
        "routeKey": route_key,
        "stage": api.stage,
        "time": exchange.time(),
        "timeEpoch": exchange.epoch_ms,
    })
}

/// The body as a function gets it, and whether it is Base64: an HTTP API encodes whatever does not call itself text.
fn body(exchange: &Exchange) -> Option<(String, bool)> {
    let bytes = exchange.body();
    if bytes.is_empty() {
        return None;
    }
    let content_type = exchange.header("content-type").pop().unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let textual = media_type.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&media_type.as_str())
        || media_type.ends_with("+json")
        || media_type.ends_with("+xml");
    if textual {
        return Some((String::from_utf8_lossy(bytes).into_owned(), false));
    }
    Some((base64::engine::general_purpose::STANDARD.encode(bytes), true))
}
