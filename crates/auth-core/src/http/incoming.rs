//! A request as a function reads it: REST 1.0 and HTTP API 2.0 payloads alike.

use std::borrow::Cow;
use std::collections::HashMap;

use http::{HeaderMap, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};

use super::fields::Fields;
use super::media_type::MediaType;
use super::{ApiError, location, origin};
use crate::client::Client;
use crate::config::HttpConfig;
use crate::forwarding::{self, Peer, TrustedProxy};
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
    /// What comes before it on the client's side: `PUBLIC_BASE_PATH`, or else the stage or the base path of a custom domain.
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
    /// Whether a body is read as JSON that does not say it is.
    reads_unlabelled: bool,
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
        match MediaType::of(&self.headers) {
            MediaType::Json => {}
            MediaType::Unlabelled if self.reads_unlabelled => {}
            MediaType::Unlabelled | MediaType::Other => return Err(ApiError::UnsupportedMediaType),
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

impl Incoming {
    /// Reads a request of a deployment with this configuration. Who called is what the gateway says, or what a trusted proxy says
    /// of its client. The proxy's secret is not among the headers.
    pub fn read(mut request: Request, config: &HttpConfig) -> Self {
        let context = GatewayContext::of(&request, &config.proxy);
        request.headers_mut().remove(forwarding::SECRET_HEADER);
        let principal = Principal::of(&request);
        let invocation_id = request.lambda_context_ref().map(|context| context.request_id.clone());
        let (received, path) = location::split(&context.path);
        let base_path = config.cookies.public_base_path(received).to_owned();
        let parameters = request.path_parameters_ref();
        let path_parameters = parameters.iter().flat_map(|map| map.iter());
        let path_parameters =
            path_parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let base_url = location::origin(&context.domain, request.headers()) + &base_path;
        let (parts, body) = request.into_parts();
        let reads_unlabelled = origin::may_leave_out_the_type(&parts.headers, config);
        Self {
            method: parts.method,
            path: path.to_owned(),
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
            reads_unlabelled,
        }
    }
}

/// What the gateway says about a request.
#[derive(Default)]
struct GatewayContext {
    path: String,
    domain: String,
    client: Client,
}

impl GatewayContext {
    fn of(request: &Request, proxy: &TrustedProxy) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let client = |ip: &Option<String>, agent: &Option<String>, id: &Option<String>| {
            let peer = Peer::new(ip.as_deref().unwrap_or_default(), agent.as_deref().unwrap_or_default());
            let caller = proxy.caller(peer, |name| lines(request.headers(), name));
            Client::new(&caller.ip, &caller.user_agent, id.as_deref().unwrap_or_default())
        };
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV1(context)) => {
                let identity = &context.identity;
                Self {
                    path: text(&context.path),
                    domain: text(&context.domain_name),
                    client: client(&identity.source_ip, &identity.user_agent, &context.request_id),
                }
            }
            Some(RequestContext::ApiGatewayV2(context)) => {
                let http = &context.http;
                Self {
                    path: text(&http.path),
                    domain: text(&context.domain_name),
                    client: client(&http.source_ip, &http.user_agent, &context.request_id),
                }
            }
            _ => Self::default(),
        }
    }
}

/// Every line of a header. What is no UTF-8 has replacement characters.
fn lines<'a>(headers: &'a HeaderMap, name: &'static str) -> Vec<Cow<'a, str>> {
    headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes())).collect()
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
}
