//! What an operator does to users and their sessions: list, end, disable, enable, unlock, delete. From a terminal, on the deployed
//! table or a local one; never deployed.
//!
//! # Layout
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`table`] | finding the table |
//! | this file | who it is about, and what every act leaves behind |
//! | `sessions`, `status`, `address`, `addresses`, `deletion` | the acts |
//! | [`report`] | what is said about them, to people and as JSON |

mod address;
mod addresses;
pub mod cli;
mod deletion;
pub mod report;
mod sessions;
mod status;
pub mod table;

use auth_core::address::Address;
use auth_core::audit::{AuditLog, Entry, Event, Outcome};
use auth_core::client::Client;
use auth_core::clock::{Clock, Timestamp};
use auth_core::store::{Store, StoreError};
use auth_core::sweep::SweepError;
use auth_core::user::{User, UserId};

pub use self::address::Unlocked;
pub use self::addresses::Addresses;
pub use self::status::IN_FLIGHT;

/// Whom an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The user who signs in with this address.
    Address(Address),
    /// The user with this id.
    Id(UserId),
}

/// Why an act was not carried out, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// There is no such user.
    #[error("there is no user {0}")]
    UnknownUser(String),
    /// The user has no such session, and there is no record of one.
    #[error("the user has no session {0}")]
    UnknownSession(String),
    /// The table gave no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not every session was ended.
    #[error(
        "not all sessions have ended, but {ended} of the {found} that were found; run the command again: {cause}"
    )]
    Partly {
        /// How many were ended.
        ended: usize,
        /// How many were found, before the table gave no more of them.
        found: usize,
        /// What kept the first of them alive, or the next from being found.
        cause: SweepError,
    },
    /// A user was not deleted to the end.
    #[error("not all of the user has been deleted; run the command again, with the id {user}: {cause}")]
    Undeleted {
        /// Who: by address they may not be found any more.
        user: UserId,
        /// What kept the rest.
        cause: StoreError,
    },
}

/// An operator at the table.
#[derive(Clone, Debug)]
pub struct Operator {
    store: Store,
    clock: Clock,
    audit: AuditLog,
    caller: Client,
}

impl Operator {
    /// An operator who acts as `caller`, a client without an address of the network.
    pub const fn new(store: Store, clock: Clock, audit: AuditLog, caller: Client) -> Self {
        Self { store, clock, audit, caller }
    }

    /// The user that an act is about.
    ///
    /// # Errors
    ///
    /// [`Failure::UnknownUser`], or the table gives no answer.
    pub async fn find(&self, whom: &Whom) -> Result<User, Failure> {
        let (id, named) = match whom {
            Whom::Id(id) => (Some(id.clone()), id.to_string()),
            Whom::Address(address) => {
                let credential = self.store.credential(address.lookup()).await?;
                (credential.map(|credential| credential.user), address.as_str().to_owned())
            }
        };
        let user = match id {
            Some(id) => self.store.user(&id).await?,
            None => None,
        };
        user.ok_or(Failure::UnknownUser(named))
    }

    /// The time that an act is dated with.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// An audit line of the same shape as the functions'.
    fn entry(&self, event: Event, outcome: Outcome) -> Entry {
        Entry::new(event, outcome, &self.caller, self.now()).because("operator")
    }
}
