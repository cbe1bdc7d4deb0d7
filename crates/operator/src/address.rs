//! Unlocking addresses.

use auth_core::address::Address;
use auth_core::audit::{Event, Outcome};
use auth_core::limits::LimitKey;
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

    /// Removes what keeps an address from signing in: its consecutive failures, the lock that followed from them, and its counted
    /// attempts. Returns the failures as they were. An address needs no user for it: unknown ones are locked alike.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn unlock(&self, address: &Address) -> Result<Streak, Failure> {
        let failures = LimitKey::login_failures(address.lookup());
        let attempts = LimitKey::login_address(address.lookup());
        let before = self.store.streak(&failures, self.now()).await?;
        self.store.clear(&failures).await?;
        self.store.clear(&attempts).await?;
        let user = self.store.credential(address.lookup()).await?.map(|credential| credential.user);
        self.audit.record(self.entry(Event::AddressUnlocked, Outcome::Success).of_known(user.as_ref()));
        Ok(before)
    }
}
