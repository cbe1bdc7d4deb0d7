//! `POST /auth/logout`.

use serde_json::json;

use crate::support::{Service, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_takes_effect_on_the_very_next_request() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    service.me(&tokens.access).await.expect(200);
    let reply = service.logout(&tokens.refresh).await.expect(204);
    assert_eq!(reply.bytes, 0);
    service.me(&tokens.access).await.expect(401);
    assert_eq!(service.refresh(&tokens.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("logout").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_logs_out_too() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    service.call("POST", "/auth/logout").bearer(&tokens.access).send().await.expect(204);
    service.me(&tokens.access).await.expect(401);
    service.refresh(&tokens.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_still_logs_out() {
    let service = Service::start(&[("ACCESS_TOKEN_EXPIRY", "5m")]).await;
    let tokens = service.signup("ada@example.com").await;
    service.pass(600);
    service.call("POST", "/auth/logout").bearer(&tokens.access).send().await.expect(204);
    service.refresh(&tokens.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_token_logs_out_too() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.logout(&first.refresh).await.expect(204);
    service.me(&second.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_token_in_the_body_does_not_hide_the_good_one_in_the_header() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let call = service.call("POST", "/auth/logout").bearer(&tokens.access);
    call.json(&json!({"refreshToken": "a.b.c"})).send().await.expect(204);
    service.me(&tokens.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_unknown_or_ended_is_logged_out_already() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    service.logout(&tokens.refresh).await.expect(204);
    for token in [tokens.refresh.as_str(), "a.b.c", "nonsense"] {
        service.logout(token).await.expect(204);
    }
    assert_eq!(service.audited("logout").len(), 1, "only an end that happened is recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_any_token_is_told_so() {
    let service = Service::start(&[]).await;
    for call in [service.call("POST", "/auth/logout"), service.call("POST", "/auth/logout").json(&json!({}))]
    {
        assert_eq!(call.send().await.expect(400).body["errorDescription"], "refreshToken is missing");
    }
}
