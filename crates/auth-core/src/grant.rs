//! A user and a session become a pair of tokens.

use crate::clock::Timestamp;
use crate::random::Random;
use crate::session::Session;
use crate::session::policy::Rotation;
use crate::token::access::{AccessIssuer, IssueError, IssuedAccessToken};
use crate::token::refresh::RefreshKeys;
use crate::user::User;

/// What a successful signup, login or refresh hands out (RFC 6749 §5.1).
#[derive(Clone)]
pub struct Grant {
    /// A fresh access token.
    pub access: IssuedAccessToken,
    /// The refresh token of the session's current generation.
    pub refresh_token: String,
    /// Its end.
    pub refresh_expires_at: Timestamp,
    /// Whose they are.
    pub user: User,
    /// When they were handed out.
    pub issued_at: Timestamp,
}

/// Hands out tokens.
#[derive(Clone, Debug)]
pub struct Granter {
    access: AccessIssuer,
    refresh: RefreshKeys,
    rotation: Rotation,
}

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct GrantError(Box<dyn std::error::Error + Send + Sync>);

impl From<IssueError> for GrantError {
    fn from(error: IssueError) -> Self {
        Self(error.into())
    }
}

impl Granter {
    /// A granter with the keys of both tokens.
    pub const fn new(access: AccessIssuer, refresh: RefreshKeys, rotation: Rotation) -> Self {
        Self { access, refresh, rotation }
    }

    /// The tokens of `session` at `now`. The refresh token is the same one each time for the same state.
    ///
    /// # Errors
    ///
    /// If the crypto library refuses a key or has no randomness.
    pub fn grant(
        &self,
        user: User,
        session: &Session,
        now: Timestamp,
        random: &Random,
    ) -> Result<Grant, GrantError> {
        let access = self.access.issue(&user, &session.id, session.ends_at(), now, random)?;
        let refresh_expires_at = session.refresh_token_ends_at(self.rotation);
        let refresh_token = self
            .refresh
            .mint(&session.user, &session.id, session.generation, session.rotated_at, refresh_expires_at)
            .map_err(|error| GrantError(error.into()))?;
        Ok(Grant { access, refresh_token, refresh_expires_at, user, issued_at: now })
    }
}
