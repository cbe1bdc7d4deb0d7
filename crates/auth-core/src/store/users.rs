//! Users and their credentials in the table.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem};

use super::item::{Item, optional_text, put_optional, read_flag, read_text, read_time, text, time};
use super::schema::{
    CREATED_AT, DISPLAY_NAME, EMAIL, EMAIL_VERIFIED, FIRST_NAME, LAST_NAME, PASSWORD_HASH, STATUS,
    STATUS_ACTIVE, USER_ID, credential_key, user_key,
};
use super::{Store, StoreError, sessions};
use crate::address::LookupAddress;
use crate::password::hash::PasswordHash;
use crate::session::Session;
use crate::user::{Names, User, UserId, UserStatus};

/// What an address signs in with.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose.
    pub user: UserId,
    /// The password's hash.
    pub hash: PasswordHash,
}

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
    /// How long the session's record outlives it.
    pub retention: Duration,
}

/// What became of a signup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// Credential, user and session are there.
    Done,
    /// The address has a credential: nothing was written.
    EmailTaken,
}

/// New names. `None` leaves a name as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamesChange {
    /// How they are shown.
    pub display_name: Option<Option<String>>,
    /// Given name.
    pub first_name: Option<Option<String>>,
    /// Family name.
    pub last_name: Option<Option<String>>,
}

impl Store {
    /// The credential of an address.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn credential(&self, address: &LookupAddress) -> Result<Option<Credential>, StoreError> {
        let answer = self.get(credential_key(address)).await?;
        answer
            .map(|item| {
                let user = UserId::parse(&read_text(&item, USER_ID)?)
                    .map_err(|_| StoreError::Unreadable(USER_ID))?;
                let hash = PasswordHash::parse(&read_text(&item, PASSWORD_HASH)?)
                    .map_err(|_| StoreError::Unreadable(PASSWORD_HASH))?;
                Ok(Credential { user, hash })
            })
            .transpose()
    }

    /// The user `id`.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        self.get(user_key(id)).await?.map(|item| decode(id, &item)).transpose()
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(request.send().await?.item)
    }

    /// Writes a user, their credential and their first session, all or none of them.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<Created, StoreError> {
        let mut credential = credential_key(new.address);
        credential.insert(USER_ID.to_owned(), text(new.user.id.as_str()));
        credential.insert(PASSWORD_HASH.to_owned(), text(new.hash.as_str()));
        let session = sessions::encode(new.session, new.retention);
        let result = self
            .client
            .transact_write_items()
            .transact_items(self.put_new(credential)?)
            .transact_items(self.put_new(encode(new.user))?)
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

    /// Replaces the hash of a credential, unless it has changed since it was read.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn replace_hash(
        &self,
        address: &LookupAddress,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(credential_key(address)))
            .update_expression("SET password_hash = :new")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":new", text(new.as_str()))
            .expression_attribute_values(":old", text(old.as_str()))
            .send()
            .await;
        match result {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// Changes names of the user `id`; the user afterwards, or `None` if there is no such user.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn change_names(&self, id: &UserId, change: &NamesChange) -> Result<Option<User>, StoreError> {
        let mut request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(user_key(id)))
            .condition_expression("attribute_exists(pk)")
            .return_values(ReturnValue::AllNew);
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        let names = [
            (DISPLAY_NAME, &change.display_name),
            (FIRST_NAME, &change.first_name),
            (LAST_NAME, &change.last_name),
        ];
        for (name, value) in names {
            match value {
                Some(Some(value)) => {
                    set.push(format!("{name} = :{name}"));
                    request = request.expression_attribute_values(format!(":{name}"), text(value));
                }
                Some(None) => remove.push(name),
                None => {}
            }
        }
        let clauses = [("SET", set.join(", ")), ("REMOVE", remove.join(", "))];
        let update: Vec<_> = clauses
            .into_iter()
            .filter(|(_, list)| !list.is_empty())
            .map(|(verb, list)| format!("{verb} {list}"))
            .collect();
        match request.update_expression(update.join(" ")).send().await {
            Ok(answer) => answer.attributes.map(|item| decode(id, &item)).transpose(),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(error.into()),
            },
        }
    }
}

enum Cancellation {
    EmailTaken,
    Transient,
    Other,
}

/// A condition that failed means that the address is taken: the identifiers of the other two items are random. A conflict,
/// throttling or the like means that nothing is known and nothing was written.
fn cancellation(error: &TransactWriteItemsError) -> Cancellation {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return Cancellation::Other;
    };
    let codes: Vec<_> = canceled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    if codes.contains(&"ConditionalCheckFailed") {
        Cancellation::EmailTaken
    } else if codes.contains(&"ValidationError") {
        Cancellation::Other
    } else {
        Cancellation::Transient
    }
}

fn encode(user: &User) -> Item {
    let mut item = user_key(&user.id);
    item.insert(EMAIL.to_owned(), text(&user.email));
    item.insert(EMAIL_VERIFIED.to_owned(), AttributeValue::Bool(user.email_verified));
    item.insert(STATUS.to_owned(), text(STATUS_ACTIVE));
    item.insert(CREATED_AT.to_owned(), time(user.created_at));
    put_optional(&mut item, DISPLAY_NAME, user.names.display_name.as_ref());
    put_optional(&mut item, FIRST_NAME, user.names.first_name.as_ref());
    put_optional(&mut item, LAST_NAME, user.names.last_name.as_ref());
    item
}

fn decode(id: &UserId, item: &Item) -> Result<User, StoreError> {
    // Whatever an operator writes there but `active` keeps the user out.
    let status =
        if read_text(item, STATUS)? == STATUS_ACTIVE { UserStatus::Active } else { UserStatus::Disabled };
    Ok(User {
        id: id.clone(),
        email: read_text(item, EMAIL)?,
        names: Names {
            display_name: optional_text(item, DISPLAY_NAME)?,
            first_name: optional_text(item, FIRST_NAME)?,
            last_name: optional_text(item, LAST_NAME)?,
        },
        email_verified: read_flag(item, EMAIL_VERIFIED)?,
        status,
        created_at: read_time(item, CREATED_AT)?,
    })
}
