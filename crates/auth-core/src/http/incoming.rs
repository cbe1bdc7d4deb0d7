//! A request as a function reads it: REST 1.0 and HTTP API 2.0 payloads alike.

use std::collections::HashMap;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};

use super::ApiError;
use super::fields::Fields;
use crate::client::Client;
use crate::session::SessionId;
use crate::user::UserId;

/// Largest body in bytes.
pub const MAXIMUM_BODY: usize = 16 * 1024;

/// A request.
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The path below the API's base path, such as `/auth/login`.
    pub path: String,
    /// What comes before it on the client's side: the stage, or a custom domain's base path.
    pub base_path: String,
    /// The URL that the client called, up to and with the base path.
    ///
    /// A document that says it may be kept on the way repeats it, so a client can choose its port and scheme on this machine
    /// alone: elsewhere everybody who is served the copy would get them.
    pub base_url: String,
    /// The headers.
    pub headers: HeaderMap,
    /// Who called.
    pub client: Client,
    /// Whom the authorizer let through, if the route has one.
    pub principal: Option<Principal>,
    path_parameters: HashMap<String, String>,
    body: Vec<u8>,
}

/// Whom the authorizer let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// The user.
    pub user: UserId,
    /// The session of the access token.
    pub session: SessionId,
}

impl Incoming {
    /// The members of the JSON body.
    ///
    /// # Errors
    ///
    /// [`ApiError::PayloadTooLarge`], [`ApiError::UnsupportedMediaType`], [`ApiError::InvalidRequest`].
    pub fn fields(&self) -> Result<Fields, ApiError> {
        if self.body.len() > MAXIMUM_BODY {
            return Err(ApiError::PayloadTooLarge);
        }
        if !self.is_json() {
            return Err(ApiError::UnsupportedMediaType);
        }
        Fields::parse(&self.body)
    }

    /// As [`Incoming::fields`], but no body stands for a body without members.
    ///
    /// # Errors
    ///
    /// As [`Incoming::fields`].
    pub fn optional_fields(&self) -> Result<Fields, ApiError> {
        if self.body.is_empty() { Ok(Fields::default()) } else { self.fields() }
    }

    /// `application/json`, whatever its parameters (RFC 8259 §11 defines none), or another type with the suffix `+json`.
    fn is_json(&self) -> bool {
        let value = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence =
            value.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
    }

    /// The token of `Authorization: Bearer` (RFC 6750 §2.1; the scheme's case does not matter, RFC 9110 §11.1).
    pub fn bearer(&self) -> Option<&str> {
        bearer(self.headers.get(header::AUTHORIZATION)?.to_str().ok()?)
    }

    /// A parameter of the path.
    pub fn path_parameter(&self, name: &str) -> Option<&str> {
        self.path_parameters.get(name).map(String::as_str)
    }

    /// Whom the authorizer let through.
    ///
    /// # Errors
    ///
    /// [`ApiError::InvalidToken`] if the route has no authorizer: the function then answers nobody.
    pub fn principal(&self) -> Result<&Principal, ApiError> {
        self.principal.as_ref().ok_or(ApiError::InvalidToken)
    }
}

/// The credentials of a `Bearer` header.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl From<Request> for Incoming {
    fn from(request: Request) -> Self {
        let context = GatewayContext::of(&request);
        let principal = Principal::of(&request);
        let invocation_id = request.lambda_context_ref().map(|context| context.request_id.clone());
        let (base_path, path) = split_base_path(&context.path);
        let parameters = request.path_parameters_ref();
        let path_parameters = parameters.iter().flat_map(|map| map.iter());
        let path_parameters =
            path_parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let base_url = origin(&context.domain, request.headers()) + &base_path;
        let (parts, body) = request.into_parts();
        Self {
            method: parts.method,
            path,
            base_path,
            base_url,
            headers: parts.headers,
            client: context.client.in_invocation(&invocation_id.unwrap_or_default()),
            principal,
            path_parameters,
            body: match body {
                Body::Text(text) => text.into_bytes(),
                Body::Binary(bytes) => bytes,
                _ => Vec::new(),
            },
        }
    }
}

