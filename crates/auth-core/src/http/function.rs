//! An endpoint becomes a tower service: the same one on Lambda and in the local run.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lambda_http::{Body, Request, Response};
use renewal::{Renewal, RenewalLayer};
use tower::{Layer, Service};
use tower_http::cors::Cors;

use super::{Answer, ApiError, Incoming, origin};
use crate::config::HttpConfig;

/// A function is given 10 s and answers sooner, whatever the table does: being stopped by Lambda would be an error that tells
/// a client nothing, instead of a 503 that tells it to come back.
const DEADLINE: Duration = Duration::from_secs(8);

/// The same for a function that is given 28 s, as it may have thousands of sessions to revoke. API Gateway waits 29 s.
pub const LONG_DEADLINE: Duration = Duration::from_secs(26);

/// What a function answers to its routes.
pub trait Endpoint: Send + Sync + 'static {
    /// When every request is answered, whatever has become of it: sooner than Lambda stops the function (`Timeout` in the template).
    const DEADLINE: Duration = DEADLINE;

    /// Answers one request.
    fn answer(&self, request: Incoming) -> impl Future<Output = Result<Answer, ApiError>> + Send;

    /// What can be done before the first request, such as opening a connection. A failure is no matter.
    fn warm_up(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// An endpoint with what every endpoint has: CORS, the deployment's format, errors as answers, and the tokens that the
/// authorizer has renewed.
pub struct HttpFunction<E> {
    service: Renewal<Cors<EndpointService<E>>>,
    endpoint: Arc<E>,
}

impl<E: Endpoint> HttpFunction<E> {
    /// Makes the service.
    pub fn new(endpoint: E, config: &HttpConfig) -> Self {
        let endpoint = Arc::new(endpoint);
        let service = EndpointService { endpoint: Arc::clone(&endpoint), config: Arc::new(config.clone()) };
        Self { service: RenewalLayer.layer(origin::cors(config).layer(service)), endpoint }
    }

    /// The endpoint itself.
    pub fn endpoint(&self) -> &E {
        &self.endpoint
    }
}

impl<E> Clone for HttpFunction<E> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), endpoint: Arc::clone(&self.endpoint) }
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl<E: Endpoint> Service<Request> for HttpFunction<E> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answering {
        self.service.call(request)
    }
}

struct EndpointService<E> {
    endpoint: Arc<E>,
    config: Arc<HttpConfig>,
}

impl<E> Clone for EndpointService<E> {
    fn clone(&self) -> Self {
        Self { endpoint: Arc::clone(&self.endpoint), config: Arc::clone(&self.config) }
    }
}

impl<E: Endpoint> Service<Request> for EndpointService<E> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answering {
        let (endpoint, config) = (Arc::clone(&self.endpoint), Arc::clone(&self.config));
        Box::pin(async move {
            let request = Incoming::read(request, &config);
            let request_id = request.client.request_id.clone();
            let answer = tokio::time::timeout(E::DEADLINE, endpoint.answer(request)).await;
            let answer =
                answer.unwrap_or_else(|_| Err(ApiError::TemporarilyUnavailable("no time left".into())));
            let answer = answer.unwrap_or_else(|error| {
                log(&error, &request_id);
                Answer::error(config.format, &error, &request_id)
            });
            Ok(answer.into_response())
        })
    }
}

/// The cause of an error of ours goes to the log, and nowhere else.
fn log(error: &ApiError, request_id: &str) {
    match error {
        ApiError::Internal(cause) => tracing::error!(request_id, cause = %cause, "internal error"),
        ApiError::TemporarilyUnavailable(cause) => {
            tracing::warn!(request_id, cause = %cause, "temporarily unavailable");
        }
        _ => {}
    }
}
