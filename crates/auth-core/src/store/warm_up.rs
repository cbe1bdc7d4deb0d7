//! The first connection to the table, opened while a function starts.
//!
//! A Lambda function has a full CPU while it starts and a fraction of one afterwards, so the first request need not wait for the
//! handshake. What opens the connection is a request that the function's policy allows: any other would open it as well, and
//! leave a refusal in the account's trail at every start. It is one method each, so that a function links the one that it calls.
//!
//! A failure is no matter: the first request then connects by itself and reports what is wrong.

use super::schema::{PK, limit_key};
use super::sessions::refused_by;
use super::{Store, StoreError};
use crate::limits::LimitKey;

impl Store {
    /// Opens a connection: reads an item that does not exist.
    pub async fn connect_by_get_item(&self) {
        report(self.get(limit_key(&LimitKey::none())).await.map(drop));
    }

    /// Opens a connection: reads a partition that does not exist.
    pub async fn connect_by_query(&self) {
        let partition = limit_key(&LimitKey::none()).remove(PK).map(|value| (":pk".to_owned(), value));
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let request = request.set_expression_attribute_values(Some(partition.into_iter().collect()));
        report(request.send().await.map(drop).map_err(StoreError::from));
    }

    /// Opens a connection: changes an item that does not exist, if it exists.
    pub async fn connect_by_update_item(&self) {
        let request = self.client.update_item().table_name(&self.table);
        let request = request.set_key(Some(limit_key(&LimitKey::none())));
        let request = request.update_expression("REMOVE hits").condition_expression("attribute_exists(pk)");
        report(match request.send().await {
            Err(error) if refused_by(&error).is_none() => Err(error.into()),
            _ => Ok(()),
        });
    }
}

fn report(answer: Result<(), StoreError>) {
    if let Err(error) = answer {
        tracing::warn!(%error, "no connection while starting");
    }
}
