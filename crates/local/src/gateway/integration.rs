//! A function's answer as HTTP: how API Gateway reads the output of a Lambda proxy integration.
//!
//! Sources: "Output format of a Lambda function for proxy integration" (REST), "Lambda function response format" in
//! "Create AWS Lambda proxy integrations for HTTP APIs", and "Amazon API Gateway important notes".

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::refusal::Refusal;
use super::{reply, rest_event};
use crate::api::Api;

type Headers = Vec<(String, String)>;

/// The answer of a REST API.
///
/// # Errors
/// [`Refusal::IntegrationFailure`] if the function's output is not of the format: 502.
pub(super) fn rest(api: &Api, exchange: &Exchange, output: &Value) -> Result<Response<Bytes>, Refusal> {
    let output = output.as_object().ok_or(Refusal::IntegrationFailure)?;
    // No field is required, and no other field is allowed.
    let known = ["isBase64Encoded", "statusCode", "headers", "multiValueHeaders", "body"];
    if output.keys().any(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::IntegrationFailure);
    }
    let status = status(output.get("statusCode")).ok_or(Refusal::IntegrationFailure)?;
    let mut headers = rest_headers(output).ok_or(Refusal::IntegrationFailure)?;
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    headers.push(("x-amzn-requestid".to_owned(), exchange.request_id.clone()));
    headers.push(("x-amz-apigw-id".to_owned(), exchange.extended_request_id.clone()));
    headers.push(("x-amzn-trace-id".to_owned(), exchange.trace_id.clone()));
    let text = text(output.get("body")).ok_or(Refusal::IntegrationFailure)?;
    // Base64 is decoded only for a client that accepts a media type that the API declares as binary.
    let accepts = exchange.header("accept").pop().unwrap_or_default();
    let body = if encoded(output) && rest_event::is_binary(api, &accepts) {
        STANDARD.decode(text).map_err(|_| Refusal::IntegrationFailure)?.into()
    } else {
        text.into()
    };
    Ok(reply(status, headers, body))
}

/// The answer of an HTTP API.
///
/// # Errors
/// [`Refusal::IntegrationFailure`] if the function's output is not of the format: 500.
pub(super) fn http(exchange: &Exchange, output: &Value) -> Result<Response<Bytes>, Refusal> {
    let id = ("apigw-requestid".to_owned(), exchange.extended_request_id.clone());
    let structured = output.as_object().filter(|fields| fields.contains_key("statusCode"));
    let Some(fields) = structured else {
        // Output without a status is the body of a 200.
        let body = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        let headers = vec![("content-type".to_owned(), "application/json".to_owned()), id];
        return Ok(reply(StatusCode::OK, headers, body.into()));
    };
    let status = status(fields.get("statusCode")).ok_or(Refusal::IntegrationFailure)?;
    let mut headers = single_headers(fields.get("headers")).ok_or(Refusal::IntegrationFailure)?;
    let connection = ["connection", "content-length", "transfer-encoding", "upgrade", "trailer", "te"];
    headers.retain(|(name, _)| !connection.contains(&name.to_ascii_lowercase().as_str()));
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "text/plain; charset=utf-8".to_owned()));
    }
    for cookie in fields.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        let cookie = cookie.as_str().ok_or(Refusal::IntegrationFailure)?;
        headers.push(("set-cookie".to_owned(), cookie.to_owned()));
    }
    headers.push(id);
    valid(&headers).ok_or(Refusal::IntegrationFailure)?;
    let text = text(fields.get("body")).ok_or(Refusal::IntegrationFailure)?;
    let body = if encoded(fields) {
        STANDARD.decode(text).map_err(|_| Refusal::IntegrationFailure)?.into()
    } else {
        text.into()
    };
    Ok(reply(status, headers, body))
}

fn status(value: Option<&Value>) -> Option<StatusCode> {
    let code = match value {
        None => 200,
        Some(Value::String(text)) => text.parse().ok()?,
        Some(value) => u16::try_from(value.as_u64()?).ok()?,
    };
    StatusCode::from_u16(code).ok()
}

fn encoded(output: &Map<String, Value>) -> bool {
    output.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or_default()
}

/// The body; absent and `null` are empty, anything but a string is no body.
fn text(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => Some(String::new()),
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => None,
    }
}

/// `headers` and `multiValueHeaders` as one list; a name that is in both counts from the second alone.
fn rest_headers(output: &Map<String, Value>) -> Option<Headers> {
    let mut headers: Headers = Vec::new();
    for (name, values) in map(output.get("multiValueHeaders"))? {
        for value in values.as_array()? {
            headers.push((name.clone(), header_text(value)?));
        }
    }
    for (name, value) in single_headers(output.get("headers"))? {
        if !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            headers.push((name, value));
        }
    }
    let headers = headers.into_iter().filter_map(|(name, value)| Some((passed(&name)?, value))).collect();
    valid(&headers)?;
    Some(headers)
}

fn single_headers(value: Option<&Value>) -> Option<Headers> {
    map(value)?.into_iter().map(|(name, value)| Some((name, header_text(&value)?))).collect()
}

fn map(value: Option<&Value>) -> Option<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(fields)) => Some(fields.clone()),
        Some(_) => None,
    }
}

fn header_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn valid(headers: &Headers) -> Option<()> {
    headers
        .iter()
        .all(|(name, value)| {
            HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok()
        })
        .then_some(())
}

/// The name under which a REST API sends a function's header on; `None` if it does not.
///
/// Source: "Amazon API Gateway important notes", the table of headers, column "Response", `lambda`. `Content-Length`
/// passes there; here it is dropped and written anew, since it always is the length of the body.
fn passed(name: &str) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "connection" | "content-md5" | "date" | "max-forwards" | "server"
        | "user-agent" | "www-authenticate" => Some(format!("x-amzn-Remapped-{name}")),
        "content-length" | "expect" | "host" | "proxy-authenticate" | "te" | "transfer-encoding"
        | "trailer" | "upgrade" | "via" => None,
        _ => Some(name.to_owned()),
    }
}
