//! Attribute values in and out of an item.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::StoreError;
use crate::clock::Timestamp;

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn time(value: Timestamp) -> AttributeValue {
    number(value.epoch_seconds())
}

/// Puts a text that may be missing.
pub(super) fn put_optional(item: &mut Item, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        item.insert(name.to_owned(), text(value));
    }
}

pub(super) fn optional_text(item: &Item, name: &'static str) -> Result<Option<String>, StoreError> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::S(value)) => Ok(Some(value.clone())),
        Some(_) => Err(StoreError::Unreadable(name)),
    }
}

pub(super) fn read_text(item: &Item, name: &'static str) -> Result<String, StoreError> {
    optional_text(item, name)?.ok_or(StoreError::Unreadable(name))
}

pub(super) fn optional_number(item: &Item, name: &'static str) -> Result<Option<u64>, StoreError> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(value)) => value.parse().map(Some).map_err(|_| StoreError::Unreadable(name)),
        Some(_) => Err(StoreError::Unreadable(name)),
    }
}

pub(super) fn read_number(item: &Item, name: &'static str) -> Result<u64, StoreError> {
    optional_number(item, name)?.ok_or(StoreError::Unreadable(name))
}

pub(super) fn optional_time(item: &Item, name: &'static str) -> Result<Option<Timestamp>, StoreError> {
    Ok(optional_number(item, name)?.map(Timestamp::from_epoch_seconds))
}

pub(super) fn read_time(item: &Item, name: &'static str) -> Result<Timestamp, StoreError> {
    read_number(item, name).map(Timestamp::from_epoch_seconds)
}

/// The members of a set of texts, none if there is no such attribute.
pub(super) fn optional_texts(item: &Item, name: &'static str) -> Result<Vec<String>, StoreError> {
    match item.get(name) {
        None => Ok(Vec::new()),
        Some(AttributeValue::Ss(values)) => Ok(values.clone()),
        Some(_) => Err(StoreError::Unreadable(name)),
    }
}

pub(super) fn read_flag(item: &Item, name: &'static str) -> Result<bool, StoreError> {
    match item.get(name) {
        Some(AttributeValue::Bool(value)) => Ok(*value),
        _ => Err(StoreError::Unreadable(name)),
    }
}
