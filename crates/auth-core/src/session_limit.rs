//! Holds a user to `SESSION_LIMIT`: after a login, the sessions that were used longest ago are revoked until the limit holds.
//!
//! It comes after the session was written and never fails the login: what could not be read or revoked is met by the next one.

use std::time::Duration;

use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::client::Client;
use crate::session::limit::surplus;
use crate::session::{Revocation, RevocationReason, Session, SessionId};
use crate::store::{LiveSessions, Revoked, Store, StoreError};

/// The longest that a login spends on it.
const TIME: Duration = Duration::from_secs(2);

/// Sessions that one login revokes at the most, and stale index items that it deletes: where the limit has been lowered, the next
/// login goes on.
const MOST: usize = 100;

/// A limit to be held.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimit<'a> {
    /// Where the sessions are.
    pub store: &'a Store,
    /// Where revoked sessions are recorded.
    pub audit: &'a AuditLog,
    /// The caller.
    pub client: &'a Client,
    /// The live sessions of one user; `None` for no limit.
    pub limit: Option<usize>,
}

impl SessionLimit<'_> {
    /// The live sessions of the user of `session`, if there is a limit to hold them to.
    pub async fn read(&self, session: &Session) -> LiveSessions {
        if self.limit.is_none() {
            return LiveSessions::default();
        }
        self.store.live_sessions(&session.user).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the live sessions were not counted");
            LiveSessions::default()
        })
    }

    /// Revokes what is over the limit.
    pub async fn hold(&self, own: &Session, live: LiveSessions) {
        let Some(limit) = self.limit.filter(|limit| live.len() > *limit) else { return };
        match tokio::time::timeout(TIME, self.revoke_surplus(own, live, limit)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the session limit was not held"),
            Err(_) => tracing::warn!("there was no time to hold the session limit"),
        }
    }

    async fn revoke_surplus(
        &self,
        own: &Session,
        live: LiveSessions,
        limit: usize,
    ) -> Result<(), StoreError> {
        let LiveSessions { indexed, first_edition: mut records } = live;
        let sids: Vec<SessionId> = indexed.iter().map(|item| item.id.clone()).collect();
        records.extend(self.store.records(&own.user, &sids).await?);
        let index = indexed.iter().map(|item| (&item.id, item.created_at));
        // The time of the login, like that of its session.
        let surplus = surplus(&records, index, &own.id, limit, own.created_at);
        for sid in surplus.revoked.iter().take(MOST) {
            let revocation = Revocation { at: own.created_at, reason: RevocationReason::SessionLimit };
            let revoked = self.store.revoke(&own.user, sid, revocation, &self.client.invocation_id).await?;
            if revoked == Revoked::Now {
                let entry = Entry::new(Event::SessionEnded, Outcome::Success, self.client, own.created_at);
                let entry = entry.of(&own.user).in_session(sid);
                self.audit.record(entry.because(RevocationReason::SessionLimit.as_str()));
            }
        }
        for sid in surplus.forgotten.iter().take(MOST) {
            self.store.delete_live(&own.user, sid).await?;
        }
        Ok(())
    }
}
