//! The binaries that are deployed, behind AWS's own Runtime Interface Emulator: `make e2e-runtime`.
//!
//! What the other tests call as services in their own process runs here as Lambda runs it: a process of its own, the Runtime
//! API, a real environment, the table over HTTP.

mod failures;
mod sandbox;
mod watch;

use std::collections::BTreeSet;

use auth_core::Platform;
use auth_core::clock::Clock;
use local::stack::Options;
use serde_json::{Value, json};

use self::sandbox::Sandbox;
use crate::support::tap::Tap;
use crate::support::{Service, events};

/// A service of which the binaries are part: they have the machine's clock, and its table and secrets.
async fn start(settings: &[(&str, &str)]) -> Service {
    let options = Options::for_testing();
    let platform = Platform { clock: Clock::system(), ..options.platform };
    Service::start_with(settings, Options { platform, ..options }).await
}

/// Two answers to one event differ in tokens, times and ids, in nothing else.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the built functions: `make e2e-runtime`"]
async fn every_event_is_answered_by_the_binary_as_by_the_service_and_within_its_policy() {
    let mut fed = BTreeSet::new();
    for event in events::all() {
        let (here, there) = (start(&event.settings()).await, start(&event.settings()).await);
        let expected =
            here.stack.invoke(event.function, &event.prepare(&here).await).await.expect(&event.name);
        let tap = Tap::start(there.stack.store_endpoint()).await;
        let prepared = event.prepare(&there).await;
        let sandbox = Sandbox::of(&there, event.function).table(&tap.url).start().await;
        let answer = sandbox.invoke(&prepared).await;
        assert_eq!(shape(&answer), shape(&expected), "{}: {answer}", event.name);
        assert_passed(&event.name, &answer);
        assert_eq!(tap.denied(), Vec::<String>::new(), "{}", event.name);
        fed.insert(event.package);
    }
    assert_eq!(fed.len(), crate::agreement::FUNCTIONS.len(), "{fed:?}");
}

/// A request that does what it is for, or a caller who may pass.
#[track_caller]
fn assert_passed(name: &str, answer: &Value) {
    match answer["statusCode"].as_u64() {
        Some(status) => assert!((200..300).contains(&status), "{name}: {answer}"),
        None => assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow", "{name}: {answer}"),
    }
}

/// An answer without what differs each time: the values of its members, but for the status.
fn shape(answer: &Value) -> Value {
    match answer {
        Value::Object(members) => {
            let of = |(name, value): (&String, &Value)| {
                let body =
                    (name == "body").then(|| value.as_str().and_then(|body| serde_json::from_str(body).ok()));
                let kept = match body.flatten() {
                    Some(body) => shape(&body),
                    None if name == "statusCode" => value.clone(),
                    None => shape(value),
                };
                (name.clone(), kept)
            };
            Value::Object(members.iter().map(of).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(shape).collect()),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        other => other.clone(),
    }
}
