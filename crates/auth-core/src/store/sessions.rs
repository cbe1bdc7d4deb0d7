//! Sessions in the table.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::item::{Item, read_text, read_time, text, time};
use super::schema::{
    ABSOLUTE_ENDS_AT, IDLE_ENDS_AT, REVOKED_BY, SESSION_PREFIX, SK, session_key, user_partition,
};
use super::session_item::{decode, encode};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::session::{Revocation, Session, SessionId};
use crate::user::UserId;

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The session has been ended by this request.
    Now,
    /// There was no such session, or it had been ended before.
    NotLive,
}

/// A session that nobody has ended, and when it ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unrevoked {
    /// Which.
    pub id: SessionId,
    /// The sooner of its two ends.
    pub ends_at: Timestamp,
}

/// Where a page of sessions begins.
#[derive(Clone, Debug)]
pub struct PageStart(Item);

impl Store {
    /// The session `sid` of `user`, with every write that was answered before (a strongly consistent read).
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn session(&self, user: &UserId, sid: &SessionId) -> Result<Option<Session>, StoreError> {
        let item = self.get(session_key(user, sid)).await?;
        item.map(|item| decode(user, sid, &item)).transpose()
    }

    /// Writes a new session, to be kept until `kept_until`, and returns it. If it is there, an earlier try of the SDK's or an earlier
    /// request of the same password change has written it; by now it may have been refreshed or ended, which stays, and it is
    /// returned as it is stored.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn put_session(&self, session: Session, kept_until: Timestamp) -> Result<Session, StoreError> {
        let item = encode(&session, kept_until);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = request
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(session),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => match refusal.item() {
                    Some(stored) => decode(&session.user, &session.id, stored),
                    None => Err(StoreError::incomplete()),
                },
                _ => Err(error.into()),
            },
        }
    }

    /// Ends a session in an invocation, unless it has been ended before: the first reason stays. A write that landed
    /// and whose answer was lost is tried again by the SDK, within one invocation, and counts as this one's.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn revoke(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
        invocation_id: &str,
    ) -> Result<Revoked, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(user, sid)))
            .update_expression("SET revoked_at = :at, revoked_reason = :reason, revoked_by = :by")
            .condition_expression("attribute_exists(generation) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":at", time(revocation.at))
            .expression_attribute_values(":reason", text(revocation.reason.as_str()))
            .expression_attribute_values(":by", text(invocation_id))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(_) => Ok(Revoked::Now),
            Err(error) if was_done_by(&error, REVOKED_BY, invocation_id) => Ok(Revoked::Now),
            Err(error) if refused_by(&error).is_some() => Ok(Revoked::NotLive),
            Err(error) => Err(error.into()),
        }
    }

    /// The sessions of `user` that nobody has ended, whether or not their time is over. One that cannot be read is left out
    /// and logged: it would otherwise hide all the others.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn sessions(&self, user: &UserId) -> Result<Vec<Session>, StoreError> {
        Self::read_sessions(user, self.unrevoked(user)).await
    }

    /// As [`Store::sessions`], and those that were ended, too, as long as their records are kept.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn session_history(&self, user: &UserId) -> Result<Vec<Session>, StoreError> {
        Self::read_sessions(user, self.recorded(user)).await
    }

    async fn read_sessions(user: &UserId, query: QueryFluentBuilder) -> Result<Vec<Session>, StoreError> {
        let mut pages = query.into_paginator().items().send();
        let mut sessions = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item?;
            match session_id(&item).and_then(|sid| decode(user, &sid, &item)) {
                Ok(session) => sessions.push(session),
                Err(error) => tracing::error!(%user, %error, "a session cannot be read"),
            }
        }
        Ok(sessions)
    }

    /// A page of the sessions that nobody has ended, no more of each than it takes to end it, and where the next page begins. One
    /// that cannot be read counts as one that never ends.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn unrevoked_page(
        &self,
        user: &UserId,
        from: Option<PageStart>,
    ) -> Result<(Vec<Unrevoked>, Option<PageStart>), StoreError> {
        let query = self.unrevoked(user).projection_expression("sk, idle_ends_at, absolute_ends_at");
        let page = query.set_exclusive_start_key(from.map(|PageStart(key)| key)).send().await?;
        let mut sessions = Vec::new();
        for item in page.items() {
            let end = |name| read_time(item, name).unwrap_or(Timestamp::from_epoch_seconds(u64::MAX));
            let ends_at = end(IDLE_ENDS_AT).min(end(ABSOLUTE_ENDS_AT));
            sessions.push(Unrevoked { id: session_id(item)?, ends_at });
        }
        Ok((sessions, page.last_evaluated_key.map(PageStart)))
    }

    fn unrevoked(&self, user: &UserId) -> QueryFluentBuilder {
        self.recorded(user).filter_expression("attribute_not_exists(revoked_at)")
    }

    pub(super) fn recorded(&self, user: &UserId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :user AND begins_with(sk, :session)")
            .expression_attribute_values(":user", text(user_partition(user)))
            .expression_attribute_values(":session", text(SESSION_PREFIX))
            .consistent_read(true)
    }
}

fn session_id(item: &Item) -> Result<SessionId, StoreError> {
    let sk = read_text(item, SK)?;
    let sid = sk.strip_prefix(SESSION_PREFIX).and_then(|sid| SessionId::parse(sid).ok());
    sid.ok_or(StoreError::Unreadable(SK))
}

/// Whether what was refused had been done by this very invocation: the item that the refusal brought back says so.
pub(super) fn was_done_by<R>(
    error: &SdkError<UpdateItemError, R>,
    attribute: &'static str,
    invocation_id: &str,
) -> bool {
    let item = refused_by(error).flatten();
    let by = item.and_then(|item| read_text(item, attribute).ok());
    !invocation_id.is_empty() && by.is_some_and(|by| by == invocation_id)
}

/// The item that a failed condition brought back: `None` if the error is another one.
pub(super) fn refused_by<R>(error: &SdkError<UpdateItemError, R>) -> Option<Option<&Item>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => Some(refusal.item()),
        _ => None,
    }
}
