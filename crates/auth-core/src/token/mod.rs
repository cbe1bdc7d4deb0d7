//! Access and refresh tokens. Nothing here reads a clock, a table or randomness: they are arguments.
//!
//! # Layout
//!
//! - [`key`]: keys, their `kid`, and the JWK set that others verify with
//! - [`jws`]: a compact JWS in and out (RFC 7515), for any claims
//! - [`access`]: the access token (RFC 9068)
//! - [`refresh`]: the refresh token, computed from a session's state

pub mod access;
pub mod jws;
pub mod key;
pub mod refresh;

/// Why a token is refused. The client hears none of it: it goes to the audit line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenError {
    /// Not a compact JWS with the header and the claims of this kind of token.
    #[error("malformed")]
    Malformed,
    /// Signed by no key that is known here, or for another kind of token.
    #[error("unknown_key")]
    UnknownKey,
    /// The signature does not fit.
    #[error("bad_signature")]
    BadSignature,
    /// Another issuer's, or meant for somebody else.
    #[error("wrong_audience")]
    WrongAudience,
    /// Past its end.
    #[error("expired")]
    Expired,
}
