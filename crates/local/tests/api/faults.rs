//! What goes wrong between a function and the table signs nobody out.

use serde_json::json;

use crate::support::tap::{Fault, Tap};
use crate::support::{PASSWORD, Service, tokens};

async fn tapped(settings: &[(&str, &str)]) -> (Service, Service, Tap) {
    let engine = Service::start(&[]).await;
    let tap = Tap::start(engine.stack.store_endpoint()).await;
    let service = Service::start_at(settings, &tap.url).await;
    (engine, service, tap)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_throttles_is_503_everywhere_and_the_same_request_works_later() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    let login = json!({"email": "ada@example.com", "password": PASSWORD});
    for (operation, method, path, body) in [
        ("UpdateItem", "POST", "/auth/refresh", json!({"refreshToken": first.refresh})),
        ("GetItem", "POST", "/auth/refresh", json!({"refreshToken": first.refresh})),
        ("UpdateItem", "POST", "/auth/login", login.clone()),
        ("PutItem", "POST", "/auth/login", login),
        (
            "TransactWriteItems",
            "POST",
            "/auth/signup",
            json!({"email": "bob@example.com", "password": PASSWORD}),
        ),
        ("GetItem", "GET", "/auth/me", json!({})),
        ("Query", "GET", "/auth/sessions", json!({})),
        ("UpdateItem", "POST", "/auth/logout", json!({"refreshToken": first.refresh})),
    ] {
        let call = || {
            let call = service.call(method, path);
            if method == "GET" { call.bearer(&first.access) } else { call.json(&body) }
        };
        tap.spoil(Some(Fault::Throttle(operation)));
        let reply = call().send().await.expect(503);
        assert_eq!(
            (reply.code(), reply.header("retry-after")),
            ("temporarily_unavailable", "1"),
            "{operation} {path}"
        );
        tap.spoil(None);
        let status = call().send().await.status;
        assert!((200..300).contains(&status), "{operation} {path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_could_not_read_the_user_leaves_its_token_as_good_as_before() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    tap.spoil(Some(Fault::Throttle("GetItem")));
    service.refresh(&first.refresh).await.expect(503);
    tap.spoil(None);
    service.pass(3_600);
    service.refresh(&first.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_whose_answer_was_lost_is_no_reuse_even_without_a_grace() {
    let (_engine, service, tap) = tapped(&[("REFRESH_GRACE", "0s")]).await;
    let first = service.signup("ada@example.com").await;
    tap.spoil(Some(Fault::LoseAnswer("UpdateItem")));
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.refresh(&second.refresh).await.expect(200);
    assert_eq!(service.audited("refresh_token_reused").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_is_recorded_even_if_the_session_cannot_be_ended_yet() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    // The rotation's own refusal passes; what comes after it does not.
    tap.spoil(Some(Fault::Throttle("UpdateItem")));
    service.refresh(&first.refresh).await.expect(503);
    tap.spoil(None);
    service.me(&second.access).await.expect(200);
    service.refresh(&first.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused").len(), 1);
    service.me(&second.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_counted_twice_still_locks() {
    let (_engine, service, tap) = tapped(&[
        ("LOGIN_LOCK_FAILURES", "2"),
        ("LOGIN_LIMIT_PER_ADDRESS", "0"),
        ("LOGIN_LIMIT_PER_IP", "0"),
    ])
    .await;
    service.signup("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    tap.spoil(Some(Fault::LoseAnswer("UpdateItem")));
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}
