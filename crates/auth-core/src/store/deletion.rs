//! Deleting what there is of a user. No function may: only an operator does.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;

use super::item::text;
use super::schema::{PK, SK, USER_ID, credential_keys, user_key};
use super::{Store, StoreError};
use crate::address::LookupAddress;
use crate::user::UserId;

impl Store {
    /// Deletes the credential of `address` if it is `user`'s: by now it may be that of somebody who has signed up since.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn delete_credential(&self, address: &LookupAddress, user: &UserId) -> Result<(), StoreError> {
        for key in credential_keys(address).into_iter().flatten() {
            let request = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            let request = request
                .condition_expression(format!("{USER_ID} = :user"))
                .expression_attribute_values(":user", text(user.as_str()));
            let deleted = request.send().await;
            let other = |error: &SdkError<_, _>| {
                error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception)
            };
            if !deleted.as_ref().is_err_and(other) {
                deleted?;
            }
        }
        Ok(())
    }

    /// Deletes every record of a session of `user`, of live and of ended ones, and says how many there were. Then the index of live
    /// sessions.
    ///
    /// # Errors
    ///
    /// If the table gives no answer. What was deleted before stays so.
    pub async fn delete_sessions(&self, user: &UserId) -> Result<usize, StoreError> {
        let mut records = self.recorded(user).projection_expression("pk, sk").into_paginator().items().send();
        let mut deleted = 0;
        while let Some(record) = records.next().await {
            let key = record?.into_iter().filter(|(name, _)| name == PK || name == SK).collect();
            self.client.delete_item().table_name(&self.table).set_key(Some(key)).send().await?;
            deleted += 1;
        }
        for item in self.indexed(user).await? {
            self.delete_live(user, &item.id).await?;
        }
        Ok(deleted)
    }

    /// Deletes the user's own item.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn delete_user(&self, user: &UserId) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&self.table).set_key(Some(user_key(user))).send().await?;
        Ok(())
    }
}
