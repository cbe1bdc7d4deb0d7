//! Sessions in the table.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{Item, read_text, read_time, text, time};
use super::live::indexed_id;
use super::schema::{
    ABSOLUTE_ENDS_AT, IDLE_ENDS_AT, INDEXED_RECORDS, REVOKED_BY, SESSION_PREFIX, SK, session_key,
    user_partition,
};
use super::session_item::{decode, encode};
use super::{Indexed, Store, StoreError};
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

/// What became of a revocation, and the record before it.
enum Ending {
    Done(Item),
    Before,
    Unknown,
}

/// Where a page of the sessions that nobody has revoked begins: those of the index come first, then those of the first edition.
#[derive(Clone, Debug)]
pub enum PageStart {
    /// In the index.
    Index(Option<Item>),
    /// Among the records of the first edition.
    FirstEdition(Option<Item>),
}

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

    /// Writes a new session and its item of the index, the record to be kept until `kept_until`, and returns it. If it is there, an earlier try of the SDK's or an earlier
    /// request of the same password change has written it; by now it may have been refreshed or ended, which stays, and it is
    /// returned as it is stored.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn put_session(&self, session: Session, kept_until: Timestamp) -> Result<Session, StoreError> {
        let (stored, indexed) = tokio::join!(self.put_record(&session, kept_until), self.put_live(&session));
        indexed?;
        Ok(stored?.unwrap_or(session))
    }

    /// The record as it is stored, if it is there already.
    async fn put_record(
        &self,
        session: &Session,
        kept_until: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let item = encode(session, kept_until);
        let request = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let request = request
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match request.send().await {
            Ok(_) => Ok(None),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => match refusal.item() {
                    Some(stored) => decode(&session.user, &session.id, stored).map(Some),
                    None => Err(StoreError::incomplete()),
                },
                _ => Err(error.into()),
            },
        }
    }

    /// Revokes a session in an invocation, unless it has been revoked before: the first reason stays. A write that landed
    /// and whose answer was lost is tried again by the SDK, within one invocation, and counts as this one's. The session leaves the
    /// index after that; if that fails, a stale item is left.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn revoke(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
        invocation_id: &str,
    ) -> Result<Revoked, StoreError> {
        let ends_at = self.end(user, sid, revocation, invocation_id).await?;
        Ok(if ends_at.is_some() { Revoked::Now } else { Revoked::NotLive })
    }

    /// As [`Store::revoke`]. If this has revoked the session, returns when it would have ended by itself.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn end(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
        invocation_id: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (ended, known) = match self.end_record(user, sid, revocation, invocation_id).await? {
            Ending::Done(before) => (Some(end_of(&before)), true),
            Ending::Before => (None, true),
            // A login that is under way may still write it.
            Ending::Unknown => (None, false),
        };
        if known
            && sid.is_indexed()
            && let Err(error) = self.delete_live(user, sid).await
        {
            tracing::warn!(%error, "a revoked session is left in the index");
        }
        Ok(ended)
    }

    /// As [`Store::revoke`], but leaves the session in the index, for functions that may not delete anything: the item is stale, and
    /// deleted when it is met.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn revoke_record(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
        invocation_id: &str,
    ) -> Result<(), StoreError> {
        self.end_record(user, sid, revocation, invocation_id).await.map(drop)
    }

    async fn end_record(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
        invocation_id: &str,
    ) -> Result<Ending, StoreError> {
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
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(answer) => Ok(Ending::Done(answer.attributes.unwrap_or_default())),
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(None) => Ok(Ending::Unknown),
                Some(Some(item)) if was_done_by(&error, REVOKED_BY, invocation_id) => {
                    Ok(Ending::Done(item.clone()))
                }
                Some(Some(_)) => Ok(Ending::Before),
            },
        }
    }

    /// The sessions of `user` that nobody has revoked, whether or not their time is over, and the index items that have none. A
    /// session that cannot be read is left out and logged: it would otherwise hide all the others.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn sessions(&self, user: &UserId) -> Result<(Vec<Session>, Vec<Indexed>), StoreError> {
        let (indexed, first_edition) =
            tokio::join!(self.indexed(user), Self::read_sessions(user, self.first_edition(user)));
        let (indexed, mut sessions) = (indexed?, first_edition?);
        let sids: Vec<_> = indexed.iter().map(|item| item.id.clone()).collect();
        sessions.extend(self.records(user, &sids).await?);
        Ok((sessions, indexed))
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
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item?);
        }
        Ok(Self::readable(user, items))
    }

    /// A page of the sessions that nobody has revoked, whether or not their time is over, and where the next page begins. An item of
    /// the index may be stale.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable.
    pub async fn live_page(
        &self,
        user: &UserId,
        from: PageStart,
    ) -> Result<(Vec<SessionId>, Option<PageStart>), StoreError> {
        match from {
            PageStart::Index(key) => {
                let page = self.index(user).set_exclusive_start_key(key).send().await?;
                let sids = page.items().iter().map(indexed_id).collect::<Result<_, _>>()?;
                let next = match page.last_evaluated_key {
                    None => PageStart::FirstEdition(None),
                    key => PageStart::Index(key),
                };
                Ok((sids, Some(next)))
            }
            PageStart::FirstEdition(key) => {
                let query = self.first_edition(user).projection_expression("sk");
                let page = query.set_exclusive_start_key(key).send().await?;
                let sids = page.items().iter().map(session_id).collect::<Result<_, _>>()?;
                Ok((sids, page.last_evaluated_key.map(|key| PageStart::FirstEdition(Some(key)))))
            }
        }
    }

    /// Sessions without an item of the index.
    pub(super) fn first_edition(&self, user: &UserId) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :user AND sk BETWEEN :first AND :indexed")
            .filter_expression("attribute_not_exists(revoked_at)")
            .expression_attribute_values(":user", text(user_partition(user)))
            .expression_attribute_values(":first", text(SESSION_PREFIX))
            .expression_attribute_values(":indexed", text(INDEXED_RECORDS))
            .consistent_read(true)
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

/// The sooner of the two ends of a record. One that cannot be read counts as one that never ends.
fn end_of(record: &Item) -> Timestamp {
    let end = |name| read_time(record, name).unwrap_or(Timestamp::from_epoch_seconds(u64::MAX));
    end(IDLE_ENDS_AT).min(end(ABSOLUTE_ENDS_AT))
}

pub(super) fn session_id(item: &Item) -> Result<SessionId, StoreError> {
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
