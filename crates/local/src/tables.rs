//! The template's tables at an endpoint, made if they are not there.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification,
};
use aws_smithy_http_client::tls;

use crate::template::{REGION, Table};

/// What the SDK needs to reach a DynamoDB.
#[derive(Clone)]
pub struct Access {
    /// The URL.
    pub endpoint: String,
    /// The region.
    pub region: String,
    /// The access key.
    pub access_key_id: String,
    /// Its secret. A local engine asks for one and believes any.
    pub secret_access_key: String,
    /// The token of temporary keys.
    pub session_token: Option<String>,
    /// Whether nobody has given any keys: these are made up.
    pub keyless: bool,
}

impl Access {
    /// To an engine on this machine.
    pub fn local(endpoint: &str) -> Self {
        Self::with_keys(endpoint, &BTreeMap::new())
    }

    /// To another DynamoDB, with the keys of an environment where it has any.
    pub fn with_keys(endpoint: &str, environment: &BTreeMap<String, String>) -> Self {
        let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            endpoint: endpoint.to_owned(),
            region: variable("AWS_REGION").unwrap_or_else(|| REGION.to_owned()),
            access_key_id: variable("AWS_ACCESS_KEY_ID").unwrap_or_else(|| "local".to_owned()),
            secret_access_key: variable("AWS_SECRET_ACCESS_KEY").unwrap_or_else(|| "local".to_owned()),
            session_token: variable("AWS_SESSION_TOKEN"),
            keyless: variable("AWS_ACCESS_KEY_ID").is_none(),
        }
    }

    /// A client of that DynamoDB.
    pub fn client(&self) -> Client {
        let http = aws_smithy_http_client::Builder::new();
        let http = if self.endpoint.starts_with("http://") {
            http.build_http()
        } else {
            http.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)).build_https()
        };
        let keys = Credentials::new(
            self.access_key_id.clone(),
            self.secret_access_key.clone(),
            self.session_token.clone(),
            None,
            "local",
        );
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.endpoint)
            .credentials_provider(keys)
            .http_client(http);
        Client::from_conf(config.build())
    }
}

/// Makes `table` unless it is there, and waits until it can be used.
///
/// # Errors
/// One line that names the table.
pub async fn ensure(client: &Client, table: &Table) -> Result<(), String> {
    let fault = |why: String| format!("the table {} cannot be made: {why}", table.name);
    match client.describe_table().table_name(&table.name).send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::describe_table::DescribeTableError::is_resource_not_found_exception) => {
            make(client, table).await.map_err(fault)?;
        }
        Err(error) => return Err(fault(reason(&error))),
    }
    // Also for one that is there: the process that made it may have ended in between.
    wait(client, table).await.map_err(fault)?;
    expire(client, table).await.map_err(fault)
}

async fn make(client: &Client, table: &Table) -> Result<(), String> {
    let mut request = client.create_table().table_name(&table.name).billing_mode(BillingMode::PayPerRequest);
    for attribute in &table.key {
        let element = KeySchemaElement::builder()
            .attribute_name(&attribute.name)
            .key_type(KeyType::from(attribute.role.as_str()))
            .build();
        let definition = AttributeDefinition::builder()
            .attribute_name(&attribute.name)
            .attribute_type(ScalarAttributeType::from(attribute.kind.as_str()))
            .build();
        request = request
            .key_schema(element.map_err(|error| error.to_string())?)
            .attribute_definitions(definition.map_err(|error| error.to_string())?);
    }
    request.send().await.map(|_| ()).map_err(|error| reason(&error))
}

/// The error and what it comes from, down to the system's own words.
fn reason(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| Error::source(*error));
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A table of the real DynamoDB takes some seconds.
async fn wait(client: &Client, table: &Table) -> Result<(), String> {
    for _ in 0..60 {
        let described = client.describe_table().table_name(&table.name).send().await;
        let described = described.map_err(|error| reason(&error))?;
        if described.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err("it is still not active after a minute".to_owned())
}

async fn expire(client: &Client, table: &Table) -> Result<(), String> {
    let Some(attribute) = &table.time_to_live else { return Ok(()) };
    let described = client.describe_time_to_live().table_name(&table.name).send().await;
    let described = described.map_err(|error| reason(&error))?.time_to_live_description;
    // Enabling it twice is an error.
    if described.is_some_and(|described| described.attribute_name.is_some()) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder().attribute_name(attribute).enabled(true).build();
    let specification = specification.map_err(|error| error.to_string())?;
    let request =
        client.update_time_to_live().table_name(&table.name).time_to_live_specification(specification);
    request.send().await.map(|_| ()).map_err(|error| reason(&error))
}
