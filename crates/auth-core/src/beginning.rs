//! Begins a session for a user whose password has been verified.
//!
//! The session is written before the credential and the user are read again, and tokens are made only after that: a session that a
//! concurrent password change, revoke-all, disabling or deletion did not list is revoked here, and nobody ever has a token of it.
//! See [`crate::credential`] for the decision.

use crate::Platform;
use crate::address::LookupAddress;
use crate::client::Client;
use crate::clock::Timestamp;
use crate::credential::{Basis, Refusal, decide};
use crate::random::RandomnessUnavailable;
use crate::session::policy::SessionConfig;
use crate::session::{Revocation, Session, SessionId};
use crate::session_limit::SessionLimit;
use crate::store::{Store, StoreError};
use crate::user::User;

/// A session to be begun.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// Where it is written.
    pub store: &'a Store,
    /// Time and randomness.
    pub platform: &'a Platform,
    /// The caller.
    pub client: &'a Client,
    /// The address whose password was verified.
    pub address: &'a LookupAddress,
    /// The session's lifetimes.
    pub config: &'a SessionConfig,
    /// What the verification relied on.
    pub basis: Basis<'a>,
    /// The time of the request.
    pub now: Timestamp,
    /// The live sessions that the user may have; `None` for no limit.
    pub session_limit: Option<usize>,
}

/// A session was not begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginningError {
    /// What the verification relied on has changed since; the session has been revoked.
    #[error("the sign-in was overtaken: {}", .0.as_str())]
    Overtaken(Refusal),
    /// DynamoDB is unavailable. The session may have been written; nobody has a token of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomnessUnavailable),
}

impl Beginning<'_> {
    /// Writes the session, then reads the credential, the user and the live sessions: two round trips, and more only if the user has
    /// more sessions than the limit.
    ///
    /// # Errors
    ///
    /// [`BeginningError`].
    pub async fn begin(&self) -> Result<(Session, User), BeginningError> {
        self.begin_as(SessionId::generate(&self.platform.random)?).await
    }

    /// As [`Beginning::begin`], with an id that was chosen before. If the session is there already, it is returned as it is stored.
    ///
    /// # Errors
    ///
    /// [`BeginningError`].
    pub async fn begin_as(&self, sid: SessionId) -> Result<(Session, User), BeginningError> {
        let session = Session::begin(self.basis.user.clone(), sid, self.client, self.now, self.config);
        let kept_until = session.kept_until(self.config);
        let session = self.store.put_session(session, kept_until).await?;
        let limit = SessionLimit {
            store: self.store,
            audit: &self.platform.audit,
            client: self.client,
            limit: self.session_limit,
        };
        let (credential, user, live) = tokio::join!(
            self.store.credential(self.address),
            self.store.user(self.basis.user),
            limit.read(&session)
        );
        let (credential, user) = (credential?, user?);
        match (decide(self.basis, credential.as_ref(), user.as_ref()), user) {
            (Ok(()), Some(user)) => {
                limit.hold(&session, live).await;
                Ok((session, user))
            }
            (Ok(()), None) => Err(self.revoke(&session, Refusal::UserDeleted).await),
            (Err(refusal), _) => Err(self.revoke(&session, refusal).await),
        }
    }

    async fn revoke(&self, session: &Session, refusal: Refusal) -> BeginningError {
        let revocation = Revocation { at: self.now, reason: refusal.revocation() };
        let revoked =
            self.store.revoke(&session.user, &session.id, revocation, &self.client.invocation_id).await;
        revoked.map_or_else(BeginningError::Store, |_| BeginningError::Overtaken(refusal))
    }
}
