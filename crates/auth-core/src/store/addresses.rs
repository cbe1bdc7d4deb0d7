//! Every address that signs in. No function may ask for it: only an operator does.

use super::item::{read_text, text};
use super::schema::{CREDENTIAL, PK, SK, USER_ID, credential_address};
use super::{Store, StoreError};
use crate::user::UserId;

impl Store {
    /// Reads the whole table page by page and passes each address that has a credential to `visit`, as it is stored, with its user.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable, or a credential cannot be read.
    pub async fn for_each_address(&self, mut visit: impl FnMut(&str, UserId)) -> Result<(), StoreError> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression(format!("{SK} = :credential"))
            .expression_attribute_values(":credential", text(CREDENTIAL))
            .projection_expression(format!("{PK}, {USER_ID}"))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let item = item?;
            let pk = read_text(&item, PK)?;
            let address = credential_address(&pk).ok_or(StoreError::Unreadable(PK))?;
            let user = UserId::parse(&read_text(&item, USER_ID)?);
            visit(address, user.map_err(|_| StoreError::Unreadable(USER_ID))?);
        }
        Ok(())
    }
}
