//! What the functions write, with the real program: nothing secret, in any format, at any level, in success and in failure;
//! and audit lines that CloudWatch takes for metrics.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use auth_core::audit::{Event, Outcome};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::http::{Call, Client, Reply};
use crate::support::keys::generate;
use crate::support::program::Program;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service};

const ORIGIN: &str = "https://app.example.com";

/// What a trusted proxy sends with every request.
const PROXY_SECRET: &str = "proxy-secret-0123456789abcdef0123456789abcdef";

/// One way to configure the program.
struct Setup {
    format: &'static str,
    delivery: &'static str,
    algorithm: &'static str,
    level: &'static str,
    renewal: &'static str,
}

const SETUPS: [Setup; 6] = [
    Setup { format: "camel", delivery: "body", algorithm: "HS256", level: "trace", renewal: "rotate" },
    Setup { format: "snake", delivery: "body", algorithm: "ES256", level: "trace", renewal: "access" },
    Setup { format: "envelope", delivery: "cookie", algorithm: "HS512", level: "trace", renewal: "rotate" },
    Setup { format: "authorization", delivery: "cookie", algorithm: "EdDSA", level: "debug", renewal: "off" },
    Setup { format: "camel", delivery: "body", algorithm: "RS256", level: "info", renewal: "off" },
    Setup { format: "snake", delivery: "cookie", algorithm: "HS256", level: "error", renewal: "rotate" },
];

/// A client that remembers everything secret that it has sent or been given.
struct Caller {
    client: Client,
    url: String,
    cookies: bool,
    renewal: &'static str,
    secrets: RefCell<BTreeSet<String>>,
}

/// What a signup, a login or a refresh has handed out.
#[derive(Clone)]
struct Pair {
    access: String,
    refresh: String,
}

impl Caller {
    fn remember(&self, secret: &str) {
        assert!(secret.len() >= 7, "{secret} is too short to be looked for");
        self.secrets.borrow_mut().insert(secret.to_owned());
    }

    /// A token is secret as a whole and in its parts, but for the header, which says nothing but the algorithm.
    fn remember_token(&self, token: &str) {
        self.remember(token);
        for part in token.split('.').skip(1).filter(|part| part.len() > 16) {
            self.remember(part);
        }
    }

    fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call::new(&self.client, method, &format!("{}{path}", self.url))
            .header("origin", ORIGIN)
            .header("x-latchkey-proxy-secret", PROXY_SECRET)
    }

    async fn sent(&self, call: Call<'_>) -> Reply {
        let reply = call.send().await;
        for token in tokens_in(&reply) {
            self.remember_token(&token);
        }
        reply
    }

    async fn post(&self, path: &str, body: &Value) -> Reply {
        self.sent(self.call("POST", path).json(body)).await
    }

    async fn sign(&self, path: &str, email: &str, password: &str) -> Reply {
        self.remember(password);
        self.post(path, &json!({"email": email, "password": password, "displayName": "Ada"})).await
    }

    async fn refresh(&self, token: &str, key: Option<&str>) -> Reply {
        self.present("/auth/refresh", token, key).await
    }

    /// Sends a refresh token to where this deployment takes it from.
    async fn present(&self, path: &str, token: &str, key: Option<&str>) -> Reply {
        self.sent(self.presentation(path, token, key)).await
    }

    fn presentation(&self, path: &str, token: &str, key: Option<&str>) -> Call<'_> {
        self.remember_token(token);
        let mut call = self.call("POST", path);
        if let Some(key) = key {
            self.remember(key);
            call = call.header("idempotency-key", key);
        }
        if self.cookies {
            call.header("cookie", &format!("__Secure-refresh_token={token}"))
        } else {
            call.json(&json!({"refreshToken": token}))
        }
    }

    /// A password that everybody knows is no secret: its word is in lines of its own right.
    async fn change(&self, token: &str, current: &str, new: &str) -> Reply {
        for password in [current, new].into_iter().filter(|password| *password != "password") {
            self.remember(password);
        }
        let body = json!({"currentPassword": current, "newPassword": new});
        self.sent(self.call("POST", "/auth/password").bearer(token).json(&body)).await
    }

    async fn authorized(&self, method: &str, path: &str, token: &str) -> Reply {
        self.remember_token(token);
        self.sent(self.call(method, path).bearer(token)).await
    }
}

