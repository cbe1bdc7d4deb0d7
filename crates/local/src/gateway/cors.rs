//! Cross-origin rules that the gateway applies itself.

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::exchange::Exchange;
use super::{reply, route};
use crate::api::{Api, Cors, ManagedCors};

/// The answer to a preflight, if the gateway gives it: on an HTTP API unless a route takes `OPTIONS` to an authorizer, and in
/// place of a missing `OPTIONS` method on a REST API.
pub(super) fn preflight(api: &Api, exchange: &Exchange) -> Option<Response<Bytes>> {
    if exchange.client.method != http::Method::OPTIONS {
        return None;
    }
    match api.cors.as_ref()? {
        Cors::Managed(rules) => {
            // `$default` "catches requests for all methods", `OPTIONS` among them ("Configure CORS for HTTP APIs").
            let taken = route::find(api, "OPTIONS", &exchange.path);
            if taken.is_some_and(|matched| matched.route.authorizer.is_some()) {
                return None;
            }
            let asks = exchange.client.headers.contains_key("access-control-request-method");
            let origin = exchange.header("origin").pop().filter(|_| asks)?;
            let mut answer = reply(StatusCode::NO_CONTENT, [], Bytes::new());
            if let Some(allowed) = allowed(rules, &origin) {
                set(answer.headers_mut(), "access-control-allow-origin", &allowed);
                set(answer.headers_mut(), "access-control-allow-methods", &rules.methods.join(","));
                set(answer.headers_mut(), "access-control-allow-headers", &rules.headers.join(","));
                let max_age = rules.max_age.map(|seconds| seconds.to_string()).unwrap_or_default();
                set(answer.headers_mut(), "access-control-max-age", &max_age);
                credentials(answer.headers_mut(), rules);
            }
            Some(answer)
        }
        Cors::Mock(headers) => mock(api, exchange, headers),
        Cors::Errors(_) => None,
    }
}

/// Sets the headers of an HTTP API's answer; those of the function do not count ("Configure CORS for HTTP APIs").
pub(super) fn apply(api: &Api, origin: Option<&str>, headers: &mut HeaderMap) {
    let Some(Cors::Managed(rules)) = &api.cors else { return };
    let own: Vec<_> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    for name in own {
        headers.remove(name);
    }
    let Some(allowed) = origin.and_then(|origin| allowed(rules, origin)) else { return };
    set(headers, "access-control-allow-origin", &allowed);
    set(headers, "access-control-expose-headers", &rules.exposed.join(","));
    credentials(headers, rules);
}

fn allowed(rules: &ManagedCors, origin: &str) -> Option<String> {
    rules.origins.iter().find_map(|rule| match rule.split_once('*') {
        _ if rule == "*" => Some("*".to_owned()),
        // `https://*` and the like.
        Some((start, end)) => (origin.starts_with(start) && origin.ends_with(end)).then(|| origin.to_owned()),
        None => (rule == origin).then(|| origin.to_owned()),
    })
}

fn credentials(headers: &mut HeaderMap, rules: &ManagedCors) {
    if rules.credentials {
        set(headers, "access-control-allow-credentials", "true");
    }
}

/// The mock integration that SAM adds for `Cors` on a REST API.
fn mock(api: &Api, exchange: &Exchange, headers: &[(String, String)]) -> Option<Response<Bytes>> {
    let mut methods = route::methods(api, &exchange.path);
    if methods.is_empty() || methods.iter().any(|method| method == "OPTIONS" || method == "ANY") {
        return None;
    }
    methods.push("OPTIONS".to_owned());
    methods.sort();
    let mut answer = reply(StatusCode::OK, headers.iter().cloned(), Bytes::from_static(b"{}\n"));
    if !answer.headers().contains_key("access-control-allow-methods") {
        set(answer.headers_mut(), "access-control-allow-methods", &methods.join(","));
    }
    set(answer.headers_mut(), "content-type", "application/json");
    Some(answer)
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(HeaderName::from_static(name), value);
    }
}
