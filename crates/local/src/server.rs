//! HTTP/1.1 in front of the gateway, and the WebSocket protocol (RFC 6455).

use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State};
use axum::response::IntoResponse;
use axum::routing::get;
use http::{Response, StatusCode, header, request};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::description;
use crate::gateway::{ClientRequest, Connection, Gateway, MAX_PAYLOAD_BYTES};
use crate::pages::Pages;

/// How long requests that are under way may go on after the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Bytes of a body that are read at the most.
const READ_ON_BYTES: usize = 4 * MAX_PAYLOAD_BYTES;

/// Told of every request: method, path, status and milliseconds.
pub type Log = Arc<dyn Fn(&str, &str, u16, u128) + Send + Sync>;

#[derive(Clone)]
struct Serving {
    gateway: Arc<Gateway>,
    pages: Option<Pages>,
    log: Log,
}

/// A server that is running. It ends when this is dropped.
pub struct Server {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

/// What is served beside an API, and is no part of it.
#[derive(Default)]
pub(crate) struct Beside {
    /// The files of a demo.
    pub(crate) pages: Option<Pages>,
    /// The OpenAPI document.
    pub(crate) description: Option<String>,
}

impl Server {
    /// Serves `gateway` on `listener`, and what is `beside` it.
    pub(crate) fn start(listener: TcpListener, gateway: Gateway, beside: Beside, log: Log) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Serving { gateway: Arc::new(gateway), pages: beside.pages, log };
        let task = tokio::spawn(serve(listener, serving, beside.description, async move {
            // Sent or dropped, it is the end either way.
            let _ = stopped.await;
        }));
        Self { task, stop }
    }

    /// Stops listening and lets what is under way finish, for a few seconds at the most.
    pub async fn stop(self) {
        drop(self.stop);
        // A server that panicked has already said so.
        let _ = self.task.await;
    }
}

/// Takes the port on the loopback interface; 0 is any free one.
///
/// # Errors
/// One line: the port is in use, or may not be used.
pub async fn listen(port: u16) -> Result<TcpListener, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("port {port} is in use: stop what listens there, or choose another with --port")
        }
        _ => format!("port {port} cannot be used: {error}"),
    })
}

async fn serve(
    listener: TcpListener,
    serving: Serving,
    description: Option<String>,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let mut app = Router::new();
    if let Some(description) = description {
        app = app.route(description::PATH, get(async move || describe(&description)));
    }
    let app = app.fallback(answer).with_state(serving).into_make_service_with_connect_info::<SocketAddr>();
    let (told, mut stopped) = watch::channel(false);
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stop.await;
        // Nobody listens any more if the server has already ended.
        let _ = told.send(true);
    });
    tokio::select! {
        // The listener of a running server does not fail; if it does, the process ends, which shows.
        _ = async { server.await } => {}
        () = async {
            let _ = stopped.wait_for(|told| *told).await;
            tokio::time::sleep(GRACE).await;
        } => {}
    }
}

/// Any page may read it: documentation is often shown by one.
fn describe(description: &str) -> impl IntoResponse + use<> {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (headers, description.to_owned())
}

async fn answer(
    State(serving): State<Serving>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let started = tokio::time::Instant::now();
    let (mut parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    if let Some(page) = serving.pages.as_ref().and_then(|pages| pages.answer(&parts.method, &path)) {
        return page;
    }
    let body = read(body).await;
    let upgrade = if serving.gateway.is_websocket() {
        Some(WebSocketUpgrade::from_request_parts(&mut parts, &()).await)
    } else {
        None
    };
    let client = client(parts, body, peer);
    let response = match upgrade {
        Some(Ok(upgrade)) => connect(&serving.gateway, client, upgrade).await,
        Some(Err(_)) => no_upgrade(),
        None => serving.gateway.answer(client).await.map(Body::from),
    };
    (serving.log)(&method, &path, response.status().as_u16(), started.elapsed().as_millis());
    response
}

/// The body; `None` if it is too large, or so broken that nothing better can be said of it.
///
/// What is too large is read on for a while: a client that is still sending when the connection ends does not see the answer.
async fn read(mut body: Body) -> Option<Bytes> {
    let (mut kept, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        length += data.len();
        if length > READ_ON_BYTES {
            return None;
        }
        if length <= MAX_PAYLOAD_BYTES {
            kept.extend_from_slice(&data);
        }
    }
    (length <= MAX_PAYLOAD_BYTES).then(|| kept.into())
}

fn client(parts: request::Parts, body: Option<Bytes>, peer: SocketAddr) -> ClientRequest {
    ClientRequest {
        method: parts.method,
        uri: parts.uri,
        version: parts.version,
        headers: parts.headers,
        body,
        peer: peer.ip().to_canonical(),
    }
}

/// 101 if the gateway grants the connection.
async fn connect(gateway: &Gateway, client: ClientRequest, upgrade: WebSocketUpgrade) -> Response<Body> {
    match gateway.connect(client).await {
        Ok(connection) => {
            let upgrade = upgrade.protocols(connection.protocol.clone());
            upgrade.on_upgrade(|socket| converse(socket, connection))
        }
        Err(refused) => refused.map(Body::from),
    }
}

/// RFC 9110 §15.5.22. AWS does not say what a WebSocket API answers to a request that is no upgrade.
fn no_upgrade() -> Response<Body> {
    let mut response = Response::new(Body::from(r#"{"message":"Upgrade Required"}"#));
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    response.headers_mut().insert(http::header::UPGRADE, http::HeaderValue::from_static("websocket"));
    response
}

/// There is no route but `$connect`: every message is answered so, until the client hangs up.
async fn converse(mut socket: WebSocket, connection: Connection) {
    while let Some(Ok(message)) = socket.recv().await {
        let speaks = matches!(message, Message::Text(_) | Message::Binary(_));
        if speaks && socket.send(Message::Text(connection.forbidden().into())).await.is_err() {
            return;
        }
    }
}
