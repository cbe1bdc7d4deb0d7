//! `POST /auth/logout`.

use serde_json::json;

use crate::support::table::{Table, text};
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

/// An old token in a HAR file or an error report signs nobody out.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_access_token_ends_no_session() {
    for seconds in [300, 3_600, 20 * 86_400] {
        let service = Service::start(&[("ACCESS_TOKEN_EXPIRY", "5m")]).await;
        let tokens = service.signup("ada@example.com").await;
        service.pass(seconds);
        service.call("POST", "/auth/logout").bearer(&tokens.access).send().await.expect(204);
        service.logout(&tokens.access).await.expect(204);
        assert!(service.audited("logout").is_empty(), "{seconds} s");
        service.refresh(&tokens.refresh).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_ends_its_session_up_to_its_last_second() {
    let service = Service::start(&[("ACCESS_TOKEN_EXPIRY", "5m")]).await;
    let tokens = service.signup("ada@example.com").await;
    service.pass(299);
    service.call("POST", "/auth/logout").bearer(&tokens.access).send().await.expect(204);
    service.refresh(&tokens.refresh).await.expect(401);
}

/// The current refresh token ends with its session: only a superseded one expires before.
#[tokio::test(flavor = "multi_thread")]
async fn an_expired_refresh_token_ends_no_session() {
    let service = Service::start(&[("REFRESH_TOKEN_EXPIRY", "2h")]).await;
    let first = service.signup("ada@example.com").await;
    service.pass(3_600);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(3_600);
    service.logout(&first.refresh).await.expect(204);
    service.call("POST", "/auth/logout").bearer(&first.refresh).send().await.expect(204);
    assert!(service.audited("refresh_token_reused").is_empty());
    let third = tokens(&service.refresh(&second.refresh).await.expect(200).body);
    service.me(&third.access).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_token_within_the_grace_logs_out() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(10);
    service.logout(&first.refresh).await.expect(204);
    service.me(&second.access).await.expect(401);
    assert_eq!(service.audited("logout").len(), 1);
    assert!(service.audited("refresh_token_reused").is_empty());
    assert_eq!(ended_for(&service).await, "logout");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_token_past_the_grace_ends_the_session_as_a_reuse() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    service.logout(&first.refresh).await.expect(204);
    service.me(&second.access).await.expect(401);
    service.refresh(&second.refresh).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded_at_logout"]);
    assert!(service.audited("logout").is_empty());
    assert_eq!(ended_for(&service).await, "reuse");
    service.logout(&first.refresh).await.expect(204);
    assert_eq!(service.audited("refresh_token_reused").len(), 1, "the session has ended already");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_two_rotations_behind_is_a_reuse_even_within_the_grace() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.refresh(&second.refresh).await.expect(200);
    service.call("POST", "/auth/logout").bearer(&first.refresh).send().await.expect(204);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded_at_logout"]);
}

/// The answer of the refresh was lost, and the client signs out before it repeats it.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_rotation_makes_a_late_logout_an_ordinary_one_within_its_bounds() {
    let settings = [("REFRESH_RETRY_WINDOW", "2h"), ("REFRESH_RETRY_LIMIT", "1")];
    for (later, key, replays, event, reason) in [
        (3_600, "k-1", 0, "logout", ""),
        (7_200, "k-1", 0, "logout", ""),
        (7_201, "k-1", 0, "refresh_token_reused", "retry_window_at_logout"),
        (3_600, "k-1", 1, "refresh_token_reused", "retry_limit_at_logout"),
        (3_600, "k-2", 0, "refresh_token_reused", "superseded_at_logout"),
        (3_600, "not one key", 0, "refresh_token_reused", "superseded_at_logout"),
    ] {
        let service = Service::start(&settings).await;
        let first = service.signup("ada@example.com").await;
        service.refresh_with_key(&first.refresh, "k-1").await.expect(200);
        service.pass(later);
        for _ in 0..replays {
            service.refresh_with_key(&first.refresh, "k-1").await.expect(200);
        }
        let call = service.call("POST", "/auth/logout").header("idempotency-key", key);
        call.json(&json!({"refreshToken": first.refresh})).send().await.expect(204);
        assert_eq!(service.audited(event), [reason], "{later} s, {key}, {replays}");
        service.me(&first.access).await.expect(401);
    }
}

/// Of several tokens of a session the newest counts, wherever it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_stale_token_beside_the_current_one_is_no_reuse() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    let call = service.call("POST", "/auth/logout").bearer(&second.refresh);
    call.json(&json!({"refreshToken": first.refresh})).send().await.expect(204);
    assert_eq!(service.audited("logout").len(), 1);
    assert!(service.audited("refresh_token_reused").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_token_beside_an_access_token_is_a_reuse() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    let call = service.call("POST", "/auth/logout").bearer(&second.access);
    call.json(&json!({"refreshToken": first.refresh})).send().await.expect(204);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded_at_logout"]);
    service.me(&second.access).await.expect(401);
}

/// A table that was set back to a backup knows older generations than its clients.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_newer_than_a_restored_session_logs_out() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let table = Table::of(&service).await;
    let backup = table.items_of("SESSION#").await.remove(0);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    table.put(&backup).await;
    service.logout(&second.refresh).await.expect(204);
    assert_eq!(ended_for(&service).await, "logout");
}

async fn ended_for(service: &Service) -> String {
    let session = Table::of(service).await.items_of("SESSION#").await.remove(0);
    text(&session, "revoked_reason").to_owned()
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
    for token in [tokens.refresh.as_str(), &tokens.access, "a.b.c", "nonsense"] {
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
