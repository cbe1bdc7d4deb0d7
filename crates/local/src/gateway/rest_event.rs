//! The events of a REST API: payload 1.0 for functions, `TOKEN` and `REQUEST` for authorizers.
//!
//! Sources: "Input format of a Lambda function for proxy integration" and "Input to an API Gateway Lambda authorizer" in
//! the API Gateway Developer Guide.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::authorizer::Principal;
use super::exchange::Exchange;
use super::route::Matched;
use crate::api::Api;
use crate::template::ACCOUNT;

/// The event of a function.
///
/// What is not there is `null`, never missing. The path and its parameters stay percent-encoded, query parameters are
/// decoded. Single-value maps hold the last value.
pub(super) fn function_event(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    principal: Option<&Principal>,
) -> Value {
    let mut event = parts(api, exchange, matched, &Value::Null);
    let (body, encoded) = body(api, exchange);
    event.insert("body".to_owned(), body);
    event.insert("isBase64Encoded".to_owned(), Value::Bool(encoded));
    if let (Some(principal), Some(Value::Object(context))) = (principal, event.get_mut("requestContext")) {
        context.insert("authorizer".to_owned(), authorizer_context(principal));
    }
    Value::Object(event)
}

/// The event of a `TOKEN` authorizer.
pub(super) fn token_event(method_arn: &str, token: &str) -> Value {
    json!({"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token})
}

/// The event of a `REQUEST` authorizer: the request without its body. Maps without entries are empty here, not `null`.
pub(super) fn request_event(
    api: &Api,
    exchange: &Exchange,
    matched: &Matched<'_>,
    method_arn: &str,
) -> Value {
    let mut event = parts(api, exchange, matched, &json!({}));
    event.insert("type".to_owned(), Value::from("REQUEST"));
    event.insert("methodArn".to_owned(), Value::from(method_arn));
    Value::Object(event)
}

fn parts(api: &Api, exchange: &Exchange, matched: &Matched<'_>, absent: &Value) -> Map<String, Value> {
    let headers: Vec<_> = exchange
        .headers()
        .into_iter()
        // A function gets its body as text, whatever length it had on the wire.
        .filter(|(name, _)| name != "content-length")
        .map(|(name, values)| (spelling(&name), values))
        .collect();
    let (query, all_query) = query_maps(exchange);
    let or_absent =
        |map: Map<String, Value>| if map.is_empty() { absent.clone() } else { Value::Object(map) };
    let last = |(name, values): (&String, &Vec<String>)| (name.clone(), Value::from(values.last().cloned()));
    let all = |(name, values): (&String, &Vec<String>)| (name.clone(), Value::from(values.clone()));
    let mut event = Map::new();
    for (name, value) in [
        ("resource", Value::from(matched.route.path.clone())),
        ("path", Value::from(exchange.path.clone())),
        ("httpMethod", Value::from(exchange.client.method.as_str())),
        ("headers", or_absent(headers.iter().map(|(name, values)| last((name, values))).collect())),
        ("multiValueHeaders", or_absent(headers.iter().map(|(name, values)| all((name, values))).collect())),
        ("queryStringParameters", or_absent(query)),
        ("multiValueQueryStringParameters", or_absent(all_query)),
        ("pathParameters", or_absent(text_map(&matched.parameters))),
        ("stageVariables", or_absent(text_map(&api.stage_variables))),
        ("requestContext", request_context(api, exchange, matched)),
    ] {
        event.insert(name.to_owned(), value);
    }
    event
}

/// The query's parameters with their last values, and with all of them.
pub(super) fn query_maps(exchange: &Exchange) -> (Map<String, Value>, Map<String, Value>) {
    let mut query: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in &exchange.query {
        query.entry(name).or_default().push(value);
    }
    let last = query.iter().map(|(name, values)| ((*name).to_owned(), Value::from(values.last().copied())));
    let all = query.iter().map(|(name, values)| ((*name).to_owned(), Value::from(values.clone())));
    (last.collect(), all.collect())
}

pub(super) fn text_map(entries: &BTreeMap<String, String>) -> Map<String, Value> {
    entries.iter().map(|(name, value)| (name.clone(), Value::from(value.clone()))).collect()
}

/// The `$context` of the request, as far as it is handed on.
pub(super) fn request_context(api: &Api, exchange: &Exchange, matched: &Matched<'_>) -> Value {
    json!({
        "resourceId": resource_id(&matched.route.path),
        "resourcePath": matched.route.path,
        "httpMethod": exchange.client.method.as_str(),
        "extendedRequestId": exchange.extended_request_id,
        "requestTime": exchange.time(),
        "path": exchange.full_path,
        "accountId": ACCOUNT,
        "protocol": exchange.protocol(),
        "stage": api.stage,
        "domainPrefix": exchange.domain_prefix(),
        "requestTimeEpoch": exchange.epoch_ms,
        "requestId": exchange.request_id,
        "identity": {
            "cognitoIdentityPoolId": null,
            "accountId": null,
            "cognitoIdentityId": null,
            "caller": null,
            "sourceIp": exchange.client.peer.to_string(),
            "principalOrgId": null,
            "accessKey": null,
            "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null,
            "userArn": null,
            "userAgent": exchange.user_agent(),
            "user": null,
        },
        "domainName": exchange.domain_name(),
        "deploymentId": "local1",
        "apiId": api.id,
    })
}

/// Six characters, as resource ids have, that depend on the resource alone.
fn resource_id(path: &str) -> String {
    let sum =
        path.bytes().fold(0x811c_9dc5_u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{:06x}", sum & 0x00ff_ffff)
}

/// The authorizer's context: flat, and every value a string ("Output from an API Gateway Lambda authorizer").
pub(super) fn authorizer_context(principal: &Principal) -> Value {
    let mut context = Map::new();
    for (name, value) in &principal.context {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        context.insert(name.clone(), Value::from(text));
    }
    context.insert("principalId".to_owned(), Value::from(principal.id.clone()));
    context.insert("integrationLatency".to_owned(), Value::from(principal.latency_ms));
    Value::Object(context)
}

/// Names come in lower case from a browser (HTTP/2); the gateway itself spells these few its own way.
pub(super) fn spelling(name: &str) -> String {
    match name {
        "authorization" => "Authorization",
        "host" => "Host",
        "user-agent" => "User-Agent",
        "x-amzn-trace-id" => "X-Amzn-Trace-Id",
        "x-forwarded-for" => "X-Forwarded-For",
        "x-forwarded-port" => "X-Forwarded-Port",
        "x-forwarded-proto" => "X-Forwarded-Proto",
        other => other,
    }
    .to_owned()
}

/// The body as a function gets it, and whether it is Base64.
///
/// Only a media type that the API declares as binary is encoded. Any other body is text, and bytes that are not UTF-8
/// are lost: that is what API Gateway does ("Content type conversions in API Gateway").
fn body(api: &Api, exchange: &Exchange) -> (Value, bool) {
    use base64::Engine as _;
    let bytes = exchange.body();
    if bytes.is_empty() {
        return (Value::Null, false);
    }
    let content_type = exchange.header("content-type").pop().unwrap_or_default();
    if is_binary(api, &content_type) {
        return (Value::from(base64::engine::general_purpose::STANDARD.encode(bytes)), true);
    }
    (Value::from(String::from_utf8_lossy(bytes)), false)
}

/// Whether the API treats the first media type in `header` as binary.
pub(super) fn is_binary(api: &Api, header: &str) -> bool {
    let media_type = header.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase();
    api.binary_media_types
        .iter()
        .any(|declared| *declared == "*/*" || declared.eq_ignore_ascii_case(&media_type))
}
