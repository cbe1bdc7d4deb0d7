//! The session that asks for a password change is replaced by a new one.
//!
//! The new session is written, and credential and user are read again as at a login. Then the old session is revoked, last of all:
//! as long as it is live, the same request again completes what was cut off.

use auth_core::beginning::{Beginning, BeginningError};
use auth_core::http::ApiError;
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::{Revoked, StoreError};
use auth_core::user::User;

/// A session that takes the place of another.
pub(crate) struct Succession<'a> {
    pub(crate) beginning: Beginning<'a>,
    /// The session that asks.
    pub(crate) old: &'a SessionId,
}

/// There is no new session.
#[derive(Debug)]
pub(crate) enum SuccessionError {
    /// It was not begun.
    Beginning(BeginningError),
    /// The old session was ended by somebody else meanwhile.
    OldSessionEnded,
}

impl SuccessionError {
    /// The word of the audit lines for a refusal; `None` if the caller is to come back.
    pub(crate) const fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Beginning(BeginningError::Overtaken(refusal)) => Some(refusal.as_str()),
            Self::Beginning(BeginningError::Store(_) | BeginningError::Random(_)) => None,
            Self::OldSessionEnded => Some("session_ended"),
        }
    }
}

impl<E: Into<BeginningError>> From<E> for SuccessionError {
    fn from(error: E) -> Self {
        Self::Beginning(error.into())
    }
}

/// The old session is over: an access token of it is not valid any more.
impl From<SuccessionError> for ApiError {
    fn from(error: SuccessionError) -> Self {
        match error {
            SuccessionError::Beginning(error) => match Self::from(error) {
                Self::InvalidCredentials => Self::InvalidToken,
                error => error,
            },
            SuccessionError::OldSessionEnded => Self::InvalidToken,
        }
    }
}

impl Succession<'_> {
    /// Begins the new session and revokes the old one.
    pub(crate) async fn complete(&self) -> Result<(Session, User), SuccessionError> {
        let (session, user) = self.begin().await?;
        if self.revoke(self.old).await? == Revoked::NotLive && !self.was_replaced().await? {
            self.revoke(&session.id).await?;
            return Err(SuccessionError::OldSessionEnded);
        }
        Ok((session, user))
    }

    /// The session that the change named; another one if that has ended since.
    async fn begin(&self) -> Result<(Session, User), BeginningError> {
        let Some(named) = &self.beginning.basis.password.changed_to else {
            return self.beginning.begin().await;
        };
        let (session, user) = self.beginning.begin_as(named.clone()).await?;
        if session.ended(self.beginning.now).is_none() {
            Ok((session, user))
        } else {
            self.beginning.begin().await
        }
    }

    /// Whether the old session was revoked for this change, by the same request sent twice.
    async fn was_replaced(&self) -> Result<bool, StoreError> {
        let session = self.beginning.store.session(self.beginning.basis.user, self.old).await?;
        let revoked = session.and_then(|session| session.revoked);
        Ok(revoked.is_some_and(|revocation| revocation.reason == RevocationReason::PasswordChanged))
    }

    async fn revoke(&self, sid: &SessionId) -> Result<Revoked, StoreError> {
        let Beginning { store, client, basis, now, .. } = self.beginning;
        let revocation = Revocation { at: now, reason: RevocationReason::PasswordChanged };
        store.revoke(basis.user, sid, revocation, &client.invocation_id).await
    }
}
