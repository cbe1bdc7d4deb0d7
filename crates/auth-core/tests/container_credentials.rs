//! Where the environment holds no keys (Lambda Managed Instances, SnapStart), the runtime serves them over HTTP.

#![expect(
    clippy::unwrap_used,
    reason = "a test that fails may panic; clippy's own exemption stops at helper functions"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc;

use auth_core::config::StoreConfig;
use auth_core::session::SessionId;
use auth_core::store::Store;
use auth_core::user::UserId;

/// The provider reads the process's own environment, so the request is made by a process of its own: this test, again.
const CHILD: &str = "LATCHKEY_TEST_TABLE_URL";

#[test]
fn keys_are_fetched_from_the_runtime_and_sign_the_request() {
    if let Some(url) = auth_core::function::environment(CHILD) {
        return read_once(url);
    }
    let keys = serve(
        r#"{"AccessKeyId":"FETCHEDKEY","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}"#,
    );
    let table = serve("{}");
    let output = Command::new(std::env::current_exe().unwrap())
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/credentials", keys.url))
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "let-me-in")
        .env(CHILD, &table.url)
        .env_remove("AWS_ACCESS_KEY_ID")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(keys.requests.try_recv().unwrap().contains("authorization: let-me-in"));
    assert!(table.requests.try_recv().unwrap().contains("credential=fetchedkey/"));
}

fn read_once(url: String) {
    let config =
        StoreConfig { table: "t".into(), region: "eu-west-1".into(), endpoint: Some(url), credentials: None };
    let user = UserId::parse("4e9f1c0e-6f5a-4f0e-9d59-2f1b8b1c7a55").unwrap();
    let sid = SessionId::parse(&"A".repeat(43)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let session = runtime.block_on(async { Store::new(&config).session(&user, &sid).await });
    assert!(session.unwrap().is_none());
}

struct Served {
    url: String,
    /// The head of each request, in lower case.
    requests: mpsc::Receiver<String>,
}

/// Answers every request with the same JSON.
fn serve(body: &'static str) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, body, &sender);
        }
    });
    Served { url, requests }
}

fn answer(stream: TcpStream, body: &str, seen: &mpsc::Sender<String>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut sent = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut sent).unwrap();
    let _ = seen.send(head);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    reader.get_mut().write_all(answer.as_bytes()).unwrap();
}