/// Every JWT of an answer, wherever it is.
fn tokens_in(reply: &Reply) -> Vec<String> {
    let headers = reply.headers.values().filter_map(|value| value.to_str().ok());
    let everything =
        headers.map(str::to_owned).chain([reply.body.to_string()]).collect::<Vec<_>>().join("\n");
    let words = everything.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    words
        .filter(|word| word.starts_with("eyJ") && word.matches('.').count() == 2)
        .map(str::to_owned)
        .collect()
}

fn pair(reply: &Reply) -> Pair {
    let of = |kind: &str| {
        let is = |token: &&String| {
            let header =
                URL_SAFE_NO_PAD.decode(token.split('.').next().expect("a header")).expect("base64url");
            String::from_utf8_lossy(&header).contains(kind)
        };
        tokens_in(reply).iter().find(is).cloned().expect("a token of that kind")
    };
    Pair { access: of("at+jwt"), refresh: of("rt+jwt") }
}

/// What goes right, and what a client can do wrong.
async fn use_everything(caller: &Caller) {
    let first = pair(&caller.sign("/auth/signup", "ada@example.com", PASSWORD).await.expect(201));
    caller.sign("/auth/signup", "ada@example.com", "another-plum-kettle-4172").await.expect(409);
    caller.sign("/auth/register", "bob@example.com", "qwertyuiop1").await.expect(400);
    caller.sign("/auth/register", "not an address", "walnut-stairs-2219-x").await.expect(400);
    malformed(caller).await;
    for _ in 0..3 {
        caller.sign("/auth/login", "eve@example.com", "guess-of-a-stranger").await.expect(401);
    }
    caller.sign("/auth/login", "eve@example.com", "guess-of-a-stranger").await.expect(429);
    caller.sign("/auth/login", "ada@example.com", "wrong-plum-kettle").await.expect(401);
    let second = pair(&caller.sign("/auth/login", "ada@example.com", PASSWORD).await.expect(200));
    let key = "idempotency-key-of-ada-7341";
    let third = pair(&caller.refresh(&second.refresh, Some(key)).await.expect(200));
    caller.refresh(&second.refresh, Some(key)).await.expect(200);
    let foreign = caller.presentation("/auth/refresh", &second.refresh, Some(key));
    caller.sent(foreign.header("user-agent", "another-browser/2.0")).await.expect(200);
    caller.refresh(&third.refresh, None).await.expect(200);
    caller.refresh(&second.refresh, Some("another-key-99213")).await.expect(401);
    caller.refresh(&third.refresh, None).await.expect(401);
    caller.authorized("GET", "/auth/me", &third.access).await.expect(401);
    forged(caller, &first).await;
    renewed(caller, &first).await;
    account(caller, &first).await;
}

/// Every token older than a second is renewed in these setups: the program's clock is the machine's.
async fn renewed(caller: &Caller, tokens: &Pair) {
    let key = "renewal-key-of-ada-5518";
    caller.remember(key);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let call = caller.call("GET", "/auth/me").bearer(&tokens.access).header("x-refresh-idempotency-key", key);
    let cookie = format!("__Secure-refresh_token={}", tokens.refresh);
    let reply = caller
        .sent(if caller.cookies {
            call.header("cookie", &cookie)
        } else {
            call.header("x-refresh-token", &tokens.refresh)
        })
        .await
        .expect(200);
    assert_eq!(reply.headers.contains_key("x-new-token"), caller.renewal != "off");
}

