//! Deleting users.

use std::time::Duration;

use auth_core::address::Address;
use auth_core::audit::{Event, Outcome};
use auth_core::session::RevocationReason;
use auth_core::store::StoreError;
use auth_core::user::{User, UserStatus};

use crate::{Failure, Operator};

/// What was deleted with a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Live sessions that were ended before.
    pub ended: usize,
    /// Records of sessions, of ended ones too.
    pub records: usize,
}

impl Operator {
    /// Deletes a user, the credential of their `address`, and every record of their sessions. It cannot be undone.
    ///
    /// In this order: the user is disabled and loses the credential, so that no login begins another session; the sessions are
    /// ended, for the next request; after `in_flight` ([`IN_FLIGHT`](crate::IN_FLIGHT)), when nothing is under way that has read
    /// the user before, their records are deleted, and last the user, by whose id the rest can be found until then.
    ///
    /// # Errors
    ///
    /// [`Failure::UnknownUser`], or [`Failure::Undeleted`]: to be called again, with the user.
    pub async fn delete(
        &self,
        user: &User,
        address: &Address,
        in_flight: Duration,
    ) -> Result<Deleted, Failure> {
        self.set_status(user, UserStatus::Disabled).await?;
        let deleted = self.delete_all(user, address, in_flight).await;
        let outcome = if deleted.is_ok() { Outcome::Success } else { Outcome::Failure };
        self.audit.record(self.entry(Event::UserDeleted, outcome).of(&user.id));
        deleted.map_err(|cause| Failure::Undeleted { user: user.id.clone(), cause })
    }

    async fn delete_all(
        &self,
        user: &User,
        address: &Address,
        in_flight: Duration,
    ) -> Result<Deleted, StoreError> {
        self.store.delete_credential(address.lookup(), &user.id).await?;
        // A session that this cannot end is gone with its record.
        let ended = self.sweep(&user.id, RevocationReason::UserDisabled).await.live;
        tokio::time::sleep(in_flight).await;
        let records = self.store.delete_sessions(&user.id).await?;
        self.store.delete_user(&user.id).await?;
        Ok(Deleted { ended, records })
    }
}
