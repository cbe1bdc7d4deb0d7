//! Sessions in the table.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{
    Item, number, optional_text, optional_time, put_optional, read_number, read_text, read_time, text, time,
};
use super::schema::{
    ABSOLUTE_ENDS_AT, CREATED_AT, CREATED_IP, CREATED_USER_AGENT, EXPIRES_AT, GENERATION, IDEMPOTENCY_DIGEST,
    IDLE_ENDS_AT, LAST_IP, LAST_USED_AT, LAST_USER_AGENT, REVOKED_AT, REVOKED_REASON, ROTATED_AT,
    SESSION_PREFIX, SK, session_key, user_partition,
};
use super::{Store, StoreError};
use crate::client::Client;
use crate::config::{Rotation, SessionConfig};
use crate::session::rotation::Presented;
use crate::session::{Generation, IdempotencyDigest, Revocation, RevocationReason, Session, SessionId};
use crate::user::UserId;

/// A rotation to be tried.
#[derive(Clone, Debug)]
pub struct Rotate<'a> {
    /// Whose session.
    pub user: &'a UserId,
    /// Which session.
    pub sid: &'a SessionId,
    /// The refresh token that was presented.
    pub presented: &'a Presented,
    /// By whom.
    pub client: &'a Client,
    /// How long sessions live.
    pub config: &'a SessionConfig,
}

/// What became of a rotation.
#[derive(Clone, Debug)]
pub enum Rotated {
    /// It was done; the state after it.
    Done(Session),
    /// It was not, and nothing has changed; the state that refused it.
    Refused(Session),
    /// There is no such session.
    Unknown,
}

/// What became of a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// The session has been ended by this request.
    Now,
    /// There was no such session, or it had been ended before.
    NotLive,
}

impl Store {
    /// The session `sid` of `user`, with every write that was answered before (a strongly consistent read).
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn session(&self, user: &UserId, sid: &SessionId) -> Result<Option<Session>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(session_key(user, sid)))
            .consistent_read(true)
            .send()
            .await?;
        answer.item.map(|item| decode(user, sid, &item)).transpose()
    }

    /// Writes a new session.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn put_session(&self, session: &Session, retention: Duration) -> Result<(), StoreError> {
        let item = encode(session, retention);
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Moves a session to its next generation, in one conditional write: the condition is the first row of the table in
    /// [`crate::session::rotation`]. Without rotation the session is only marked as used.
    ///
    /// # Errors
    ///
    /// If the table gives no answer. The write may have been applied all the same; trying again is safe, as a rotation
    /// that has been done is answered with its successor.
    pub async fn rotate(&self, rotate: &Rotate<'_>) -> Result<Rotated, StoreError> {
        let now = rotate.presented.at;
        let idle_ends_at = now + rotate.config.idle_lifetime;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(rotate.user, rotate.sid)))
            .update_expression(rotation_update(rotate))
            .condition_expression(
                "generation = :presented AND attribute_not_exists(revoked_at) \
                 AND idle_ends_at > :now AND absolute_ends_at > :now",
            )
            .expression_attribute_values(":presented", number(rotate.presented.generation.number()))
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":idle", time(idle_ends_at))
            .expression_attribute_values(":expires", time(idle_ends_at + rotate.config.retention))
            .expression_attribute_values(":ip", text(&rotate.client.ip))
            .expression_attribute_values(":agent", text(&rotate.client.user_agent))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let request = match rotate.config.rotation {
            Rotation::Off => request,
            Rotation::On => {
                let next = rotate.presented.generation.next();
                let request = request.expression_attribute_values(":next", number(next.number()));
                match &rotate.presented.idempotency {
                    Some(digest) => request.expression_attribute_values(":digest", text(digest.as_str())),
                    None => request,
                }
            }
        };
        let state = |item: &Item| decode(rotate.user, rotate.sid, item);
        match request.send().await {
            Ok(answer) => {
                let item = answer.attributes.ok_or(StoreError::Unreadable(GENERATION))?;
                state(&item).map(Rotated::Done)
            }
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(None) => Ok(Rotated::Unknown),
                Some(Some(item)) => state(item).map(Rotated::Refused),
            },
        }
    }

    /// Ends a session, unless it has been ended before: the first reason stays.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn revoke(
        &self,
        user: &UserId,
        sid: &SessionId,
        revocation: Revocation,
    ) -> Result<Revoked, StoreError> {
        let result = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(user, sid)))
            .update_expression("SET revoked_at = :at, revoked_reason = :reason")
            .condition_expression("attribute_exists(generation) AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":at", time(revocation.at))
            .expression_attribute_values(":reason", text(revocation.reason.as_str()))
            .send()
            .await;
        match result {
            Ok(_) => Ok(Revoked::Now),
            Err(error) if refused_by(&error).is_some() => Ok(Revoked::NotLive),
            Err(error) => Err(error.into()),
        }
    }

    /// Every session of `user` that the table holds and nobody has ended, whether or not its time is over.
    ///
    /// # Errors
    ///
    /// If the table gives no answer.
    pub async fn unrevoked_sessions(&self, user: &UserId) -> Result<Vec<Session>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :user AND begins_with(sk, :session)")
            .filter_expression("attribute_not_exists(revoked_at)")
            .expression_attribute_values(":user", text(user_partition(user)))
            .expression_attribute_values(":session", text(SESSION_PREFIX))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut sessions = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item?;
            let sk = read_text(&item, SK)?;
            let sid = sk.strip_prefix(SESSION_PREFIX).and_then(|sid| SessionId::parse(sid).ok());
            sessions.push(decode(user, &sid.ok_or(StoreError::Unreadable(SK))?, &item)?);
        }
        Ok(sessions)
    }
}

