//! What goes wrong in a binary does not end it, and what must keep it from starting does.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sandbox::{Sandbox, bootstrap};
use super::start;
use crate::agreement::FUNCTIONS;
use crate::support::events;
use crate::support::tap::{Fault, Tap, Target};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: `make e2e-runtime`"]
async fn an_event_that_is_none_is_an_error_and_the_runtime_goes_on() {
    for (package, function) in FUNCTIONS {
        let service = start(&[]).await;
        let sandbox = Sandbox::of(&service, function).start().await;
        let sane = events::all().into_iter().find(|event| event.name.starts_with(package)).expect("an event");
        let sane = sane.prepare(&service).await;
        let expected = sandbox.invoke(&sane).await;
        let runtime = sandbox.runtime().expect("a process");
        for event in [
            "[]",
            "\"event\"",
            "17",
            "null",
            "{\"version\": 2}",
            "{\"version\": \"2.0\"}",
            "{\"headers\": 1}",
        ] {
            let answer = sandbox.invoke_text(event).await.body;
            assert!(
                answer["errorMessage"].is_string() || answer["statusCode"].is_number(),
                "{package} {event}: {answer}"
            );
            assert_eq!(sandbox.runtime(), Some(runtime), "{package}: {event} ended the process");
        }
        let again = sandbox.invoke(&sane).await;
        assert_eq!(again["errorMessage"], Value::Null, "{package}: {again}");
        assert_eq!(sandbox.runtime(), Some(runtime), "{package}: {expected}");
    }
}

/// The function's own deadline is before Lambda's, so that the client hears of it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: `make e2e-runtime`"]
async fn a_table_that_does_not_answer_is_503_in_time_and_the_runtime_goes_on() {
    let service = start(&[]).await;
    let tap = Tap::start(service.stack.store_endpoint()).await;
    let login = events::all().into_iter().find(|event| event.name == "login").expect("an event");
    let event = login.prepare(&service).await;
    let sandbox = Sandbox::of(&service, "LoginFunction").table(&tap.url).start().await;
    assert_eq!(sandbox.invoke(&event).await["statusCode"], 200);
    let runtime = sandbox.runtime();
    tap.spoil(Target::of("UpdateItem", "LIMIT#"), Fault::Late);
    let asked = now();
    let answer = sandbox.invoke(&event).await;
    assert_eq!(answer["statusCode"], 503, "{answer}");
    assert!(asked.elapsed() < Duration::from_secs(9), "{:?}", asked.elapsed());
    tap.heal();
    assert_eq!(sandbox.invoke(&event).await["statusCode"], 200);
    assert_eq!(sandbox.runtime(), runtime, "the same process");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: `make e2e-runtime`"]
async fn an_invocation_that_lambda_cuts_off_is_followed_by_one_that_works() {
    let service = start(&[]).await;
    let tap = Tap::start(service.stack.store_endpoint()).await;
    let login = events::all().into_iter().find(|event| event.name == "login").expect("an event");
    let event = login.prepare(&service).await;
    let sandbox = Sandbox::of(&service, "LoginFunction").table(&tap.url).seconds(3).start().await;
    assert_eq!(sandbox.invoke(&event).await["statusCode"], 200);
    tap.spoil(Target::of("UpdateItem", "LIMIT#"), Fault::Late);
    let cut = sandbox.invoke(&event).await;
    assert_eq!(cut["statusCode"], Value::Null, "{cut}");
    tap.heal();
    assert_eq!(sandbox.invoke(&event).await["statusCode"], 200, "in a new process");
}

#[test]
#[ignore = "needs the built functions: `make e2e-runtime`"]
fn a_binary_with_faults_in_its_environment_names_them_all_and_does_not_start() {
    for (package, function) in FUNCTIONS {
        let output = Command::new(bootstrap(function))
            .env_clear()
            .envs([("LOG_LEVEL", "loud"), ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")])
            .output()
            .expect("the binary runs");
        let says = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "{package}: {says}");
        // What each of them cannot do without.
        let needed = match package {
            "token-authorizer" => "JWT_SECRET",
            "well-known" => "LOG_LEVEL",
            _ => "TABLE_NAME",
        };
        for name in ["LOG_LEVEL", needed] {
            assert!(says.contains(name), "{package} says nothing of {name}: {says}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a process takes is told by the machine's clock alone"
)]
fn now() -> Instant {
    Instant::now()
}
