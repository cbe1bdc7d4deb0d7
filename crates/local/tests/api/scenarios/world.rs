//! Where the scenarios run: a stack in this process, or wherever `LATCHKEY_URL` points.

use std::time::Duration;

use auth_core::Platform;
use auth_core::clock::Clock;
use auth_core::random::Random;
use local::stack::{Options, Stack};
use serde_json::json;

use crate::support::http::{Call, Client, Reply};
use crate::support::{PASSWORD, Tokens, tokens};

/// The origins that the deployment allows.
pub(super) const ORIGINS: [&str; 2] = ["https://app.example.com", "http://localhost:5173"];

/// Its `REFRESH_GRACE`, in seconds: long enough for two requests on a busy machine, short enough to wait for.
const GRACE_SECONDS: u64 = 4;

/// One deployment, met over HTTP alone: its clock is the real one, and its table may hold others' users.
pub(super) struct World {
    url: String,
    client: Client,
    /// Ends when the scenario does.
    _here: Option<Stack>,
}

/// Somebody with an address that nobody else has.
pub(super) struct Person {
    pub(super) email: String,
    pub(super) tokens: Tokens,
}

impl World {
    /// The deployment at `LATCHKEY_URL`, which must have the settings of [`options`], or one of its own.
    pub(super) async fn open() -> Self {
        Self::of(options()).await
    }

    /// The same with cookies: the deployment at `LATCHKEY_URL` has `TOKEN_DELIVERY=cookie` besides.
    pub(super) async fn open_with_cookies() -> Self {
        Self::of(options().with("TOKEN_DELIVERY", "cookie")).await
    }

    async fn of(options: Options) -> Self {
        #[expect(clippy::disallowed_methods, reason = "where the suite runs is told to the process")]
        let elsewhere = std::env::var("LATCHKEY_URL").ok();
        if let Some(url) = elsewhere {
            return Self { url: url.trim_end_matches('/').to_owned(), client: Client::new(), _here: None };
        }
        let stack = Stack::start(options).await.expect("the service starts");
        Self { url: stack.url(), client: Client::new(), _here: Some(stack) }
    }

    pub(super) fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call::new(&self.client, method, &format!("{}{path}", self.url))
    }

    /// Signs somebody up.
    pub(super) async fn person(&self) -> Person {
        let email = address();
        let body = json!({"email": email, "password": PASSWORD, "displayName": "Ada Lovelace"});
        let reply = self.call("POST", "/auth/signup").json(&body).send().await.expect(201);
        Person { email, tokens: tokens(&reply.body) }
    }

    pub(super) async fn try_login(&self, email: &str, password: &str) -> Reply {
        let body = json!({"email": email, "password": password});
        self.call("POST", "/auth/login").json(&body).send().await
    }

    /// Another session of the same person.
    pub(super) async fn login(&self, person: &Person) -> Tokens {
        tokens(&self.try_login(&person.email, PASSWORD).await.expect(200).body)
    }

    pub(super) async fn refresh(&self, token: &str) -> Reply {
        self.call("POST", "/auth/refresh").json(&json!({"refreshToken": token})).send().await
    }

    pub(super) async fn refresh_with_key(&self, token: &str, key: &str) -> Reply {
        let call = self.call("POST", "/auth/refresh").header("idempotency-key", key);
        call.json(&json!({"refreshToken": token})).send().await
    }

    pub(super) async fn me(&self, access: &str) -> Reply {
        self.call("GET", "/auth/me").bearer(access).send().await
    }

    /// Waits until a rotation that has just been made is past its grace. Its instant is a whole second, and the grace holds
    /// up to the end of its last one.
    pub(super) async fn past_the_grace() {
        tokio::time::sleep(Duration::from_secs(GRACE_SECONDS + 2)).await;
    }
}

fn options() -> Options {
    let options = Options::for_testing();
    let platform = Platform { clock: Clock::system(), ..options.platform };
    let grace = format!("{GRACE_SECONDS}s");
    Options { platform, ..options }
        .with("CORS_ALLOWED_ORIGINS", &ORIGINS.join(","))
        .with("REFRESH_GRACE", &grace)
        .with("ARGON2_MEMORY_KIB", "7168")
        .with("ARGON2_ITERATIONS", "1")
}

/// An address of nobody else, in this run or another.
pub(super) fn address() -> String {
    let number = Random::system().bytes().map(u64::from_be_bytes).expect("randomness");
    format!("ada-{number:016x}@example.com")
}

/// A member of the error that a gateway or a function answers; every error has a request id.
#[track_caller]
pub(super) fn error_code(reply: &Reply) -> String {
    let id = reply.body["requestId"].as_str().unwrap_or_default();
    assert!(!id.is_empty(), "{} has no request id", reply.body);
    assert!(reply.body["errorDescription"].as_str().is_some_and(|text| !text.is_empty()), "{}", reply.body);
    reply.code().to_owned()
}

/// The values of a header that is a list, in lower case.
pub(super) fn list(reply: &Reply, name: &str) -> Vec<String> {
    reply.header(name).split(',').map(|value| value.trim().to_lowercase()).collect()
}
