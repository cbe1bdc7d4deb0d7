//! A tap on the line between the functions and the table: it counts what passes, refuses what the policy of the function that
//! asks does not allow, and spoils what it is told to.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::capacity::{self, Charge};
use super::policy::{self, Grant, Need, Policies};

/// Longer than the store waits for one answer.
const LATE: Duration = Duration::from_millis(2_000);

/// Shorter than that.
const SLOW: Duration = Duration::from_millis(700);

/// A proxy in front of an engine.
pub(crate) struct Tap {
    /// Where functions find it.
    pub(crate) url: String,
    state: Shared,
}

/// Which requests a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The operation, such as `GetItem`; nothing stands for any.
    pub(crate) operation: &'static str,
    /// What the request's body holds, such as a part of a key.
    pub(crate) about: &'static str,
}

impl Target {
    pub(crate) const fn of(operation: &'static str, about: &'static str) -> Self {
        Self { operation, about }
    }

    fn covers(&self, operation: &str, body: &str) -> bool {
        (self.operation.is_empty() || self.operation == operation) && body.contains(self.about)
    }
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection ends before the request has reached the engine.
    LoseRequest,
    /// It is carried out, and the connection ends.
    LoseAnswer,
    /// It is not carried out; the answer has this status and no body.
    Status(u16),
    /// It is not carried out; the answer is 400 with this code.
    Refuse(&'static str),
    /// It is not carried out: a transaction is cancelled because of another one.
    Conflict,
    /// It is carried out, and answered when nobody waits for it any more.
    Late,
    /// It is carried out, and answered after a while, so that others come in between.
    Slow,
    /// It is carried out after so long, whoever has hung up by then, and answered.
    Held(Duration),
    /// It is carried out with so many items a page, as if they were that large.
    Paged(u32),
    /// It is carried out; the answer ends before its length.
    Truncate,
    /// It is carried out, and answered 200 with this.
    Garble(&'static str),
}

#[derive(Default)]
struct State {
    seen: Vec<String>,
    requests: Vec<serde_json::Value>,
    faults: Vec<(Target, Fault, usize)>,
    charges: Vec<Charge>,
    spoilt: usize,
    done: BTreeMap<String, BTreeSet<Grant>>,
    denied: Vec<String>,
}

type Shared = Arc<Mutex<State>>;

#[derive(Clone)]
struct Line {
    engine: String,
    client: Client<HttpConnector, Full<Bytes>>,
    state: Shared,
    policies: Arc<Policies>,
}

impl Tap {
    /// Starts a tap in front of the engine at `engine`.
    pub(crate) async fn start(engine: &str) -> Self {
        Self::start_for(engine, false).await
    }

    /// The same with the policies of a deployment that rotates tokens while it authorizes, or does not.
    pub(crate) async fn start_for(engine: &str, rotates: bool) -> Self {
        let state = Shared::default();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let policies = Arc::new(Policies::of_template(rotates));
        let line = Line { engine: engine.to_owned(), client, state: Arc::clone(&state), policies };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let line = line.clone();
                let service = hyper::service::service_fn(move |request| forward(line.clone(), request));
                let served = hyper::server::conn::http1::Builder::new();
                // An error of the service ends the connection: that is how it is lost.
                tokio::spawn(served.serve_connection(TokioIo::new(connection), service));
            }
        });
        Self { url, state }
    }

    /// From now on, this happens to the requests of `target`.
    pub(crate) fn spoil(&self, target: Target, fault: Fault) {
        self.spoil_next(usize::MAX, target, fault);
    }

    /// This happens to the next so many requests of `target`, and nothing else any more.
    pub(crate) fn spoil_next(&self, times: usize, target: Target, fault: Fault) {
        self.state.lock().expect("no poison").faults = vec![(target, fault, times)];
    }

    /// From now on, this happens to the requests of `target` as well.
    pub(crate) fn spoil_too(&self, target: Target, fault: Fault) {
        self.state.lock().expect("no poison").faults.push((target, fault, usize::MAX));
    }

    /// From now on, nothing goes wrong. Says whether a fault was still waiting for its request.
    pub(crate) fn heal(&self) -> bool {
        self.state.lock().expect("no poison").faults.drain(..).any(|(_, _, left)| left > 0)
    }

    /// How many requests something has happened to.
    pub(crate) fn spoilt(&self) -> usize {
        self.state.lock().expect("no poison").spoilt
    }

    /// The operations that have passed since the last call, in alphabetical order.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut seen = std::mem::take(&mut self.state.lock().expect("no poison").seen);
        seen.sort();
        seen
    }

    /// The requests of functions since the last call: operation, function and body, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<serde_json::Value> {
        std::mem::take(&mut self.state.lock().expect("no poison").requests)
    }

    /// What the requests that were carried out since the last call have consumed, by package.
    pub(crate) fn bill(&self) -> serde_json::Value {
        capacity::bill(&std::mem::take(&mut self.state.lock().expect("no poison").charges))
    }

    /// The actions that a function has needed so far, each with the kind of item that it was for.
    pub(crate) fn done_by(&self, package: &str) -> BTreeSet<Grant> {
        self.state.lock().expect("no poison").done.get(package).cloned().unwrap_or_default()
    }

    /// What has been asked for that a policy does not allow.
    pub(crate) fn denied(&self) -> Vec<String> {
        self.state.lock().expect("no poison").denied.clone()
    }
}

