//! A request that makes a function panic is an error of that request alone: the runtime reports it, and the same process
//! answers the next one. No request is known that does, so the function here panics where it is told to.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that fails may panic; clippy's own exemption stops at helper functions"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use auth_core::config::{self, HttpConfig};
use auth_core::function;
use auth_core::http::{Answer, ApiError, Endpoint, HttpFunction, Incoming};
use serde_json::{Value, json};

/// The runtime reads the process's own environment, so it runs in a process of its own: this test, again.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";
const EVENT: &str = include_str!("../../../events/well-known.json");
/// What each invocation asks for, in order.
const PATHS: [&str; 6] = ["/sane", "/at-once", "/sane", "/after-a-while", "/sane", "/sane"];

#[test]
fn a_panic_is_an_error_of_its_invocation_and_the_same_process_answers_the_next() {
    if function::environment(RUNTIME_API).is_some() {
        return run();
    }
    // One invocation at a time, and several, as on Lambda Managed Instances.
    for concurrency in ["1", "2"] {
        let api = RuntimeApi::start();
        let process = Process::start(&api.address, concurrency);
        let outcomes = api.outcomes(PATHS.len());
        for (id, path) in PATHS.iter().enumerate() {
            let (verb, body) = &outcomes[&id.to_string()];
            if *path == "/sane" {
                assert_eq!(
                    (verb.as_str(), answer(body)),
                    ("response", json!({"process": process.0.id()})),
                    "{id}"
                );
            } else {
                assert_eq!(verb, "error", "{path} of {concurrency}: {body}");
                assert!(body["errorMessage"].as_str().unwrap().contains("told to"), "{body}");
            }
        }
    }
}

/// The catch is worth nothing in a binary whose panics end it.
#[test]
fn a_release_unwinds() {
    assert!(include_str!("../../../Cargo.toml").contains("\npanic = \"unwind\""));
}

struct Panics;

impl Endpoint for Panics {
    async fn answer(&self, request: Incoming) -> Result<Answer, ApiError> {
        match request.path.as_str() {
            "/at-once" => panic!("told to"),
            "/after-a-while" => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                panic!("told to, later")
            }
            _ => Ok(Answer::document(json!({"process": std::process::id()}), 0)),
        }
    }
}

/// What the `main` of a function does.
fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let function = function::run_http(|lookup, _| {
        config::from_lookup(lookup, |settings| Some(HttpFunction::new(Panics, &HttpConfig::read(settings))))
    });
    runtime.block_on(function).unwrap();
}

/// The function, killed when the test ends, whichever way.
struct Process(Child);

impl Process {
    fn start(api: &str, concurrency: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("a_panic_is_an_error_of_its_invocation_and_the_same_process_answers_the_next");
        command.env_clear().envs([
            (RUNTIME_API, api),
            ("AWS_LAMBDA_MAX_CONCURRENCY", concurrency),
            ("AWS_LAMBDA_FUNCTION_NAME", "panics"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ]);
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which the test has then noticed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The id of an invocation, `response` or `error`, and what was reported.
type Outcome = (String, String, Value);

/// The two sides of the Runtime API ("Using the Lambda runtime API for custom runtimes"): the next event, and what became of
/// it.
struct RuntimeApi {
    address: String,
    outcomes: mpsc::Receiver<Outcome>,
}

impl RuntimeApi {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, outcomes) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(PATHS.iter().enumerate()));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (sender, waiting) = (sender.clone(), Arc::clone(&waiting));
                std::thread::spawn(move || serve(stream, &sender, || waiting.lock().unwrap().next()));
            }
        });
        Self { address, outcomes }
    }

    fn outcomes(&self, count: usize) -> BTreeMap<String, (String, Value)> {
        let next =
            |_| self.outcomes.recv_timeout(Duration::from_secs(30)).expect("an outcome of every event");
        (0..count).map(next).map(|(id, verb, body)| (id, (verb, body))).collect()
    }
}

/// One request of a connection. Whoever asks for an event when there is none left waits, as on Lambda.
fn serve<'a>(
    stream: TcpStream,
    outcomes: &mpsc::Sender<Outcome>,
    next: impl FnOnce() -> Option<(usize, &'a &'static str)>,
) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    if head.starts_with("GET") {
        let Some((id, path)) = next() else { return std::thread::park() };
        let mut event: Value = serde_json::from_str(EVENT).unwrap();
        for place in ["/path", "/requestContext/path"] {
            *event.pointer_mut(place).unwrap() = json!(path);
        }
        let headers = format!(
            "lambda-runtime-aws-request-id: {id}\r\nlambda-runtime-deadline-ms: 4102444800000\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:panics\r\n"
        );
        return write(reader.get_mut(), "200 OK", &headers, &event.to_string());
    }
    let length =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("a length")];
    reader.read_exact(&mut body).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let [.., id, verb] = path.split('/').collect::<Vec<_>>()[..] else { panic!("{path}") };
    let _ = outcomes.send((id.to_owned(), verb.to_owned(), serde_json::from_slice(&body).unwrap()));
    write(reader.get_mut(), "202 Accepted", "", "{}");
}

fn write(stream: &mut TcpStream, status: &str, headers: &str, body: &str) {
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    // A process that was killed reads no more.
    let _ = stream.write_all(answer.as_bytes());
}

/// The document in an answer of the function.
fn answer(response: &Value) -> Value {
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
}
