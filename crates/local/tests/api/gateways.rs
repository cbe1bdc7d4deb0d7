//! The same flow behind a REST API and an HTTP API, with and without a base path; and every event of `events/`.

use local::api::ApiKind;
use serde_json::json;

use crate::support::{NEW_PASSWORD, PASSWORD, Service, events, tokens};

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
    let change = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let changed = call("POST", "/auth/password").bearer(&login.access).json(&change).send().await.expect(200);
    assert_eq!(changed.body["revokedSessions"], 0);
    let login = tokens(&changed.body);
    call("POST", "/auth/revoke-all").bearer(&login.access).send().await.expect(200);
    call("POST", "/auth/logout").json(&json!({"refreshToken": login.refresh})).send().await.expect(204);
    call("POST", "/auth/login")
        .json(&json!({"email": "ada@example.com", "password": "x"}))
        .send()
        .await
        .expect(401);
    call("GET", "/.well-known/jwks.json").send().await.expect(200);
}

/// Every file of `events/` is fed to its function as it is, with tokens and identifiers of this run. The
/// authorizers' have tests of their own.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_answered_by_its_function() {
    let mut fed = 0;
    for event in events::all().into_iter().filter(|event| !event.package.ends_with("authorizer")) {
        let service = Service::start(&event.settings()).await;
        let answer =
            service.stack.invoke(event.function, &event.prepare(&service).await).await.expect(&event.name);
        let status = answer["statusCode"].as_u64().expect("a status");
        assert!((200..300).contains(&status), "{}: {answer}", event.name);
        fed += 1;
    }
    assert!(fed >= 30, "{fed}");
}
