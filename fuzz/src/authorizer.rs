//! Any payload to the authorizer: nobody passes without the token, and who passes gets a policy for one stage.

use std::sync::LazyLock;

use auth_core::token::key::Algorithm;
use local::invoke::{Invocation, Invoke};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::keys::{SECRET, access_token, platform};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static AUTHORIZER: LazyLock<Invoke> = LazyLock::new(|| {
    let settings = |name: &str| {
        let value = [("JWT_SECRET", SECRET), ("SESSION_CHECK", "off"), ("TABLE_NAME", "none")]
            .into_iter()
            .find_map(|(known, value)| (known == name).then_some(value));
        value.map(str::to_owned)
    };
    let built = local::functions::build("authorizer", &settings, platform()).expect("a function");
    built.expect("no faults")
});
static TOKEN: LazyLock<String> = LazyLock::new(|| access_token(Algorithm::HS256));

/// The event, as JSON. The placeholder of `events/` stands for a valid token.
pub fn check(data: &[u8]) {
    let Ok(event) = std::str::from_utf8(data) else { return };
    let event = event.replace("REPLACE_WITH_ACCESS_TOKEN", &TOKEN);
    let invocation = Invocation { event: event.clone(), request_id: "fuzz".to_owned() };
    let Ok(answer) = RUNTIME.block_on(AUTHORIZER(invocation)) else { return };
    // It is there as it is, also in a member that comes twice or beside half of a surrogate pair, or with escapes.
    let escaped = || serde_json::from_str(&event).is_ok_and(|read| holds(&read, &TOKEN));
    assert!(event.contains(TOKEN.as_str()) || escaped(), "allowed without a token: {event}");
    let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
    let statement = &answer["policyDocument"]["Statement"][0];
    let resource = statement["Resource"].as_str().expect("a resource");
    assert!(resource.starts_with("arn:") && resource.contains(":execute-api:"), "{resource}");
    assert!(resource.ends_with("/*") && resource.matches('/').count() == 2, "{resource}");
    assert!(!resource.trim_end_matches("/*").contains('*'), "{resource}");
    assert!(answer["context"].as_object().is_some_and(|context| context.values().all(Value::is_string)));
}

fn holds(value: &Value, token: &str) -> bool {
    match value {
        Value::String(text) => text.contains(token),
        Value::Array(values) => values.iter().any(|value| holds(value, token)),
        Value::Object(members) => members.values().any(|value| holds(value, token)),
        _ => false,
    }
}
