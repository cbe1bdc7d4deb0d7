//! Revokes the sessions of a user that nobody has revoked, page by page of the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::{JoinError, JoinSet};

use crate::session::{Revocation, SessionId};
use crate::store::{PageStart, Store, StoreError};
use crate::user::UserId;

/// Sessions that are revoked at the same time.
const PARALLEL: usize = 32;

/// Whose sessions are ended, and why.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// Where the sessions are.
    pub store: &'a Store,
    /// Whose they are.
    pub user: &'a UserId,
    /// When and why.
    pub revocation: Revocation,
    /// The invocation that ends them.
    pub invocation_id: &'a str,
    /// Counts the sessions that are done with, for whoever waits.
    pub progress: &'a AtomicUsize,
}

/// How far a sweep came.
#[derive(Debug, Default)]
pub struct Swept {
    /// Sessions that were to be ended.
    pub found: usize,
    /// How many of them were live, and this has ended. Those whose time is over are ended too, in case another instance's clock
    /// is behind.
    pub live: usize,
    /// How many of them could not be ended.
    pub failed: usize,
    /// Why the first of them could not, or why no more of them were found: whoever asked is to come back for the rest.
    pub failure: Option<SweepError>,
    /// The sessions that were spared, if they were found.
    pub spared: Vec<SessionId>,
}

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The table gives no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task died.
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl Sweep<'_> {
    /// Ends every session but `spared`. One that cannot be ended does not keep the others alive, and what a page of the table
    /// holds is ended before the next is read: who has more sessions than there is time to read comes back for fewer.
    pub async fn end_all_but(&self, spared: &[&SessionId]) -> Swept {
        let (mut swept, mut start) = (Swept::default(), Some(PageStart::Index(None)));
        while let Some(from) = start {
            let (page, next) = match self.store.live_page(self.user, from).await {
                Ok(page) => page,
                Err(error) => {
                    swept.failure.get_or_insert(error.into());
                    return swept;
                }
            };
            let (kept, ending): (Vec<_>, Vec<_>) = page.into_iter().partition(|sid| spared.contains(&sid));
            swept.spared.extend(kept);
            self.end_each(&ending, &mut swept).await;
            start = next;
        }
        swept
    }

    /// Ends these sessions, and counts them in `swept`.
    pub async fn end_each(&self, sids: &[SessionId], swept: &mut Swept) {
        let mut tasks = JoinSet::new();
        let common = Arc::new((self.user.clone(), self.invocation_id.to_owned()));
        swept.found += sids.len();
        for sid in sids {
            if tasks.len() >= PARALLEL
                && let Some(result) = tasks.join_next().await
            {
                self.count(result, swept);
            }
            let (store, revocation) = (self.store.clone(), self.revocation);
            let (sid, common) = (sid.clone(), Arc::clone(&common));
            tasks.spawn(async move {
                let (user, invocation_id) = common.as_ref();
                let ends_at = store.end(user, &sid, revocation, invocation_id).await?;
                Ok(ends_at.is_some_and(|ends_at| ends_at > revocation.at))
            });
        }
        while let Some(result) = tasks.join_next().await {
            self.count(result, swept);
        }
    }

    fn count(&self, result: Result<Result<bool, StoreError>, JoinError>, swept: &mut Swept) {
        match result.map_err(SweepError::from).and_then(|ended| Ok(ended?)) {
            Ok(live) => {
                swept.live += usize::from(live);
                self.progress.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                swept.failed += 1;
                swept.failure.get_or_insert(error);
            }
        }
    }
}
