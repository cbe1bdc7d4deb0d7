//! Any event to any function, with a real table behind it: every answer is one that the API documents.

use std::sync::LazyLock;
use std::time::Duration;

use local::api::ApiKind;
use local::stack::{Options, Stack};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::keys::platform;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// A service with a user, and the user's tokens.
struct Service {
    stack: Stack,
    access: String,
    refresh: String,
}

static SERVICE: LazyLock<Service> = LazyLock::new(|| {
    RUNTIME.block_on(async {
        let mut options = Options { platform: platform(), ..Options::for_testing() };
        let settings = [
            ("ARGON2_MEMORY_KIB", "7168"),
            ("ARGON2_ITERATIONS", "1"),
            ("LOGIN_LIMIT_PER_ADDRESS", "0"),
            ("LOGIN_LIMIT_PER_IP", "0"),
            ("LOGIN_LOCK_FAILURES", "0"),
            ("SIGNUP_LIMIT_PER_IP", "0"),
            ("RENEWAL", "rotate"),
            ("RENEWAL_WINDOW", "59m"),
        ];
        for (name, value) in settings {
            options = options.with(name, value);
        }
        let stack = Stack::start(Options { payload: Some(ApiKind::Rest), ..options }).await.expect("a stack");
        let signup = serde_json::from_str(include_str!("../../events/signup.json")).expect("an event");
        let answer = stack.invoke("SignupFunction", &signup).await.expect("an answer");
        let body: Value = serde_json::from_str(answer["body"].as_str().expect("a body")).expect("JSON");
        let text = |name: &str| body[name].as_str().expect("a token").to_owned();
        // The access token is about to end, so that the authorizer renews it.
        stack.clock().advance(Duration::from_secs(120));
        Service { access: text("accessToken"), refresh: text("refreshToken"), stack }
    })
});

/// What a path has to do with which function. The first that fits is asked.
const FUNCTIONS: [(&str, &str); 11] = [
    ("methodArn", "AuthorizerFunction"),
    ("routeArn", "AuthorizerFunction"),
    ("signup", "SignupFunction"),
    ("register", "SignupFunction"),
    ("login", "LoginFunction"),
    ("refresh\"", "RefreshFunction"),
    ("logout", "LogoutFunction"),
    ("sessions", "SessionsFunction"),
    ("revoke-all", "SessionsFunction"),
    ("auth/password", "ChangePasswordFunction"),
    ("well-known", "WellKnownFunction"),
];

/// The statuses that the functions answer with: an `internal_error` is none of them, and nothing is throttled here.
const STATUSES: [u64; 10] = [200, 201, 204, 400, 401, 403, 404, 409, 413, 415];

/// The event, as JSON. The placeholders of `events/` stand for valid tokens.
pub fn check(data: &[u8]) {
    let Ok(event) = std::str::from_utf8(data) else { return };
    let event = event
        .replace("REPLACE_WITH_ACCESS_TOKEN", &SERVICE.access)
        .replace("REPLACE_WITH_REFRESH_TOKEN", &SERVICE.refresh);
    let Ok(event) = serde_json::from_str::<Value>(&event) else { return };
    let text = event.to_string();
    let function = FUNCTIONS.into_iter().find(|(mark, _)| text.contains(mark));
    let function = function.map_or("MeFunction", |(_, function)| function);
    match RUNTIME.block_on(SERVICE.stack.invoke(function, &event)) {
        Ok(answer) if function != "AuthorizerFunction" => documented(&answer),
        Ok(_) => {}
        // An event that is none of API Gateway's, or what an authorizer says no with.
        Err(error) if error.error_type == "Runtime.MalformedEvent" => {}
        Err(error) if function == "AuthorizerFunction" && error.error_type != "Runtime.Panic" => {}
        Err(error) => panic!("{function}: {error:?}"),
    }
}

fn documented(answer: &Value) {
    let status = answer["statusCode"].as_u64().expect("a status");
    assert!(STATUSES.contains(&status), "{answer}");
    let preflight = status == 200 && answer["body"].as_str().is_none_or(str::is_empty);
    if status != 204 && !preflight {
        let body = answer["body"].as_str().expect("a body");
        let body: Value = serde_json::from_str(body).expect("a body is JSON");
        assert_eq!(status >= 400, body["error"].is_string(), "{answer}");
    }
}
