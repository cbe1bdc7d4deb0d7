//! The first connection to the table, opened while a function starts.
//!
//! A Lambda function has a full CPU while it starts and a fraction of one afterwards, so the first request need not wait for the
//! handshake. What opens the connection is a request that the function's policy allows, for an item that the policy allows: any
//! other would open it as well, and leave a refusal in the account's trail at every start. It is one method each, so that a
//! function links the one that it calls.
//!
//! A failure is no matter: the first request then connects by itself and reports what is wrong.

use super::item::text;
use super::schema::{Key, no_credential_key, no_user_key, no_user_partition};
use super::sessions::refused_by;
use super::{Store, StoreError};

impl Store {
    /// Opens a connection: reads a user who does not exist.
    pub async fn connect_by_get_user(&self) {
        self.connect_by_get_item(no_user_key()).await;
    }

    /// Opens a connection: reads a credential that does not exist, for who may read nothing else.
    pub async fn connect_by_get_credential(&self) {
        self.connect_by_get_item(no_credential_key()).await;
    }

    /// Opens a connection: reads the sessions of a user who does not exist.
    pub async fn connect_by_query(&self) {
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :user");
        let request = request.expression_attribute_values(":user", text(no_user_partition()));
        report(request.send().await.map(drop).map_err(StoreError::from));
    }

    /// Opens a connection: changes a user who does not exist, if they exist.
    pub async fn connect_by_update_item(&self) {
        let request = self.client.update_item().table_name(&self.table).set_key(Some(no_user_key()));
        let request = request.update_expression("REMOVE hits").condition_expression("attribute_exists(pk)");
        report(match request.send().await {
            Err(error) if refused_by(&error).is_none() => Err(error.into()),
            _ => Ok(()),
        });
    }

    async fn connect_by_get_item(&self, key: Key) {
        report(self.get(key).await.map(drop));
    }
}

fn report(answer: Result<(), StoreError>) {
    if let Err(error) = answer {
        tracing::warn!(%error, "no connection while starting");
    }
}
