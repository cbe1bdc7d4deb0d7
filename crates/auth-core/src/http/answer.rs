//! Answers, in the spelling that the deployment is configured for.

use http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use renewal::SessionEnded;
use serde_json::{Map, Value, json};

use super::cookie::REFRESH_TOKEN;
use super::fields::snake_case;
use super::{ApiError, Incoming};
use crate::config::{HttpConfig, ResponseFormat, TokenDelivery};
use crate::grant::Grant;
use crate::user::User;

/// What every answer says to a browser that opens it as something else than data: a page, a frame, a script, an image (OWASP ASVS
/// 5 §3.4). HSTS speaks for this host alone: what runs on its subdomains is not for this service to say.
const PROTECTION: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// An answer that is ready to be sent.
#[derive(Clone)]
pub struct Answer {
    status: StatusCode,
    body: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    ends_session: bool,
}

impl Answer {
    const fn of(status: StatusCode, body: Value, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Self { status, body: Some(body), headers, ends_session: false }
    }

    /// An answer without a body.
    pub const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: None, headers: Vec::new(), ends_session: false }
    }

    /// A document whose form a standard fixes, such as a JWK set: the same in every format, and cached for `seconds`.
    pub fn document(body: Value, seconds: u32) -> Self {
        let cache = HeaderValue::from_str(&format!("public, max-age={seconds}"));
        let headers = cache.map(|cache| vec![(header::CACHE_CONTROL, cache)]).unwrap_or_default();
        Self::of(StatusCode::OK, body, headers)
    }

    /// Data that is not a token: its members are written in camel case, and are spelt as the format wants.
    pub fn data(config: &HttpConfig, data: Value) -> Self {
        let spelt = if is_snake(config.format) { to_snake(data) } else { data };
        Self::of(StatusCode::OK, wrap(config.format, spelt), Vec::new())
    }

    /// A user.
    pub fn user(config: &HttpConfig, user: &User) -> Self {
        let body = json!({ "user": spell_user(config.format, user) });
        Self::of(StatusCode::OK, wrap(config.format, body), Vec::new())
    }

    /// Tokens (RFC 6749 §5.1). With cookie delivery the refresh token is in the cookie alone.
    pub fn tokens(config: &HttpConfig, status: StatusCode, request: &Incoming, grant: &Grant) -> Self {
        // RFC 6749 §5.1 demands both; `no-store` is on every answer.
        let mut headers = vec![(header::PRAGMA, HeaderValue::from_static("no-cache"))];
        let in_body = config.delivery == TokenDelivery::Body;
        if !in_body {
            let rest = grant.refresh_expires_at.since(grant.issued_at);
            let (cookies, base_path) = (&config.cookies, &request.base_path);
            let set = cookies.set(REFRESH_TOKEN, base_path, &grant.refresh_token, rest);
            let cleared = cookies.clear_other(REFRESH_TOKEN, base_path, &request.headers);
            headers.extend(set.into_iter().chain(cleared).map(|cookie| (header::SET_COOKIE, cookie)));
        }
        let body = wrap(config.format, spell_grant(config.format, grant, in_body));
        Self::of(status, body, headers)
    }

    /// Adds a member, which is written in camel case, beside the tokens.
    #[must_use]
    pub fn with_member(mut self, config: &HttpConfig, name: &str, value: Value) -> Self {
        let name = if is_snake(config.format) { snake_case(name) } else { name.to_owned() };
        let data = match config.format {
            ResponseFormat::Camel | ResponseFormat::Snake => self.body.as_mut(),
            ResponseFormat::Envelope | ResponseFormat::Authorization => {
                self.body.as_mut().and_then(|body| body.get_mut("data"))
            }
        };
        if let Some(data) = data {
            insert(data, &name, value);
        }
        self
    }

    /// Says that the tokens are of another session than the request's, which has ended: no renewed token of it is handed over.
    #[must_use]
    pub const fn replacing_session(mut self) -> Self {
        self.ends_session = true;
        self
    }

    /// Sets a cookie more.
    #[must_use]
    pub fn with_cookie(mut self, cookie: Option<HeaderValue>) -> Self {
        self.headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        self
    }

    /// Says that the session of the request has ended: the refresh cookie is taken away, if the deployment uses one, and no
    /// renewed token is handed over.
    #[must_use]
    pub fn ending_session(mut self, config: &HttpConfig, request: &Incoming) -> Self {
        self.ends_session = true;
        if config.delivery == TokenDelivery::Cookie {
            let cleared = config.cookies.clear(REFRESH_TOKEN, &request.base_path, &request.headers);
            self.headers.extend(cleared.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
        }
        self
    }

    /// An error.
    pub(super) fn error(format: ResponseFormat, error: &ApiError, request_id: &str) -> Self {
        let (status, code) = error.status_and_code();
        let body = spell_error(format, code, &error.to_string(), request_id);
        Self::of(status, body, error.header().into_iter().collect())
    }

    pub(super) fn into_response(self) -> Response<Body> {
        // By its `Display`, which cannot fail, it is written in pieces of a few bytes, each looked at once more.
        let text = |body: Value| serde_json::to_string(&body).unwrap_or_default();
        let body = self.body.map_or(Body::Empty, |body| Body::Text(text(body)));
        let has_body = !matches!(body, Body::Empty);
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.extend(PROTECTION.map(|(name, value)| (name, HeaderValue::from_static(value))));
        if has_body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in self.headers {
            // An answer may set several cookies, each in a line of its own (RFC 6265 §3). Of all else it has one.
            if name == header::SET_COOKIE {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        if self.ends_session {
            response.extensions_mut().insert(SessionEnded);
        }
        response
    }
}

const fn is_snake(format: ResponseFormat) -> bool {
    matches!(format, ResponseFormat::Snake | ResponseFormat::Authorization)
}

fn wrap(format: ResponseFormat, data: Value) -> Value {
    match format {
        ResponseFormat::Camel | ResponseFormat::Snake => data,
        ResponseFormat::Envelope | ResponseFormat::Authorization => json!({ "success": true, "data": data }),
    }
}

/// Absent names are `null`, never missing.
fn spell_user(format: ResponseFormat, user: &User) -> Value {
    let names = &user.names;
    if is_snake(format) {
        json!({
            "id": user.id,
            "email": user.email,
            "display_name": names.display_name,
            "first_name": names.first_name,
            "last_name": names.last_name,
            "email_verified": user.email_verified,
        })
    } else {
        json!({
            "userId": user.id,
            "email": user.email,
            "displayName": names.display_name,
            "firstName": names.first_name,
            "lastName": names.last_name,
            "emailVerified": user.email_verified,
        })
    }
}

fn spell_grant(format: ResponseFormat, grant: &Grant, refresh_in_body: bool) -> Value {
    let expires_in = grant.access.expires_at.since(grant.issued_at).as_secs();
    let mut tokens = json!({
        "accessToken": grant.access.token,
        "tokenType": "Bearer",
        "expiresIn": expires_in,
    });
    if refresh_in_body {
        insert(&mut tokens, "refreshToken", json!(grant.refresh_token));
    }
    let user = spell_user(format, &grant.user);
    if format == ResponseFormat::Authorization {
        return json!({ "authorization": to_snake(tokens), "user": user });
    }
    insert(&mut tokens, "expiresAt", json!(grant.access.expires_at));
    if format == ResponseFormat::Snake {
        tokens = to_snake(tokens);
        insert(&mut tokens, "user_id", json!(grant.user.id));
    }
    insert(&mut tokens, "user", user);
    tokens
}

fn spell_error(format: ResponseFormat, code: &str, text: &str, request_id: &str) -> Value {
    match format {
        ResponseFormat::Camel => json!({ "error": code, "errorDescription": text, "requestId": request_id }),
        ResponseFormat::Snake => {
            json!({ "error": code, "error_description": text, "request_id": request_id })
        }
        ResponseFormat::Envelope => {
            json!({ "success": false, "error": { "code": code, "message": text }, "requestId": request_id })
        }
        ResponseFormat::Authorization => {
            json!({ "success": false, "error": code, "message": text, "request_id": request_id })
        }
    }
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn to_snake(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (snake_case(&name), to_snake(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(to_snake).collect()),
        other => other,
    }
}