impl State {
    /// Keeps a function's request.
    fn keep(&mut self, role: &str, operation: &str, body: &[u8]) {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        self.requests.push(serde_json::json!({ "operation": operation, "function": role, "body": body }));
    }

    /// Notes a request, and says what goes wrong with it.
    fn see(&mut self, operation: &str, body: &[u8]) -> Option<Fault> {
        self.seen.push(operation.to_owned());
        let body = String::from_utf8_lossy(body);
        let wanted =
            |(target, _, left): &&mut (Target, _, usize)| *left > 0 && target.covers(operation, &body);
        let (_, fault, left) = self.faults.iter_mut().find(wanted)?;
        *left -= 1;
        self.spoilt += 1;
        Some(*fault)
    }

    /// Notes what a function needs, and what of it its policy refuses.
    fn judge(&mut self, policies: &Policies, role: &str, needs: &[Need]) -> Option<String> {
        self.done.entry(role.to_owned()).or_default().extend(needs.iter().flat_map(Need::grants));
        let need = policies.refuse(role, needs)?;
        self.denied.push(format!("{role}: {need}"));
        Some(policy::refusal(role, need))
    }
}

/// The connection is to end.
#[derive(Debug, thiserror::Error)]
#[error("lost on purpose")]
struct Lost;

async fn forward(line: Line, request: Request<Incoming>) -> Result<Response<Answer>, Lost> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Lost)?.to_bytes();
    let target =
        parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    // A local run's session token names the function. The tests' own clients have none, and may do everything.
    let role = parts.headers.get("x-amz-security-token").and_then(|role| role.to_str().ok());
    let role = role.unwrap_or_default().to_owned();
    if !role.is_empty() {
        line.state.lock().expect("no poison").keep(&role, &operation, &body);
        let needs = policy::needs(&operation, &body);
        let denied = line.state.lock().expect("no poison").judge(&line.policies, &role, &needs);
        if let Some(refusal) = denied {
            return Ok(answer(400, &refusal));
        }
    }
    let fault = line.state.lock().expect("no poison").see(&operation, &body);
    match fault {
        Some(Fault::LoseRequest) => return Err(Lost),
        Some(Fault::Status(status)) => return Ok(answer(status, "")),
        Some(Fault::Refuse(code)) => return Ok(answer(400, &refusal(code, ""))),
        Some(Fault::Conflict) => return Ok(answer(400, &conflict())),
        _ => {}
    }
    // On a task of its own: what has reached the engine is carried out, whoever hangs up.
    let state = Arc::clone(&line.state);
    let body = if let Some(Fault::Paged(items)) = fault { paged(&body, items) } else { body };
    let engine = tokio::spawn(async move {
        if let Some(Fault::Held(time)) = fault {
            tokio::time::sleep(time).await;
        }
        let response = carry_out(line, parts, body).await?;
        let charge = Charge::of(&role, &operation, response.body());
        state.lock().expect("no poison").charges.push(charge);
        Ok(response)
    });
    let engine = engine.await.map_err(|_| Lost)?;
    let (mut parts, body) = engine?.into_parts();
    match fault {
        Some(Fault::LoseAnswer) => return Err(Lost),
        Some(Fault::Garble(text)) => return Ok(answer(200, text)),
        Some(Fault::Late) => tokio::time::sleep(LATE).await,
        Some(Fault::Slow) => tokio::time::sleep(SLOW).await,
        Some(Fault::Truncate) => {
            parts.headers.insert("content-length", (body.len() + 1).into());
        }
        _ => {}
    }
    Ok(Response::from_parts(parts, Answer(Some(body))))
}

fn paged(body: &Bytes, items: u32) -> Bytes {
    let mut query: serde_json::Value = serde_json::from_slice(body).expect("a request is JSON");
    query["Limit"] = items.into();
    query.to_string().into()
}

async fn carry_out(line: Line, parts: http::request::Parts, body: Bytes) -> Result<Response<Bytes>, Lost> {
    let body = capacity::asking(&body);
    let length = body.len();
    let mut forwarded = Request::new(Full::new(body));
    *forwarded.method_mut() = parts.method;
    *forwarded.uri_mut() = format!("{}/", line.engine).parse().expect("a URL");
    *forwarded.headers_mut() = parts.headers;
    forwarded.headers_mut().insert("content-length", length.into());
    let response = line.client.request(forwarded).await.map_err(|_| Lost)?;
    let (parts, body) = response.into_parts();
    Ok(Response::from_parts(parts, body.collect().await.map_err(|_| Lost)?.to_bytes()))
}

fn answer(status: u16, body: &str) -> Response<Answer> {
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    response.body(Answer(Some(Bytes::copy_from_slice(body.as_bytes())))).expect("an answer")
}

fn refusal(code: &str, more: &str) -> String {
    format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"on purpose"{more}}}"#)
}

fn conflict() -> String {
    let reasons =
        r#","CancellationReasons":[{"Code":"None"},{"Code":"TransactionConflict"},{"Code":"None"}]"#;
    refusal("TransactionCanceledException", reasons)
}

/// A body that does not know its length, so that a header may say another.
struct Answer(Option<Bytes>);

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}
