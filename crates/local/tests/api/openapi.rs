//! `docs/openapi.json` and the service say the same: every route, method, status, field and error code. What the document says is
//! provoked, and what is answered is held against the document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::change_password::passwords;
use crate::support::http::{Call, Reply};
use crate::support::schema::faults;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, tapped};

const README: &str = include_str!("../../../../README.md");

/// An operation and a status.
type Answered = (String, String, u16);

/// The document, and what of it has been answered so far.
struct Described {
    document: Value,
    answered: BTreeSet<Answered>,
}

impl Described {
    fn new() -> Self {
        let text = include_str!("../../../../docs/openapi.json");
        Self { document: serde_json::from_str(text).expect("JSON"), answered: BTreeSet::new() }
    }

    /// Every operation, and what is written of it.
    fn operations(&self) -> impl Iterator<Item = (&str, String, &Value)> {
        let paths = self.document["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods.iter().map(move |(method, operation)| (path.as_str(), method.to_uppercase(), operation))
        })
    }

    /// Every operation with every status that this service itself answers, not the gateway in front of it.
    fn promised(&self) -> BTreeSet<Answered> {
        self.operations()
            .flat_map(|(path, method, operation)| {
                let responses = operation["responses"].as_object().expect("responses");
                responses.iter().filter_map(move |(status, response)| {
                    let ours = self.resolve(response).get("x-answered-by").is_none();
                    ours.then(|| (path.to_owned(), method.clone(), status.parse().expect("a status")))
                })
            })
            .collect()
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        value["$ref"].as_str().map_or(value, |reference| {
            self.document.pointer(reference.trim_start_matches('#')).expect("a component")
        })
    }

    /// Holds an answer against what is written of its operation.
    #[track_caller]
    fn hold(&mut self, path: &str, method: &str, reply: &Reply) {
        let what = format!("{method} {path} {}", reply.status);
        let operation = &self.document["paths"][path][method.to_lowercase()];
        let response = self.resolve(&operation["responses"][reply.status.to_string()]);
        assert!(response.is_object(), "{what} is not described: {}", reply.body);
        if let Some(headers) = response["headers"].as_object() {
            for (name, header) in headers {
                let header = self.resolve(header);
                let (schema, text) = (&header["schema"], reply.header(name));
                if header["required"] == false && text.is_empty() {
                    continue;
                }
                let value =
                    if schema["type"] == "integer" { json!(text.parse::<u64>().ok()) } else { json!(text) };
                assert!(faults(&self.document, schema, &value).is_empty(), "{what}: {name} is {text:?}");
            }
        }
        match response.pointer("/content/application~1json/schema") {
            None => assert_eq!(reply.bytes, 0, "{what} has no body"),
            Some(schema) => {
                assert_eq!(reply.header("content-type"), "application/json", "{what}");
                let faults = faults(&self.document, schema, &reply.body);
                assert!(faults.is_empty(), "{what}: {faults:?} in {}", reply.body);
            }
        }
        self.answered.insert((path.to_owned(), method.to_owned(), reply.status));
    }

    async fn send(&mut self, path: &str, method: &str, call: Call<'_>) -> Reply {
        let reply = call.send().await;
        self.hold(path, method, &reply);
        reply
    }

    async fn post(&mut self, service: &Service, path: &str, body: &Value) -> Reply {
        let call = service.call("POST", path).json(body);
        self.send(path, "POST", call).await
    }
}

