//! A table that was restored from a backup, put in place by `RestoredTableName`: what docs/operations.md says of sessions.

use std::path::Path;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};

use crate::support::table::{Item, Table};
use crate::support::{Service, tokens};

const RESTORED: &str = "latchkey-restored";

/// What `restore-table-to-point-in-time` leaves: a new table with the items of a moment.
async fn restore(client: &Client, items: Vec<Item>) {
    let mut request = client.create_table().table_name(RESTORED).billing_mode(BillingMode::PayPerRequest);
    for (name, role) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let element = KeySchemaElement::builder().attribute_name(name).key_type(role).build().expect("a key");
        let definition =
            AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        request =
            request.key_schema(element).attribute_definitions(definition.build().expect("an attribute"));
    }
    request.send().await.expect("a table");
    for item in items {
        client.put_item().table_name(RESTORED).set_item(Some(item)).send().await.expect("an item");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn generations_go_back_and_a_new_secret_ends_what_came_back() {
    let engine = Service::start(&[]).await;
    let endpoint = engine.stack.store_endpoint();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("restore-{}", std::process::id()));
    let before = Service::deploy(&[("SecretVersion", "old")], endpoint, &folder).await;
    let table = Table::of(&before).await;
    let first = before.signup("ada@example.com").await;
    let other = before.login("ada@example.com").await;
    let second = tokens(&before.refresh(&first.refresh).await.expect(200).body);
    let backup = table.items().await;
    let third = tokens(&before.refresh(&second.refresh).await.expect(200).body);
    let fourth = tokens(&before.refresh(&third.refresh).await.expect(200).body);
    before.logout(&other.refresh).await.expect(204);
    before.me(&other.access).await.expect(401);
    restore(&before.stack.dynamodb(), backup).await;

    let parameters = [("SecretVersion", "old"), ("RestoredTableName", RESTORED)];
    let after = Service::deploy(&parameters, endpoint, &folder).await;
    after.refresh(&fourth.refresh).await.expect(401);
    assert_eq!(after.audited("refresh_token_refused"), ["unknown_generation"]);
    assert_eq!(after.audited("refresh_token_reused"), Vec::<String>::new());
    after.me(&other.access).await.expect(200);
    after.refresh(&second.refresh).await.expect(200);

    let parameters = [("SecretVersion", "new"), ("RestoredTableName", RESTORED)];
    let renewed = Service::deploy(&parameters, endpoint, &folder).await;
    renewed.me(&other.access).await.expect(401);
    renewed.refresh(&second.refresh).await.expect(401);
    renewed.refresh(&other.refresh).await.expect(401);
    renewed.login("ada@example.com").await;
    std::fs::remove_dir_all(folder).expect("the folder of the test");
}
