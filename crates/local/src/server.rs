//! HTTP/1.1 in front of the gateway.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::IntoResponse;
use axum::routing::get;
use http::{Response, header};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::description;
use crate::gateway::{ClientRequest, Gateway, MAX_PAYLOAD_BYTES};

/// How long requests that are under way may go on after the server is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Told of every request: method, path, status and milliseconds.
pub type Log = Arc<dyn Fn(&str, &str, u16, u128) + Send + Sync>;

#[derive(Clone)]
struct Serving {
    gateway: Arc<Gateway>,
    log: Log,
}

/// A server that is running. It ends when this is dropped.
pub struct Server {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Server {
    /// Serves `gateway` on `listener`, and beside it the API's `description`.
    pub fn start(listener: TcpListener, gateway: Gateway, description: String, log: Log) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Serving { gateway: Arc::new(gateway), log };
        let task = tokio::spawn(serve(listener, serving, description, async move {
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
    description: String,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let app = Router::new()
        .route(description::PATH, get(async move || describe(&description)))
        .fallback(answer)
        .with_state(serving)
        .into_make_service_with_connect_info::<SocketAddr>();
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
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
    // What cannot be read is too large, or so broken that nothing better can be said of it.
    let body = axum::body::to_bytes(body, MAX_PAYLOAD_BYTES).await.ok();
    let client = ClientRequest {
        method: parts.method,
        uri: parts.uri,
        version: parts.version,
        headers: parts.headers,
        body,
        peer: peer.ip().to_canonical(),
    };
    let response: Response<Bytes> = serving.gateway.answer(client).await;
    (serving.log)(&method, &path, response.status().as_u16(), started.elapsed().as_millis());
    response.map(Body::from)
}
