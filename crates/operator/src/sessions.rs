//! Listing and ending sessions.

use auth_core::audit::{Event, Outcome};
use auth_core::session::{Revocation, RevocationReason, Session, SessionId};
use auth_core::store::{Revoked, StoreError, Unrevoked};
use auth_core::user::{User, UserId};
use tokio::task::JoinSet;

use crate::{Failure, Operator};

/// Sessions that are ended at the same time.
const PARALLEL: usize = 16;

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
        let revoked = self.revoke(&user.id, sid, RevocationReason::Operator).await?;
        if revoked == Revoked::NotLive && self.store.session(&user.id, sid).await?.is_none() {
            return Err(Failure::UnknownSession(sid.to_string()));
        }
        if revoked == Revoked::Now {
            let entry = self.entry(Event::SessionEnded, Outcome::Success);
            self.audit.record(entry.of(&user.id).in_session(sid));
        }
        Ok(revoked)
    }

    /// Ends every session of a user and says how many of them were live.
    ///
    /// # Errors
    ///
    /// [`Failure::Partly`], or the table gives no answer.
    pub async fn end_all(&self, user: &User) -> Result<usize, Failure> {
        self.sweep(&user.id, RevocationReason::Operator).await
    }

    /// Ends what has not been ended. Sessions whose time is over are ended too, in case an instance's clock is behind; the
    /// count is of the live ones.
    pub(crate) async fn sweep(&self, user: &UserId, reason: RevocationReason) -> Result<usize, Failure> {
        let (mut sessions, mut live, mut failed, mut cause, mut start) = (0, 0, 0, String::new(), None);
        loop {
            let (page, next) = self.store.unrevoked_page(user, start).await?;
            sessions += page.len();
            for chunk in page.chunks(PARALLEL) {
                for ended in self.revoke_each(user, chunk, reason).await {
                    match ended {
                        Ok(counted) => live += usize::from(counted),
                        Err(error) => {
                            failed += 1;
                            cause = error.to_string();
                        }
                    }
                }
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
        let outcome = if failed == 0 { Outcome::Success } else { Outcome::Failure };
        if sessions > 0 {
            self.audit.record(self.entry(Event::SessionsRevoked, outcome).of(user));
        }
        if failed == 0 { Ok(live) } else { Err(Failure::Partly { sessions, failed, cause }) }
    }

    async fn revoke_each(
        &self,
        user: &UserId,
        sessions: &[Unrevoked],
        reason: RevocationReason,
    ) -> Vec<Result<bool, StoreError>> {
        let mut tasks = JoinSet::new();
        for session in sessions.iter().cloned() {
            let (operator, user) = (self.clone(), user.clone());
            tasks.spawn(async move {
                let revoked = operator.revoke(&user, &session.id, reason).await?;
                Ok(revoked == Revoked::Now && session.ends_at > operator.now())
            });
        }
        tasks.join_all().await
    }

    async fn revoke(
        &self,
        user: &UserId,
        sid: &SessionId,
        reason: RevocationReason,
    ) -> Result<Revoked, StoreError> {
        let revocation = Revocation { at: self.now(), reason };
        self.store.revoke(user, sid, revocation, &self.caller.invocation_id).await
    }
}