/// Bodies that no function can read, with something secret in each.
async fn malformed(caller: &Caller) {
    for password in ["broken-json-4711", "nested-secret-4712", "numbered-secret-4713"] {
        caller.remember(password);
    }
    let cut = r#"{"email":"ada@example.com","password":"broken-json-4711"#;
    caller
        .sent(caller.call("POST", "/auth/login").header("content-type", "application/json").body(cut))
        .await;
    caller.sent(caller.call("POST", "/auth/login").header("content-type", "text/plain").body(cut)).await;
    let nested = json!({"email": "ada@example.com", "password": {"value": "nested-secret-4712"}});
    caller.post("/auth/login", &nested).await.expect(400);
    caller.post("/auth/signup", &json!(["numbered-secret-4713"])).await.expect(400);
    let large = json!({"email": "ada@example.com", "password": "numbered-secret-4713".repeat(2_000)});
    caller.post("/auth/login", &large).await.expect(413);
}

/// Tokens that are none, or not for this.
async fn forged(caller: &Caller, tokens: &Pair) {
    let forged = format!("{}AAAA", tokens.refresh);
    caller.refresh(&forged, None).await.expect(401);
    caller.refresh(&tokens.access, None).await.expect(401);
    caller.authorized("GET", "/auth/me", &tokens.refresh).await.expect(401);
    caller.authorized("GET", "/auth/me", &format!("{}AAAA", tokens.access)).await.expect(401);
    caller.remember("YWRhOnNlY3JldC00NzE0");
    caller
        .sent(caller.call("GET", "/auth/me").header("authorization", "Basic YWRhOnNlY3JldC00NzE0"))
        .await
        .expect(401);
    let query = format!("/auth/me?access_token={}", tokens.access);
    caller.sent(caller.call("GET", &query)).await.expect(401);
    if caller.cookies {
        let call = Call::new(&caller.client, "POST", &format!("{}/auth/refresh", caller.url));
        let call = call.header("origin", "https://evil.example").header("sec-fetch-site", "cross-site");
        let cookie = format!("__Secure-refresh_token={}", tokens.refresh);
        caller.sent(call.header("cookie", &cookie)).await.expect(403);
    }
}

/// What a user does with the account, and its ends.
async fn account(caller: &Caller, tokens: &Pair) {
    caller.authorized("GET", "/auth/me", &tokens.access).await.expect(200);
    let change = caller.call("PATCH", "/auth/me").bearer(&tokens.access).json(&json!({"firstName": "Ada"}));
    caller.sent(change).await.expect(200);
    caller.sent(caller.call("PATCH", "/auth/me").bearer(&tokens.access).json(&json!({}))).await.expect(400);
    caller.authorized("GET", "/auth/sessions", &tokens.access).await.expect(200);
    caller.change(&tokens.access, "wrong-plum-kettle", NEW_PASSWORD).await.expect(401);
    caller.change(&tokens.access, PASSWORD, "password").await.expect(400);
    let tokens = pair(&caller.change(&tokens.access, PASSWORD, NEW_PASSWORD).await.expect(200));
    let tokens = pair(&caller.change(&tokens.access, NEW_PASSWORD, PASSWORD).await.expect(200));
    let other = pair(&caller.sign("/auth/login", "ada@example.com", PASSWORD).await.expect(200));
    let sid = crate::support::claims(&other.access)["sid"].as_str().expect("a session").to_owned();
    caller.authorized("DELETE", &format!("/auth/sessions/{sid}"), &tokens.access).await.expect(204);
    let gone = pair(&caller.sign("/auth/login", "ada@example.com", PASSWORD).await.expect(200));
    caller.present("/auth/logout", &gone.refresh, None).await.expect(204);
    caller.authorized("POST", "/auth/revoke-all", &tokens.access).await.expect(200);
    for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
        caller.sent(caller.call("GET", path)).await.expect(200);
    }
}

