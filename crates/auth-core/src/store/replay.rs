//! The count of a session's repeated rotations: one conditional write.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item::{number, text, time};
use super::schema::session_key;
use super::session_item::decode;
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::client::Client;
use crate::session::rotation::Presented;
use crate::session::{RetryMark, Session};

/// A repetition to be counted.
#[derive(Clone, Debug)]
pub struct CountReplay<'a> {
    /// The session as it was when the repetition was judged.
    pub session: &'a Session,
    /// The refresh token that was presented.
    pub presented: &'a Presented,
    /// The client that presented it.
    pub client: &'a Client,
    /// How many repetitions of a rotation may be counted.
    pub limit: u32,
}

/// The outcome of a count.
#[derive(Clone, Debug)]
pub enum ReplayCounted {
    /// The repetition is counted; the state after it.
    Done(Session),
    /// It is not, and nothing has changed; the state that refused it.
    Refused(Session),
    /// There is no such session.
    Unknown,
}

const CONDITION: &str = "generation = :generation AND attribute_not_exists(revoked_at)";

/// The first repetition of a rotation. Whatever an earlier generation has left behind is replaced.
const IS_FIRST: &str = "(attribute_not_exists(retries_of) OR retries_of <> :generation)";

/// Another repetition, unless there have been too many: there is a set of this generation already. The second try of a write that landed adds nothing to the set, or is
/// refused by a set that is full and has its mark.
const HAS_ROOM: &str = "size(retries) < :limit";

/// What every counted repetition writes.
const REPLAYED: &str = "SET replayed_at = :now, replay_ip = :ip, replay_user_agent = :agent";

impl Store {
    /// Counts a repetition of a session's last rotation if the session is still at that generation, is not revoked, and fewer than
    /// the limit were counted. A refusal brings the stored state back.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable. The write may have been applied: whoever presents the token again is counted once more.
    pub async fn count_replay(&self, count: &CountReplay<'_>) -> Result<ReplayCounted, StoreError> {
        let Session { user, id, .. } = count.session;
        let Some(mark) = RetryMark::of(&count.presented.invocation_id) else {
            return Ok(ReplayCounted::Refused(count.session.clone()));
        };
        match self.replay_count(count, &mark).send().await {
            Ok(answer) => {
                let item = answer.attributes.ok_or_else(StoreError::incomplete)?;
                decode(user, id, &item).map(ReplayCounted::Done)
            }
            Err(error) => match refused_by(&error) {
                None => Err(error.into()),
                Some(None) => Ok(ReplayCounted::Unknown),
                Some(Some(item)) => decode(user, id, item).map(ReplayCounted::Refused),
            },
        }
    }

    fn replay_count(&self, count: &CountReplay<'_>, mark: &RetryMark) -> UpdateItemFluentBuilder {
        let session = count.session;
        let request = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(session_key(&session.user, &session.id)))
            .expression_attribute_values(":generation", number(session.generation.number()))
            .expression_attribute_values(":mine", AttributeValue::Ss(vec![mark.as_str().to_owned()]))
            .expression_attribute_values(":now", time(count.presented.at))
            .expression_attribute_values(":ip", text(&count.client.ip))
            .expression_attribute_values(":agent", text(&count.client.user_agent))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if session.retries.is_empty() {
            return request
                .condition_expression(format!("{CONDITION} AND {IS_FIRST}"))
                .update_expression(format!("{REPLAYED}, retries = :mine, retries_of = :generation"));
        }
        request
            .condition_expression(format!("{CONDITION} AND {HAS_ROOM}"))
            .expression_attribute_values(":limit", number(count.limit.into()))
            .update_expression(format!("{REPLAYED} ADD retries :mine"))
    }
}