/// The operations that take a body.
const WITH_BODY: [(&str, &str); 7] = [
    ("/auth/signup", "POST"),
    ("/auth/register", "POST"),
    ("/auth/login", "POST"),
    ("/auth/refresh", "POST"),
    ("/auth/logout", "POST"),
    ("/auth/me", "PATCH"),
    ("/auth/password", "POST"),
];
/// The operations behind the authorizer, with a path that reaches them.
const PROTECTED: [(&str, &str, &str); 6] = [
    ("/auth/me", "GET", "/auth/me"),
    ("/auth/me", "PATCH", "/auth/me"),
    ("/auth/sessions", "GET", "/auth/sessions"),
    ("/auth/sessions/{sessionId}", "DELETE", "/auth/sessions/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ("/auth/revoke-all", "POST", "/auth/revoke-all"),
    ("/auth/password", "POST", "/auth/password"),
];

fn account(email: &str) -> Value {
    json!({"email": email, "password": PASSWORD})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_that_is_described_is_given_and_as_it_is_described() {
    let mut described = Described::new();
    successes(&mut described).await;
    bad_requests(&mut described).await;
    refusals(&mut described).await;
    limits(&mut described).await;
    broken_items(&mut described).await;
    no_table(&mut described).await;
    let missing: Vec<_> = described.promised().difference(&described.answered).cloned().collect();
    assert!(missing.is_empty(), "described, and not answered here: {missing:?}");
}

async fn successes(described: &mut Described) {
    let service = Service::start(&[("JWT_ALGORITHM", "HS256")]).await;
    let names =
        json!({"email": "ada@example.com", "password": PASSWORD, "displayName": "Ada", "lastName": "King"});
    described.post(&service, "/auth/signup", &names).await.expect(201);
    described.post(&service, "/auth/register", &account("bob@example.com")).await.expect(201);
    let login = described.post(&service, "/auth/login", &account("ada@example.com")).await.expect(200);
    let refresh = json!({"refreshToken": login.body["refreshToken"]});
    for _ in 0..2 {
        let call = service.call("POST", "/auth/refresh").header("idempotency-key", "k-1").json(&refresh);
        described.send("/auth/refresh", "POST", call).await.expect(200);
        service.pass(11);
    }
    let call = service.call("POST", "/auth/refresh").header("idempotency-key", "k-1").json(&refresh);
    let refreshed = described.send("/auth/refresh", "POST", call).await.expect(200);
    let access = refreshed.body["accessToken"].as_str().expect("a token").to_owned();
    described.send("/auth/me", "GET", service.call("GET", "/auth/me").bearer(&access)).await.expect(200);
    let change = service
        .call("PATCH", "/auth/me")
        .bearer(&access)
        .json(&json!({"firstName": "Augusta", "displayName": null}));
    described.send("/auth/me", "PATCH", change).await.expect(200);
    let list = service.call("GET", "/auth/sessions").bearer(&access);
    let list = described.send("/auth/sessions", "GET", list).await.expect(200);
    let other =
        list.body["sessions"].as_array().and_then(|all| all.iter().find(|one| one["current"] == false));
    let replayed =
        list.body["sessions"].as_array().into_iter().flatten().any(|one| one["lastReplay"]["at"].is_u64());
    assert!(replayed, "{}", list.body);
    let other = other.expect("the signup's session")["sessionId"].as_str().expect("an id").to_owned();
    let end = service.call("DELETE", &format!("/auth/sessions/{other}")).bearer(&access);
    described.send("/auth/sessions/{sessionId}", "DELETE", end).await.expect(204);
    let change =
        service.call("POST", "/auth/password").bearer(&access).json(&passwords(PASSWORD, NEW_PASSWORD));
    let changed = described.send("/auth/password", "POST", change).await.expect(200);
    let access = changed.body["accessToken"].as_str().expect("a token").to_owned();
    described
        .send("/auth/revoke-all", "POST", service.call("POST", "/auth/revoke-all").bearer(&access))
        .await
        .expect(200);
    described
        .post(&service, "/auth/logout", &json!({"refreshToken": refreshed.body["refreshToken"]}))
        .await
        .expect(204);
    for path in ["/.well-known/jwks.json", "/.well-known/openid-configuration"] {
        described.send(path, "GET", service.call("GET", path)).await.expect(200);
    }
}

async fn bad_requests(described: &mut Described) {
    let service = Service::start(&[]).await;
    let access = service.signup("ada@example.com").await.access;
    for (path, method) in WITH_BODY {
        let call = || {
            service.call(method, path).bearer(if path == "/auth/me" || path == "/auth/password" {
                &access
            } else {
                "x"
            })
        };
        let bodies = [
            (400, "application/json", "[".to_owned()),
            (415, "application/x-www-form-urlencoded", "{}".to_owned()),
            (413, "application/json", format!("{{\"x\":\"{}\"}}", "x".repeat(17_000))),
        ];
        for (status, kind, body) in bodies {
            described.send(path, method, call().header("content-type", kind).body(body)).await.expect(status);
        }
    }
    for path in ["/auth/signup", "/auth/register"] {
        let weak = json!({"email": "bob@example.com", "password": "password"});
        assert_eq!(described.post(&service, path, &weak).await.expect(400).code(), "weak_password");
        assert_eq!(
            described.post(&service, path, &account("ada@example.com")).await.expect(409).code(),
            "email_taken"
        );
    }
    let weak = service.call("POST", "/auth/password").bearer(&access).json(&passwords(PASSWORD, "password"));
    assert_eq!(described.send("/auth/password", "POST", weak).await.expect(400).code(), "weak_password");
    let end = service.call("DELETE", "/auth/sessions/x").bearer(&access);
    described.send("/auth/sessions/{sessionId}", "DELETE", end).await.expect(400);
}

async fn refusals(described: &mut Described) {
    let service = Service::start(&[]).await;
    for (path, method, url) in PROTECTED {
        let call = service.call(method, url);
        let call = if method == "PATCH" { call.json(&json!({"displayName": "Ada"})) } else { call };
        let reply = described.send(path, method, call).await.expect(401);
        assert_eq!(reply.code(), "invalid_token");
        assert_eq!(reply.header("www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    let challenged = |reply: &Reply, code: &str| {
        assert_eq!(reply.code(), code);
        let challenge = reply.header("x-amzn-remapped-www-authenticate");
        assert_eq!(challenge, format!("Latchkey error=\"{code}\""));
    };
    let login = described.post(&service, "/auth/login", &account("eve@example.com")).await.expect(401);
    challenged(&login, "invalid_credentials");
    let refresh = described.post(&service, "/auth/refresh", &json!({"refreshToken": "x"})).await.expect(401);
    challenged(&refresh, "invalid_grant");
    let tokens = service.signup("ada@example.com").await;
    let change_password = |current| {
        service.call("POST", "/auth/password").bearer(&tokens.access).json(&passwords(current, NEW_PASSWORD))
    };
    let wrong =
        described.send("/auth/password", "POST", change_password("not the password")).await.expect(401);
    challenged(&wrong, "invalid_credentials");
    let table = Table::of(&service).await;
    let profile = table.items_of("PROFILE").await.remove(0);
    table.set(&profile, "status", "disabled").await;
    described.post(&service, "/auth/login", &account("ada@example.com")).await.expect(403);
    described
        .send("/auth/me", "GET", service.call("GET", "/auth/me").bearer(&tokens.access))
        .await
        .expect(403);
    let change =
        service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&json!({"displayName": "Ada"}));
    described.send("/auth/me", "PATCH", change).await.expect(403);
    described.send("/auth/password", "POST", change_password(PASSWORD)).await.expect(403);
    described.post(&service, "/auth/refresh", &json!({"refreshToken": tokens.refresh})).await.expect(403);
    let gone = service.signup("gone@example.com").await;
    let profiles = table.items_of("PROFILE").await;
    table
        .delete(profiles.iter().find(|item| text(item, "email") == "gone@example.com").expect("theirs"))
        .await;
    for (path, method, url) in PROTECTED.into_iter().filter(|(path, ..)| *path == "/auth/me") {
        let call = service.call(method, url).bearer(&gone.access).json(&json!({"displayName": "Ada"}));
        let reply = described.send(path, method, call).await.expect(401);
        assert_eq!(reply.code(), "invalid_token");
        assert_eq!(reply.header("x-amzn-remapped-www-authenticate"), r#"Bearer error="invalid_token""#);
    }
    let cookies = Service::start(&[("TOKEN_DELIVERY", "cookie")]).await;
    for path in ["/auth/signup", "/auth/register", "/auth/login", "/auth/refresh", "/auth/logout"] {
        described.post(&cookies, path, &json!({})).await.expect(403);
    }
}

async fn limits(described: &mut Described) {
    let settings = [("SIGNUP_LIMIT_PER_IP", "0"), ("LOGIN_LIMIT_PER_ADDRESS", "1")];
    let service = Service::start(&settings).await;
    service.try_login("ada@example.com", "wrong password").await;
    described.post(&service, "/auth/login", &account("ada@example.com")).await.expect(429);
    let access = service.signup("ada@example.com").await.access;
    service.change_password(&access, &passwords("wrong password", NEW_PASSWORD)).await.expect(401);
    let change =
        service.call("POST", "/auth/password").bearer(&access).json(&passwords(PASSWORD, NEW_PASSWORD));
    described.send("/auth/password", "POST", change).await.expect(429);
    let service = Service::start(&[("SIGNUP_LIMIT_PER_IP", "1")]).await;
    service.signup("ada@example.com").await;
    for path in ["/auth/signup", "/auth/register"] {
        described.post(&service, path, &account("bob@example.com")).await.expect(429);
    }
}

/// Items that nobody of ours has written: the text says nothing of them.
async fn broken_items(described: &mut Described) {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    let credential = table.items_of("CREDENTIAL").await.remove(0);
    let profile = table.items_of("PROFILE").await.remove(0);
    table.set(&credential, "password_hash", "none").await;
    let change = service
        .call("POST", "/auth/password")
        .bearer(&tokens.access)
        .json(&passwords(PASSWORD, NEW_PASSWORD));
    described.send("/auth/password", "POST", change).await.expect(500);
    table.set(&profile, "created_at", "yesterday").await;
    for path in ["/auth/signup", "/auth/register", "/auth/login"] {
        described.post(&service, path, &account("ada@example.com")).await.expect(500);
    }
    described.post(&service, "/auth/refresh", &json!({"refreshToken": tokens.refresh})).await.expect(500);
    described
        .send("/auth/me", "GET", service.call("GET", "/auth/me").bearer(&tokens.access))
        .await
        .expect(500);
    let change =
        service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&json!({"displayName": "Ada"}));
    described.send("/auth/me", "PATCH", change).await.expect(500);
}

async fn no_table(described: &mut Described) {
    let (_engine, service, tap) = tapped(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    tap.spoil(Target::of("UpdateItem", ""), Fault::Refuse("ThrottlingException"));
    described.post(&service, "/auth/logout", &json!({"refreshToken": tokens.refresh})).await.expect(503);
    tap.spoil(Target::of("GetItem", ""), Fault::Refuse("ThrottlingException"));
    for path in ["/auth/signup", "/auth/register", "/auth/login"] {
        described.post(&service, path, &account("ada@example.com")).await.expect(503);
    }
    described.post(&service, "/auth/refresh", &json!({"refreshToken": tokens.refresh})).await.expect(503);
    for (path, method, url) in PROTECTED {
        let call = service.call(method, url).bearer(&tokens.access);
        let call = if method == "PATCH" { call.json(&json!({"displayName": "Ada"})) } else { call };
        described.send(path, method, call).await.expect(503);
    }
    // A fault of ours, or of the deployment's.
    for (path, method, url) in
        PROTECTED.into_iter().filter(|(path, ..)| !WITH_BODY.iter().any(|(other, _)| other == path))
    {
        tap.heal();
        tap.spoil(
            Target::of(if method == "GET" { "Query" } else { "UpdateItem" }, ""),
            Fault::Refuse("AccessDeniedException"),
        );
        described.send(path, method, service.call(method, url).bearer(&tokens.access)).await.expect(500);
    }
    described.post(&service, "/auth/logout", &json!({"refreshToken": tokens.refresh})).await.expect(500);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_routes_and_their_guards_are_those_of_the_template() {
    let service = Service::start(&[]).await;
    let routes = service.stack.api().routes.iter().filter(|route| route.method != "OPTIONS");
    let routes: BTreeSet<_> =
        routes.map(|route| (route.path.clone(), route.method.clone(), route.authorizer.is_some())).collect();
    let described = Described::new();
    let operations = described.operations().map(|(path, method, operation)| {
        let guarded = operation["security"].as_array().is_some_and(|schemes| !schemes.is_empty());
        (path.to_owned(), method, guarded)
    });
    assert_eq!(operations.collect::<BTreeSet<_>>(), routes);
    let served = service.call("GET", "/openapi.json").send().await.expect(200);
    assert_eq!(served.body["paths"], described.document["paths"]);
}

#[test]
fn the_error_codes_are_those_of_the_readme() {
    let section =
        README.split("### Errors").nth(1).and_then(|text| text.split("\n### ").next()).expect("a section");
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let cells =
        rows.map(|line| line.split(" | ").map(|cell| cell.trim_matches(['|', ' ', '`'])).collect::<Vec<_>>());
    let readme: BTreeSet<(u16, String)> =
        cells.filter_map(|cells| Some((cells[0].parse().ok()?, cells[1].to_owned()))).collect();
    let described = Described::new();
    let codes = described.operations().flat_map(|(_, _, operation)| {
        let responses = operation["responses"].as_object().expect("responses");
        responses.iter().flat_map(|(status, response)| {
            let codes = described
                .resolve(response)
                .pointer("/content/application~1json/schema/allOf/1/properties/error/enum");
            let codes = codes.and_then(Value::as_array).cloned().unwrap_or_default();
            let status: u16 = status.parse().expect("a status");
            codes.into_iter().map(move |code| (status, code.as_str().expect("a code").to_owned()))
        })
    });
    let mut codes: BTreeSet<_> = codes.collect();
    // No operation has it: it is API Gateway's answer to what is none.
    codes.insert((404, "not_found".to_owned()));
    assert_eq!(codes, readme);
}

/// Each member of a request, in both spellings; what is not described is not read.
#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_requests_are_those_that_are_read() {
    let described = Described::new();
    let members = |schema: &str| {
        let properties = described.document["components"]["schemas"][schema]["properties"].as_object();
        properties.expect("properties").keys().cloned().collect::<BTreeSet<_>>()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(members("Signup"), set(&["email", "password", "displayName", "firstName", "lastName"]));
    assert_eq!(members("Login"), set(&["email", "password"]));
    assert_eq!(members("RefreshToken"), set(&["refreshToken"]));
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    for name in members("Names") {
        let snake = name.replace("Name", "_name");
        for spelling in [&name, &snake] {
            let call = service
                .call("PATCH", "/auth/me")
                .bearer(&tokens.access)
                .json(&json!({spelling.as_str(): spelling}));
            assert_eq!(call.send().await.expect(200).body["user"][&name], spelling.as_str());
        }
    }
    for spelling in ["refreshToken", "refresh_token"] {
        service
            .call("POST", "/auth/refresh")
            .json(&json!({spelling: tokens.refresh}))
            .send()
            .await
            .expect(200);
    }
}
