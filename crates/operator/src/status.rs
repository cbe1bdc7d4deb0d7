//! Disabling and enabling users.

use std::time::Duration;

use auth_core::audit::{Event, Outcome};
use auth_core::session::RevocationReason;
use auth_core::store::StatusSet;
use auth_core::user::{User, UserStatus};

use crate::sessions::completed;
use crate::{Failure, Operator};

/// Longer than any request that is under way can go on: Lambda stops a function after 10 s (`Timeout` in `template.yaml`).
pub const IN_FLIGHT: Duration = Duration::from_secs(11);

/// What became of a user who was disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// The status before.
    pub before: UserStatus,
    /// Live sessions that were ended.
    pub ended: usize,
}

impl Operator {
    /// Disables a user and ends all their sessions.
    ///
    /// In this order: from the first write on, no login and no refresh hands anything out, so that the sessions that are ended
    /// after it are the last ones. The other way round, a login between the two would begin a session that nobody ends. A login
    /// that had read the user as active just before finds that the serial has moved, and revokes its session itself. A function of
    /// the first edition, which may run during a deployment and after a rollback, does not: its session is there after
    /// `in_flight` ([`IN_FLIGHT`]), when what has come up meanwhile is ended too.
    ///
    /// # Errors
    ///
    /// As [`Operator::end_all`], and [`Failure::UnknownUser`]. Whatever failed, once the user is disabled they stay so.
    pub async fn disable(&self, user: &User, in_flight: Duration) -> Result<Disabled, Failure> {
        let before = self.set_status(user, UserStatus::Disabled).await?;
        let first = self.sweep(&user.id, RevocationReason::UserDisabled).await;
        tokio::time::sleep(in_flight).await;
        let second = self.sweep(&user.id, RevocationReason::UserDisabled).await;
        // What the first sweep left alive, the second has ended, or has said so.
        Ok(Disabled { before, ended: first.live + completed(second)? })
    }

    /// Lets a user sign in again, and says what the status was before. Sessions that were ended stay ended.
    ///
    /// # Errors
    ///
    /// [`Failure::UnknownUser`], or the table gives no answer.
    pub async fn enable(&self, user: &User) -> Result<UserStatus, Failure> {
        self.set_status(user, UserStatus::Active).await
    }

    pub(crate) async fn set_status(&self, user: &User, status: UserStatus) -> Result<UserStatus, Failure> {
        let StatusSet::Done(before) = self.store.set_status(&user.id, status).await? else {
            return Err(Failure::UnknownUser(user.id.to_string()));
        };
        let event = if status == UserStatus::Active { Event::UserEnabled } else { Event::UserDisabled };
        self.audit.record(self.entry(event, Outcome::Success).of(&user.id));
        Ok(before)
    }
}
