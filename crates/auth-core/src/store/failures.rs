//! Consecutive failures of an address, and the lock that follows from them.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{number, optional_time, read_number, text, time};
use super::schema::{EXPIRES_AT, HITS, LOCKED_BY, LOCKED_UNTIL, limit_key};
use super::sessions::{refused_by, was_done_by};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::limits::LimitKey;

/// The consecutive failures of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Streak {
    /// Nothing since the last success.
    None,
    /// So long ago that it is forgotten: the counter is to be cleared before the next failure is counted.
    Stale,
    /// Some failures.
    Running,
    /// The address is locked.
    Locked {
        /// Until then.
        until: Timestamp,
    },
}

/// What became of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locked {
    /// It was set by this request.
    Now,
    /// Another request has set it.
    Already,
}

impl Store {
    /// Adds one to the failures and returns their number.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn count_failure(&self, failures: &LimitKey, expires_at: Timestamp) -> Result<u64, StoreError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(limit_key(failures)))
            .update_expression("ADD hits :one SET expires_at = :expires")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":expires", time(expires_at))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await?;
        read_number(&answer.attributes.ok_or_else(StoreError::incomplete)?, HITS)
    }

    /// Deletes a counter.
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
        let Some(item) = self.get(limit_key(limit)).await? else {
            return Ok(Streak::None);
        };
        if optional_time(&item, EXPIRES_AT)?.is_none_or(|expires_at| expires_at <= now) {
            return Ok(Streak::Stale);
        }
        Ok(match optional_time(&item, LOCKED_UNTIL)?.filter(|until| *until > now) {
            Some(until) => Streak::Locked { until },
            None => Streak::Running,
        })
    }

    /// Locks the address that a counter of failures stands for and starts the row anew, if the row has grown to `failures`.
    /// Of two callers who find that it has, one locks. A write that landed and whose answer was lost is tried again by the
    /// SDK, within one invocation, and counts as this one's.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn lock(
        &self,
        limit: &LimitKey,
        failures: u64,
        until: Timestamp,
        invocation_id: &str,
    ) -> Result<Locked, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(limit_key(limit)))
            .update_expression("SET locked_until = :until, locked_by = :by, hits = :none")
            .condition_expression("hits >= :failures")
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":by", text(invocation_id))
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":failures", number(failures))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(_) => Ok(Locked::Now),
            Err(error) if was_done_by(&error, LOCKED_BY, invocation_id) => Ok(Locked::Now),
            Err(error) if refused_by(&error).is_some() => Ok(Locked::Already),
            Err(error) => Err(error.into()),
        }
    }
}
