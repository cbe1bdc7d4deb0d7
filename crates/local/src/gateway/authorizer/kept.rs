//! Answers of authorizers that are used again, as long as the template says so.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::answer::Answer;

/// The answers kept so far.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Kept(Mutex<HashMap<Key, (u64, Answer)>>);

/// The authorizer and the identity sources of the request.
type Key = (String, Vec<String>);

impl Kept {
    /// The answer for these identity sources, if it still holds at `now` (epoch seconds).
    pub(super) fn find(&self, authorizer: &str, sources: &[String], now: u64) -> Option<Answer> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (until, answer) = kept.get(&(authorizer.to_owned(), sources.to_vec()))?;
        (now < *until).then(|| answer.clone())
    }

    /// Keeps `answer` for `ttl`. Refusals are not answers and are never kept.
    pub(super) fn keep(
        &self,
        authorizer: &str,
        sources: &[String],
        now: u64,
        ttl: Duration,
        answer: &Answer,
    ) {
        if ttl.is_zero() || sources.is_empty() {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (until, _)| now < *until);
        kept.insert((authorizer.to_owned(), sources.to_vec()), (now + ttl.as_secs(), answer.clone()));
    }
}
