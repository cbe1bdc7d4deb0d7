//! A tap on the line between the functions and the table: it counts what passes, and spoils what it is told to.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// A proxy in front of an engine.
pub(crate) struct Tap {
    /// Where functions find it.
    pub(crate) url: String,
    seen: Seen,
    fault: Arc<Mutex<Option<Fault>>>,
}

/// What happens to the requests of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Each is throttled, until further notice.
    Throttle(&'static str),
    /// The next one is carried out, and its answer lost.
    LoseAnswer(&'static str),
}

type Seen = Arc<Mutex<Vec<String>>>;

#[derive(Clone)]
struct Line {
    engine: String,
    client: Client<HttpConnector, Full<bytes::Bytes>>,
    seen: Seen,
    fault: Arc<Mutex<Option<Fault>>>,
}

impl Tap {
    /// Starts a tap in front of the engine at `engine`.
    pub(crate) async fn start(engine: &str) -> Self {
        let seen = Seen::default();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let fault = Arc::default();
        let line =
            Line { engine: engine.to_owned(), client, seen: Arc::clone(&seen), fault: Arc::clone(&fault) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(forward).with_state(line);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen, fault }
    }

    /// From now on, this goes wrong, or nothing.
    pub(crate) fn spoil(&self, fault: Option<Fault>) {
        *self.fault.lock().expect("no poison") = fault;
    }

    /// The operations that have passed since the last call, in alphabetical order.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut seen = std::mem::take(&mut *self.seen.lock().expect("no poison"));
        seen.sort();
        seen
    }
}

async fn forward(State(line): State<Line>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a whole request");
    let target =
        parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    line.seen.lock().expect("no poison").push(operation.clone());
    let fault = line.fault.lock().expect("no poison").clone();
    if matches!(&fault, Some(Fault::Throttle(spoilt)) if *spoilt == operation) {
        return error(
            400,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}"#,
        );
    }
    let mut forwarded = hyper::Request::new(Full::new(body));
    *forwarded.method_mut() = parts.method;
    *forwarded.uri_mut() = format!("{}/", line.engine).parse().expect("a URL");
    *forwarded.headers_mut() = parts.headers;
    let response = line.client.request(forwarded).await.expect("an answer of the engine");
    if matches!(&fault, Some(Fault::LoseAnswer(spoilt)) if *spoilt == operation) {
        *line.fault.lock().expect("no poison") = None;
        return error(500, "");
    }
    let (parts, body) = response.into_parts();
    Response::from_parts(parts, Body::from(body.collect().await.expect("a whole answer").to_bytes()))
}

fn error(status: u16, body: &'static str) -> Response {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Body::from(body)).expect("an answer")
}
