//! How many requests to the table each path costs.

use serde_json::json;

use crate::support::{NEW_PASSWORD, PASSWORD, tapped, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn every_success_stays_in_its_budget() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    assert_eq!(tap.take(), ["GetItem", "TransactWriteItems", "UpdateItem"], "signup: two round trips");
    service.login("ada@example.com").await;
    let writes =
        ["PutItem", "PutItem", "Query", "Query", "UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"];
    let login = [["GetItem"; 5].as_slice(), &writes].concat();
    assert_eq!(tap.take(), login, "login: four round trips; credential and user are read twice");
    service.refresh(&first.refresh).await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem"], "refresh: one read, one write");
    service.me(&first.access).await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "GetItem"], "one of the authorizer, one of the function");
    let body = json!({"displayName": "Ada"});
    service.call("PATCH", "/auth/me").bearer(&first.access).json(&body).send().await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem"]);
    service.call("GET", "/auth/sessions").bearer(&first.access).send().await.expect(200);
    let listing = ["BatchGetItem", "GetItem", "Query", "Query"];
    assert_eq!(
        tap.take(),
        listing,
        "the authorizer's; the index, records of the first edition, and the records of the index"
    );
    let passwords = json!({"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD});
    let first = tokens(&service.change_password(&first.access, &passwords).await.expect(200).body);
    let change = [
        ["DeleteItem"; 2].as_slice(),
        &["GetItem"; 7],
        &["PutItem", "PutItem", "Query", "Query"],
        &["UpdateItem"; 6],
    ]
    .concat();
    assert_eq!(
        tap.take(),
        change,
        "two limits, one given back, the password, one other session, the old one"
    );
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
    tap.take();
    service.call("POST", "/auth/revoke-all").bearer(&first.access).send().await.expect(200);
    let revoke_all =
        [["DeleteItem"; 2].as_slice(), &["GetItem", "Query", "Query"], &["UpdateItem"; 3]].concat();
    assert_eq!(tap.take(), revoke_all, "the serial, and two writes for each session");
    service.logout(&first.refresh).await.expect(204);
    assert_eq!(tap.take(), ["GetItem"], "logout of a session that has ended");
    let last = service.signup("bob@example.com").await;
    tap.take();
    service.logout(&last.refresh).await.expect(204);
    assert_eq!(tap.take(), ["DeleteItem", "GetItem", "UpdateItem"], "logout: one read, two writes");
    let last = tokens(&service.try_login("bob@example.com", PASSWORD).await.expect(200).body);
    tap.take();
    service.call("POST", "/auth/logout").bearer(&last.access).send().await.expect(204);
    assert_eq!(tap.take(), ["DeleteItem", "UpdateItem"], "logout with an access token");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_of_a_refresh_costs_one_write_and_a_counted_replay_or_a_reuse_one_more() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    tap.take();
    service.refresh(&first.refresh).await.expect(200);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem"], "replay");
    service.refresh(&second.refresh).await.expect(200);
    tap.take();
    service.refresh(&first.refresh).await.expect(401);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem", "UpdateItem"], "reuse");
    service.refresh(&second.refresh).await.expect(401);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem"], "revoked");
    let first = service.signup("bob@example.com").await;
    service.refresh_with_key(&first.refresh, "k").await.expect(200);
    service.pass(11);
    tap.take();
    for _ in 0..10 {
        service.refresh_with_key(&first.refresh, "k").await.expect(200);
        assert_eq!(tap.take(), ["GetItem", "UpdateItem", "UpdateItem"], "counted replay");
    }
    service.refresh_with_key(&first.refresh, "k").await.expect(401);
    assert_eq!(tap.take(), ["GetItem", "UpdateItem", "UpdateItem"], "one more than the limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_or_expired_token_never_reaches_the_table() {
    let settings = [("REFRESH_TOKEN_EXPIRY", "2h"), ("ACCESS_TOKEN_EXPIRY", "1h")];
    let (_engine, service, tap) = tapped(&settings).await;
    let first = service.signup("ada@example.com").await;
    tap.take();
    service.pass(7_200);
    for token in [first.refresh.as_str(), &first.access, "a.b.c", ""] {
        assert!(service.refresh(token).await.status >= 400);
    }
    service.me(&first.access).await.expect(401);
    service.me(&first.refresh).await.expect(401);
    for token in ["a.b.c", &first.refresh, &first.access] {
        service.logout(token).await.expect(204);
    }
    assert_eq!(tap.take(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_session_check_the_authorizer_reads_nothing() {
    let (_engine, service, tap) = tapped(&[("SESSION_CHECK", "off")]).await;
    let first = service.signup("ada@example.com").await;
    tap.take();
    service.me(&first.access).await.expect(200);
    assert_eq!(tap.take(), ["GetItem"], "the function's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_before_it_counts_costs_nothing() {
    let (_engine, service, tap) = tapped(&[]).await;
    service
        .call("POST", "/auth/signup")
        .json(&json!({"email": "ada", "password": "password"}))
        .send()
        .await
        .expect(400);
    service
        .call("POST", "/auth/login")
        .json(&json!({"email": "ada", "password": PASSWORD}))
        .send()
        .await
        .expect(400);
    service.call("POST", "/auth/login").body("x").send().await.expect(400);
    assert_eq!(tap.take(), Vec::<String>::new());
}
