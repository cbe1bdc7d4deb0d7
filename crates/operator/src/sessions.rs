//! Listing and ending sessions.

use std::sync::atomic::AtomicUsize;

use auth_core::audit::{Event, Outcome};
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::Revoked;
use auth_core::sweep::{Sweep, SweepError, Swept};
use auth_core::user::{User, UserId};

use crate::{Failure, Operator};

impl Operator {
    /// Every session that there is a record of, the one used last first.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn sessions(&self, user: &User) -> Result<Vec<Session>, Failure> {
        let mut sessions = self.store.session_history(&user.id).await?;
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_used_at));
        Ok(sessions)
    }

    /// Ends one session; says whether it was this that ended it.
    ///
    /// # Errors
    ///
    /// [`Failure::UnknownSession`], or the table gives no answer.
    pub async fn end(&self, user: &User, sid: &SessionId) -> Result<Revoked, Failure> {
        let revocation = Revocation { at: self.now(), reason: RevocationReason::Operator };
        let revoked = self.store.revoke(&user.id, sid, revocation, &self.caller.invocation_id).await?;
        if revoked == Revoked::NotLive && self.store.session(&user.id, sid).await?.is_none() {
            return Err(Failure::UnknownSession(sid.to_string()));
        }
        if revoked == Revoked::Now {
            let entry = self.entry(Event::SessionEnded, Outcome::Success);
            self.audit.record(entry.of(&user.id).in_session(sid));
        }
        Ok(revoked)
    }

    /// Ends every session of a user and says how many of them were live. A login that is under way fails
    /// ([`auth_core::credential`]).
    ///
    /// # Errors
    ///
    /// [`Failure::Partly`], or the table gives no answer.
    pub async fn end_all(&self, user: &User) -> Result<usize, Failure> {
        self.store.move_sessions_serial(&user.id).await?;
        completed(self.sweep(&user.id, RevocationReason::Operator).await)
    }

    /// Ends what has not been ended, and records it unless there was nothing to be ended.
    pub(crate) async fn sweep(&self, user: &UserId, reason: RevocationReason) -> Swept {
        let revocation = Revocation { at: self.now(), reason };
        let invocation_id = &self.caller.invocation_id;
        let progress = AtomicUsize::new(0);
        let sweep = Sweep { store: &self.store, user, revocation, invocation_id, progress: &progress };
        let swept = sweep.end_all_but(&[]).await;
        if swept.found > 0 || swept.failure.is_some() {
            let outcome = if swept.failure.is_none() { Outcome::Success } else { Outcome::Failure };
            self.audit.record(self.entry(Event::SessionsRevoked, outcome).of(user));
        }
        swept
    }
}

/// How many live sessions a sweep has ended, if it came to its end.
pub(crate) fn completed(swept: Swept) -> Result<usize, Failure> {
    let Swept { found, live, failed, failure, .. } = swept;
    match failure {
        None => Ok(live),
        Some(SweepError::Store(error)) if found == 0 => Err(error.into()),
        Some(cause) => Err(Failure::Partly { ended: found - failed, found, cause }),
    }
}
