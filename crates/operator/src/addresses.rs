//! Accounts whose addresses are one address.

use std::collections::BTreeMap;

use auth_core::address::Address;
use auth_core::user::UserId;

use crate::{Failure, Operator};

/// What was found among all addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// The number of addresses that have an account.
    pub checked: usize,
    /// Accounts by the address that they share, as each of them is stored.
    pub shared: BTreeMap<String, Vec<(String, UserId)>>,
}

impl Operator {
    /// Finds accounts that the first edition kept apart and whose addresses are one by case folding. Each of them signs in by its
    /// own spelling; none is merged or deleted. It reads the whole table.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn addresses(&self) -> Result<Addresses, Failure> {
        let mut found = Addresses::default();
        let visit = |stored: &str, user: UserId| {
            found.checked += 1;
            let Ok(address) = stored.parse::<Address>() else { return };
            // Nothing is kept of an address that has one spelling.
            if address.lookup().keys().into_iter().flatten().count() > 1 {
                let accounts = found.shared.entry(address.lookup().as_str().to_owned()).or_default();
                accounts.push((stored.to_owned(), user));
            }
        };
        self.store.for_each_address(visit).await?;
        found.shared.retain(|_, accounts| accounts.len() > 1);
        for accounts in found.shared.values_mut() {
            accounts.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Ok(found)
    }
}
