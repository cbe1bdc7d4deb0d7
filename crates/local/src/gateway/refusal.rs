//! The answers that the gateway gives itself, in place of a function.

use axum::body::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::exchange::Exchange;
use super::{gateway_response, reply};
use crate::api::{Api, ApiKind, Cors};

/// Why the gateway answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// An identity source is missing, or the authorizer says `Unauthorized`.
    Unauthorized,
    /// The authorizer's answer does not allow the method.
    AccessDenied {
        /// A statement denies it, rather than none allowing it.
        explicit: bool,
    },
    /// The authorizer failed.
    AuthorizerFailure,
    /// The authorizer's answer is none.
    AuthorizerConfiguration,
    /// There is no such route.
    NoRoute {
        /// The request has an `Authorization` header.
        signed: bool,
    },
    /// The custom domain has no mapping for this base path.
    NoMapping,
    /// More than the gateway or the function takes.
    TooLarge,
    /// The function failed, or its answer is none.
    IntegrationFailure,
    /// The function took longer than the gateway waits.
    IntegrationTimeout,
}

/// How a REST API words a refusal unless the template says otherwise.
pub(super) struct Wording {
    /// The gateway response type.
    pub(super) kind: &'static str,
    pub(super) status: u16,
    /// `$context.error.message`; `None` is a message that API Gateway leaves `null`.
    pub(super) message: Option<&'static str>,
    /// The `x-amzn-ErrorType` header.
    pub(super) error_type: &'static str,
}

impl Refusal {
    /// The answer of this API.
    pub(super) fn answer(self, api: &Api, exchange: &Exchange) -> Response<Bytes> {
        match api.kind {
            ApiKind::Rest => gateway_response::render(api, exchange, self),
            ApiKind::Http | ApiKind::WebSocket => self.plain(api, exchange),
        }
    }

    /// The status of a WebSocket upgrade that is refused: 401 and 403 as on a REST API, and 5xx.
    pub(super) const fn handshake_status(self) -> StatusCode {
        match self {
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::AuthorizerFailure | Self::AuthorizerConfiguration => StatusCode::INTERNAL_SERVER_ERROR,
            Self::IntegrationFailure | Self::TooLarge => StatusCode::BAD_GATEWAY,
            Self::IntegrationTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::AccessDenied { .. } | Self::NoRoute { .. } | Self::NoMapping => StatusCode::FORBIDDEN,
        }
    }

    /// Type and status are those of "Gateway response types for API Gateway"; the texts and error types are what API
    /// Gateway sends. A function that fails or answers badly is 502, worded by `DEFAULT_5XX`.
    pub(super) const fn wording(self) -> Wording {
        let (kind, status, message, error_type) = match self {
            Self::Unauthorized => ("UNAUTHORIZED", 401, Some("Unauthorized"), "UnauthorizedException"),
            Self::AccessDenied { explicit: false } => (
                "ACCESS_DENIED",
                403,
                Some("User is not authorized to access this resource"),
                "AccessDeniedException",
            ),
            Self::AccessDenied { explicit: true } => (
                "ACCESS_DENIED",
                403,
                Some("User is not authorized to access this resource with an explicit deny"),
                "AccessDeniedException",
            ),
            Self::AuthorizerFailure => ("AUTHORIZER_FAILURE", 500, None, "AuthorizerFailureException"),
            Self::AuthorizerConfiguration => {
                ("AUTHORIZER_CONFIGURATION_ERROR", 500, None, "AuthorizerConfigurationException")
            }
            // A REST API takes whatever is in `Authorization` for an AWS signature where no route says otherwise.
            Self::NoRoute { signed: true } => (
                "INVALID_SIGNATURE",
                403,
                Some("Invalid key=value pair (missing equal-sign) in Authorization header"),
                "IncompleteSignatureException",
            ),
            Self::NoRoute { signed: false } => (
                "MISSING_AUTHENTICATION_TOKEN",
                403,
                Some("Missing Authentication Token"),
                "MissingAuthenticationTokenException",
            ),
            Self::NoMapping => ("ACCESS_DENIED", 403, Some("Forbidden"), "ForbiddenException"),
            Self::TooLarge => {
                ("REQUEST_TOO_LARGE", 413, Some("Request Too Long"), "RequestTooLargeException")
            }
            Self::IntegrationFailure => {
                ("DEFAULT_5XX", 502, Some("Internal server error"), "InternalServerErrorException")
            }
            Self::IntegrationTimeout => (
                "INTEGRATION_TIMEOUT",
                504,
                Some("Endpoint request timed out"),
                "InternalServerErrorException",
            ),
        };
        Wording { kind, status, message, error_type }
    }

    /// An HTTP API has no gateway responses: its texts are fixed.
    fn plain(self, api: &Api, exchange: &Exchange) -> Response<Bytes> {
        let (status, message) = match self {
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::AccessDenied { .. } => (StatusCode::FORBIDDEN, "Forbidden"),
            Self::NoRoute { .. } | Self::NoMapping => (StatusCode::NOT_FOUND, "Not Found"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large"),
            Self::AuthorizerFailure | Self::AuthorizerConfiguration | Self::IntegrationFailure => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Self::IntegrationTimeout => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("apigw-requestid".to_owned(), exchange.extended_request_id.clone()),
        ];
        if let Some(Cors::Errors(expressions)) = &api.cors {
            headers.extend(gateway_response::headers(expressions, exchange, &Value::Null, api));
        }
        reply(status, headers, Bytes::from(format!(r#"{{"message":"{message}"}}"#)))
    }
}
