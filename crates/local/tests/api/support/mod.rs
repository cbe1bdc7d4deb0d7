//! The running service, as its clients meet it.

pub(crate) mod browser;
pub(crate) mod capacity;
pub(crate) mod events;
pub(crate) mod http;
pub(crate) mod keys;
pub(crate) mod policy;
pub(crate) mod program;
pub(crate) mod schema;
pub(crate) mod table;
pub(crate) mod tap;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use local::api::ApiKind;
use local::stack::{Data, Options, Stack};
use serde_json::{Value, json};

use self::http::{Call, Reply};
use self::tap::Tap;

/// A password that every rule allows.
pub(crate) const PASSWORD: &str = "plum-kettle-orbit-4172";

/// Another one.
pub(crate) const NEW_PASSWORD: &str = "Lantern-Quartz-Meadow";

/// The whole service with an in-memory table and a clock that tests move.
pub(crate) struct Service {
    pub(crate) stack: Stack,
    client: http::Client,
}

/// What a signup or a login hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) user: String,
}

impl Service {
    /// Starts it with settings of its own. argon2 costs the least that is allowed, as nothing here is about its cost.
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, Options::for_testing()).await
    }

    /// Starts it behind another kind of gateway, or below a base path.
    pub(crate) async fn start_behind(
        settings: &[(&str, &str)],
        kind: ApiKind,
        base_path: Option<&str>,
    ) -> Self {
        let base_path = base_path.map(str::to_owned);
        Self::start_with(settings, Options { payload: Some(kind), base_path, ..Options::for_testing() }).await
    }

    /// Starts it with the example's APIs beside it.
    pub(crate) async fn start_with_example(settings: &[(&str, &str)]) -> Self {
        Self::start_with(settings, Options { beside: Some(example()), ..Options::for_testing() }).await
    }

    /// Starts it on a table that another service has made.
    pub(crate) async fn start_at(settings: &[(&str, &str)], endpoint: &str) -> Self {
        Self::start_behind_at(settings, ApiKind::Rest, endpoint).await
    }

    /// The same behind another kind of gateway.
    pub(crate) async fn start_behind_at(settings: &[(&str, &str)], kind: ApiKind, endpoint: &str) -> Self {
        Self::start_with(settings, Options { payload: Some(kind), ..Self::at(endpoint) }).await
    }

    /// Starts it with the example's APIs beside it, on a table that another service has made.
    pub(crate) async fn start_with_example_at(settings: &[(&str, &str)], endpoint: &str) -> Self {
        Self::start_with(settings, Options { beside: Some(example()), ..Self::at(endpoint) }).await
    }

    fn at(endpoint: &str) -> Options {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        let data = Data::Endpoint { url: endpoint.to_owned(), beside };
        // The SDK's budget of retries is one for each region in a process: nobody else's faults use up this one.
        Options { data, ..Options::for_testing() }.with("AWS_REGION", &format!("tap-{number}"))
    }

    /// Starts it as a deployment with these parameters, on a table that another service has made. Deployments with one folder
    /// have one Secrets Manager.
    pub(crate) async fn deploy(parameters: &[(&str, &str)], endpoint: &str, folder: &Path) -> Self {
        static DEPLOYED: AtomicUsize = AtomicUsize::new(0);
        let mut text = include_str!("../../../../../template.yaml").to_owned();
        for (parameter, value) in parameters {
            let default = format!("\n  {parameter}:\n    Type: String\n    Default: ");
            assert!(text.contains(&format!("{default}''\n")), "{parameter} is left alone");
            text = text.replace(&format!("{default}''\n"), &format!("{default}'{value}'\n"));
        }
        let number = DEPLOYED.fetch_add(1, Ordering::Relaxed);
        let template = folder.join(format!("template-{number}.yaml"));
        std::fs::create_dir_all(folder).expect("a folder");
        std::fs::write(&template, text).expect("a template");
        let data = Data::Endpoint { url: endpoint.to_owned(), beside: folder.join("data.db") };
        Self::start_with(&[], Options { template, data, ..Options::for_testing() }).await
    }

    /// Starts it as a stack with these options.
    pub(crate) async fn start_with(settings: &[(&str, &str)], mut options: Options) -> Self {
        let cheap = [("ARGON2_MEMORY_KIB", "7168"), ("ARGON2_ITERATIONS", "1")];
        for (name, value) in cheap.iter().chain(settings) {
            options = options.with(name, value);
        }
        let stack = Stack::start(options).await.expect("the service starts");
        Self { stack, client: http::Client::new() }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.call_url(method, &format!("{}{path}", self.stack.url()))
    }

    /// Calls another server.
    pub(crate) fn call_url(&self, method: &str, url: &str) -> Call<'_> {
        Call::new(&self.client, method, url)
    }

    /// Moves the clock of every function.
    pub(crate) fn pass(&self, seconds: u64) {
        self.stack.clock().advance(Duration::from_secs(seconds));
    }

    pub(crate) fn now(&self) -> u64 {
        self.stack.clock().now().epoch_seconds()
    }

    /// Posts as a page of the service's own origin does: with cookies nobody else may.
    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path).header("sec-fetch-site", "same-origin").json(body).send().await
    }

    pub(crate) async fn try_signup(&self, email: &str) -> Reply {
        self.post("/auth/signup", &json!({ "email": email, "password": PASSWORD })).await
    }

    pub(crate) async fn signup(&self, email: &str) -> Tokens {
        tokens(&self.try_signup(email).await.expect(201).body)
    }

    pub(crate) async fn try_login(&self, email: &str, password: &str) -> Reply {
        self.post("/auth/login", &json!({ "email": email, "password": password })).await
    }

    /// The status of a login from any address: over HTTP every client of a test has the loopback address.
    pub(crate) async fn login_from(&self, ip: &str, email: &str, password: &str) -> u16 {
        self.post_from(ip, "login", &json!({ "email": email, "password": password })).await
    }

    /// The status of a request from any address, as an event of the function.
    pub(crate) async fn post_from(&self, ip: &str, package: &str, body: &Value) -> u16 {
        let event = events::all().into_iter().find(|event| event.name == package).expect("an event");
        let function = event.function;
        let mut event = event.as_it_is();
        event["requestContext"]["identity"]["sourceIp"] = json!(ip);
        event["body"] = json!(body.to_string());
        let answer = self.stack.invoke(function, &event).await.expect("an answer");
        answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status")
    }

    pub(crate) async fn login(&self, email: &str) -> Tokens {
        tokens(&self.try_login(email, PASSWORD).await.expect(200).body)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Reply {
        self.call("POST", "/auth/refresh").json(&json!({ "refreshToken": token })).send().await
    }

    pub(crate) async fn refresh_with_key(&self, token: &str, key: &str) -> Reply {
        let call = self.call("POST", "/auth/refresh").header("idempotency-key", key);
        call.json(&json!({ "refreshToken": token })).send().await
    }

    pub(crate) async fn logout(&self, token: &str) -> Reply {
        self.call("POST", "/auth/logout").json(&json!({ "refreshToken": token })).send().await
    }

    pub(crate) async fn change_password(&self, access: &str, body: &Value) -> Reply {
        self.call("POST", "/auth/password").bearer(access).json(body).send().await
    }

    pub(crate) async fn me(&self, access: &str) -> Reply {
        self.call("GET", "/auth/me").bearer(access).send().await
    }

    /// How many audit lines tell of `event`, and why.
    pub(crate) fn audited(&self, event: &str) -> Vec<String> {
        let entries = self
            .stack
            .audit()
            .entries()
            .into_iter()
            .map(|entry| serde_json::to_value(entry).expect("an entry is JSON"));
        entries
            .filter(|entry| entry["event"] == event)
            .map(|entry| entry["reason"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// The template of `examples/protected-api`.
pub(crate) fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/protected-api/template.yaml")
}

/// A service whose every request to the table passes a tap, with the engine behind it.
pub(crate) async fn tapped(settings: &[(&str, &str)]) -> (Service, Service, Tap) {
    let engine = Service::start(&[]).await;
    let tap = Tap::start_for(engine.stack.store_endpoint(), settings.contains(&("RENEWAL", "rotate"))).await;
    let service = Service::start_at(settings, &tap.url).await;
    tap.take();
    (engine, service, tap)
}

/// The tokens of an answer in camel case.
pub(crate) fn tokens(body: &Value) -> Tokens {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    Tokens {
        access: text(&body["accessToken"]),
        refresh: text(&body["refreshToken"]),
        user: text(&body["user"]["userId"]),
    }
}

/// The claims of a token, unverified.
pub(crate) fn claims(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').nth(1).expect("a JWT has three parts");
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
    serde_json::from_slice(&json).expect("JSON claims")
}
