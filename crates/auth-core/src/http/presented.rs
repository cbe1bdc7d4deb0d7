//! The refresh tokens that a request presents.

use super::cookie::REFRESH_TOKEN;
use super::{ApiError, Incoming};
use crate::config::{HttpConfig, TokenDelivery};

/// The tokens of a request by the place that they are in.
#[derive(Clone, Default, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "it holds tokens")]
pub struct Tokens {
    /// The refresh token of the body.
    pub body: Option<String>,
    /// The refresh tokens of the cookies, where the deployment uses them.
    pub cookies: Vec<String>,
    /// The token of `Authorization: Bearer`, of either kind.
    pub bearer: Option<String>,
}

impl Tokens {
    /// All of them, in the order of [`refresh_tokens`].
    pub fn all(self) -> Vec<String> {
        self.body.into_iter().chain(self.cookies).chain(self.bearer).collect()
    }
}

/// The refresh tokens of the first place that has any: the body, the cookies where the deployment uses them, or
/// `Authorization: Bearer`. More than one are cookies.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if there is none, or the body cannot be read. With cookie delivery a request without a cookie
/// is [`ApiError::InvalidGrant`]: no script can see whether there is one.
pub fn refresh_tokens(request: &Incoming, config: &HttpConfig) -> Result<Vec<String>, ApiError> {
    let Tokens { body, cookies, bearer } = tokens(request, config)?;
    let places = [body.into_iter().collect(), cookies, bearer.into_iter().collect()];
    let first = places.into_iter().find(|tokens: &Vec<_>| !tokens.is_empty());
    first.ok_or_else(|| match config.delivery {
        TokenDelivery::Body => ApiError::field("refreshToken", "is missing"),
        TokenDelivery::Cookie => ApiError::InvalidGrant,
    })
}

/// Every token that a request presents.
///
/// # Errors
///
/// [`ApiError::InvalidRequest`] if the body cannot be read.
pub fn tokens(request: &Incoming, config: &HttpConfig) -> Result<Tokens, ApiError> {
    let cookies = match config.delivery {
        TokenDelivery::Body => Vec::new(),
        TokenDelivery::Cookie => config.cookies.values(REFRESH_TOKEN, &request.headers),
    };
    Ok(Tokens { body: body_token(request)?, cookies, bearer: request.bearer().map(str::to_owned) })
}

/// An empty token counts as none: some front ends always send the member.
fn body_token(request: &Incoming) -> Result<Option<String>, ApiError> {
    let token = request.optional_fields()?.optional_text("refreshToken")?.flatten();
    Ok(token.filter(|token| !token.is_empty()))
}