/// The table fails in every way, while each function works with something secret.
async fn fail_everywhere(caller: &Caller, tap: &Tap) {
    let tokens = pair(&caller.sign("/auth/login", "ada@example.com", PASSWORD).await.expect(200));
    let faults = [
        Fault::Status(500),
        Fault::Refuse("ThrottlingException"),
        Fault::Refuse("ValidationException"),
        Fault::Truncate,
        Fault::Garble(r#"{"Item":{"password_hash":{"N":"0"},"generation":{"S":"x"}},"Attributes":{}}"#),
        Fault::LoseRequest,
    ];
    for fault in faults {
        for operation in ["GetItem", "UpdateItem"] {
            tap.spoil(Target::of(operation, ""), fault);
            caller.sign("/auth/login", "ada@example.com", PASSWORD).await;
            caller.refresh(&tokens.refresh, None).await;
            caller.authorized("GET", "/auth/me", &tokens.access).await;
            caller.present("/auth/logout", &tokens.refresh, None).await;
            tap.heal();
        }
    }
    let tokens = pair(&caller.sign("/auth/login", "ada@example.com", PASSWORD).await.expect(200));
    for fault in [Fault::Refuse("ThrottlingException"), Fault::Refuse("ValidationException"), Fault::Truncate]
    {
        tap.spoil(Target::of("UpdateItem", "changed_by"), fault);
        let status = caller.change(&tokens.access, PASSWORD, "Velvet-Harbour-Thimble").await.status;
        assert!(status >= 500, "{fault:?}: {status}");
        tap.heal();
    }
    let many = 12;
    for number in 0..many {
        caller.sign("/auth/signup", &format!("user{number}@example.com"), "tulip-ladder-3391-q").await;
    }
}

/// The settings of a setup; whatever is secret in them is remembered by the second list.
fn settings(setup: &Setup) -> (Vec<(&'static str, String)>, Vec<String>) {
    let secret = |letter: &str| letter.repeat(64) + "-" + setup.format + "-signing-secret";
    let secrets = ["k", "p", "r", "q"].map(secret);
    let mut settings = vec![
        ("RESPONSE_FORMAT", setup.format.to_owned()),
        ("TOKEN_DELIVERY", setup.delivery.to_owned()),
        ("JWT_ALGORITHM", setup.algorithm.to_owned()),
        ("LOG_LEVEL", setup.level.to_owned()),
        ("RUST_LOG", "trace".to_owned()),
        ("SERVICE_NAME", format!("latchkey-{}", setup.format)),
        ("CORS_ALLOWED_ORIGINS", ORIGIN.to_owned()),
        ("RENEWAL", setup.renewal.to_owned()),
        ("RENEWAL_WINDOW", "3599s".to_owned()),
        ("LOGIN_LOCK_FAILURES", "3".to_owned()),
        ("TRUSTED_PROXY_SECRET", PROXY_SECRET.to_owned()),
        ("SIGNUP_LIMIT_PER_IP", "8".to_owned()),
        ("ARGON2_MEMORY_KIB", "7168".to_owned()),
        ("ARGON2_ITERATIONS", "1".to_owned()),
    ];
    let names =
        ["JWT_SECRET", "JWT_PREVIOUS_SECRETS", "REFRESH_TOKEN_SECRET", "REFRESH_TOKEN_PREVIOUS_SECRETS"];
    settings.extend(names.into_iter().zip(secrets.clone()));
    let mut secrets = secrets.to_vec();
    secrets.push(PROXY_SECRET.to_owned());
    if !setup.algorithm.starts_with("HS") {
        let keys = generate(setup.algorithm);
        secrets.extend(keys.private.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
        settings.extend([("JWT_PRIVATE_KEY", keys.private), ("JWT_PUBLIC_KEY", keys.public)]);
    }
    (settings, secrets)
}

/// Everything that one setup has written, and everything secret that has passed through it.
async fn written_by(setup: &Setup) -> (String, BTreeSet<String>) {
    let engine = Service::start(&[]).await;
    let tap = Tap::start_for(engine.stack.store_endpoint(), setup.renewal == "rotate").await;
    let (settings, secrets) = settings(setup);
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let program = Program::start(&tap.url, &settings).await;
    let caller = Caller {
        client: Client::new(),
        url: program.url.clone(),
        cookies: setup.delivery == "cookie",
        renewal: setup.renewal,
        secrets: RefCell::default(),
    };
    for secret in secrets {
        caller.remember(&secret);
    }
    use_everything(&caller).await;
    fail_everywhere(&caller, &tap).await;
    for item in Table::of(&engine).await.items().await {
        if let Some((_, digest)) = text(&item, "password_hash").rsplit_once('$') {
            caller.remember(digest);
        }
    }
    (program.end(), caller.secrets.into_inner())
}

/// As it is, and as base64 of either alphabet would show it.
fn spellings(secret: &str) -> [String; 3] {
    [secret.to_owned(), STANDARD.encode(secret).replace('=', ""), URL_SAFE_NO_PAD.encode(secret)]
}

/// The audit lines among everything that was written.
fn audit_lines(written: &str) -> Vec<Value> {
    let lines = written.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["level"] == "AUDIT").collect()
}

/// The lines hold nothing secret, are what CloudWatch takes, and tell of every event that a client can bring about.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_written_and_every_event_is_a_metric() {
    let (mut seen, mut metrics) = (BTreeMap::new(), BTreeSet::new());
    for setup in &SETUPS {
        let (written, secrets) = written_by(setup).await;
        let place = format!("{} {} {} {}", setup.format, setup.delivery, setup.algorithm, setup.level);
        for secret in &secrets {
            for spelling in spellings(secret) {
                let line = written.lines().find(|line| line.contains(&spelling));
                assert_eq!(line, None, "{place}: {spelling} is in a line");
            }
        }
        assert!(secrets.len() > 40, "{place}: {}", secrets.len());
        if setup.level != "error" {
            assert!(
                written.contains(r#""level":"WARN""#) || written.contains(r#""level":"ERROR""#),
                "{place}"
            );
        }
        for line in audit_lines(&written) {
            metrics.insert(accepted(&line, &format!("latchkey-{}", setup.format)));
            seen.insert(line["event"].as_str().expect("an event").to_owned(), line);
        }
    }
    let by_operators = [Event::AddressUnlocked, Event::UserDisabled, Event::UserEnabled, Event::UserDeleted];
    let named =
        |event: &Event| serde_json::to_value(event).expect("a name").as_str().expect("a text").to_owned();
    let expected: BTreeSet<String> =
        Event::ALL.iter().filter(|event| !by_operators.contains(event)).map(named).collect();
    assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), expected);
    crate::agreement::alarms_count_metrics_that_are_emitted(&metrics);
    crate::agreement::queries_name_what_lines_have(&seen.into_values().collect::<Vec<_>>());
}

