//! What a function's `main` does: read the environment, start the log, open the connection, run.

use std::future::{Future, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_http::lambda_runtime::LambdaEvent;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Body, Error, IntoResponse, Request, Response};
use tower::Service;
use tower::util::MapResponse;

use crate::Platform;
use crate::audit::ServiceName;
use crate::config::{self, Faults, Lookup};
use crate::http::event::GatewayEvent;
use crate::http::{Endpoint, HttpFunction};
use crate::telemetry::LogLevel;

/// A variable of the process's environment.
#[expect(clippy::disallowed_methods, reason = "the one place where a function reads its environment")]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs an HTTP function on the Lambda runtime, one request at a time or, where the runtime asks for it (Lambda Managed
/// Instances), several.
///
/// # Errors
///
/// Every fault of the environment, in which case the function has not started; or what the runtime reports.
pub async fn run_http<E: Endpoint>(
    build: impl FnOnce(&Lookup<'_>, Platform) -> Result<HttpFunction<E>, Faults>,
) -> Result<(), Error> {
    let function = start(build)?;
    function.endpoint().warm_up().await;
    lambda_http::lambda_runtime::run_concurrent(LambdaFunction::from(function)).await
}

/// An HTTP function as the Lambda runtime calls it: an event in, an answer out. `lambda_http::run_concurrent` wraps a service
/// in the same way, but for [`GatewayEvent`] and [`AsItIs`].
#[derive(Clone)]
pub struct LambdaFunction<S>(Adapter<'static, AsItIs, Answers<S>>);

type Answers<S> = MapResponse<S, fn(Response<Body>) -> AsItIs>;

impl<S> From<S> for LambdaFunction<S>
where
    S: Service<Request, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    fn from(service: S) -> Self {
        Self(Adapter::from(MapResponse::new(service, AsItIs as fn(Response<Body>) -> AsItIs)))
    }
}

impl<S> Service<LambdaEvent<GatewayEvent>> for LambdaFunction<S>
where
    S: Service<Request, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = <Adapter<'static, AsItIs, Answers<S>> as Service<LambdaEvent<LambdaRequest>>>::Response;
    type Error = S::Error;
    type Future = <Adapter<'static, AsItIs, Answers<S>> as Service<LambdaEvent<LambdaRequest>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, event: LambdaEvent<GatewayEvent>) -> Self::Future {
        self.0.call(LambdaEvent::new(event.payload.into_inner(), event.context))
    }
}

/// An answer whose body is text already. Of any other, `lambda_http` looks at the headers to see whether it is, and decodes it by
/// the tables of every character set there is.
#[derive(Debug)]
pub struct AsItIs(Response<Body>);

impl IntoResponse for AsItIs {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// What every function reads about its log and its metrics.
///
/// # Errors
///
/// Every fault of the environment.
pub fn read_logs(lookup: &Lookup<'_>) -> Result<(LogLevel, ServiceName), Faults> {
    config::from_lookup(lookup, |settings| Some((LogLevel::read(settings), ServiceName::read(settings))))
}

/// Starts the log and builds a function from the process's environment.
///
/// # Errors
///
/// Every fault of the environment.
pub fn start<F>(build: impl FnOnce(&Lookup<'_>, Platform) -> Result<F, Faults>) -> Result<F, Faults> {
    let logs = read_logs(&environment);
    let service = logs.as_ref().map(|(_, service)| service.clone()).unwrap_or_default();
    let function = build(&environment, Platform::system(service));
    match (logs, function) {
        (Ok((level, _)), Ok(function)) => {
            level.start();
            Ok(function)
        }
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
        (Err(faults), Err(more)) => Err(faults.and(more)),
    }
}
