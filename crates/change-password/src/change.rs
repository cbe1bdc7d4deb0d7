//! The change itself: what is verified, counted and written, and in which order.
//!
//! Whose first request has changed the password, and never got its answer, sends the same once more: the old password as the
//! current one, and the new one, which is the current one by now. That is a repetition, and not refused, if the new password is
//! the stored one and this very session has made the change: the other sessions may still have to end. Nothing more can be
//! had by it than by ending them, which needs no password, and a session, which the new password begins at the login as well. The
//! credential names the session that the change begins, so that every repetition is answered with tokens of the same one.

use auth_core::attempt::{Admission, Attempt};
use auth_core::credential::{Credential, PasswordVersion};
use auth_core::http::ApiError;
use auth_core::password::Password;
use auth_core::password::hash::{Hasher, PasswordHash, Verdict};
use auth_core::random::Random;
use auth_core::session::SessionId;
use auth_core::store::{PasswordChange, PasswordChanged};
use auth_core::user::UserId;
use tokio::time::Instant;

use crate::Passwords;

/// A change is tried again when the hash was replaced since it was read: by a login that found it outdated, or by another
/// change. Nobody does that twice within a request.
const TRIES: usize = 3;

/// A change to be made.
#[derive(Clone, Copy)]
pub(crate) struct Change<'a> {
    pub(crate) attempt: &'a Attempt<'a>,
    pub(crate) hasher: &'a Hasher,
    pub(crate) random: &'a Random,
    pub(crate) user: &'a UserId,
    pub(crate) session: &'a SessionId,
    /// The session that the change begins.
    pub(crate) successor: &'a SessionId,
    pub(crate) passwords: &'a Passwords,
    /// The last moment to begin the write, so that whatever becomes of it is known, and recorded, before the answer is due.
    pub(crate) write_by: Instant,
}

/// The password is the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Whether it was changed by an earlier request of the same session.
    pub(crate) repeated: bool,
    /// The new password's.
    pub(crate) version: PasswordVersion,
}

/// The current password is wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    /// How many passwords were looked at for nothing.
    pub(crate) guesses: u32,
    /// What is answered.
    pub(crate) error: ApiError,
}

/// What the passwords are worth to a credential.
enum Judged {
    /// The current one is right.
    Right,
    /// The change has been made before.
    Repeated,
    /// Neither.
    Wrong(Failure),
}

impl Change<'_> {
    /// Counts the attempt and makes the change.
    pub(crate) async fn make(&self) -> Result<(Admission, Result<Changed, Failure>), ApiError> {
        let (credential, mut admission) = self.attempt.admit().await?;
        let mut credential = self.own(credential)?;
        let mut new = None;
        for _ in 0..TRIES {
            match self.judge(&credential, &mut admission).await? {
                Judged::Right => {}
                Judged::Repeated => {
                    return Ok((admission, Ok(Changed { repeated: true, version: credential.version })));
                }
                Judged::Wrong(failure) => return Ok((admission, Err(failure))),
            }
            let hash = match new.take() {
                Some(hash) => hash,
                None => self.hasher.hash(self.passwords.new.clone(), self.random).await?,
            };
            match self.write(&credential.hash, &hash).await? {
                PasswordChanged::Done(version) => {
                    return Ok((admission, Ok(Changed { repeated: false, version })));
                }
                PasswordChanged::Refused(stored) => credential = self.own(stored)?,
            }
            new = Some(hash);
            // The passwords are held against a hash that they have not been held against before.
            self.attempt.admit_another(&mut admission).await?;
        }
        Err(ApiError::TemporarilyUnavailable("the credential changes all the time".into()))
    }

    /// A profile is the user's own; a credential has to be, too.
    fn own(&self, credential: Option<Credential>) -> Result<Credential, ApiError> {
        let own = credential.filter(|credential| credential.user == *self.user);
        own.ok_or_else(|| ApiError::Internal("a user without a credential".into()))
    }

    async fn judge(&self, credential: &Credential, admission: &mut Admission) -> Result<Judged, ApiError> {
        if self.is(&self.passwords.current, &credential.hash).await? {
            return Ok(Judged::Right);
        }
        if credential.version.changed_by.as_ref() != Some(self.session) {
            return Ok(Judged::Wrong(Failure { guesses: 1, error: ApiError::WrongPassword }));
        }
        // A second password is looked at, so it counts as a second attempt. If it may not be, the first was a guess all the same.
        if let Err(error) = self.attempt.admit_another(admission).await {
            return Ok(Judged::Wrong(Failure { guesses: 1, error: error.into() }));
        }
        let repeated = self.is(&self.passwords.new, &credential.hash).await?;
        let wrong = || Failure { guesses: 2, error: ApiError::WrongPassword };
        Ok(if repeated { Judged::Repeated } else { Judged::Wrong(wrong()) })
    }

    async fn is(&self, password: &Password, hash: &PasswordHash) -> Result<bool, ApiError> {
        let verdict = self.hasher.verify(password.clone(), Some(hash.clone())).await?;
        Ok(matches!(verdict, Verdict::Right { .. }))
    }

    async fn write(&self, old: &PasswordHash, new: &PasswordHash) -> Result<PasswordChanged, ApiError> {
        if Instant::now() > self.write_by {
            return Err(ApiError::TemporarilyUnavailable("no time left for the write".into()));
        }
        let Attempt { store, address, now, .. } = *self.attempt;
        let (by, to) = (self.session, self.successor);
        Ok(store.change_password(&PasswordChange { address, old, new, by, to, at: now }).await?)
    }
}