/// CloudWatch makes a metric of a line if it is of the published schema, and every name in it is a member of the line ("Target
/// member reference": a dimension's value is a text, a metric's a number). Returns the metric's name.
fn accepted(line: &Value, service: &str) -> String {
    let schema = serde_json::from_str(include_str!("emf.schema.json")).expect("JSON");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("emf.schema.json", schema).expect("a schema");
    let schema = compiler.compile("emf.schema.json", &mut schemas).expect("a schema");
    let verdict = schemas.validate(line, schema).map_err(|error| error.to_string());
    assert_eq!(verdict, Ok(()), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("a list");
    assert_eq!(directives.len(), 1);
    assert_eq!(directives[0]["Dimensions"], json!([["Service"]]));
    assert_eq!(line["Service"], service);
    let metrics = directives[0]["Metrics"].as_array().expect("a list");
    assert_eq!(metrics.len(), 1, "one metric for an event: {line}");
    let name = metrics[0]["Name"].as_str().expect("a name");
    assert_eq!(line[name], 1);
    let event = Event::ALL.iter().find(|event| json!(event) == line["event"]).expect("an event");
    let outcome = if line["outcome"] == "success" { Outcome::Success } else { Outcome::Failure };
    assert_eq!(name, event.metric(outcome));
    // Milliseconds, and not so far from now that CloudWatch would drop it (two weeks back, two hours ahead).
    assert_eq!(line["_aws"]["Timestamp"].as_u64(), line["timestamp"].as_u64().map(|seconds| seconds * 1_000));
    assert!(line["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    name.to_owned()
}
