//! Which table, where, and with whose credentials.

use super::{Settings, setting};
use crate::secret::Secret;

/// Where the table is.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The table's name.
    pub table: String,
    /// The AWS region.
    pub region: String,
    /// Another endpoint than the region's own: `AWS_ENDPOINT_URL_DYNAMODB`, or else `AWS_ENDPOINT_URL`.
    pub endpoint: Option<String>,
    /// Keys from the environment, as Lambda gives them; `None` where the runtime serves them over HTTP instead
    /// (SnapStart, Managed Instances).
    pub credentials: Option<StaticCredentials>,
}

/// An access key, as the environment of a Lambda function holds it.
#[derive(Clone, Debug)]
pub struct StaticCredentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: Secret,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<Secret>,
}

impl StoreConfig {
    /// Reads `TABLE_NAME` and the variables of the AWS SDKs.
    pub fn read(settings: &mut Settings<'_>) -> Self {
        let table = settings.required(&setting::TABLE_NAME).unwrap_or_default();
        let region = settings.variable("AWS_REGION").or_else(|| settings.variable("AWS_DEFAULT_REGION"));
        if region.is_none() {
            settings.fault_of("AWS_REGION", "is missing");
        }
        let endpoint =
            settings.variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| settings.variable("AWS_ENDPOINT_URL"));
        if let Some(endpoint) = &endpoint
            && !endpoint.starts_with("http://")
            && !endpoint.starts_with("https://")
        {
            settings
                .fault_of("AWS_ENDPOINT_URL_DYNAMODB", &format!("{endpoint:?} is not an http or https URL"));
        }
        Self { table, region: region.unwrap_or_default(), endpoint, credentials: credentials(settings) }
    }
}

fn credentials(settings: &mut Settings<'_>) -> Option<StaticCredentials> {
    match (settings.variable("AWS_ACCESS_KEY_ID"), settings.variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(access_key_id), Some(secret)) => Some(StaticCredentials {
            access_key_id,
            secret_access_key: Secret::new(secret),
            session_token: settings.variable("AWS_SESSION_TOKEN").map(Secret::new),
        }),
        (None, None) => None,
        (Some(_), None) => {
            settings.fault_of("AWS_SECRET_ACCESS_KEY", "is missing, but AWS_ACCESS_KEY_ID is there");
            None
        }
        (None, Some(_)) => {
            settings.fault_of("AWS_ACCESS_KEY_ID", "is missing, but AWS_SECRET_ACCESS_KEY is there");
            None
        }
    }
}
