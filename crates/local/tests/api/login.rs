//! `POST /auth/login`.

use serde_json::json;

use crate::support::table::{Table, text};
use crate::support::{PASSWORD, Service, claims};

#[tokio::test(flavor = "multi_thread")]
async fn every_login_starts_a_session_of_its_own() {
    let service = Service::start(&[]).await;
    let signup = service.signup("ada@example.com").await;
    let login = service.login(" ADA@example.com").await;
    assert_eq!(signup.user, login.user);
    assert_ne!(claims(&signup.access)["sid"], claims(&login.access)["sid"]);
    service.logout(&login.refresh).await.expect(204);
    service.me(&signup.access).await.expect(200);
    service.me(&login.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let service = Service::start(&[]).await;
    service.signup("ada@example.com").await;
    let mut wrong = service.try_login("ada@example.com", "not the password").await.expect(401);
    let mut unknown = service.try_login("bob@example.com", "not the password").await.expect(401);
    assert_eq!(wrong.code(), "invalid_credentials");
    for reply in [&mut wrong, &mut unknown] {
        reply.body.as_object_mut().expect("an object").remove("requestId");
        for header in ["date", "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"] {
            reply.headers.remove(header);
        }
    }
    assert_eq!((wrong.body, wrong.headers), (unknown.body, unknown.headers));
    assert_eq!(service.audited("login"), ["wrong_password", "unknown_address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_compared_in_nfc_and_never_trimmed() {
    let service = Service::start(&[]).await;
    let composed = "plüm kettle örbit";
    let decomposed = "plu\u{308}m kettle o\u{308}rbit";
    let body = json!({"email": "ada@example.com", "password": composed});
    service.call("POST", "/auth/signup").json(&body).send().await.expect(201);
    service.try_login("ada@example.com", decomposed).await.expect(200);
    service.try_login("ada@example.com", &format!(" {composed}")).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_another_cost_is_replaced_at_the_next_login() {
    let old = Service::start(&[]).await;
    old.signup("ada@example.com").await;
    let new = Service::start_at(&[("ARGON2_ITERATIONS", "2")], old.stack.store_endpoint()).await;
    let table = Table::of(&old).await;
    let hash = async || text(&table.items_of("CREDENTIAL").await[0], "password_hash").to_owned();
    let before = hash().await;
    new.try_login("ada@example.com", "not the password").await.expect(401);
    assert_eq!(hash().await, before, "only the right password can be hashed anew");
    new.login("ada@example.com").await;
    let after = hash().await;
    assert!(before.contains("m=7168,t=1,p=1") && after.contains("m=7168,t=2,p=1"), "{before} {after}");
    new.login("ada@example.com").await;
    assert_eq!(hash().await, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_is_kept_out_and_only_the_right_password_tells() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    table.set(&table.items_of("PROFILE").await[0], "status", "disabled").await;
    assert_eq!(
        service.try_login("ada@example.com", "not the password").await.expect(401).code(),
        "invalid_credentials"
    );
    assert_eq!(service.try_login("ada@example.com", PASSWORD).await.expect(403).code(), "forbidden");
    assert_eq!(service.me(&tokens.access).await.expect(403).code(), "forbidden");
    let patch = service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&json!({"displayName": "Eve"}));
    assert_eq!(patch.send().await.expect(403).code(), "forbidden");
    assert_eq!(text(&table.items_of("PROFILE").await[0], "display_name"), "");
    assert_eq!(service.refresh(&tokens.refresh).await.expect(403).code(), "forbidden");
    service.me(&tokens.access).await.expect(401);
    for session in table.items_of("SESSION#").await {
        assert_eq!(text(&session, "revoked_reason"), "user_disabled");
    }
}
