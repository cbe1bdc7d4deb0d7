//! What addresses sign in with, in the table.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{Item, number, optional_number, optional_text, optional_time, read_text, text, time};
use super::schema::{
    CHANGED_AT, CHANGED_BY, CHANGED_TO, Key, PASSWORD_HASH, SERIAL, USER_ID, credential_keys,
};
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::address::LookupAddress;
use crate::clock::Timestamp;
use crate::credential::{Credential, PasswordVersion};
use crate::password::hash::PasswordHash;
use crate::session::SessionId;
use crate::user::UserId;

/// A change of a password.
#[derive(Clone, Copy, Debug)]
pub struct PasswordChange<'a> {
    /// Where the credential is looked up.
    pub address: &'a LookupAddress,
    /// The hash that the current password was verified against.
    pub old: &'a PasswordHash,
    /// The new password's.
    pub new: &'a PasswordHash,
    /// The session that it is changed from.
    pub by: &'a SessionId,
    /// The session that takes its place.
    pub to: &'a SessionId,
    /// When.
    pub at: Timestamp,
}

/// What became of a change of a password.
#[derive(Clone, Debug)]
pub enum PasswordChanged {
    /// It was done; the version of the new password.
    Done(PasswordVersion),
    /// It was not, and nothing has changed: the credential has another hash by now, if there is one at all.
    Refused(Option<Credential>),
}

impl Store {
    /// The credential of an address.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn credential(&self, address: &LookupAddress) -> Result<Option<Credential>, StoreError> {
        // All at once and whatever is found: the time says nothing about which of them there is.
        let [typed, folded, spelled] = credential_keys(address).map(|key| self.get_if(key));
        let (typed, folded, spelled) = tokio::join!(typed, folded, spelled);
        let (typed, folded, spelled) = (typed?, folded?, spelled?);
        typed.or(folded).or(spelled).as_ref().map(decode).transpose()
    }

    async fn get_if(&self, key: Option<Key>) -> Result<Option<Item>, StoreError> {
        match key {
            Some(key) => self.get(key).await,
            None => Ok(None),
        }
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
        for key in credential_keys(address).into_iter().flatten() {
            let result = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(key))
                .update_expression("SET password_hash = :new")
                .condition_expression("password_hash = :old")
                .expression_attribute_values(":new", text(new.as_str()))
                .expression_attribute_values(":old", text(old.as_str()))
                .send()
                .await;
            match result {
                Ok(_) => break,
                Err(error) if refused_by(&error).is_some() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives a credential the hash of another password and moves its serial, unless it has changed since the current one was
    /// verified: of two changes at once one wins, and no hash of an old password comes back. A write that landed and whose answer was lost is
    /// tried again by the SDK, finds its own hash, whose salt nobody else has, and counts as done.
    ///
    /// # Errors
    ///
    /// If the table gives no answer. The write may have been applied all the same.
    pub async fn change_password(&self, change: &PasswordChange<'_>) -> Result<PasswordChanged, StoreError> {
        let mut refused = None;
        // The hash, whose salt is random, is that of one credential.
        for key in credential_keys(change.address).into_iter().flatten() {
            match self.change_password_at(key, change).await? {
                PasswordChanged::Done(version) => return Ok(PasswordChanged::Done(version)),
                PasswordChanged::Refused(stored) => refused = refused.or(stored),
            }
        }
        Ok(PasswordChanged::Refused(refused))
    }

    async fn change_password_at(
        &self,
        key: Key,
        change: &PasswordChange<'_>,
    ) -> Result<PasswordChanged, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET password_hash = :new, changed_at = :at, changed_by = :by, changed_to = :to ADD serial :one")
            .condition_expression("password_hash = :old")
            .expression_attribute_values(":new", text(change.new.as_str()))
            .expression_attribute_values(":old", text(change.old.as_str()))
            .expression_attribute_values(":at", time(change.at))
            .expression_attribute_values(":by", text(change.by.as_str()))
            .expression_attribute_values(":to", text(change.to.as_str()))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(answer) => {
                let changed = answer.attributes.ok_or_else(StoreError::incomplete)?;
                version(&changed).map(PasswordChanged::Done)
            }
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(item) => {
                    let stored = item.map(decode).transpose()?;
                    Ok(match stored {
                        Some(ours) if ours.hash == *change.new => PasswordChanged::Done(ours.version),
                        stored => PasswordChanged::Refused(stored),
                    })
                }
            },
        }
    }
}

fn decode(item: &Item) -> Result<Credential, StoreError> {
    let user = UserId::parse(&read_text(item, USER_ID)?).map_err(|_| StoreError::Unreadable(USER_ID))?;
    let hash = PasswordHash::parse(&read_text(item, PASSWORD_HASH)?);
    let hash = hash.map_err(|_| StoreError::Unreadable(PASSWORD_HASH))?;
    Ok(Credential { user, hash, version: version(item)? })
}

/// A credential of the first edition has no serial.
fn version(item: &Item) -> Result<PasswordVersion, StoreError> {
    let session = |name| match optional_text(item, name)?.map(|sid| SessionId::parse(&sid)).transpose() {
        Ok(sid) => Ok(sid),
        Err(_) => Err(StoreError::Unreadable(name)),
    };
    Ok(PasswordVersion {
        serial: optional_number(item, SERIAL)?.unwrap_or_default(),
        changed_at: optional_time(item, CHANGED_AT)?,
        changed_by: session(CHANGED_BY)?,
        changed_to: session(CHANGED_TO)?,
    })
}
