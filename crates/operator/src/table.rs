//! Finding the table: a region, credentials, a name.

use auth_core::store::Store;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_dynamodb::error::DisplayErrorContext;
use aws_smithy_http_client::tls;

/// Where the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The table's name; without it, it is looked for by the stack's.
    pub table: Option<String>,
    /// The stack's name.
    pub stack: String,
    /// The region, if not the one of the environment or the profile.
    pub region: Option<String>,
    /// The profile, if not the one of the environment.
    pub profile: Option<String>,
    /// Another DynamoDB, such as a local run's.
    pub endpoint: Option<String>,
}

/// A stack's table is `Table` in the template, and CloudFormation makes its name of the two and something random. A local run
/// leaves the last part out.
const LOGICAL_ID: &str = "Table";

impl Location {
    /// Opens the table.
    ///
    /// # Errors
    ///
    /// One line: there is no region, no answer, or not exactly one such table.
    pub async fn open(&self) -> Result<Store, String> {
        let client = self.client().await?;
        let table = match &self.table {
            Some(table) => table.clone(),
            None => self.find(&client).await?,
        };
        Ok(Store::with_client(client, table))
    }

    async fn client(&self) -> Result<Client, String> {
        let http = http_client(self.endpoint.as_deref());
        let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(endpoint) = &self.endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let mut region = self.region.clone();
        if self.endpoint.as_deref().is_some_and(is_plain) {
            // Nobody's keys are shown to whatever listens there; a local engine takes any, and any region.
            loader = loader.credentials_provider(Credentials::new("local", "local", None, None, "local"));
            region = region.or_else(|| Some("us-east-1".to_owned()));
        }
        if let Some(region) = region {
            loader = loader.region(Region::new(region));
        }
        let config = loader.load().await;
        match config.region() {
            Some(_) => Ok(Client::new(&config)),
            None => Err("there is no region: give --region, or AWS_REGION in the environment".to_owned()),
        }
    }

    async fn find(&self, client: &Client) -> Result<String, String> {
        let mut pages = client.list_tables().into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(name) = pages.next().await {
            let name =
                name.map_err(|error| format!("the tables cannot be listed: {}", DisplayErrorContext(error)))?;
            if belongs(&name, &self.stack) {
                found.push(name);
            }
        }
        match found.as_slice() {
            [table] => Ok(table.clone()),
            [] => Err(format!("there is no table of a stack {}: give --stack or --table", self.stack)),
            several => Err(format!("the stack {} has left {}: give --table", self.stack, several.join(", "))),
        }
    }
}

fn belongs(table: &str, stack: &str) -> bool {
    let rest = table.strip_prefix(stack).and_then(|rest| rest.strip_prefix('-'));
    let rest = rest.and_then(|rest| rest.strip_prefix(LOGICAL_ID));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn is_plain(endpoint: &str) -> bool {
    endpoint.starts_with("http://")
}

fn http_client(endpoint: Option<&str>) -> SharedHttpClient {
    let builder = aws_smithy_http_client::Builder::new();
    if endpoint.is_some_and(is_plain) {
        return builder.build_http();
    }
    builder.tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)).build_https()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_belongs_to_the_stack_that_its_name_begins_with() {
        for table in ["latchkey-Table", "latchkey-Table-1ABCDEFGHIJKL"] {
            assert!(belongs(table, "latchkey"), "{table}");
        }
        for table in ["latchkey", "latchkey-Tables", "latchkey-eu-Table-1ABC", "my-latchkey-Table", "Table"] {
            assert!(!belongs(table, "latchkey"), "{table}");
        }
    }
}
