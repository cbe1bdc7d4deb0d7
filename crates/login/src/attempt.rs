//! One attempt to log in, and what it counts for.
//!
//! An unknown address is counted, limited and locked exactly like a known one: neither the limits nor the lock tell which
//! addresses have an account.

use std::time::Duration;

use auth_core::address::LookupAddress;
use auth_core::audit::{Entry, Event, Outcome};
use auth_core::clock::Timestamp;
use auth_core::http::{ApiError, Incoming};
use auth_core::limits::{LimitKey, Window};
use auth_core::store::{Credential, Locked, StoreError, Streak};
use auth_core::user::UserId;

use crate::Login;

/// A row of failures is forgotten when so long has passed without one.
const STREAK_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// An attempt.
pub(crate) struct Attempt<'a> {
    pub(crate) login: &'a Login,
    pub(crate) request: &'a Incoming,
    pub(crate) address: &'a LookupAddress,
    pub(crate) now: Timestamp,
}

impl Attempt<'_> {
    /// Counts the attempt and reads what it needs, all at once; refuses it if it is over a limit.
    pub(crate) async fn admit(&self) -> Result<(Option<Credential>, Streak), ApiError> {
        let limits = &self.login.limits;
        let window = self.window();
        let by_address = LimitKey::login_address(self.address, window);
        let by_network = LimitKey::login_network(&self.request.client.ip, window);
        let (address_hits, network_hits, streak, credential) = tokio::join!(
            self.count(limits.per_address, &by_address),
            self.count(limits.per_ip, &by_network),
            self.streak(),
            self.login.store.credential(self.address),
        );
        self.within(limits.per_address, address_hits?, "login_address")?;
        self.within(limits.per_ip, network_hits?, "login_ip")?;
        match streak? {
            Streak::Locked { until } => Err(self.refuse("locked", until)),
            streak => Ok((credential?, streak)),
        }
    }

    /// Notes a failure; so many of them in a row lock the address.
    pub(crate) async fn fail(&self, streak: Streak, user: Option<UserId>) -> Result<ApiError, ApiError> {
        let reason = if user.is_some() { "wrong_password" } else { "unknown_address" };
        self.login.record_failure(self.request, user.as_ref(), reason, self.now);
        if let Some(lock_failures) = self.login.limits.lock_failures.map(u64::from) {
            let key = LimitKey::login_failures(self.address);
            if streak == Streak::Stale {
                self.login.store.clear(&key).await?;
            }
            let kept_until = self.now + self.login.limits.lock_duration + STREAK_KEPT;
            // At least as many, not exactly: the SDK may count twice, and a lock whose write failed is set by the next.
            if self.login.store.count(&key, kept_until).await? >= lock_failures {
                self.lock(&key, lock_failures, user.as_ref()).await?;
            }
        }
        Ok(ApiError::InvalidCredentials)
    }

    async fn lock(&self, key: &LimitKey, failures: u64, user: Option<&UserId>) -> Result<(), ApiError> {
        let until = self.now + self.login.limits.lock_duration;
        let client = &self.request.client;
        if self.login.store.lock(key, failures, until, &client.invocation_id).await? == Locked::Now {
            let entry = Entry::new(Event::AddressLocked, Outcome::Failure, client, self.now);
            self.login.platform.audit.record(entry.of_known(user));
        }
        Ok(())
    }

    /// Clears the address's counts after a success. If that fails the user is in all the same.
    pub(crate) async fn forgive(&self, streak: Streak) {
        let attempts = LimitKey::login_address(self.address, self.window());
        let failures = LimitKey::login_failures(self.address);
        let store = &self.login.store;
        let clear = async |wanted: bool, key: &LimitKey| if wanted { store.clear(key).await } else { Ok(()) };
        let limited = self.login.limits.per_address.is_some();
        let failed = streak != Streak::None;
        let (attempts, failures) = tokio::join!(clear(limited, &attempts), clear(failed, &failures));
        for error in [attempts.err(), failures.err()].into_iter().flatten() {
            tracing::warn!(%error, "a count was not cleared");
        }
    }

    fn window(&self) -> Window {
        Window::at(self.now, self.login.limits.window)
    }

    async fn count(&self, limit: Option<u32>, key: &LimitKey) -> Result<u64, StoreError> {
        match limit {
            Some(_) => self.login.store.count(key, self.window().end()).await,
            None => Ok(0),
        }
    }

    async fn streak(&self) -> Result<Streak, StoreError> {
        match self.login.limits.lock_failures {
            Some(_) => self.login.store.streak(&LimitKey::login_failures(self.address), self.now).await,
            None => Ok(Streak::None),
        }
    }

    fn within(&self, limit: Option<u32>, hits: u64, reason: &'static str) -> Result<(), ApiError> {
        match limit {
            Some(limit) if hits > u64::from(limit) => Err(self.refuse(reason, self.window().end())),
            _ => Ok(()),
        }
    }

    fn refuse(&self, reason: &'static str, until: Timestamp) -> ApiError {
        let entry = Entry::new(Event::LimitReached, Outcome::Failure, &self.request.client, self.now);
        self.login.platform.audit.record(entry.because(reason));
        ApiError::TooManyAttempts { retry_after: until.since(self.now) }
    }
}