/// The gateway's own name for itself. What a client's headers say is read on this machine alone, for the port of a local run.
fn origin(domain: &str, headers: &HeaderMap) -> String {
    if !is_loopback(domain) {
        return format!("https://{domain}");
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scheme = if text(X_FORWARDED_PROTO) == "http" { "http" } else { "https" };
    let port = text(header::HOST).strip_prefix(domain).and_then(|rest| rest.strip_prefix(':'));
    match port.and_then(|port| port.parse::<u16>().ok()) {
        Some(port) => format!("{scheme}://{domain}:{port}"),
        None => format!("{scheme}://{domain}"),
    }
}

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Whether a host is this very machine (RFC 6761 §6.3).
fn is_loopback(host: &str) -> bool {
    let is_name = host.rsplit('.').next() == Some("localhost");
    is_name || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What comes before our own part of a path; `None` if it has no such part: it is a path of somebody else's API.
pub fn base_path(path: &str) -> Option<&str> {
    ROOTS.iter().filter_map(|root| path.rfind(root)).max().and_then(|at| path.get(..at))
}

/// Everything of ours lies below one of these; what comes before is the stage or a custom domain's base path.
const ROOTS: [&str; 2] = ["/auth/", "/.well-known/"];

fn split_base_path(path: &str) -> (String, String) {
    let base_path = base_path(path).unwrap_or_default();
    let path = path.get(base_path.len()..).unwrap_or(path);
    // A REST API routes with or without it.
    (base_path.to_owned(), path.trim_end_matches('/').to_owned())
}

/// What the gateway says about a request.
#[derive(Default)]
struct GatewayContext {
    path: String,
    domain: String,
    client: Client,
}

impl GatewayContext {
    fn of(request: &Request) -> Self {
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                let identity = &context.identity;
                Self {
                    path: text(&context.path),
                    domain: text(&context.domain_name),
                    client: Client::new(
                        &text(&identity.source_ip),
                        &text(&identity.user_agent),
                        &text(&context.request_id),
                    ),
                }
            }
            Some(RequestContext::ApiGatewayV2(context)) => {
                let text = |value: &Option<String>| value.clone().unwrap_or_default();
                let http = &context.http;
                Self {
                    path: text(&http.path),
                    domain: text(&context.domain_name),
                    client: Client::new(
                        &text(&http.source_ip),
                        &text(&http.user_agent),
                        &text(&context.request_id),
                    ),
                }
            }
            _ => Self::default(),
        }
    }
}

impl Principal {
    fn of(request: &Request) -> Option<Self> {
        let principal = renewal::Principal::of(request).ok()?;
        Some(Self {
            user: UserId::parse(&principal.user_id).ok()?,
            session: SessionId::parse(&principal.session_id).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bearer_scheme_has_no_case_and_a_token_is_one_word() {
        for header in ["Bearer abc", "bearer abc", "BEARER  abc", " Bearer abc "] {
            assert_eq!(bearer(header), Some("abc"), "{header}");
        }
        for header in ["", "Bearer", "Bearer ", "Basic abc", "Bearerabc", "é", "Ünï côde"] {
            assert_eq!(bearer(header), None, "{header}");
        }
    }

    #[test]
    fn a_host_header_adds_a_port_on_this_machine_and_nothing_else() -> Result<(), http::Error> {
        let origin = |domain: &str, host: &str, proto: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse()?);
            headers.insert(X_FORWARDED_PROTO, proto.parse()?);
            Ok::<_, http::Error>(origin(domain, &headers))
        };
        for domain in ["127.0.0.1", "localhost", "api.localhost", "[::1]"] {
            let host = format!("{domain}:3000");
            assert_eq!(origin(domain, &host, "http")?, format!("http://{host}"));
            assert_eq!(origin(domain, &host, "https")?, format!("https://{host}"));
            for tail in ["", ":", ":@evil.example", ":1@evil.example", ".evil.example:443", ":65536"] {
                let host = format!("{domain}{tail}");
                assert_eq!(origin(domain, &host, "http")?, format!("http://{domain}"), "{tail}");
            }
        }
        for domain in ["api.example.com", "localhost.example.com", "203.0.113.1"] {
            for host in [format!("{domain}:8443"), format!("{domain}:@evil.example"), "evil.example".into()] {
                assert_eq!(origin(domain, &host, "http")?, format!("https://{domain}"), "{host}");
            }
        }
        Ok(())
    }

    #[test]
    fn the_base_path_is_what_comes_before_our_own() {
        let split = |path| split_base_path(path);
        assert_eq!(split("/auth/login"), (String::new(), "/auth/login".into()));
        assert_eq!(split("/PROD/auth/login"), ("/PROD".into(), "/auth/login".into()));
        assert_eq!(split("/auth/v1/auth/login"), ("/auth/v1".into(), "/auth/login".into()));
        assert_eq!(split("/x/.well-known/jwks.json"), ("/x".into(), "/.well-known/jwks.json".into()));
        assert_eq!(split("/other"), (String::new(), "/other".into()));
        assert_eq!(split("/PROD/auth/me/"), ("/PROD".into(), "/auth/me".into()));
    }
}
