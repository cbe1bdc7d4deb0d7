//! API Gateway on one machine: a request becomes the event that AWS would send, passes the authorizer, goes through the
//! function, and its answer becomes HTTP again, each by the rules that AWS documents.
//!
//! # Layout
//! - this file: the way of a request through the gateway
//! - `exchange`: the request as the gateway knows it
//! - `route`: which route it takes
//! - `authorizer`: whether it may pass
//! - `rest_event`, `http_event`: what functions and authorizers are sent
//! - `integration`: the function's answer as HTTP
//! - `refusal`, `gateway_response`: the gateway's own answers
//! - `cors`: cross-origin rules of the gateway itself
//! - `websocket`: `$connect` of a WebSocket API

mod authorizer;
mod cors;
mod exchange;
mod gateway_response;
mod http_event;
mod integration;
mod refusal;
mod rest_event;
mod route;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod websocket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};

use crate::api::{Api, ApiKind};
use crate::invoke::{Deployed, TOO_LARGE};
use authorizer::Kept;
pub use exchange::ClientRequest;
use exchange::Exchange;
use refusal::Refusal;
pub use websocket::Connection;

/// The largest payload of either API ("Quotas for configuring and running a REST API" and "… an HTTP API").
pub const MAX_PAYLOAD_BYTES: usize = 10 * 1024 * 1024;

/// Where the gateway has time, ids and its voice from.
#[derive(Clone)]
pub struct Source {
    /// Milliseconds since the Unix epoch.
    pub epoch_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// A number that does not come twice.
    pub id: Arc<dyn Fn() -> u128 + Send + Sync>,
    /// Told what a client must not learn: why a function or an authorizer failed.
    pub complain: Arc<dyn Fn(&str) + Send + Sync>,
}

/// An API with its functions, ready to answer.
pub struct Gateway {
    api: Api,
    functions: BTreeMap<String, Deployed>,
    base_path: Option<String>,
    source: Source,
    kept: Kept,
}

impl Gateway {
    /// Plays `api`. With a base path (`/api/v1`) it stands behind a custom domain's base path mapping; without one, behind
    /// a custom domain that is mapped to the stage, which is why no path has the stage in it.
    pub fn new(
        api: Api,
        functions: BTreeMap<String, Deployed>,
        base_path: Option<String>,
        source: Source,
    ) -> Self {
        Self { api, functions, base_path, source, kept: Kept::default() }
    }

    /// Answers one request.
    pub async fn answer(&self, client: ClientRequest) -> Response<Bytes> {
        let within = self.within_api(client.uri.path());
        let exchange = Exchange::new(client, within.as_deref().unwrap_or_default(), &self.source);
        if let Some(answer) = within.as_ref().and_then(|_| cors::preflight(&self.api, &exchange)) {
            return answer;
        }
        let outcome = match within {
            Some(_) => self.pass(&exchange).await,
            None => Err(Refusal::NoMapping),
        };
        let mut answer = outcome.unwrap_or_else(|refusal| refusal.answer(&self.api, &exchange));
        cors::apply(&self.api, exchange.header("origin").pop().as_deref(), answer.headers_mut());
        answer
    }

    /// The path behind the base path mapping.
    fn within_api(&self, path: &str) -> Option<String> {
        let Some(base) = &self.base_path else { return Some(path.to_owned()) };
        let rest = path.strip_prefix(base.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    }

    async fn pass(&self, exchange: &Exchange) -> Result<Response<Bytes>, Refusal> {
        if exchange.client.body.as_ref().is_none_or(|body| body.len() > MAX_PAYLOAD_BYTES) {
            return Err(Refusal::TooLarge);
        }
        let matched = route::find(&self.api, exchange.client.method.as_str(), &exchange.path);
        let signed = exchange.client.headers.contains_key(http::header::AUTHORIZATION);
        let matched = matched.ok_or(Refusal::NoRoute { signed })?;
        let principal = match &matched.route.authorizer {
            Some(name) => Some(authorizer::authorize(self, exchange, &matched, name).await?),
            None => None,
        };
        let rest = self.api.kind == ApiKind::Rest;
        let event = if rest {
            rest_event::function_event(&self.api, exchange, &matched, principal.as_ref())
        } else {
            http_event::function_event(&self.api, exchange, &matched, principal.as_ref())
        };
        let output = self.invoke(&matched.route.function, &event, exchange).await?;
        if rest {
            integration::rest(&self.api, exchange, &output)
        } else {
            integration::http(exchange, &output)
        }
    }

    /// Calls a function, no longer than the gateway waits: 29 seconds on a REST or WebSocket API, 30 on an HTTP API. A function that
    /// runs into its own, shorter timeout has failed: 502 or 500, not 504 or 503.
    async fn invoke(
        &self,
        id: &str,
        event: &serde_json::Value,
        exchange: &Exchange,
    ) -> Result<serde_json::Value, Refusal> {
        let function = self.functions.get(id).ok_or(Refusal::IntegrationFailure)?;
        let limit = Duration::from_secs(if self.api.kind == ApiKind::Http { 30 } else { 29 });
        let answered = tokio::time::timeout(limit, function.call(event, &exchange.request_id)).await;
        let output = answered.map_err(|_| Refusal::IntegrationTimeout)?;
        output.map_err(|error| {
            (self.source.complain)(&format!("{id}: {}: {}", error.error_type, error.error_message));
            if error.error_type == TOO_LARGE { Refusal::TooLarge } else { Refusal::IntegrationFailure }
        })
    }
}

/// An HTTP response; headers that HTTP does not allow are left out.
fn reply(
    status: StatusCode,
    headers: impl IntoIterator<Item = (String, String)>,
    body: Bytes,
) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}
