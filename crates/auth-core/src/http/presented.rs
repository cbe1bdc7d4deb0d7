//! The refresh tokens that a request presents.

use super::cookie::REFRESH_TOKEN;
use super::{ApiError, Incoming};
use crate::config::{HttpConfig, TokenDelivery};

/// The refresh tokens of the first place that has any: the body, the cookies where the deployment uses them, or
/// `Authorization: Bearer`. More than one are cookies.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if there is none, or the body cannot be read. With cookie delivery a request without a cookie
/// is [`ApiError::InvalidGrant`]: no script can see whether there is one.
pub fn refresh_tokens(request: &Incoming, config: &HttpConfig) -> Result<Vec<String>, ApiError> {
    let first = places(request, config)?.into_iter().find(|tokens| !tokens.is_empty());
    first.ok_or_else(|| match config.delivery {
        TokenDelivery::Body => ApiError::field("refreshToken", "is missing"),
        TokenDelivery::Cookie => ApiError::InvalidGrant,
    })
}

/// Every token that a request presents, in the order of [`refresh_tokens`].
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if the body cannot be read.
pub fn tokens(request: &Incoming, config: &HttpConfig) -> Result<Vec<String>, ApiError> {
    Ok(places(request, config)?.concat())
}

fn places(request: &Incoming, config: &HttpConfig) -> Result<[Vec<String>; 3], ApiError> {
    let cookies = match config.delivery {
        TokenDelivery::Body => Vec::new(),
        TokenDelivery::Cookie => config.cookies.values(REFRESH_TOKEN, &request.headers),
    };
    let bearer = request.bearer().map(str::to_owned);
    Ok([body_token(request)?.into_iter().collect(), cookies, bearer.into_iter().collect()])
}

/// An empty token counts as none: some front ends always send the member.
fn body_token(request: &Incoming) -> Result<Option<String>, ApiError> {
    let token = request.optional_fields()?.optional_text("refreshToken")?.flatten();
    Ok(token.filter(|token| !token.is_empty()))
}
