//! Ends many sessions of a user in one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crate::Platform;
use crate::audit::{Entry, Event, Outcome};
use crate::client::Client;
use crate::session::{Revocation, SessionId};
use crate::store::{Revoked, Store, StoreError, Unrevoked};
use crate::user::UserId;

/// How long after its begin a request goes on finding and ending sessions: less than a function's own deadline, so that what
/// was done is recorded.
pub const ENDING_TIME: Duration = Duration::from_secs(6);

/// Sessions that are ended at the same time by one request.
const PARALLEL_REVOCATIONS: usize = 16;

/// What the endings of one request have in common.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// Where the sessions are.
    pub store: &'a Store,
    /// Where it is recorded.
    pub platform: &'a Platform,
    /// Who asks.
    pub client: &'a Client,
    /// Whose sessions.
    pub user: &'a UserId,
    /// The session that asks.
    pub own: &'a SessionId,
    /// When and why.
    pub revocation: Revocation,
}

/// Which sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// All but the one that asks.
    Others,
}

/// Not every session could be ended.
#[derive(Debug, thiserror::Error)]
pub enum EndingError {
    /// The table gives no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task died.
    #[error(transparent)]
    Task(#[from] JoinError),
    /// The request has no time left.
    #[error("no time left")]
    NoTime,
}

impl Ending<'_> {
    /// Ends every session of the scope that is not ended, and records it, however far it came when the time is up. Gives the
    /// number of live sessions that this has ended.
    ///
    /// # Errors
    ///
    /// [`EndingError`]: the caller is to come back for the rest.
    pub async fn end(&self, scope: Scope, time_up: impl Future<Output = ()>) -> Result<usize, EndingError> {
        let ended = tokio::select! {
            biased;
            ended = self.end_all(scope) => ended,
            () = time_up => Err(EndingError::NoTime),
        };
        let outcome = if ended.is_ok() { Outcome::Success } else { Outcome::Failure };
        let mut entry = Entry::new(Event::SessionsRevoked, outcome, self.client, self.revocation.at);
        // To end all of them is a request of its own and its own reason.
        entry.reason = (scope == Scope::Others).then_some(self.revocation.reason.as_str());
        self.platform.audit.record(entry.of(self.user).in_session(self.own));
        ended
    }

    /// The caller's own session comes last, and only if nothing has failed: who has to come back for the rest needs it. A
    /// session that cannot be ended does not keep the others alive, and what a page of the table holds is ended before the next
    /// is read: who has more sessions than there is time to read comes back for fewer.
    async fn end_all(&self, scope: Scope) -> Result<usize, EndingError> {
        let (mut count, mut failure, mut own, mut start) = (0, None, Vec::new(), None);
        loop {
            let (page, next) = self.store.unrevoked_page(self.user, start).await?;
            let (mine, others): (Vec<_>, Vec<_>) =
                page.into_iter().partition(|session| session.id == *self.own);
            own.extend(mine);
            for chunk in others.chunks(PARALLEL_REVOCATIONS) {
                let (ended, failed) = self.end_each(chunk).await;
                count += ended;
                failure = failure.or(failed);
            }
            start = next;
            if start.is_none() {
                break;
            }
        }
        if failure.is_none() && scope == Scope::All {
            let (ended, failed) = self.end_each(&own).await;
            count += ended;
            failure = failed;
        }
        failure.map_or(Ok(count), Err)
    }

    /// How many live sessions have been ended, and a failure if there was one. Those whose time is over are ended too, in case
    /// another instance's clock is behind, but not counted.
    async fn end_each(&self, sessions: &[Unrevoked]) -> (usize, Option<EndingError>) {
        let mut tasks = JoinSet::new();
        let common = Arc::new((self.user.clone(), self.client.invocation_id.clone()));
        for session in sessions.iter().cloned() {
            let (store, revocation, common) = (self.store.clone(), self.revocation, Arc::clone(&common));
            tasks.spawn(async move {
                let (user, invocation_id) = common.as_ref();
                let revoked = store.revoke(user, &session.id, revocation, invocation_id).await?;
                Ok::<_, StoreError>(revoked == Revoked::Now && session.ends_at > revocation.at)
            });
        }
        let (mut count, mut failure) = (0, None);
        while let Some(result) = tasks.join_next().await {
            match result {
                Ok(Ok(counted)) => count += usize::from(counted),
                Ok(Err(error)) => failure = Some(error.into()),
                Err(error) => failure = Some(error.into()),
            }
        }
        (count, failure)
    }
}
