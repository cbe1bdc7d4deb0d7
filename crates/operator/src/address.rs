//! Unlocking addresses.

use std::time::Duration;

use auth_core::address::Address;
use auth_core::audit::{Event, Outcome};
use auth_core::limits::{LimitKey, Window};
use auth_core::store::{StoreError, Streak};

use crate::{Failure, Operator, Whom};

impl Operator {
    /// The address that an act is about: as it is given, or that of a user.
    ///
    /// # Errors
    ///
    /// [`Failure::UnknownUser`], or the table gives no answer.
    pub async fn address(&self, whom: &Whom) -> Result<Address, Failure> {
        match whom {
            Whom::Address(address) => Ok(address.clone()),
            Whom::Id(_) => {
                let user = self.find(whom).await?;
                user.email.parse().map_err(|_| StoreError::Unreadable("email").into())
            }
        }
    }

    /// Takes away what keeps an address from signing in: its row of failures, the lock that came of it, and its attempts in
    /// the present window of the login limit. Says how the row stood. An address needs no user for it: unknown ones are locked
    /// alike.
    ///
    /// `window` is `LOGIN_LIMIT_WINDOW` of the deployment: an attempt is counted under the start of its window.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn unlock(&self, address: &Address, window: Duration) -> Result<Streak, Failure> {
        let failures = LimitKey::login_failures(address.lookup());
        let attempts = LimitKey::login_address(address.lookup(), Window::at(self.now(), window));
        let before = self.store.streak(&failures, self.now()).await?;
        self.store.clear(&failures).await?;
        self.store.clear(&attempts).await?;
        let user = self.store.credential(address.lookup()).await?.map(|credential| credential.user);
        self.audit.record(self.entry(Event::AddressUnlocked, Outcome::Success).of_known(user.as_ref()));
        Ok(before)
    }
}
