//! The functions with the events that API Gateway sends, and without an authorizer in front.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::fs;
use std::path::Path;

use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service};
use protected_api::{connect, orders};
use serde_json::{Value, json};

const USER: &str = "7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10";

fn event(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/{name}.json"));
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

/// The event of a route that has been left without its authorizer.
fn open(mut event: Value) -> Value {
    let context = event.get_mut("requestContext").and_then(Value::as_object_mut).unwrap();
    context.remove("authorizer");
    event
}

async fn orders_of(event: Value) -> Value {
    let request: LambdaRequest = serde_json::from_value(event).unwrap();
    let mut function = Adapter::from(orders::function("https://app.example.com".to_owned()));
    let answer = function.call(LambdaEvent::new(request, Context::default())).await.unwrap();
    serde_json::to_value(answer).unwrap()
}

async fn connecting(event: Value) -> Value {
    let payload = serde_json::from_value(event).unwrap();
    connect::function().call(LambdaEvent::new(payload, Context::default())).await.unwrap()
}

#[tokio::test]
async fn orders_are_those_of_the_user_whom_the_authorizer_names() {
    for name in ["me", "me-http"] {
        let answer = orders_of(event(name)).await;
        assert_eq!(answer.get("statusCode"), Some(&json!(200)), "{name}");
        let body: Value = serde_json::from_str(answer.get("body").and_then(Value::as_str).unwrap()).unwrap();
        assert_eq!(body.pointer("/orders/0/userId"), Some(&json!(USER)), "{name}");
        assert_eq!(body.get("name"), Some(&json!("Ada Lovelace")), "{name}");
    }
}

#[tokio::test]
async fn a_route_without_its_authorizer_is_no_open_door() {
    for name in ["me", "me-http"] {
        assert_eq!(orders_of(open(event(name))).await.get("statusCode"), Some(&json!(401)), "{name}");
    }
    // This one is the authorizer's own event: nobody has been let through yet.
    assert_eq!(connecting(event("authorizer-websocket")).await, json!({"statusCode": 401}));
}

#[tokio::test]
async fn a_connection_is_granted_to_the_user_whom_the_authorizer_names() {
    let mut event = event("authorizer-websocket");
    let context = json!({"principalId": USER, "userId": USER, "sessionId": "s", "email": "ada@example.com"});
    let fields = event.get_mut("requestContext").and_then(Value::as_object_mut).unwrap();
    fields.insert("authorizer".to_owned(), context);
    assert_eq!(connecting(event).await, json!({"statusCode": 200}));
}
