//! Signup, login, the profile, logout.

use serde_json::json;

use super::world::{World, address, error_code};
use crate::support::http::Reply;
use crate::support::{PASSWORD, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_user_has_tokens_that_open_the_protected_routes() {
    let world = World::open().await;
    for path in ["/auth/signup", "/auth/register"] {
        let email = address();
        let body =
            json!({"email": email, "password": PASSWORD, "display_name": "Ada Lovelace", "firstName": "Ada"});
        let reply = world.call("POST", path).json(&body).send().await.expect(201);
        assert_secret_answer(&reply);
        assert_eq!((&reply.body["tokenType"], &reply.body["expiresIn"]), (&json!("Bearer"), &json!(3_600)));
        let user = json!({"userId": reply.body["user"]["userId"], "email": email, "displayName": "Ada Lovelace",
            "firstName": "Ada", "lastName": null, "emailVerified": false});
        assert_eq!(reply.body["user"], user);
        let me = world.me(&tokens(&reply.body).access).await.expect(200);
        assert_eq!(me.body["user"], user);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_needs_the_password_and_says_no_more_than_that() {
    let world = World::open().await;
    let person = world.person().await;
    assert_secret_answer(&world.try_login(&person.email, PASSWORD).await.expect(200));
    let wrong = world.try_login(&person.email, "another-password-4172").await.expect(401);
    let unknown = world.try_login(&address(), PASSWORD).await.expect(401);
    assert_eq!(
        (error_code(&wrong).as_str(), error_code(&unknown).as_str()),
        ("invalid_credentials", "invalid_credentials")
    );
    assert_eq!(wrong.body["errorDescription"], unknown.body["errorDescription"]);
    assert_ne!(wrong.body["requestId"], unknown.body["requestId"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_one_account_and_a_password_is_not_easy() {
    let world = World::open().await;
    let person = world.person().await;
    let signup = |email: &str, password: &str| {
        let body = json!({"email": email, "password": password});
        world.call("POST", "/auth/signup").json(&body).send()
    };
    let taken = signup(&person.email.to_uppercase(), PASSWORD).await.expect(409);
    assert_eq!(error_code(&taken), "email_taken");
    assert_eq!(error_code(&signup(&address(), "password").await.expect(400)), "weak_password");
    assert_eq!(error_code(&signup("no address", PASSWORD).await.expect(400)), "invalid_request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_changes_their_names_and_nothing_else() {
    let world = World::open().await;
    let person = world.person().await;
    let change = |body| {
        let call = world.call("PATCH", "/auth/me").bearer(&person.tokens.access);
        call.json(&body).send()
    };
    let changed = change(json!({"displayName": "Αda 🗝", "lastName": "Lovelace"})).await.expect(200);
    assert_eq!(changed.body["user"]["displayName"], "Αda 🗝", "beyond ASCII and the basic plane");
    change(json!({"lastName": null})).await.expect(200);
    let me = world.me(&person.tokens.access).await.expect(200);
    assert_eq!(
        (&me.body["user"]["displayName"], &me.body["user"]["lastName"]),
        (&json!("Αda 🗝"), &json!(null))
    );
    assert_eq!(me.body["user"]["email"], person.email);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_holds_from_the_very_next_request() {
    let world = World::open().await;
    let person = world.person().await;
    let other = world.login(&person).await;
    let by_refresh = json!({"refreshToken": person.tokens.refresh});
    world.call("POST", "/auth/logout").json(&by_refresh).send().await.expect(204);
    assert_eq!(error_code(&world.me(&person.tokens.access).await.expect(401)), "invalid_token");
    assert_eq!(error_code(&world.refresh(&person.tokens.refresh).await.expect(401)), "invalid_grant");
    world.me(&other.access).await.expect(200);
    let reply = world.call("POST", "/auth/logout").bearer(&other.access).send().await.expect(204);
    assert_eq!(reply.bytes, 0);
    world.me(&other.access).await.expect(401);
    world.refresh(&other.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_twice_or_with_an_unknown_token_is_no_error() {
    let world = World::open().await;
    let person = world.person().await;
    for token in [person.tokens.refresh.as_str(), person.tokens.refresh.as_str(), "unknown"] {
        let body = json!({"refreshToken": token});
        world.call("POST", "/auth/logout").json(&body).send().await.expect(204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_ends_at_the_limit_even_with_the_right_password() {
    let world = World::open().await;
    let person = world.person().await;
    // The signup counts for nothing; `LOGIN_LIMIT_PER_ADDRESS` is 20.
    for _ in 0..20 {
        world.try_login(&person.email, "another-password-4172").await.expect(401);
    }
    let refused = world.try_login(&person.email, PASSWORD).await.expect(429);
    assert_eq!(error_code(&refused), "too_many_attempts");
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&seconds), "{seconds}");
    world.me(&person.tokens.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_documents_may_be_kept_and_name_no_hmac_key() {
    let world = World::open().await;
    let keys = world.call("GET", "/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(keys.body, json!({"keys": []}));
    assert!(keys.header("cache-control").contains("max-age=300"), "{:?}", keys.headers);
    let discovery = world.call("GET", "/.well-known/openid-configuration").send().await.expect(200);
    assert_eq!(discovery.body["issuer"], "urn:latchkey");
}

/// What holds tokens is kept by nobody on the way.
#[track_caller]
fn assert_secret_answer(reply: &Reply) {
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    assert!(reply.header("content-type").starts_with("application/json"), "{:?}", reply.headers);
    assert!(reply.cookies().is_empty(), "{:?}", reply.headers);
}
