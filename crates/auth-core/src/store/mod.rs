//! The DynamoDB table: what is read and written, and how. It decides no policy.
//!
//! # Layout
//!
//! - this file: the client
//! - `schema`: keys and attribute names
//! - `warm_up`: how the connection is opened
//! - `sessions`, `live`, `rotation`, `replay`, `credentials`, `users`, `signup`, `deletion`, `addresses`, `counts`, `failures`: the requests
//! - `error`: what can go wrong
//! - `item`, `session_item`: attribute values in and out; `round_trip` checks them

mod addresses;
mod counts;
mod credentials;
mod deletion;
mod error;
mod failures;
mod item;
mod live;
mod replay;
mod rotation;
#[cfg(any(test, fuzzing))]
pub mod round_trip;
mod schema;
mod session_item;
mod sessions;
mod signup;
mod users;
mod warm_up;

use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Builder, Credentials, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};

pub use self::counts::{Counted, Hit};
pub use self::credentials::{PasswordChange, PasswordChanged};
pub use self::error::StoreError;
pub use self::failures::{Locked, Streak};
pub use self::live::{Indexed, LiveSessions};
pub use self::replay::{CountReplay, ReplayCounted};
pub use self::rotation::{Rotate, Rotated};
pub use self::sessions::{PageStart, Revoked};
pub use self::signup::{Created, NewUser};
pub use self::users::{NamesChange, NamesChanged, StatusSet};

use crate::config::StoreConfig;

/// The table. Clones share one connection pool.
#[derive(Clone, Debug)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

/// Bounds of one request to the table: three tries at the most, and never more than [`OPERATION_TIMEOUT`] in all. A whole
/// request to a function has a deadline of its own.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_000);
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);
const OPERATION_TIMEOUT: Duration = Duration::from_millis(4_000);
const MAXIMUM_ATTEMPTS: u32 = 3;

impl Store {
    /// Makes the client by hand: what the SDK's default chain looks for (profiles, IMDS, SSO…) is not there in a Lambda
    /// function and costs part of every cold start.
    pub fn new(config: &StoreConfig) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(MAXIMUM_ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(500));
        let mut client = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .http_client(http_client(config.endpoint.as_deref()))
            .timeout_config(timeouts)
            .retry_config(retries)
            // Answers are a few hundred bytes: the attempt timeout is bound enough.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        client.set_endpoint_url(config.endpoint.clone());
        let client = aws_sdk_dynamodb::Client::from_conf(with_credentials(client, config).build());
        Self { client, table: config.table.clone() }
    }

    /// A store on a client that somebody else has made, such as an operator's, whose credentials come from anywhere.
    pub const fn with_client(client: aws_sdk_dynamodb::Client, table: String) -> Self {
        Self { client, table }
    }
}

impl Store {
    /// Reads one item, with every write that was answered before.
    async fn get(&self, key: item::Item) -> Result<Option<item::Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(request.send().await?.item)
    }
}

fn with_credentials(builder: Builder, config: &StoreConfig) -> Builder {
    let Some(keys) = &config.credentials else {
        // SnapStart and Managed Instances outlive a set of keys, so the runtime serves fresh ones over HTTP.
        let provider = ProviderConfig::without_region().with_http_client(http_client(Some("http://")));
        return builder.credentials_provider(EcsCredentialsProvider::builder().configure(&provider).build());
    };
    builder.credentials_provider(Credentials::new(
        keys.access_key_id.clone(),
        keys.secret_access_key.expose(),
        keys.session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "environment",
    ))
}

/// A client for an endpoint, or for AWS's own. It is one type for `https` and for `http`: the SDK's client without TLS would be a
/// second copy of the connection pool and of both versions of HTTP in every function.
fn http_client(endpoint: Option<&str>) -> SharedHttpClient {
    let client =
        aws_smithy_http_client::Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        // Nobody is asked for a certificate: no trust store is loaded.
        let nobody = TlsContext::builder().with_trust_store(TrustStore::empty()).build();
        return client.tls_context(nobody.unwrap_or_default()).build_https();
    }
    client.build_https()
}
