//! An attempt to show a password: what it counts under, and what follows from its outcome.
//!
//! An unknown address is counted, limited and locked exactly like a known one: neither the limits nor the lock tell which
//! addresses have an account. The password change of a signed-in user has counters of its own: strangers at the login cannot use
//! them up, and a thief of an access token gets no more guesses than the user's limit.

use std::time::Duration;

use crate::address::LookupAddress;
use crate::audit::{AuditLog, Entry, Event, Outcome};
use crate::client::Client;
use crate::clock::Timestamp;
use crate::credential::Credential;
use crate::limiter::{LimitError, RateLimiter};
use crate::limits::{LimitKey, LoginLimits};
use crate::store::{Hit, Locked, Store, StoreError, Streak};
use crate::user::UserId;

/// Consecutive failures are forgotten after this time without another one.
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
    /// The caller.
    pub client: &'a Client,
    /// The address that it is for.
    pub address: &'a LookupAddress,
    /// The user of the address, if the caller is signed in.
    pub user: Option<&'a UserId>,
    /// The time of the attempt.
    pub now: Timestamp,
}

/// An attempt that is within every limit: the password may be looked at.
#[derive(Debug)]
pub struct Admission {
    streak: Streak,
    hits: Vec<Hit>,
    looks: u32,
}

impl Attempt<'_> {
    /// Counts the attempt of a signed-in user for the user alone. Otherwise counts it for the client's networks; only if they are within their limits, counts it for the address and reads the
    /// credential. A network that is over its limit therefore uses up no address's attempts.
    ///
    /// A network keeps the hit of an attempt that its address refuses: otherwise it could ask for a full or locked address without
    /// any limit.
    ///
    /// # Errors
    ///
    /// [`LimitError`].
    pub async fn admit(&self) -> Result<(Option<Credential>, Admission), LimitError> {
        let limiter = self.limiter();
        let mut hits = self.count_networks(1).await?;
        let (counted, streak, credential) =
            tokio::join!(self.count_guess(1), self.streak(), self.store.credential(self.address));
        let counted = counted?;
        let streak = streak?;
        if let Streak::Locked { until } = streak {
            limiter.give_back(&counted).await;
            return Err(limiter.refuse("locked", until));
        }
        hits.extend(counted);
        Ok((credential?, Admission { streak, hits, looks: 1 }))
    }

    /// Counts another look at a password in the same request; refuses it if it is over a limit.
    ///
    /// # Errors
    ///
    /// [`LimitError`].
    pub async fn admit_another(&self, admission: &mut Admission) -> Result<(), LimitError> {
        admission.looks += 1;
        admission.hits.extend(self.count_networks(admission.looks).await?);
        admission.hits.extend(self.count_guess(admission.looks).await?);
        Ok(())
    }

    /// Records `failures` failures; enough consecutive ones lock the address, or the
    /// signed-in user's password change. `user` is the user of the address, if there is one.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn fail(
        &self,
        admission: &Admission,
        failures: u32,
        user: Option<&UserId>,
    ) -> Result<(), StoreError> {
        let Some(lock_failures) = self.limits.lock_failures.map(u64::from) else { return Ok(()) };
        let key = self.failures();
        if admission.streak == Streak::Stale {
            self.store.clear(&key).await?;
        }
        let kept_until = self.now + self.limits.lock_duration + STREAK_KEPT;
        for _ in 0..failures {
            // At least as many, not exactly: the SDK may count twice, and a lock whose write failed is set by the next.
            if self.store.count_failure(&key, kept_until).await? >= lock_failures {
                self.lock(&key, lock_failures, user).await?;
            }
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

    /// Gives back what this attempt was counted for, after a success, and ends the row of failures (NIST SP 800-63B-4 §3.2.2). If that
    /// fails it is a success all the same.
    ///
    /// The hits of other attempts stay: if a success removed them, a stranger who has used up most of the limit would see from
    /// the next attempts that the owner has just signed in.
    pub async fn forgive(&self, admission: &Admission) {
        let failures = self.failures();
        let clear = async {
            if admission.streak == Streak::None { Ok(()) } else { self.store.clear(&failures).await }
        };
        let limiter = self.limiter();
        let ((), cleared) = tokio::join!(limiter.give_back(&admission.hits), clear);
        if let Err(error) = cleared {
            tracing::warn!(%error, "the failures of an address were not cleared");
        }
    }

    const fn limiter(&self) -> RateLimiter<'_> {
        let Self { store, audit, client, user, now, .. } = *self;
        RateLimiter { store, audit, client, user, now }
    }

    async fn count_networks(&self, nth: u32) -> Result<Vec<Hit>, LimitError> {
        match self.user {
            Some(_) => Ok(Vec::new()),
            None => self.limiter().admit(&self.limits.networks(&self.client.ip), "login_ip", nth).await,
        }
    }

    async fn count_guess(&self, nth: u32) -> Result<Vec<Hit>, LimitError> {
        let (counter, reason) = match self.user {
            Some(user) => (self.limits.password_change(user), "password_user"),
            None => (self.limits.address(self.address), "login_address"),
        };
        self.limiter().admit(counter.as_slice(), reason, nth).await
    }

    fn failures(&self) -> LimitKey {
        match self.user {
            Some(user) => LimitKey::password_failures(user),
            None => LimitKey::login_failures(self.address),
        }
    }

    async fn streak(&self) -> Result<Streak, StoreError> {
        match self.limits.lock_failures {
            Some(_) => self.store.streak(&self.failures(), self.now).await,
            None => Ok(Streak::None),
        }
    }
}