/// The item that a failed condition brought back: `None` if the error is another one.
fn refused_by<R>(error: &SdkError<UpdateItemError, R>) -> Option<Option<&Item>> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => Some(refusal.item()),
        _ => None,
    }
}

fn rotation_update(rotate: &Rotate<'_>) -> String {
    const USED: &str = "SET idle_ends_at = :idle, expires_at = :expires, last_used_at = :now, last_ip = :ip, \
                        last_user_agent = :agent";
    match (rotate.config.rotation, &rotate.presented.idempotency) {
        (Rotation::Off, _) => USED.to_owned(),
        (Rotation::On, Some(_)) => {
            format!("{USED}, generation = :next, rotated_at = :now, idempotency_digest = :digest")
        }
        (Rotation::On, None) => {
            format!("{USED}, generation = :next, rotated_at = :now REMOVE idempotency_digest")
        }
    }
}

/// The item of a new session. It outlives the session by `retention`: what is reused is recognised against it.
pub(super) fn encode(session: &Session, retention: Duration) -> Item {
    let mut item = session_key(&session.user, &session.id);
    let mut put = |name: &str, value| item.insert(name.to_owned(), value);
    put(GENERATION, number(session.generation.number()));
    put(ROTATED_AT, time(session.rotated_at));
    put(CREATED_AT, time(session.created_at));
    put(IDLE_ENDS_AT, time(session.idle_ends_at));
    put(ABSOLUTE_ENDS_AT, time(session.absolute_ends_at));
    put(CREATED_IP, text(&session.created_by.ip));
    put(CREATED_USER_AGENT, text(&session.created_by.user_agent));
    put(LAST_USED_AT, time(session.last_used_at));
    put(LAST_IP, text(&session.last_used_by.ip));
    put(LAST_USER_AGENT, text(&session.last_used_by.user_agent));
    put(EXPIRES_AT, time(session.idle_ends_at + retention));
    let digest = session.idempotency.as_ref().map(|digest| digest.as_str().to_owned());
    put_optional(&mut item, IDEMPOTENCY_DIGEST, digest.as_ref());
    item
}

fn decode(user: &UserId, sid: &SessionId, item: &Item) -> Result<Session, StoreError> {
    let client =
        |ip, agent| Ok::<_, StoreError>(Client::new(&read_text(item, ip)?, &read_text(item, agent)?, ""));
    let revoked = optional_time(item, REVOKED_AT)?.map(|at| {
        let reason = optional_text(item, REVOKED_REASON).ok().flatten().unwrap_or_default();
        Revocation { at, reason: RevocationReason::parse(&reason) }
    });
    Ok(Session {
        user: user.clone(),
        id: sid.clone(),
        generation: Generation::from_number(read_number(item, GENERATION)?),
        rotated_at: read_time(item, ROTATED_AT)?,
        idempotency: optional_text(item, IDEMPOTENCY_DIGEST)?.as_deref().map(IdempotencyDigest::from_stored),
        created_at: read_time(item, CREATED_AT)?,
        idle_ends_at: read_time(item, IDLE_ENDS_AT)?,
        absolute_ends_at: read_time(item, ABSOLUTE_ENDS_AT)?,
        revoked,
        created_by: client(CREATED_IP, CREATED_USER_AGENT)?,
        last_used_at: read_time(item, LAST_USED_AT)?,
        last_used_by: client(LAST_IP, LAST_USER_AGENT)?,
    })
}
