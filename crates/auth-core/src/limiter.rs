//! Rate limiting: a request is counted under every limit that it falls under, or refused.

use std::time::Duration;

use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::limits::Counter;
use crate::store::{Counted, Hit, Store, StoreError};
use crate::user::UserId;

/// Counts the requests of one client at one moment.
#[derive(Clone, Copy, Debug)]
pub struct RateLimiter<'a> {
    /// Where hits are counted.
    pub store: &'a Store,
    /// Where a reached limit is recorded.
    pub audit: &'a AuditLog,
    /// The caller.
    pub client: &'a Client,
    /// The user, if known.
    pub user: Option<&'a UserId>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    /// A limit is reached.
    #[error("too many attempts")]
    TooMany {
        /// When another attempt may succeed.
        retry_after: Duration,
    },
    /// DynamoDB is unavailable.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Most counters of one kind: the networks of an IPv6 address.
const MOST_COUNTERS: usize = 3;

impl RateLimiter<'_> {
    /// Counts a hit of every counter, in parallel. If one of them is full, the hits of the others are given back: a refused
    /// request does not count. `nth` tells the hits apart that an invocation counts under the same counter.
    ///
    /// # Errors
    ///
    /// [`LimitError`].
    pub async fn admit(
        &self,
        counters: &[Counter],
        reason: &'static str,
        nth: u32,
    ) -> Result<Vec<Hit>, LimitError> {
        debug_assert!(counters.len() <= MOST_COUNTERS, "each is counted");
        let count = async |at: usize| match counters.get(at) {
            Some(counter) => self.store.count(counter, self.now, &self.name(nth)).await.map(Some),
            None => Ok(None),
        };
        let (first, second, third) = tokio::join!(count(0), count(1), count(2));
        let (mut hits, mut full) = (Vec::new(), None);
        for counted in [first?, second?, third?].into_iter().flatten() {
            match counted {
                Counted::Hit(hit) => hits.push(hit),
                Counted::Full { until } => full = full.max(Some(until)),
            }
        }
        let Some(until) = full else { return Ok(hits) };
        self.give_back(&hits).await;
        Err(self.refuse(reason, until))
    }

    /// Takes hits out of their counters. Errors are logged: the hits then count until they expire.
    pub async fn give_back(&self, hits: &[Hit]) {
        for given in hits.chunks(MOST_COUNTERS) {
            let back = async |at: usize| match given.get(at) {
                Some(hit) => self.store.give_back(hit).await,
                None => Ok(()),
            };
            let (first, second, third) = tokio::join!(back(0), back(1), back(2));
            for error in [first, second, third].into_iter().filter_map(Result::err) {
                tracing::warn!(%error, "a hit was not given back");
            }
        }
    }

    /// Records that a limit is reached until `until`.
    pub fn refuse(&self, reason: &'static str, until: Timestamp) -> LimitError {
        let entry = Entry::new(Event::LimitReached, Outcome::Failure, self.client, self.now);
        self.audit.record(entry.of_known(self.user).because(reason));
        LimitError::TooMany { retry_after: until.since(self.now) }
    }

    /// Nothing outside an invocation: no second try is recognised there.
    fn name(&self, nth: u32) -> String {
        let invocation = &self.client.invocation_id;
        if invocation.is_empty() { String::new() } else { format!("{invocation}#{nth}") }
    }
}
