//! Ends many sessions of a user in one request.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::Platform;
use crate::audit::{Entry, Event, Outcome};
use crate::client::Client;
use crate::session::{Revocation, SessionId};
use crate::store::Store;
use crate::sweep::{Sweep, SweepError};
use crate::user::UserId;

/// How long after its begin a request goes on finding and ending sessions, and longer only while each second of more ends some: a
/// request does not fail because of the number of sessions. All of it is less than the function's own deadline, so that what was
/// done is recorded.
const ENDING_TIME: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(1);
const LONGEST_ENDING_TIME: Duration = Duration::from_secs(20);

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
    /// The session that takes its place, if one does.
    pub successor: Option<&'a SessionId>,
    /// When and why.
    pub revocation: Revocation,
}

/// Which sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// All but the one that asks and the one that takes its place.
    Others,
}

/// Not every session could be ended.
#[derive(Debug, thiserror::Error)]
pub enum EndingError {
    /// One of them was not.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// The request has no time left.
    #[error("no time left")]
    NoTime,
}

impl Ending<'_> {
    /// Ends every session of the scope that is not ended, and records it, however far it came when the time of a request that has
    /// `begun` is up. Gives the number of live sessions that this has ended.
    ///
    /// # Errors
    ///
    /// [`EndingError`]: the caller is to come back for the rest.
    pub async fn end(&self, scope: Scope, begun: Instant) -> Result<usize, EndingError> {
        let progress = AtomicUsize::new(0);
        let ended = tokio::select! {
            biased;
            ended = self.end_all(scope, &progress) => ended,
            () = time_up(begun, &progress) => Err(EndingError::NoTime),
        };
        let outcome = if ended.is_ok() { Outcome::Success } else { Outcome::Failure };
        let mut entry = Entry::new(Event::SessionsRevoked, outcome, self.client, self.revocation.at);
        // To end all of them is a request of its own and its own reason.
        entry.reason = (scope == Scope::Others).then_some(self.revocation.reason.as_str());
        self.platform.audit.record(entry.of(self.user).in_session(self.own));
        ended
    }

    /// The serial moves before the sessions are listed: a login that is not in the list finds that it has moved
    /// ([`crate::credential`]). For a password change the credential's serial has moved.
    ///
    /// The caller's own session comes last, and only if nothing has failed: who has to come back for the rest needs it.
    async fn end_all(&self, scope: Scope, progress: &AtomicUsize) -> Result<usize, EndingError> {
        let Self { store, user, revocation, .. } = *self;
        if scope == Scope::All {
            store.move_sessions_serial(user).await.map_err(SweepError::Store)?;
        }
        let sweep = Sweep { store, user, revocation, invocation_id: &self.client.invocation_id, progress };
        let spared: Vec<_> = std::iter::once(self.own).chain(self.successor).collect();
        let mut swept = sweep.end_all_but(&spared).await;
        if swept.failure.is_none() && scope == Scope::All {
            let own = std::mem::take(&mut swept.spared);
            sweep.end_each(&own, &mut swept).await;
        }
        swept.failure.map_or(Ok(swept.live), |failure| Err(failure.into()))
    }
}

async fn time_up(begun: Instant, progress: &AtomicUsize) {
    tokio::time::sleep_until(begun + ENDING_TIME).await;
    let mut before = None;
    while Instant::now() < begun + LONGEST_ENDING_TIME {
        let now = progress.load(Ordering::Relaxed);
        if before == Some(now) {
            return;
        }
        before = Some(now);
        tokio::time::sleep(PATIENCE).await;
    }
}
