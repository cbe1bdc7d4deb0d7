//! The rotation of a session: one conditional write.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{number, text, time};
use super::schema::session_key;
use super::session_item::decode;
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::client::Client;
use crate::session::rotation::{Presented, Step};
use crate::session::{Session, SessionId};
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
    /// What to write.
    pub step: Step,
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

/// The first row of the table in [`crate::session::rotation`].
const CONDITION: &str = "generation = :presented AND attribute_not_exists(revoked_at) \
                         AND idle_ends_at > :now AND absolute_ends_at > :now";

/// What every use of a session writes.
const USED: &str = "SET idle_ends_at = :idle, expires_at = :kept, last_used_at = :now, last_ip = :ip, \
                    last_user_agent = :agent";

/// What a rotation removes: the repetitions of the one before.
const COUNT: &str = "retries, retries_of";

impl Store {
    /// Moves a session to its next generation if it is at the presented one and lives. A refusal brings the stored state
    /// back, so that either outcome is one request.
    ///
    /// # Errors
    ///
    /// If the table gives no answer. The write may have been applied all the same: who presents the same token again is
    /// answered with its successor, in the grace or with the same `Idempotency-Key`.
    pub async fn rotate(&self, rotate: &Rotate<'_>) -> Result<Rotated, StoreError> {
        match self.rotation(rotate).send().await {
            Ok(answer) => {
                let item = answer.attributes.ok_or_else(StoreError::incomplete)?;
                decode(rotate.user, rotate.sid, &item).map(Rotated::Done)
            }
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(None) => Ok(Rotated::Unknown),
                Some(Some(item)) => decode(rotate.user, rotate.sid, item).map(Rotated::Refused),
            },
        }
    }

    fn rotation(&self, rotate: &Rotate<'_>) -> UpdateItemFluentBuilder {
        let (presented, step) = (rotate.presented, rotate.step);
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(rotate.user, rotate.sid)))
            .condition_expression(CONDITION)
            .expression_attribute_values(":presented", number(presented.generation.number()))
            .expression_attribute_values(":now", time(presented.at))
            .expression_attribute_values(":idle", time(step.idle_ends_at))
            .expression_attribute_values(":kept", time(step.kept_until))
            .expression_attribute_values(":ip", text(&rotate.client.ip))
            .expression_attribute_values(":agent", text(&rotate.client.user_agent))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Some(next) = step.next else {
            return request.update_expression(USED);
        };
        let moved = format!("{USED}, generation = :next, rotated_at = :now, rotated_by = :by");
        let request = request
            .expression_attribute_values(":next", number(next.number()))
            .expression_attribute_values(":by", text(&presented.invocation_id));
        match &presented.idempotency {
            Some(digest) => request
                .update_expression(format!("{moved}, idempotency_digest = :digest REMOVE {COUNT}"))
                .expression_attribute_values(":digest", text(digest.as_str())),
            // The key of the rotation before says nothing about this one.
            None => request.update_expression(format!("{moved} REMOVE idempotency_digest, {COUNT}")),
        }
    }
}
