//! Counters in the table: the limits that every instance of every function shares.

use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;

use super::item::{number, optional_number, optional_time, read_number, time};
use super::schema::{EXPIRES_AT, HITS, LOCKED_UNTIL, limit_key};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::limits::LimitKey;

/// How often an address has failed in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streak {
    /// Failures since the last success.
    pub failures: u64,
    /// If the address is locked: until when.
    pub locked_until: Option<Timestamp>,
}

impl Store {
    /// Adds one to a counter and gives its value, in one atomic write: two callers never get the same number.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn count(&self, limit: &LimitKey, expires_at: Timestamp) -> Result<u64, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(limit_key(limit)))
            .update_expression("ADD hits :one SET expires_at = :expires")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", time(expires_at))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await?;
        read_number(&answer.attributes.unwrap_or_default(), HITS)
    }

    /// Sets a counter back to nothing.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn clear(&self, limit: &LimitKey) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&self.table).set_key(Some(limit_key(limit))).send().await?;
        Ok(())
    }

    /// The failures in a row that a counter holds at `now`.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn streak(&self, limit: &LimitKey, now: Timestamp) -> Result<Streak, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(limit_key(limit)));
        let Some(item) = request.consistent_read(true).send().await?.item else {
            return Ok(Streak::default());
        };
        if optional_time(&item, EXPIRES_AT)?.is_none_or(|expires_at| expires_at <= now) {
            return Ok(Streak::default());
        }
        let failures = optional_number(&item, HITS)?.unwrap_or_default();
        Ok(Streak { failures, locked_until: optional_time(&item, LOCKED_UNTIL)? })
    }

    /// Locks the address that a counter of failures stands for.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn lock(&self, limit: &LimitKey, until: Timestamp, kept: Duration) -> Result<(), StoreError> {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(limit_key(limit)))
            .update_expression("SET locked_until = :until, expires_at = :expires")
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":expires", time(until + kept))
            .send()
            .await?;
        Ok(())
    }
}
