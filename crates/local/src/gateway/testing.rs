//! What the gateway's tests have in common: an API, requests, and functions that say what they are told.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Version};
use serde_json::Value;

use super::exchange::{ClientRequest, Exchange};
use super::{Gateway, Source};
use crate::api::{Api, ApiKind, Route};
use crate::invoke::{Deployed, FunctionError, Invoke};

/// An API with these routes, all of the function `F`.
pub(super) fn api(kind: ApiKind, routes: &[(&str, &str)]) -> Api {
    let route = |(method, path): &(&str, &str)| Route {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        function: "F".to_owned(),
        authorizer: None,
    };
    Api {
        kind,
        id: "api".to_owned(),
        stage: if kind == ApiKind::Rest { "prod" } else { "$default" }.to_owned(),
        stage_variables: BTreeMap::new(),
        routes: routes.iter().map(route).collect(),
        authorizers: BTreeMap::new(),
        gateway_responses: BTreeMap::new(),
        binary_media_types: Vec::new(),
        cors: None,
    }
}

/// A request of a client at 203.0.113.7.
pub(super) fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> ClientRequest {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    ClientRequest {
        method: Method::from_bytes(method.as_bytes()).unwrap(),
        uri: target.parse().unwrap(),
        version: Version::HTTP_11,
        headers: map,
        body: Some(Bytes::new()),
        peer: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
    }
}

/// Time stands at 2020-03-12 19:03:58, every id is the same, complaints are dropped.
pub(super) fn source() -> Source {
    Source { epoch_ms: Arc::new(|| 1_584_039_838_000), id: Arc::new(|| 7), complain: Arc::new(|_| {}) }
}

pub(super) fn exchange(client: ClientRequest) -> Exchange {
    let path = client.uri.path().to_owned();
    Exchange::new(client, &path, &source())
}

/// A function that answers with what `says` makes of its event.
pub(super) fn function(
    says: impl Fn(Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
) -> Deployed {
    let invoke: Invoke = Arc::new(move |invocation| {
        let said = says(serde_json::from_str(&invocation.event).unwrap()).map(|answer| answer.to_string());
        Box::pin(async move { said })
    });
    Deployed { invoke, timeout: Duration::from_secs(3) }
}

pub(super) fn fails(message: &str) -> FunctionError {
    FunctionError { error_type: "Error".to_owned(), error_message: message.to_owned() }
}

/// The gateway of `api` with the function `F`.
pub(super) fn gateway(
    api: Api,
    says: impl Fn(Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
) -> Gateway {
    Gateway::new(api, BTreeMap::from([("F".to_owned(), function(says))]), None, source())
}
