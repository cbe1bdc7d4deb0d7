//! The refresh token that a request presents.

use super::{ApiError, Incoming, cookie};
use crate::config::TokenDelivery;

/// The refresh token of a request: the first of [`tokens`].
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if there is none, or the body cannot be read. With cookie delivery a request without a cookie
/// is [`ApiError::InvalidGrant`]: no script can see whether there is one.
pub fn refresh_token(request: &Incoming, delivery: TokenDelivery) -> Result<String, ApiError> {
    let token = tokens(request, delivery)?.into_iter().next();
    token.ok_or_else(|| match delivery {
        TokenDelivery::Body => ApiError::field("refreshToken", "is missing"),
        TokenDelivery::Cookie => ApiError::InvalidGrant,
    })
}

/// Every token that a request presents: of the body, of the cookie where the deployment uses one, of
/// `Authorization: Bearer`, in this order.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if the body cannot be read.
pub fn tokens(request: &Incoming, delivery: TokenDelivery) -> Result<Vec<String>, ApiError> {
    let cookie = match delivery {
        TokenDelivery::Body => None,
        TokenDelivery::Cookie => cookie::read(&request.headers),
    };
    let bearer = request.bearer().map(str::to_owned);
    Ok([body_token(request)?, cookie, bearer].into_iter().flatten().collect())
}

/// An empty token counts as none: some front ends always send the member.
fn body_token(request: &Incoming) -> Result<Option<String>, ApiError> {
    let token = request.optional_fields()?.optional_text("refreshToken")?.flatten();
    Ok(token.filter(|token| !token.is_empty()))
}
