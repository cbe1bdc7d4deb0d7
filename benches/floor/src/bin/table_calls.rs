//! The two requests to the table that a refresh makes, and nothing else of it: no token, no HTTP event, no audit line.
//!
//! The client is put together as in `auth_core::store`, and the connection is opened before the first invocation.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use aws_smithy_http_client::{Builder, tls};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};

/// A session and the generation that it is at.
#[derive(Deserialize)]
struct Rotation {
    user: String,
    session: String,
    generation: u64,
    now: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (client, table) = (client()?, environment("TABLE_NAME")?);
    let warm_up = client.get_item().table_name(&table).consistent_read(true);
    warm_up.key("pk", text("NOBODY")).key("sk", text("PROFILE")).send().await?;
    let (client, table) = (&client, &table);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Rotation>| {
        read(client, table, &event.payload).await?;
        rotate(client, table, &event.payload).await
    }))
    .await
}

async fn read(client: &Client, table: &str, rotation: &Rotation) -> Result<(), Error> {
    let user = client.get_item().table_name(table).consistent_read(true);
    let user = user.key("pk", text(&rotation.user)).key("sk", text("PROFILE")).send().await?;
    user.item.map(drop).ok_or_else(|| Error::from("no such user"))
}

async fn rotate(client: &Client, table: &str, rotation: &Rotation) -> Result<Value, Error> {
    let request = client
        .update_item()
        .table_name(table)
        .key("pk", text(&rotation.user))
        .key("sk", text(&rotation.session))
        .condition_expression(
            "generation = :presented AND attribute_not_exists(revoked_at) \
             AND idle_ends_at > :now AND absolute_ends_at > :now",
        )
        .update_expression(
            "SET idle_ends_at = :idle, expires_at = :kept, last_used_at = :now, last_ip = :ip, \
             last_user_agent = :agent, generation = :next, rotated_at = :now, rotated_by = :by \
             REMOVE idempotency_digest",
        )
        .expression_attribute_values(":presented", number(rotation.generation))
        .expression_attribute_values(":next", number(rotation.generation + 1))
        .expression_attribute_values(":now", number(rotation.now))
        .expression_attribute_values(":idle", number(rotation.now + 2_592_000))
        .expression_attribute_values(":kept", number(rotation.now + 5_184_000))
        .expression_attribute_values(":ip", text("203.0.113.24"))
        .expression_attribute_values(":agent", text("Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"))
        .expression_attribute_values(":by", text("8476a536-e9f4-11e8-9739-2dfe598c3fcd"))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let session = request.send().await?.attributes.unwrap_or_default();
    let generation = session.get("generation").and_then(|value| value.as_n().ok());
    Ok(json!({ "generation": generation }))
}

fn client() -> Result<Client, Error> {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(environment("AWS_REGION")?))
        .endpoint_url(environment("AWS_ENDPOINT_URL_DYNAMODB")?)
        .http_client(https())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .credentials_provider(Credentials::new(
            environment("AWS_ACCESS_KEY_ID")?,
            environment("AWS_SECRET_ACCESS_KEY")?,
            Some(environment("AWS_SESSION_TOKEN")?),
            None,
            "environment",
        ));
    Ok(Client::from_conf(config.build()))
}

fn https() -> SharedHttpClient {
    Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)).build_https()
}

#[expect(clippy::disallowed_methods, reason = "the one place where this function reads its environment")]
fn environment(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|error| format!("{name}: {error}").into())
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
