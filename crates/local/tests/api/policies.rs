//! Each function may do to the table only what it does.

use std::collections::BTreeSet;

use serde_json::json;

use crate::agreement::resource;
use crate::support::tap::Tap;
use crate::support::{PASSWORD, Service, tokens};

/// The actions of a function's policy; those without renewal, where the policy depends on it.
fn allowed(id: &str) -> BTreeSet<String> {
    let text = resource(id);
    let actions = text.lines().filter_map(|line| line.trim().strip_prefix("Action: "));
    let actions = actions.filter_map(|list| list.rsplit('[').next());
    let actions = actions.flat_map(|list| list.trim_end_matches(']').split(','));
    actions.map(|action| action.trim().trim_start_matches("dynamodb:").to_owned()).collect()
}

/// The actions behind the operations that have passed the tap.
fn done(tap: &Tap) -> BTreeSet<String> {
    let action =
        |operation: String| if operation == "TransactWriteItems" { "PutItem".to_owned() } else { operation };
    tap.take().into_iter().map(action).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_allows_what_its_function_does_and_nothing_else() {
    let engine = Service::start(&[]).await;
    let tap = Tap::start(engine.stack.store_endpoint()).await;
    // Without the session check, what passes the tap is the function's own.
    let service = Service::start_at(&[("SESSION_CHECK", "off")], &tap.url).await;
    tap.take();
    let first = service.signup("ada@example.com").await;
    assert_eq!(done(&tap), allowed("SignupFunction"));
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.login("ada@example.com").await;
    assert_eq!(done(&tap), allowed("LoginFunction"));
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.refresh(&first.refresh).await.expect(200);
    assert_eq!(done(&tap), allowed("RefreshFunction"));
    service.me(&second.access).await.expect(200);
    let patch = service.call("PATCH", "/auth/me").bearer(&second.access).json(&json!({"displayName": "Ada"}));
    patch.send().await.expect(200);
    assert_eq!(done(&tap), allowed("MeFunction"));
    service.call("GET", "/auth/sessions").bearer(&second.access).send().await.expect(200);
    service.call("POST", "/auth/revoke-all").bearer(&second.access).send().await.expect(200);
    assert_eq!(done(&tap), allowed("SessionsFunction"));
    service.logout(&second.refresh).await.expect(204);
    assert_eq!(done(&tap), allowed("LogoutFunction"));
    service.call("GET", "/.well-known/jwks.json").send().await.expect(200);
    assert_eq!((done(&tap), allowed("WellKnownFunction")), (BTreeSet::new(), BTreeSet::new()));
    let checked = Service::start_at(&[], &tap.url).await;
    let third = checked.try_login("ada@example.com", PASSWORD).await.expect(200);
    tap.take();
    checked.call("GET", "/auth/me").bearer(&tokens(&third.body).access).send().await.expect(200);
    assert_eq!(allowed("AuthorizerFunction"), BTreeSet::from(["GetItem".to_owned()]));
    assert_eq!(tap.take(), ["GetItem", "GetItem"], "the authorizer's and the function's");
}
