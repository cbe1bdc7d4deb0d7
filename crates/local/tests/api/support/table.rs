//! The table itself, past the service.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConsumedCapacity, Put, ReturnConsumedCapacity, TransactWriteItem,
};

use super::Service;

/// An item.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A client of its own.
pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub(crate) async fn of(service: &Service) -> Self {
        let client = service.stack.dynamodb();
        let tables = client.list_tables().send().await.expect("tables").table_names.unwrap_or_default();
        assert_eq!(tables.len(), 1, "{tables:?}");
        Self { client, name: tables[0].clone() }
    }

    /// Writes an item, such as one as it once was, as a restored backup does. Says how many units that took, as do the next two.
    pub(crate) async fn put(&self, item: &Item) -> f64 {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item.clone()));
        let answer =
            put.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.expect("a write");
        units(answer.consumed_capacity())
    }

    /// Writes an item as the only one of a transaction.
    pub(crate) async fn put_in_transaction(&self, item: &Item) -> f64 {
        let put = Put::builder().table_name(&self.name).set_item(Some(item.clone())).build().expect("a put");
        let transaction = self.client.transact_write_items();
        let transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        let asking = transaction.return_consumed_capacity(ReturnConsumedCapacity::Total);
        asking
            .send()
            .await
            .expect("a transaction")
            .consumed_capacity()
            .iter()
            .map(|one| units(Some(one)))
            .sum()
    }

    /// Reads an item.
    pub(crate) async fn get(&self, item: &Item, consistent: bool) -> f64 {
        let get = self.client.get_item().table_name(&self.name).set_key(Some(key(item)));
        let get = get.consistent_read(consistent).return_consumed_capacity(ReturnConsumedCapacity::Total);
        units(get.send().await.expect("a read").consumed_capacity())
    }

    /// Deletes an item, as the time to live does.
    pub(crate) async fn delete(&self, item: &Item) {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key(item)));
        delete.send().await.expect("a deletion");
    }

    /// Every item.
    pub(crate) async fn items(&self) -> Vec<Item> {
        let pages =
            self.client.scan().table_name(&self.name).consistent_read(true).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.expect("a scan")
    }

    /// The items whose sort key begins with `prefix`.
    pub(crate) async fn items_of(&self, prefix: &str) -> Vec<Item> {
        self.items().await.into_iter().filter(|item| text(item, "sk").starts_with(prefix)).collect()
    }

    /// The items of one partition key.
    pub(crate) async fn partition(&self, key: &str) -> Vec<Item> {
        let query = self.client.query().table_name(&self.name).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(key.to_owned()));
        query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.expect("a query")
    }

    /// Writes one text attribute, as an operator would.
    pub(crate) async fn set(&self, item: &Item, attribute: &str, value: &str) {
        self.client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key(item)))
            .update_expression("SET #a = :v")
            .expression_attribute_names("#a", attribute)
            .expression_attribute_values(":v", AttributeValue::S(value.to_owned()))
            .send()
            .await
            .expect("an update");
    }
}

fn key(item: &Item) -> Item {
    ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone())).into()
}

fn units(consumed: Option<&ConsumedCapacity>) -> f64 {
    consumed.and_then(ConsumedCapacity::capacity_units).expect("it was asked for")
}

/// A text attribute, or nothing.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// A number, or zero.
pub(crate) fn number(item: &Item, name: &str) -> u64 {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}
