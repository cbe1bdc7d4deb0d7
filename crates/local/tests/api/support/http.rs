//! A client that sends what it is told, and nothing else.

use ::http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// A connection pool.
#[derive(Clone)]
pub(crate) struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<bytes::Bytes>>);

impl Client {
    pub(crate) fn new() -> Self {
        Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http())
    }
}

/// A request that is being put together.
pub(crate) struct Call<'a> {
    client: &'a Client,
    request: Request<Full<bytes::Bytes>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, method: &str, url: &str) -> Self {
        let request = Request::builder().method(method).uri(url).body(Full::default()).expect("a request");
        Self { client, request }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().append(name, value.parse().expect("a header value"));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<bytes::Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    pub(crate) async fn send(self) -> Reply {
        let response = self.client.0.request(self.request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status.as_u16(), headers: parts.headers, body, bytes: bytes.len() }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `null` if the body is no JSON.
    pub(crate) body: Value,
    /// Length of the body.
    pub(crate) bytes: usize,
}

impl Reply {
    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.headers, self.body);
        self
    }

    /// The code of an error in camel or snake spelling.
    pub(crate) fn code(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header in ASCII"))
    }

    /// Every `Set-Cookie` header.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("ASCII")).collect()
    }
}
