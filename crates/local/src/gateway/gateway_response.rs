//! Gateway responses of a REST API: the gateway's own answers in the words of the template.
//!
//! Source: "Gateway responses for REST APIs in API Gateway" in the API Gateway Developer Guide. The body is no Velocity
//! template: variables are replaced and nothing else.

use axum::body::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::exchange::Exchange;
use super::refusal::{Refusal, Wording};
use super::{reply, rest_event, route};
use crate::api::{Api, GatewayResponse, Route};

/// The answer for `refusal`.
pub(super) fn render(api: &Api, exchange: &Exchange, refusal: Refusal) -> Response<Bytes> {
    let wording = refusal.wording();
    let customised = customised(api, refusal, &wording);
    let status = customised.and_then(|response| response.status).unwrap_or(wording.status);
    let context = context(api, exchange, &wording);
    let mut headers = vec![
        ("x-amzn-requestid".to_owned(), exchange.request_id.clone()),
        ("x-amz-apigw-id".to_owned(), exchange.extended_request_id.clone()),
        ("x-amzn-errortype".to_owned(), wording.error_type.to_owned()),
    ];
    let template = customised.and_then(|response| template(response, exchange));
    let (media_type, body) = match template {
        Some((media_type, template)) => (media_type.to_owned(), filled(template, &context)),
        None => ("application/json".to_owned(), usual_body(refusal, &wording)),
    };
    headers.push(("content-type".to_owned(), media_type));
    let own = customised.map(|response| response.headers.as_slice()).unwrap_or_default();
    headers.extend(self::headers(own, exchange, &context, api));
    reply(
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        Bytes::from(body),
    )
}

/// What the template says about this type, or else about `DEFAULT_4XX` or `DEFAULT_5XX`.
fn customised<'a>(api: &'a Api, refusal: Refusal, wording: &Wording) -> Option<&'a GatewayResponse> {
    match refusal {
        // "Customizing the default gateway response for 413 REQUEST_TOO_LARGE isn't currently supported" ("Amazon API
        // Gateway important notes"); and a base path without a mapping never reaches the API.
        Refusal::TooLarge | Refusal::NoMapping => None,
        _ => {
            let fallback = if wording.status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
            api.gateway_responses.get(wording.kind).or_else(|| api.gateway_responses.get(fallback))
        }
    }
}

/// The template for the first media type that the client accepts, or the one for JSON.
fn template<'a>(response: &'a GatewayResponse, exchange: &Exchange) -> Option<(&'a str, &'a str)> {
    let accepted = exchange.header("accept").pop().unwrap_or_default();
    let first = accepted.split([',', ';']).next().unwrap_or_default().trim().to_owned();
    let found = response
        .templates
        .get_key_value(&first)
        .or_else(|| response.templates.get_key_value("application/json"))
        .or_else(|| response.templates.first_key_value());
    found.map(|(media_type, template)| (media_type.as_str(), template.as_str()))
}

/// The body that API Gateway sends where the template has none: down to its capital letter, and its space.
fn usual_body(refusal: Refusal, wording: &Wording) -> String {
    let message = message_string(wording);
    match refusal {
        Refusal::AccessDenied { .. } => format!(r#"{{"Message":{message}}}"#),
        Refusal::IntegrationFailure | Refusal::IntegrationTimeout => format!(r#"{{"message": {message}}}"#),
        _ => format!(r#"{{"message":{message}}}"#),
    }
}

fn message_string(wording: &Wording) -> String {
    wording.message.map_or_else(|| "null".to_owned(), |message| Value::from(message).to_string())
}

/// `$context`, with the error.
fn context(api: &Api, exchange: &Exchange, wording: &Wording) -> Value {
    let method = exchange.client.method.as_str();
    let unrouted = Route {
        method: method.to_owned(),
        path: exchange.path.clone(),
        function: String::new(),
        authorizer: None,
    };
    let matched = route::find(api, method, &exchange.path)
        .unwrap_or(route::Matched { route: &unrouted, parameters: std::collections::BTreeMap::new() });
    let mut context = rest_event::request_context(api, exchange, &matched);
    if let Some(context) = context.as_object_mut() {
        let error = serde_json::json!({
            "message": wording.message.unwrap_or("null"),
            "messageString": message_string(wording),
            "responseType": wording.kind,
        });
        context.insert("error".to_owned(), error);
    }
    context
}

/// Replaces every `$context.…` of a body template; a variable that is not there leaves nothing behind.
fn filled(template: &str, context: &Value) -> String {
    const OPENING: &str = "$context.";
    let mut body = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once(OPENING) {
        body.push_str(before);
        let end =
            after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '.' && letter != '_');
        let (name, remainder) = after.split_at(end.unwrap_or(after.len()));
        // A full stop ends the sentence, not the name.
        let (name, stop) = name.strip_suffix('.').map_or((name, ""), |name| (name, "."));
        body.push_str(&variable(name, context).unwrap_or_default());
        body.push_str(stop);
        rest = remainder;
    }
    body.push_str(rest);
    body
}

fn variable(name: &str, context: &Value) -> Option<String> {
    match name.split('.').try_fold(context, |value, part| value.get(part))? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The headers that have a value.
pub(super) fn headers<'a>(
    expressions: &'a [(String, String)],
    exchange: &'a Exchange,
    context: &'a Value,
    api: &'a Api,
) -> impl Iterator<Item = (String, String)> + 'a {
    let valued = |(name, expression): &'a (String, String)| {
        value(expression, exchange, context, api).map(|value| (name.clone(), value))
    };
    expressions.iter().filter_map(valued)
}

/// The value of a header: a text in single quotes, or where to take it from.
fn value(expression: &str, exchange: &Exchange, context: &Value, api: &Api) -> Option<String> {
    if let Some(text) = expression.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Some(text.to_owned());
    }
    if let Some(name) = expression.strip_prefix("method.request.header.") {
        return exchange.header(name).pop();
    }
    if let Some(name) = expression.strip_prefix("method.request.querystring.") {
        return exchange.query_value(name).map(str::to_owned);
    }
    if let Some(name) = expression.strip_prefix("context.") {
        return variable(name, context);
    }
    expression.strip_prefix("stageVariables.").and_then(|name| api.stage_variables.get(name).cloned())
}
