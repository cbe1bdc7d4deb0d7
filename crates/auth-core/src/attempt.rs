//! One attempt to show a password, and what it counts for.
//!
//! An unknown address is counted, limited and locked exactly like a known one: neither the limits nor the lock tell which
//! addresses have an account. Logins and changes of a password count together: whoever guesses at both gets no more guesses.

use std::time::Duration;

use crate::address::LookupAddress;
use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::limits::{LimitKey, LoginLimits, Window};
use crate::store::{Locked, Store, StoreError, Streak};
use crate::user::UserId;

/// A row of failures is forgotten when so long has passed without one.
const STREAK_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// An attempt.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Where attempts are counted.
    pub store: &'a Store,
    /// How many there may be.
    pub limits: &'a LoginLimits,
    /// Where a limit that is reached is recorded.
    pub audit: &'a AuditLog,
    /// Who tries.
    pub client: &'a Client,
    /// The address that it is for.
    pub address: &'a LookupAddress,
    /// Whose it is, if the caller has shown that already.
    pub user: Option<&'a UserId>,
    /// When.
    pub now: Timestamp,
}

/// Why a password is not looked at.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// A limit is reached.
    #[error("too many attempts")]
    TooMany {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The table gives no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Attempt<'_> {
    /// Counts the attempt and reads what it needs, all at once; refuses it if it is over a limit.
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub async fn admit(&self) -> Result<(Option<Credential>, Streak), AttemptError> {
        let (counted, streak, credential) =
            tokio::join!(self.admit_another(), self.streak(), self.store.credential(self.address));
        counted?;
        match streak? {
            Streak::Locked { until } => Err(self.refuse("locked", until)),
            streak => Ok((credential?, streak)),
        }
    }

    /// Counts another look at a password in the same request; refuses it if it is over a limit.
    ///
    /// # Errors
    ///
    /// [`AttemptError`].
    pub async fn admit_another(&self) -> Result<(), AttemptError> {
        let window = self.window();
        let by_address = LimitKey::login_address(self.address, window);
        let by_network = LimitKey::login_network(&self.client.ip, window);
        let (address_hits, network_hits) = tokio::join!(
            self.count(self.limits.per_address, &by_address),
            self.count(self.limits.per_ip, &by_network),
        );
        self.within(self.limits.per_address, address_hits?, "login_address")?;
        self.within(self.limits.per_ip, network_hits?, "login_ip")
    }

    /// Notes a failure; so many of them in a row lock the address. `user` is whose address it is, if anybody's.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn fail(&self, streak: Streak, user: Option<&UserId>) -> Result<(), StoreError> {
        let Some(lock_failures) = self.limits.lock_failures.map(u64::from) else { return Ok(()) };
        let key = LimitKey::login_failures(self.address);
        if streak == Streak::Stale {
            self.store.clear(&key).await?;
        }
        let kept_until = self.now + self.limits.lock_duration + STREAK_KEPT;
        // At least as many, not exactly: the SDK may count twice, and a lock whose write failed is set by the next.
        if self.store.count(&key, kept_until).await? >= lock_failures {
            self.lock(&key, lock_failures, user).await?;
        }
        Ok(())
    }

    async fn lock(&self, key: &LimitKey, failures: u64, user: Option<&UserId>) -> Result<(), StoreError> {
        let until = self.now + self.limits.lock_duration;
        if self.store.lock(key, failures, until, &self.client.invocation_id).await? == Locked::Now {
            let entry = Entry::new(Event::AddressLocked, Outcome::Failure, self.client, self.now);
            self.audit.record(entry.of_known(user));
        }
        Ok(())
    }

    /// Clears the address's counts after a success. If that fails it is a success all the same.
    pub async fn forgive(&self, streak: Streak) {
        let attempts = LimitKey::login_address(self.address, self.window());
        let failures = LimitKey::login_failures(self.address);
        let clear = async |wanted: bool, key: &LimitKey| {
            if wanted { self.store.clear(key).await } else { Ok(()) }
        };
        let limited = self.limits.per_address.is_some();
        let failed = streak != Streak::None;
        let (attempts, failures) = tokio::join!(clear(limited, &attempts), clear(failed, &failures));
        for error in [attempts.err(), failures.err()].into_iter().flatten() {
            tracing::warn!(%error, "a count was not cleared");
        }
    }

    fn window(&self) -> Window {
        Window::at(self.now, self.limits.window)
    }

    async fn count(&self, limit: Option<u32>, key: &LimitKey) -> Result<u64, StoreError> {
        match limit {
            Some(_) => self.store.count(key, self.window().end()).await,
            None => Ok(0),
        }
    }

    async fn streak(&self) -> Result<Streak, StoreError> {
        match self.limits.lock_failures {
            Some(_) => self.store.streak(&LimitKey::login_failures(self.address), self.now).await,
            None => Ok(Streak::None),
        }
    }

    fn within(&self, limit: Option<u32>, hits: u64, reason: &'static str) -> Result<(), AttemptError> {
        match limit {
            Some(limit) if hits > u64::from(limit) => Err(self.refuse(reason, self.window().end())),
            _ => Ok(()),
        }
    }

    fn refuse(&self, reason: &'static str, until: Timestamp) -> AttemptError {
        let entry = Entry::new(Event::LimitReached, Outcome::Failure, self.client, self.now);
        self.audit.record(entry.of_known(self.user).because(reason));
        AttemptError::TooMany { retry_after: until.since(self.now) }
    }
}
