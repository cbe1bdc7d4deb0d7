//! Every error that a client can meet: its status, code, text and headers, in one place.

use std::error::Error;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::beginning::BeginningError;
use crate::credential::Refusal;
use crate::ending::EndingError;
use crate::grant::GrantError;
use crate::limiter::LimitError;
use crate::password::hash::HashingFailed;
use crate::password::rules::Weakness;
use crate::random::RandomnessUnavailable;
use crate::redeem::RedeemError;
use crate::store::StoreError;
use crate::sweep::SweepError;

/// Why a request is refused.
///
/// The display text is public. The cause of an internal error is not in it: it goes to the log.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: the request is not as documented; the text says which field.
    #[error("{0}")]
    InvalidRequest(String),
    /// 400: the password may not be chosen.
    #[error(transparent)]
    WeakPassword(#[from] Weakness),
    /// 401: the address is unknown or the password wrong. One answer for both.
    #[error("The e-mail address or the password is wrong.")]
    InvalidCredentials,
    /// 401: the current password is wrong, at a change of it. The caller is known, and the access token is good.
    #[error("The current password is wrong.")]
    WrongPassword,
    /// 401: the refresh token is malformed, forged, expired, revoked or reused. One answer for all.
    #[error("The refresh token is not valid. Sign in again.")]
    InvalidGrant,
    /// 401: the access token is missing or not valid (RFC 6750 §3.1).
    #[error("The access token is missing or not valid.")]
    InvalidToken,
    /// 403.
    #[error("{0}")]
    Forbidden(&'static str),
    /// 404: the function has no such route.
    #[error("There is no such route.")]
    NotFound,
    /// 409.
    #[error("The e-mail address has an account already.")]
    EmailTaken,
    /// 413.
    #[error("The body is larger than {max} bytes.", max = crate::http::incoming::MAXIMUM_BODY)]
    PayloadTooLarge,
    /// 415.
    #[error("The body is not application/json.")]
    UnsupportedMediaType,
    /// 429: a limit is reached.
    #[error("Too many attempts. Try again later.")]
    TooManyAttempts {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// 500.
    #[error("Something went wrong on our side.")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    /// 503: the table is out of reach or throttled. Nobody is signed out by it.
    #[error("The service is busy. Try again in a moment.")]
    TemporarilyUnavailable(#[source] Box<dyn Error + Send + Sync>),
}

/// A client that is told to come back so soon does not add to what throttles the table.
const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(1);

impl ApiError {
    /// The status and the code.
    pub const fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::WeakPassword(_) => (StatusCode::BAD_REQUEST, "weak_password"),
            Self::InvalidCredentials | Self::WrongPassword => {
                (StatusCode::UNAUTHORIZED, "invalid_credentials")
            }
            Self::InvalidGrant => (StatusCode::UNAUTHORIZED, "invalid_grant"),
            Self::InvalidToken => (StatusCode::UNAUTHORIZED, "invalid_token"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::EmailTaken => (StatusCode::CONFLICT, "email_taken"),
            Self::PayloadTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
            Self::TooManyAttempts { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
            Self::TemporarilyUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        }
    }

    /// The header that this error carries, if any.
    pub fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::InvalidToken => Some(challenge(r#"Bearer error="invalid_token""#)),
            Self::InvalidCredentials | Self::WrongPassword => {
                Some(challenge(r#"Latchkey error="invalid_credentials""#))
            }
            Self::InvalidGrant => Some(challenge(r#"Latchkey error="invalid_grant""#)),
            Self::TooManyAttempts { retry_after } => Some(retry(*retry_after)),
            Self::TemporarilyUnavailable(_) => Some(retry(UNAVAILABLE_RETRY_AFTER)),
            _ => None,
        }
    }

    /// The user may not sign in. Only who has shown a password or a token of theirs is told.
    pub const DISABLED: Self = Self::Forbidden("The account is disabled.");

    /// A field that is missing or wrong.
    pub fn field(name: &str, what: &str) -> Self {
        Self::InvalidRequest(format!("{name} {what}"))
    }

    pub(crate) fn internal(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal(Box::new(error))
    }
}

/// What a 401 has to come with (RFC 9110 §15.5.2). `Bearer` asks for another access token (RFC 6750 §3): a client would refresh and
/// send a wrong password, or a refresh token that is not valid, once more. Where that is not the remedy, the scheme is one of our
/// own, which clients ignore and browsers show no dialog for; its parameter is the code of the body.
const fn challenge(value: &'static str) -> (HeaderName, HeaderValue) {
    (header::WWW_AUTHENTICATE, HeaderValue::from_static(value))
}

/// At least a second: zero would invite a busy loop.
fn retry(after: Duration) -> (HeaderName, HeaderValue) {
    (header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::TemporarilyUnavailable(Box::new(error)),
            StoreError::Refused(_) | StoreError::Unreadable(_) => Self::internal(error),
        }
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::TooMany { retry_after } => Self::TooManyAttempts { retry_after },
            LimitError::Store(error) => error.into(),
        }
    }
}

impl From<BeginningError> for ApiError {
    fn from(error: BeginningError) -> Self {
        match error {
            BeginningError::Overtaken(Refusal::UserDisabled) => Self::DISABLED,
            BeginningError::Overtaken(_) => Self::InvalidCredentials,
            BeginningError::Store(error) => error.into(),
            BeginningError::Random(error) => error.into(),
        }
    }
}

impl From<EndingError> for ApiError {
    fn from(error: EndingError) -> Self {
        match error {
            EndingError::Sweep(SweepError::Store(error)) => error.into(),
            EndingError::Sweep(SweepError::Task(_)) => Self::internal(error),
            EndingError::NoTime => Self::TemporarilyUnavailable(Box::new(error)),
        }
    }
}

impl From<RedeemError> for ApiError {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Refused | RedeemError::Reused => Self::InvalidGrant,
            RedeemError::Disabled => Self::DISABLED,
            RedeemError::Store(error) | RedeemError::ReuseNotEnded(error) => error.into(),
            RedeemError::Grant(_) | RedeemError::Inconsistent => Self::internal(error),
        }
    }
}

impl From<HashingFailed> for ApiError {
    fn from(error: HashingFailed) -> Self {
        Self::internal(error)
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        Self::internal(error)
    }
}

impl From<RandomnessUnavailable> for ApiError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::internal(error)
    }
}
