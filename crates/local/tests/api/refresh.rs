//! `POST /auth/refresh`: the rows of the rotation table, over HTTP.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::json;

use crate::support::table::{Table, number, text};
use crate::support::{Service, Tokens, claims, tokens};

#[tokio::test(flavor = "multi_thread")]
async fn the_current_token_is_rotated() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    service.pass(60);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.user, second.user);
    let (before, after) = (claims(&first.refresh), claims(&second.refresh));
    assert_eq!((&before["gen"], &after["gen"]), (&json!(0), &json!(1)));
    assert_eq!(before["sid"], after["sid"]);
    assert_eq!(after["iat"], service.now());
    service.me(&second.access).await.expect(200);
    service.me(&first.access).await.expect(200);
    assert_eq!(service.audited("refresh_token_rotated").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_token_within_grace_returns_the_same_successor() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(10);
    let replay = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    assert_eq!(replay.refresh, second.refresh, "byte for byte");
    assert_ne!(replay.access, second.access, "a fresh access token");
    assert_eq!(claims(&replay.access)["iat"], service.now());
    assert_eq!(service.audited("refresh_token_replayed").len(), 1);
    service.refresh(&second.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_replayed_after_the_grace_ends_the_session_for_everybody_at_once() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let other = service.login("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    assert_eq!(service.refresh(&first.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_reused"), ["superseded"]);
    service.me(&first.access).await.expect(401);
    service.me(&second.access).await.expect(401);
    assert_eq!(service.refresh(&second.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_refused"), ["revoked"]);
    service.me(&other.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_token_than_the_previous_one_is_a_reuse_even_within_grace() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.refresh(&second.refresh).await.expect(200);
    service.refresh(&first.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_idempotency_key_of_a_rotation_replays_it_until_its_successor_is_used() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh_with_key(&first.refresh, "k-1").await.expect(200).body);
    service.pass(24 * 3_600);
    let replay = tokens(&service.refresh_with_key(&first.refresh, "k-1").await.expect(200).body);
    assert_eq!(replay.refresh, second.refresh);
    service.refresh_with_key(&second.refresh, "k-2").await.expect(200);
    service.refresh_with_key(&first.refresh, "k-1").await.expect(401);
    assert_eq!(service.audited("refresh_token_reused").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_idempotency_key_or_none_is_no_replay_after_the_grace() {
    for key in [Some("k-2"), None] {
        let service = Service::start(&[]).await;
        let first = service.signup("ada@example.com").await;
        service.refresh_with_key(&first.refresh, "k-1").await.expect(200);
        service.pass(11);
        match key {
            Some(key) => service.refresh_with_key(&first.refresh, key).await.expect(401),
            None => service.refresh(&first.refresh).await.expect(401),
        };
        assert_eq!(service.audited("refresh_token_reused").len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_without_a_key_forgets_the_key_of_the_one_before() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh_with_key(&first.refresh, "k-1").await.expect(200).body);
    service.refresh(&second.refresh).await.expect(200);
    service.pass(11);
    service.refresh_with_key(&second.refresh, "k-1").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_that_is_no_key_is_refused_and_loses_nothing() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    for key in ["", "k k", &"k".repeat(256)] {
        let reply = service.refresh_with_key(&first.refresh, key).await.expect(400);
        assert_eq!(reply.code(), "invalid_request", "{}", reply.body);
    }
    let body = json!({"refreshToken": first.refresh});
    let two = service.call("POST", "/auth/refresh").json(&body);
    two.header("idempotency-key", "k").header("idempotency-key", "k").send().await.expect(400);
    service.refresh_with_key(&first.refresh, &"k".repeat(255)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_refreshes_at_once_have_one_successor_and_one_write_wins() {
    let service = Arc::new(Service::start(&[]).await);
    let first = service.signup("ada@example.com").await;
    let answers = parallel(&service, &first, 50).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    let successors: HashSet<_> = answers.iter().map(|(_, token)| token).collect();
    assert_eq!(successors.len(), 1);
    assert_eq!(service.audited("refresh_token_rotated").len(), 1);
    assert_eq!(service.audited("refresh_token_replayed").len(), 49);
    let table = Table::of(&service).await;
    assert_eq!(number(&table.items_of("SESSION#").await[0], "generation"), 1);
}

async fn parallel(service: &Arc<Service>, tokens: &Tokens, times: usize) -> Vec<(u16, String)> {
    let tasks: Vec<_> = (0..times)
        .map(|_| {
            let (service, token) = (Arc::clone(service), tokens.refresh.clone());
            tokio::spawn(async move {
                let reply = service.refresh(&token).await;
                (reply.status, reply.body["refreshToken"].as_str().unwrap_or_default().to_owned())
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("no panic"));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_raced_with_a_logout_leaves_nothing_alive() {
    let service = Arc::new(Service::start(&[]).await);
    for round in 0..20 {
        let first = service.signup(&format!("user{round}@example.com")).await;
        let refreshing = {
            let (service, first) = (Arc::clone(&service), first.clone());
            tokio::spawn(async move { parallel(&service, &first, 4).await })
        };
        service.logout(&first.refresh).await.expect(204);
        let answers = refreshing.await.expect("no panic");
        service.me(&first.access).await.expect(401);
        for (status, token) in answers {
            assert!(status == 200 || status == 401, "{status}");
            if status == 200 {
                service.refresh(&token).await.expect(401);
            }
        }
        service.refresh(&first.refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_not_refreshed() {
    let service = Service::start(&[("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "1d")]).await;
    let first = service.signup("ada@example.com").await;
    service.pass(7_199);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(7_200);
    assert_eq!(service.refresh(&second.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_refused"), ["expired"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_refreshes_moves_the_absolute_end() {
    let settings =
        [("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "3h"), ("ACCESS_TOKEN_EXPIRY", "1h")];
    let service = Service::start(&settings).await;
    let mut current = service.signup("ada@example.com").await;
    let end = service.now() + 3 * 3_600;
    for _ in 0..5 {
        service.pass(1_800);
        current = tokens(&service.refresh(&current.refresh).await.expect(200).body);
        let expiry = claims(&current.refresh)["exp"].as_u64().expect("a number");
        assert_eq!(expiry, end.min(service.now() + 7_200));
        assert!(claims(&current.access)["exp"].as_u64() <= Some(end), "no access token outlives its session");
    }
    service.pass(1_800);
    service.refresh(&current.refresh).await.expect(401);
    service.me(&current.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_one_token_lasts_as_long_as_its_session() {
    let settings =
        [("REFRESH_TOKEN_ROTATION", "off"), ("REFRESH_TOKEN_EXPIRY", "2h"), ("SESSION_MAX_LIFETIME", "5h")];
    let service = Service::start(&settings).await;
    let first = service.signup("ada@example.com").await;
    for _ in 0..4 {
        service.pass(3_600);
        let again = tokens(&service.refresh(&first.refresh).await.expect(200).body);
        assert_eq!(again.refresh, first.refresh);
        service.me(&again.access).await.expect(200);
    }
    service.pass(3_600);
    service.refresh(&first.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_a_session_still_ends_when_idle_or_logged_out() {
    let settings = [("REFRESH_TOKEN_ROTATION", "off"), ("REFRESH_TOKEN_EXPIRY", "2h")];
    let service = Service::start(&settings).await;
    let idle = service.signup("ada@example.com").await;
    let gone = service.login("ada@example.com").await;
    service.logout(&gone.refresh).await.expect(204);
    service.refresh(&gone.refresh).await.expect(401);
    service.pass(7_200);
    service.refresh(&idle.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_refused"), ["revoked", "idle_end"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_token_is_a_refresh_token() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let (message, signature) = tokens.refresh.rsplit_once('.').expect("a JWT");
    let forged = format!("{message}.{}", signature.chars().rev().collect::<String>());
    for token in [tokens.access.as_str(), forged.as_str(), message, "", "a.b.c", "Ünïcödé"] {
        let status = service.refresh(token).await.status;
        assert_eq!(status, if token.is_empty() { 400 } else { 401 }, "{token}");
    }
    service.me(&tokens.refresh).await.expect(401);
    service.refresh(&tokens.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_goes_before_the_cookie_and_the_cookie_before_the_header() {
    let service = Service::start(&[("TOKEN_DELIVERY", "cookie")]).await;
    let mut mine = Vec::new();
    for email in ["a@example.com", "b@example.com", "c@example.com"] {
        let reply = service.try_signup(email).await.expect(201);
        let cookie = reply.cookies()[0].split(';').next().expect("a cookie").to_owned();
        mine.push((cookie, reply.body["user"]["userId"].clone()));
    }
    let token = |at: usize| mine[at].0.split_once('=').expect("a value").1;
    let call = || service.call("POST", "/auth/refresh").header("sec-fetch-site", "same-origin");
    let all = call().bearer(token(2)).header("cookie", &mine[1].0).json(&json!({"refresh_token": token(0)}));
    assert_eq!(all.send().await.expect(200).body["user"]["userId"], mine[0].1);
    let two = call().bearer(token(2)).header("cookie", &mine[1].0);
    assert_eq!(two.send().await.expect(200).body["user"]["userId"], mine[1].1);
    let one = call().bearer(token(2));
    assert_eq!(one.send().await.expect(200).body["user"]["userId"], mine[2].1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_counts_only_where_the_deployment_hands_cookies_out() {
    let service = Service::start(&[]).await;
    let tokens = service.signup("ada@example.com").await;
    let call = || service.call("POST", "/auth/refresh");
    let cookie = call().header("cookie", &format!("__Secure-refresh_token={}", tokens.refresh));
    assert_eq!(cookie.send().await.expect(400).body["errorDescription"], "refreshToken is missing");
    call().bearer(&tokens.refresh).send().await.expect(200);
    let none = call().send().await.expect(400);
    assert_eq!(none.body["errorDescription"], "refreshToken is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_ended_session_outlives_it() {
    let service = Service::start(&[("AUDIT_RETENTION", "7d"), ("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.logout(&second.refresh).await.expect(204);
    let table = Table::of(&service).await;
    let session = table.items_of("SESSION#").await.remove(0);
    assert_eq!(text(&session, "revoked_reason"), "logout");
    assert_eq!(number(&session, "revoked_at"), service.now());
    assert_eq!(number(&session, "expires_at"), service.now() + 7_200 + 7 * 86_400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_backup_refuses_newer_tokens_and_ends_no_session() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    let backup = table.items_of("SESSION#").await.remove(0);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    table.put(&backup).await;
    assert_eq!(service.refresh(&second.refresh).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_refused"), ["unknown_generation"]);
    service.refresh(&first.refresh).await.expect(200);
}
