//! The same flow behind a REST API and an HTTP API, with and without a base path; and every event of `events/`.

use serde_json::{Value, json};

use crate::agreement::FUNCTIONS;
use crate::support::{PASSWORD, Service, tokens};
use local::api::ApiKind;

#[tokio::test(flavor = "multi_thread")]
async fn the_flow_is_the_same_behind_every_gateway() {
    for kind in [ApiKind::Rest, ApiKind::Http] {
        for base_path in [None, Some("/api/v1")] {
            flow(&Service::start_behind(&[], kind, base_path).await).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_api_with_simple_answers_is_the_same_too() {
    flow(&Service::start_behind(&[("AUTHORIZER_RESPONSE", "simple")], ApiKind::Http, None).await).await;
}

async fn flow(service: &Service) {
    let call = |method: &str, path: &str| service.call(method, path);
    let body = json!({"email": "ada@example.com", "password": PASSWORD});
    let first = tokens(&call("POST", "/auth/signup").json(&body).send().await.expect(201).body);
    call("GET", "/auth/me").bearer(&first.access).send().await.expect(200);
    call("GET", "/auth/me").send().await.expect(401);
    call("GET", "/auth/me").bearer("nonsense").send().await.expect(401);
    let refreshed =
        call("POST", "/auth/refresh").json(&json!({"refreshToken": first.refresh})).send().await.expect(200);
    let second = tokens(&refreshed.body);
    let sessions = call("GET", "/auth/sessions").bearer(&second.access).send().await.expect(200);
    let sid = sessions.body["sessions"][0]["sessionId"].as_str().expect("a sid");
    assert_eq!(sessions.body["sessions"][0]["ip"], "127.0.0.1");
    let renamed = call("PATCH", "/auth/me").bearer(&second.access).json(&json!({"displayName": "Ada"}));
    assert_eq!(renamed.send().await.expect(200).body["user"]["displayName"], "Ada");
    call("DELETE", &format!("/auth/sessions/{sid}")).bearer(&second.access).send().await.expect(204);
    call("GET", "/auth/me").bearer(&second.access).send().await.expect(401);
    let login = tokens(&call("POST", "/auth/login").json(&body).send().await.expect(200).body);
    call("POST", "/auth/revoke-all").bearer(&login.access).send().await.expect(200);
    call("POST", "/auth/logout").json(&json!({"refreshToken": login.refresh})).send().await.expect(204);
    call("POST", "/auth/login")
        .json(&json!({"email": "ada@example.com", "password": "x"}))
        .send()
        .await
        .expect(401);
    call("GET", "/.well-known/jwks.json").send().await.expect(200);
}

/// Every file of `events/` is fed to its function as it is, with tokens and identifiers of this run.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_answered_by_its_function() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events");
    let mut fed = 0;
    for entry in std::fs::read_dir(folder).expect("events") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let Some(function) = function_of(&name) else { continue };
        let delivery = if name.contains("cookie") { "cookie" } else { "body" };
        let service = Service::start(&[
            ("TOKEN_DELIVERY", delivery),
            ("CORS_ALLOWED_ORIGINS", "https://app.example.com"),
        ])
        .await;
        let event = prepare(&service, &std::fs::read_to_string(&path).expect("an event")).await;
        let event = serde_json::from_str(&event).expect("JSON");
        let answer = service.stack.invoke(function, &event).await.expect(&name);
        let status = answer["statusCode"].as_u64().expect("a status");
        assert!((200..300).contains(&status), "{name}: {answer}");
        fed += 1;
    }
    assert!(fed >= 28, "{fed}");
}

/// The HTTP function that an event is for; the authorizer's have tests of their own.
fn function_of(name: &str) -> Option<&'static str> {
    let fits =
        |prefix: &str| name == prefix || name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
    let of = |(package, _): &(&str, &str)| *package != "authorizer" && fits(package);
    FUNCTIONS.into_iter().find(of).map(|(_, function)| function)
}

/// The users that the events tell of sign up first; then their tokens and identifiers go into the event.
async fn prepare(service: &Service, event: &str) -> String {
    let value: Value = serde_json::from_str(event).expect("JSON");
    let path = value["path"].as_str().or_else(|| value["rawPath"].as_str()).expect("a path");
    if path.ends_with("/signup") || path.ends_with("/register") {
        return event.to_owned();
    }
    let mut ada = None;
    for email in ["ada@example.com", "grace@example.com"] {
        let body = json!({"email": email, "password": PASSWORD});
        let reply = service.call("POST", "/auth/signup").json(&body).send().await.expect(201);
        ada = ada.or(Some(reply));
    }
    let ada = ada.expect("a user");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let access = text(&ada.body["accessToken"]).expect("a token");
    let cookie = || ada.cookies()[0].split(['=', ';']).nth(1).expect("a value").to_owned();
    let refresh = text(&ada.body["refreshToken"]).unwrap_or_else(cookie);
    let sid = crate::support::claims(&access)["sid"].as_str().expect("a sid").to_owned();
    event
        .replace("REPLACE_WITH_ACCESS_TOKEN", &access)
        .replace("REPLACE_WITH_REFRESH_TOKEN", &refresh)
        .replace("7f3c9a52-1f0e-4b7b-9d3e-2a6c5b8e4d10", ada.body["user"]["userId"].as_str().expect("an id"))
        .replace("q3Vn0eYk5rT8wZb1XcD6uJm4sLg7hPf2aQi9oRt0yEs", &sid)
}
