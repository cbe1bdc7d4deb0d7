//! Ends what sessions of a user nobody has ended, page by page of the table.

use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use crate::session::{Revocation, SessionId};
use crate::store::{Revoked, Store, StoreError, Unrevoked};
use crate::user::UserId;

/// Sessions that are ended at the same time.
const PARALLEL: usize = 16;

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
    pub spared: Vec<Unrevoked>,
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
        let (mut swept, mut start) = (Swept::default(), None);
        loop {
            let (page, next) = match self.store.unrevoked_page(self.user, start).await {
                Ok(page) => page,
                Err(error) => {
                    swept.failure.get_or_insert(error.into());
                    return swept;
                }
            };
            let (kept, ending): (Vec<_>, Vec<_>) =
                page.into_iter().partition(|session| spared.contains(&&session.id));
            swept.spared.extend(kept);
            for sessions in ending.chunks(PARALLEL) {
                self.end_each(sessions, &mut swept).await;
            }
            start = next;
            if start.is_none() {
                return swept;
            }
        }
    }

    /// Ends these sessions, and counts them in `swept`.
    pub async fn end_each(&self, sessions: &[Unrevoked], swept: &mut Swept) {
        let mut tasks = JoinSet::new();
        let common = Arc::new((self.user.clone(), self.invocation_id.to_owned()));
        for session in sessions.iter().cloned() {
            let (store, revocation, common) = (self.store.clone(), self.revocation, Arc::clone(&common));
            tasks.spawn(async move {
                let (user, invocation_id) = common.as_ref();
                let revoked = store.revoke(user, &session.id, revocation, invocation_id).await?;
                Ok::<_, StoreError>(revoked == Revoked::Now && session.ends_at > revocation.at)
            });
        }
        swept.found += sessions.len();
        while let Some(result) = tasks.join_next().await {
            match result.map_err(SweepError::from).and_then(|ended| Ok(ended?)) {
                Ok(live) => swept.live += usize::from(live),
                Err(error) => {
                    swept.failed += 1;
                    swept.failure.get_or_insert(error);
                }
            }
        }
    }
}
