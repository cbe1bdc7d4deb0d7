//! The refresh token that a request presents.

use super::{ApiError, Incoming, cookie};
use crate::token::TokenError;

/// The refresh token of a request: from the body, else the cookie, else `Authorization: Bearer`.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if there is none, or the body cannot be read.
pub fn refresh_token(request: &Incoming) -> Result<String, ApiError> {
    find_refresh_token(request)?.ok_or_else(|| ApiError::field("refreshToken", "is missing"))
}

/// As [`refresh_token`], but a request may have none.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if the body cannot be read.
pub fn find_refresh_token(request: &Incoming) -> Result<Option<String>, ApiError> {
    if let Some(token) = body_token(request)? {
        return Ok(Some(token));
    }
    let bearer = || request.bearer().map(str::to_owned);
    Ok(cookie::read(&request.headers).or_else(bearer))
}

/// An empty token counts as none: some front ends always send the member.
fn body_token(request: &Incoming) -> Result<Option<String>, ApiError> {
    let token = request.optional_fields()?.optional_text("refreshToken")?.flatten();
    Ok(token.filter(|token| !token.is_empty()))
}

/// The reason that an audit line gives for a refused token.
pub const fn reason(error: TokenError) -> &'static str {
    match error {
        TokenError::Malformed => "malformed",
        TokenError::UnknownKey => "unknown_key",
        TokenError::BadSignature => "bad_signature",
        TokenError::WrongAudience => "wrong_audience",
        TokenError::Expired => "expired",
    }
}
