//! Counters of the sliding window: each hit is judged and counted by one conditional update.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::item::{Item, number, read_number, text, time};
use super::schema::{COUNTED_BY, HITS, SLOT_PREFIX, limit_key};
use super::sessions::{refused_by, was_done_by};
use super::{Store, StoreError};
use crate::clock::Timestamp;
use crate::limits::sliding_window::{Step, Tally, Verdict};
use crate::limits::{Counter, LimitKey};

/// Updates that are tried for one hit. The second knows the counter, and fails only if another request has changed it since.
const TRIES: usize = 6;

/// A hit that has been counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    key: LimitKey,
    slot: Timestamp,
}

/// The outcome of a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// The hit is counted.
    Hit(Hit),
    /// The limit is reached, and the hit is not counted.
    Full {
        /// When a hit may be counted again.
        until: Timestamp,
    },
}

impl Store {
    /// Counts a hit if the limit allows it. The first update does both; a second one follows if the counter holds expired hits.
    ///
    /// `by` names this hit of this invocation: the SDK tries an update whose answer was lost again, and the second try finds its
    /// own name. If another hit was counted in between, the second try counts again: never too few hits are counted.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable, or other requests change the counter all the time.
    pub async fn count(&self, counter: &Counter, now: Timestamp, by: &str) -> Result<Counted, StoreError> {
        let mut step = counter.limit.first_step(now);
        for _ in 0..TRIES {
            let hit = Hit { key: counter.key.clone(), slot: step.slot };
            let Err(error) = self.step(&counter.key, &step, by).send().await else {
                return Ok(Counted::Hit(hit));
            };
            if was_done_by(&error, COUNTED_BY, by) {
                return Ok(Counted::Hit(hit));
            }
            let Some(state) = refused_by(&error) else { return Err(error.into()) };
            match counter.limit.judge(&tally(state)?, now) {
                Verdict::Count(next) => step = next,
                Verdict::Full { until } => return Ok(Counted::Full { until }),
            }
        }
        Err(StoreError::Unavailable("a counter changes all the time".into()))
    }

    fn step(&self, key: &LimitKey, step: &Step, by: &str) -> UpdateItemFluentBuilder {
        let mut update =
            "ADD hits :change, #slot :one SET expires_at = :expires, counted_by = :by".to_owned();
        let mut condition = "(attribute_not_exists(hits) OR hits < :below)".to_owned();
        let mut request = self.client.update_item().table_name(&self.table).set_key(Some(limit_key(key)));
        if !by.is_empty() {
            condition += " AND (attribute_not_exists(counted_by) OR counted_by <> :by)";
        }
        for (at, (slot, hits)) in step.expired.iter().enumerate() {
            let (name, value) = (format!("#e{at}"), format!(":e{at}"));
            update.extend([if at == 0 { " REMOVE " } else { ", " }, &name]);
            condition.extend([" AND ", &name, " = ", &value]);
            request = request
                .expression_attribute_names(name, slot_name(*slot))
                .expression_attribute_values(value, number(*hits));
        }
        request
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_names("#slot", slot_name(step.slot))
            .expression_attribute_values(":change", difference(1, step.removed))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":below", number(step.below))
            .expression_attribute_values(":expires", time(step.expires_at))
            .expression_attribute_values(":by", text(by))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Takes a hit out of its counter. A hit that has expired since is gone already.
    ///
    /// # Errors
    ///
    /// If DynamoDB is unavailable. The hit then stays counted, or is taken out once: there is no second try, which could take out
    /// the hit of somebody else.
    pub async fn give_back(&self, hit: &Hit) -> Result<(), StoreError> {
        let mut only = true;
        for _ in 0..TRIES {
            let Err(error) = self.take_out(hit, only).await else { return Ok(()) };
            let Some(state) = refused_by(&error) else { return Err(error.into()) };
            match tally(state)?.slots.get(&hit.slot) {
                None | Some(0) => return Ok(()),
                Some(hits) => only = *hits == 1,
            }
        }
        Err(StoreError::Unavailable("a counter changes all the time".into()))
    }

    /// Takes out the `only` hit of its slot, and the slot with it, so that a counter does not grow by successes; or one of several.
    async fn take_out(&self, hit: &Hit, only: bool) -> Result<(), SdkError<UpdateItemError>> {
        let (update, condition) = if only {
            ("ADD hits :minus REMOVE #slot", "#slot = :one")
        } else {
            ("ADD hits :minus, #slot :minus", "#slot > :one")
        };
        let once = aws_sdk_dynamodb::Config::builder().retry_config(RetryConfig::disabled());
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(limit_key(&hit.key)))
            .update_expression(update)
            .condition_expression(condition)
            .expression_attribute_names("#slot", slot_name(hit.slot))
            .expression_attribute_values(":minus", difference(0, 1))
            .expression_attribute_values(":one", number(1))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .config_override(once)
            .send()
            .await
            .map(drop)
    }
}

/// `a - b` as a number, which may be negative.
fn difference(a: u64, b: u64) -> AttributeValue {
    if a >= b { number(a - b) } else { AttributeValue::N(format!("-{}", b - a)) }
}

fn slot_name(slot: Timestamp) -> String {
    format!("{SLOT_PREFIX}{slot}")
}

fn tally(state: Option<&Item>) -> Result<Tally, StoreError> {
    let Some(item) = state else { return Ok(Tally::default()) };
    let mut slots = BTreeMap::new();
    for (name, value) in item {
        let Some(slot) = name.strip_prefix(SLOT_PREFIX).and_then(|slot| slot.parse().ok()) else { continue };
        let hits = value.as_n().ok().and_then(|hits| hits.parse().ok());
        slots.insert(Timestamp::from_epoch_seconds(slot), hits.ok_or(StoreError::Unreadable("a slot"))?);
    }
    Ok(Tally { total: read_number(item, HITS)?, slots })
}
