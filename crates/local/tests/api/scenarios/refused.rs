//! Requests that are not as documented: who answers them, and how.

use serde_json::json;

use super::world::{World, error_code};
use crate::support::PASSWORD;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_valid_token_a_protected_route_is_401_with_a_challenge() {
    let world = World::open().await;
    let expired_or_forged = "eyJhbGciOiJIUzI1NiJ9.e30.AAAA";
    for (method, path) in [
        ("GET", "/auth/me"),
        ("PATCH", "/auth/me"),
        ("GET", "/auth/sessions"),
        ("DELETE", "/auth/sessions/abc"),
        ("POST", "/auth/revoke-all"),
    ] {
        for authorization in
            [None, Some("Bearer x"), Some("Basic eDp4"), Some("Bearer"), Some(expired_or_forged)]
        {
            let call = world.call(method, path);
            let call = match authorization {
                Some(value) => call.header("authorization", value),
                None => call,
            };
            let reply = call.send().await.expect(401);
            assert_eq!(error_code(&reply), "invalid_token", "{method} {path} {authorization:?}");
            assert_eq!(
                reply.header("www-authenticate"),
                "Bearer error=\"invalid_token\"",
                "{authorization:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheme_of_a_token_is_spelt_as_one_likes() {
    let world = World::open().await;
    let tokens = world.person().await.tokens;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let call =
            world.call("GET", "/auth/me").header("authorization", &format!("{scheme} {}", tokens.access));
        call.send().await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_route_does_not_exist_with_a_token_or_without() {
    let world = World::open().await;
    let tokens = world.person().await.tokens;
    for (method, path) in [
        ("GET", "/auth/login"),
        ("POST", "/auth/nothing"),
        ("GET", "/auth"),
        ("PUT", "/auth/me"),
        ("POST", "/auth/login/x"),
        ("DELETE", "/auth/sessions"),
        ("GET", "/auth/sessions/abc"),
    ] {
        for token in [None, Some(&tokens.access)] {
            let call = world.call(method, path);
            let call = token.map_or_else(|| world.call(method, path), |token| call.bearer(token));
            assert_eq!(error_code(&call.send().await.expect(404)), "not_found", "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_413() {
    let world = World::open().await;
    let body =
        |fill: usize| json!({"email": "a@example.com", "password": PASSWORD, "fill": "x".repeat(fill)});
    let reply = world.call("POST", "/auth/signup").json(&body(16 * 1024)).send().await.expect(413);
    assert_eq!(error_code(&reply), "payload_too_large");
}

/// Lambda takes 6 MB, API Gateway 10: whoever refuses it, and in whatever words, the client gets the same status, and nobody
/// stumbles.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_on_the_way_takes_is_413_too() {
    let world = World::open().await;
    let person = world.person().await;
    for megabytes in [7, 11] {
        let body = json!({"displayName": "x".repeat(megabytes * 1024 * 1024)});
        let call = world.call("PATCH", "/auth/me").bearer(&person.tokens.access);
        call.json(&body).send().await.expect(413);
    }
    world.me(&person.tokens.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_json_is_415_or_400() {
    let world = World::open().await;
    let body = json!({"email": "a@example.com", "password": PASSWORD}).to_string();
    for content_type in ["text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
    {
        let call = world.call("POST", "/auth/login").header("content-type", content_type).body(body.clone());
        assert_eq!(error_code(&call.send().await.expect(415)), "unsupported_media_type", "{content_type}");
    }
    for body in ["{", "[]", "", "{\"email\":1}"] {
        let call = world.call("POST", "/auth/login").header("content-type", "application/json").body(body);
        assert_eq!(error_code(&call.send().await.expect(400)), "invalid_request", "{body}");
    }
}

/// A query means nothing to any route, and must break none.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_in_the_query_or_the_path_is_answered() {
    let world = World::open().await;
    let tokens = world.person().await.tokens;
    for query in ["a=1&a=2", "%22", "a=%ff", "a=%00&=&&b", "access_token=x", "%C3%A9=%F0%9F%97%9D"] {
        let call = world.call("GET", &format!("/auth/me?{query}")).bearer(&tokens.access);
        assert_eq!(call.send().await.expect(200).body["user"]["userId"], tokens.user, "{query}");
    }
    for id in ["abc", "%20", "a%2Fb", "%C3%A9", "..%2f", "x".repeat(2_000).as_str()] {
        let reply = world.call("DELETE", &format!("/auth/sessions/{id}")).bearer(&tokens.access).send().await;
        assert!((400..500).contains(&reply.status), "{id}: {} {}", reply.status, reply.body);
    }
    world.me(&tokens.access).await.expect(200);
}
