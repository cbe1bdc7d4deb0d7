//! The first connection to the table, opened while a function starts.

use super::item::Item;
use super::schema::{PK, limit_key};
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::limits::LimitKey;

/// The request that opens the connection: one that the function's policy allows. Any other would open it as well, and leave a
/// refusal in the account's trail at every start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WarmUp {
    /// Reads an item that does not exist.
    GetItem,
    /// Reads a partition that does not exist.
    Query,
    /// Changes an item that does not exist, if it exists.
    UpdateItem,
}

impl Store {
    /// Opens a connection, so that the first request need not wait for the handshake: a Lambda function has a full CPU while
    /// it starts and a fraction of one afterwards.
    ///
    /// A failure is no matter: the first request then connects by itself and reports what is wrong.
    pub async fn connect(&self, by: WarmUp) {
        let key = limit_key(&LimitKey::none());
        let answer = match by {
            WarmUp::GetItem => self.get(key).await.map(drop),
            WarmUp::Query => self.query_nothing(key).await,
            WarmUp::UpdateItem => self.update_nothing(key).await,
        };
        if let Err(error) = answer {
            tracing::debug!(%error, "no connection while starting");
        }
    }

    async fn query_nothing(&self, mut key: Item) -> Result<(), StoreError> {
        let partition = key.remove(PK).map(|value| (":pk".to_owned(), value));
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        request.set_expression_attribute_values(Some(partition.into_iter().collect())).send().await?;
        Ok(())
    }

    async fn update_nothing(&self, key: Item) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).set_key(Some(key));
        let request = request.update_expression("REMOVE hits").condition_expression("attribute_exists(pk)");
        match request.send().await {
            Err(error) if refused_by(&error).is_none() => Err(error.into()),
            _ => Ok(()),
        }
    }
}
