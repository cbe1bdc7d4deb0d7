//! Any place that a refresh token can be presented in: what is found is what is there.

use auth_core::config::{self, HttpConfig};
use auth_core::http::{Incoming, presented};
use http::{HeaderName, HeaderValue, header};
use lambda_http::{Body, Request};
use serde_json::Value;

/// Three lines, `Content-Type`, `Cookie` and `Authorization`, and the body.
pub fn check(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut request = Request::default();
    for name in [header::CONTENT_TYPE, header::COOKIE, header::AUTHORIZATION] {
        let line = parts.next().unwrap_or_default();
        if let Some(value) = (!line.is_empty()).then(|| HeaderValue::from_bytes(line).ok()).flatten() {
            request.headers_mut().insert::<HeaderName>(name, value);
        }
    }
    let body = parts.next().unwrap_or_default();
    let headers = String::from_utf8_lossy(data.strip_suffix(body).unwrap_or_default()).into_owned();
    *request.body_mut() = Body::Binary(body.to_vec());
    for delivery in ["body", "cookie"] {
        let lookup = |name: &str| (name == "TOKEN_DELIVERY").then(|| delivery.to_owned());
        let config = config::from_lookup(&lookup, |settings| Some(HttpConfig::read(settings)));
        let config = config.expect("a configuration");
        let request = Incoming::read(request.clone(), &config);
        let Ok(tokens) = presented::tokens(&request, &config) else { continue };
        let mut tokens = tokens.all().into_iter();
        if let Some(token) = in_body(body) {
            assert_eq!(tokens.next().as_deref(), Some(token.as_str()));
        }
        for token in tokens {
            assert!(headers.contains(&token) && !token.is_empty(), "{token:?} is in no header");
        }
    }
}

/// The token in a body that can be read: `serde_json` keeps the last of two members, we refuse them.
fn in_body(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let token = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    token("refreshToken").or_else(|| token("refresh_token")).filter(|token| !token.is_empty())
}
