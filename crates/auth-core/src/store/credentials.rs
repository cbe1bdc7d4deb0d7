//! What addresses sign in with, in the table.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::item::{read_text, text};
use super::schema::{PASSWORD_HASH, USER_ID, credential_key};
use super::{Store, StoreError};
use crate::address::LookupAddress;
use crate::password::hash::PasswordHash;
use crate::user::UserId;

/// What an address signs in with.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Whose.
    pub user: UserId,
    /// The password's hash.
    pub hash: PasswordHash,
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
}
