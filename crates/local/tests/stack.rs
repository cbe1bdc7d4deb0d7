//! The harness itself: many stacks in one process, and what is left of one that has ended.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

use local::api::ApiKind;
use local::stack::{Data, Options, Stack};
use serde_json::Value;

const SIGNUP: &str = include_str!("../../../events/signup.json");

fn quick() -> Options {
    Options::for_testing().with("ARGON2_MEMORY_KIB", "7168").with("ARGON2_ITERATIONS", "1")
}

async fn signup(stack: &Stack) -> u64 {
    let event = serde_json::from_str(SIGNUP).unwrap();
    let answer: Value = stack.invoke("SignupFunction", &event).await.unwrap();
    answer.get("statusCode").and_then(Value::as_u64).unwrap()
}

#[tokio::test]
async fn stacks_run_side_by_side_and_share_nothing() {
    let mut stacks = Vec::new();
    for _ in 0..12 {
        stacks.push(Stack::start(quick()).await.unwrap());
    }
    for stack in &stacks {
        assert_eq!(signup(stack).await, 201);
        assert_eq!(stack.audit().entries().len(), 1);
    }
    assert_eq!(signup(stacks.first().unwrap()).await, 409);
}

#[tokio::test]
async fn a_stack_that_is_dropped_listens_no_more() {
    let stack = Stack::start(quick()).await.unwrap();
    let address = stack.url().trim_start_matches("http://").to_owned();
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
    drop(stack);
    // The listener is closed by a task of this runtime, when it gets its turn.
    for _ in 0..500 {
        if tokio::net::TcpStream::connect(&address).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it still listens");
}

#[tokio::test]
async fn data_in_a_file_outlives_its_stack() {
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stack-{}", std::process::id()));
    let options = || Options { data: Data::File(folder.join("data.db")), ..quick() };
    let first = Stack::start(options()).await.unwrap();
    assert_eq!(signup(&first).await, 201);
    first.stop().await;
    let second = Stack::start(options()).await.unwrap();
    assert_eq!(signup(&second).await, 409);
    second.stop().await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_function_is_given_the_templates_settings_and_the_local_table() {
    let stack = Stack::start(quick().with("RESPONSE_FORMAT", "snake")).await.unwrap();
    let environment = stack.environment("LoginFunction");
    for (name, value) in [
        ("RESPONSE_FORMAT", "snake"),
        ("LOGIN_LIMIT_WINDOW", "15m"),
        ("TABLE_NAME", "latchkey-Table"),
        ("AWS_ENDPOINT_URL_DYNAMODB", stack.store_endpoint()),
    ] {
        assert_eq!(environment.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(environment.get("JWT_SECRET").is_some_and(|secret| secret.len() >= 64));
    assert!(!stack.environment("WellKnownFunction").contains_key("TABLE_NAME"));
    let table = stack.dynamodb().describe_time_to_live().table_name("latchkey-Table").send().await.unwrap();
    let attribute = table.time_to_live_description().and_then(|description| description.attribute_name());
    assert_eq!(attribute, Some("expires_at"));
}

#[tokio::test]
async fn the_template_can_be_played_as_either_api() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        let stack = Stack::start(Options { payload: Some(kind), ..quick() }).await.unwrap();
        assert_eq!(stack.api().kind, kind);
    }
}
