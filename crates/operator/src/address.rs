//! Unlocking addresses.

use auth_core::address::Address;
use auth_core::audit::{Event, Outcome};
use auth_core::limits::LimitKey;
use auth_core::store::{StoreError, Streak};
use auth_core::user::UserId;

use crate::{Failure, Operator, Whom};

/// The consecutive failures that an unlock has removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlocked {
    /// Of logins with the address.
    pub login: Streak,
    /// Of password changes of its user.
    pub password_change: Streak,
}

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

    /// Unlocks an address: removes its consecutive failures, the lock that followed from them, and its counted attempts. If the
    /// address has a user, does the same for the user's password changes, whose counters are separate. An address needs no user
    /// for it: unknown ones are locked alike.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn unlock(&self, address: &Address) -> Result<Unlocked, Failure> {
        let failures = LimitKey::login_failures(address.lookup());
        let login = self.store.streak(&failures, self.now()).await?;
        self.store.clear(&failures).await?;
        self.store.clear(&LimitKey::login_address(address.lookup())).await?;
        let user = self.store.credential(address.lookup()).await?.map(|credential| credential.user);
        let password_change = match &user {
            Some(user) => self.unlock_password_changes(user).await?,
            None => Streak::None,
        };
        self.audit.record(self.entry(Event::AddressUnlocked, Outcome::Success).of_known(user.as_ref()));
        Ok(Unlocked { login, password_change })
    }

    /// Sessions that have ended change no password: their counters are left to expire.
    async fn unlock_password_changes(&self, user: &UserId) -> Result<Streak, Failure> {
        let failures = LimitKey::password_failures(user);
        let before = self.store.streak(&failures, self.now()).await?;
        self.store.clear(&failures).await?;
        self.store.clear(&LimitKey::password_change(user)).await?;
        for session in self.store.sessions(user).await?.0 {
            self.store.clear(&LimitKey::password_session(&session.id)).await?;
        }
        Ok(before)
    }
}
