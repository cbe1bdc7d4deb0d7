//! A signup in the table: three items, all or none of them.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::item::{Item, text};
use super::schema::{PASSWORD_HASH, USER_ID, credential_key};
use super::{Store, StoreError, session_item, users};
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
    /// Writes a user, their credential and their first session, all or none of them.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<Created, StoreError> {
        let mut credential = credential_key(new.address);
        credential.insert(USER_ID.to_owned(), text(new.user.id.as_str()));
        credential.insert(PASSWORD_HASH.to_owned(), text(new.hash.as_str()));
        let session = session_item::encode(new.session, new.kept_until);
        let result = self
            .client
            .transact_write_items()
            .transact_items(self.put_new(credential)?)
            .transact_items(self.put_new(users::encode(new.user))?)
            .transact_items(self.put_new(session)?)
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
}

enum Cancellation {
    EmailTaken,
    Transient,
    Other,
}

/// Why a transaction was cancelled, by item (`TransactionCanceledException`). A failed condition on the first item, the
/// credential, means that the address is taken: the keys of the other two are random. A conflict or throttling means that
/// nothing is known and nothing was written.
fn cancellation(error: &TransactWriteItemsError) -> Cancellation {
    const TRANSIENT: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return Cancellation::Other;
    };
    let mut codes = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code());
    let credential = canceled.cancellation_reasons().first().and_then(|reason| reason.code());
    if credential == Some("ConditionalCheckFailed") {
        Cancellation::EmailTaken
    } else if codes.any(|code| TRANSIENT.contains(&code)) {
        Cancellation::Transient
    } else {
        Cancellation::Other
    }
}
