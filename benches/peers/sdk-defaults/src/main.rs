//! The requests to the table of an authorizer, a refresh or a login, made as the SDK's documentation shows: everything by default,
//! no connection before the first request. A login checks a password as well, as argon2's documentation shows.

use argon2::{Argon2, PasswordVerifier, password_hash::phc::PasswordHash};
use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Call {
    like: String,
    user: String,
    session: String,
    credential: String,
    count: String,
    generation: u64,
    now: u64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let table = Table { client: Client::new(&config), name: std::env::var("TABLE_NAME")? };
    lambda_runtime::run(service_fn(|event: LambdaEvent<Call>| table.answer(event.payload))).await
}

struct Table {
    client: Client,
    name: String,
}

impl Table {
    async fn answer(&self, call: Call) -> Result<Value, Error> {
        match call.like.as_str() {
            "authorizer" => self.get(&call.user, &call.session).await?,
            "refresh" => {
                self.get(&call.user, "PROFILE").await?;
                self.rotate(&call).await?;
            }
            _ => self.login(&call).await?,
        }
        Ok(json!({ "done": true }))
    }

    async fn login(&self, call: &Call) -> Result<(), Error> {
        let (credential, streak, address, network) = tokio::join!(
            self.read(&call.credential, "CREDENTIAL"),
            self.read(&call.count, "STREAK"),
            self.count(&call.count, "ADDRESS"),
            self.count(&call.count, "NETWORK"),
        );
        (streak?, address?, network?);
        let hash = credential?.and_then(|item| item.get("password_hash")?.as_s().ok().cloned());
        let hash = hash.ok_or("no such credential")?;
        Argon2::default().verify_password(b"plum-kettle-orbit-4172", &PasswordHash::new(&hash)?)?;
        let (session, user, cleared) = tokio::join!(
            self.put_session(call),
            self.get(&call.user, "PROFILE"),
            self.delete(&call.count, "ADDRESS"),
        );
        (session?, user?, cleared?);
        Ok(())
    }

    async fn read(
        &self,
        pk: &str,
        sk: &str,
    ) -> Result<Option<std::collections::HashMap<String, AttributeValue>>, Error> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        Ok(request.key("pk", text(pk)).key("sk", text(sk)).send().await?.item)
    }

    async fn get(&self, pk: &str, sk: &str) -> Result<(), Error> {
        self.read(pk, sk).await?.map(drop).ok_or_else(|| format!("there is no {pk} {sk}").into())
    }

    async fn count(&self, pk: &str, sk: &str) -> Result<(), Error> {
        let request = self.client.update_item().table_name(&self.name);
        let request = request.key("pk", text(pk)).key("sk", text(sk)).update_expression("ADD hits :one");
        request.expression_attribute_values(":one", number(1)).send().await?;
        Ok(())
    }

    async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        let request = self.client.delete_item().table_name(&self.name);
        request.key("pk", text(pk)).key("sk", text(sk)).send().await?;
        Ok(())
    }

    async fn put_session(&self, call: &Call) -> Result<(), Error> {
        let request = self.client.put_item().table_name(&self.name);
        request
            .item("pk", text(&call.user))
            .item("sk", text(&format!("{}-{}", call.session, call.now)))
            .item("generation", number(0))
            .item("created_at", number(call.now))
            .item("expires_at", number(call.now + 5_184_000))
            .send()
            .await?;
        Ok(())
    }

    async fn rotate(&self, call: &Call) -> Result<(), Error> {
        let request = self.client.update_item().table_name(&self.name);
        request
            .key("pk", text(&call.user))
            .key("sk", text(&call.session))
            .condition_expression("generation = :presented AND idle_ends_at > :now")
            .update_expression("SET generation = :next, rotated_at = :now, last_used_at = :now")
            .expression_attribute_values(":presented", number(call.generation))
            .expression_attribute_values(":next", number(call.generation + 1))
            .expression_attribute_values(":now", number(call.now))
            .send()
            .await?;
        Ok(())
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
