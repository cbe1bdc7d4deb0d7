//! `GET /auth/me` and `PATCH /auth/me`.

use serde_json::{Value, json};

use crate::support::Service;

#[tokio::test(flavor = "multi_thread")]
async fn names_are_changed_one_by_one_and_taken_away_with_null() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let patch = |body: Value| service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&body);
    let reply = patch(json!({"displayName": " Ada ", "first_name": "Augusta"})).send().await.expect(200);
    assert_eq!(reply.body["user"]["displayName"], "Ada");
    let reply = patch(json!({"lastName": "King", "displayName": null})).send().await.expect(200);
    let expected = json!({
        "userId": tokens.user, "email": "ada@example.com", "displayName": null, "firstName": "Augusta",
        "lastName": "King", "emailVerified": false,
    });
    assert_eq!(reply.body["user"], expected);
    assert_eq!(service.me(&tokens.access).await.expect(200).body["user"], expected);
    assert_eq!(service.audited("profile_changed").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_name_is_in_the_next_access_token() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let body = json!({"displayName": "Ada"});
    service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&body).send().await.expect(200);
    let reply = service.refresh(&tokens.refresh).await.expect(200);
    assert_eq!(crate::support::claims(reply.body["accessToken"].as_str().expect("a token"))["name"], "Ada");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_nothing_or_of_something_else_is_refused() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    for body in [json!({}), json!({"email": "eve@example.com"}), json!({"displayName": 1}), json!([])] {
        let reply =
            service.call("PATCH", "/auth/me").bearer(&tokens.access).json(&body).send().await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{body}");
    }
    assert_eq!(service.me(&tokens.access).await.expect(200).body["user"]["email"], "ada@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_nobody_gets_in() {
    let service = Service::start(&[("ACCESS_TOKEN_EXPIRY", "5m")]).await;
    let tokens = service.signup("ada@example.com").await;
    let none = service.call("GET", "/auth/me").send().await.expect(401);
    assert_eq!(
        (none.code(), none.header("www-authenticate")),
        ("invalid_token", "Bearer error=\"invalid_token\"")
    );
    for header in [
        "Bearer",
        "Bearer x",
        "Basic x",
        &format!("Bearer {}x", tokens.access),
        &format!("Token {}", tokens.access),
    ] {
        service.call("GET", "/auth/me").header("authorization", header).send().await.expect(401);
    }
    service
        .call("GET", "/auth/me")
        .header("authorization", &format!("bEaReR {}", tokens.access))
        .send()
        .await
        .expect(200);
    service.pass(299);
    service.me(&tokens.access).await.expect(200);
    service.pass(1);
    service.me(&tokens.access).await.expect(401);
    assert!(service.audited("access_token_refused").contains(&"expired".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trailing_slash_makes_no_difference() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    for path in ["/auth/me/", "/auth/sessions/"] {
        service.call("GET", path).bearer(&tokens.access).send().await.expect(200);
    }
}
