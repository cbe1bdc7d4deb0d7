//! A signup in the table: four items, all or none of them.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem};

use super::item::{Item, text};
use super::schema::{Key, PASSWORD_HASH, USER_ID, credential_key, credential_keys};
use super::{Store, StoreError, live, session_item, users};
use crate::address::LookupAddress;
use crate::clock::Timestamp;
use crate::password::hash::PasswordHash;
use crate::session::Session;
use crate::user::User;

/// A user who signs up, with all that is written at once.
#[derive(Clone, Debug)]
pub struct NewUser<'a> {
    /// Where the credential is looked up.
    pub address: &'a LookupAddress,
    /// The password's hash.
    pub hash: &'a PasswordHash,
    /// The user.
    pub user: &'a User,
    /// The first session.
    pub session: &'a Session,
    /// How long the session's record is kept.
    pub kept_until: Timestamp,
}

/// What became of a signup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// Credential, user and session are there.
    Done,
    /// The address has a credential: nothing was written.
    EmailTaken,
}

impl Store {
    /// Writes a user, their credential and the two items of their first session, all or none of them.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<Created, StoreError> {
        let mut credential = credential_key(new.address);
        credential.insert(USER_ID.to_owned(), text(new.user.id.as_str()));
        credential.insert(PASSWORD_HASH.to_owned(), text(new.hash.as_str()));
        let session = session_item::encode(new.session, new.kept_until);
        let mut request = self.client.transact_write_items().transact_items(self.put_new(credential)?);
        for key in credential_keys(new.address)
            .into_iter()
            .flatten()
            .filter(|key| *key != credential_key(new.address))
        {
            request = request.transact_items(self.require_none(key)?);
        }
        let result = request
            .transact_items(self.put_new(users::encode(new.user))?)
            .transact_items(self.put_new(session)?)
            .transact_items(self.put_new(live::encode(new.session))?)
            .send()
            .await;
        match result {
            Ok(_) => Ok(Created::Done),
            Err(error) => match error.as_service_error().map(cancellation) {
                Some(Cancellation::EmailTaken) => Ok(Created::EmailTaken),
                Some(Cancellation::Transient) => Err(StoreError::Unavailable("transaction conflict".into())),
                Some(Cancellation::Other) | None => Err(error.into()),
            },
        }
    }

    fn put_new(&self, item: Item) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StoreError::Refused(error.into()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// No credential of the first edition may be there: it would be a second account of the address.
    fn require_none(&self, key: Key) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(key))
            .condition_expression("attribute_not_exists(pk)")
            .build()
            .map_err(|error| StoreError::Refused(error.into()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

enum Cancellation {
    EmailTaken,
    Transient,
    Other,
}

/// Why a transaction was cancelled, by item (`TransactionCanceledException`). A failed condition means that the address is taken:
/// the keys of user, session and index item are random. A conflict or throttling means that
/// nothing is known and nothing was written.
fn cancellation(error: &TransactWriteItemsError) -> Cancellation {
    const TRANSIENT: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return Cancellation::Other;
    };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    if codes.contains(&"ConditionalCheckFailed") {
        Cancellation::EmailTaken
    } else if codes.iter().any(|code| TRANSIENT.contains(code)) {
        Cancellation::Transient
    } else {
        Cancellation::Other
    }
}
