//! Access and refresh tokens. Nothing here reads a clock, a table or randomness: they are arguments.
//!
//! # Layout
//!
//! - [`key`]: keys, their `kid`, and the JWK set that others verify with
//! - [`pem`]: what is wrong with a text that is no key
//! - [`jws`]: a compact JWS in and out (RFC 7515), for any claims
//! - [`access`]: the access token (RFC 9068)
//! - [`refresh`]: the refresh token, computed from a session's state

pub mod access;
pub mod jws;
pub mod key;
pub mod pem;
pub mod refresh;
#[cfg(test)]
mod tests;

use crate::clock::Timestamp;

/// `iss` and `aud` of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNames {
    /// `iss` of every token.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
}

/// Why a token is refused. The client hears none of it: it goes to the audit line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum TokenError {
    /// Not a compact JWS with the header and the claims of this kind of token.
    Malformed,
    /// Signed by no key that is known here, or for another kind of token.
    UnknownKey,
    /// The signature does not fit.
    BadSignature,
    /// Another issuer's, or meant for somebody else.
    WrongAudience,
    /// Past its end.
    Expired,
    /// Before its beginning.
    NotYetValid,
}

/// Checks `exp` and `nbf` (RFC 7519 §4.1.4, §4.1.5), without leeway. No issuer here sets `nbf`; one that shares a key might.
fn valid_at(now: Timestamp, exp: Timestamp, nbf: Option<Timestamp>) -> Result<(), TokenError> {
    if exp <= now {
        return Err(TokenError::Expired);
    }
    if nbf.is_some_and(|nbf| nbf > now) { Err(TokenError::NotYetValid) } else { Ok(()) }
}

impl TokenError {
    /// The word that audit lines use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
        }
    }
}
