//! Repetitions of a refresh with its `Idempotency-Key` after the grace period: who has a copy of a client's storage has token and
//! key.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::http::Reply;
use crate::support::table::{Item, Table, number, text};
use crate::support::tap::{Fault, Target};
use crate::support::{Service, Tokens, claims, tapped, tokens};

const DAY: u64 = 24 * 3_600;

const COUNT: Target = Target::of("UpdateItem", "replay_ip");

/// A rotation with the key `k-1`, past its grace period.
async fn rotated(service: &Service) -> (Tokens, Tokens) {
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh_with_key(&first.refresh, "k-1").await.expect(200).body);
    service.pass(11);
    (first, second)
}

async fn replay(service: &Service, first: &Tokens) -> Reply {
    service.refresh_with_key(&first.refresh, "k-1").await
}

async fn session(service: &Service) -> Item {
    Table::of(service).await.items_of("SESSION#").await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_replays_with_the_key_are_answered_and_the_next_ends_the_session() {
    let service = Service::start(&[]).await;
    let (first, second) = rotated(&service).await;
    let mut access = Vec::new();
    for _ in 0..10 {
        service.pass(60);
        let again = tokens(&replay(&service, &first).await.expect(200).body);
        assert_eq!(again.refresh, second.refresh, "byte for byte");
        access.push(again.access);
    }
    assert_eq!(replay(&service, &first).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_reused"), ["retry_limit"]);
    assert_eq!(service.audited("refresh_token_replayed").len(), 10);
    assert_eq!(text(&session(&service).await, "revoked_reason"), "reuse");
    for token in access {
        service.me(&token).await.expect(401);
    }
    service.refresh(&second.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_with_the_key_after_the_retry_window_ends_the_session() {
    let service = Service::start(&[]).await;
    let (first, second) = rotated(&service).await;
    service.pass(DAY - 11);
    replay(&service, &first).await.expect(200);
    service.pass(1);
    assert_eq!(replay(&service, &first).await.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_reused"), ["retry_window"]);
    service.me(&second.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_in_the_grace_period_are_not_counted() {
    let (_engine, service, tap) = tapped(&[("REFRESH_RETRY_LIMIT", "1")]).await;
    let first = service.signup("ada@example.com").await;
    replay(&service, &first).await.expect(200);
    tap.take();
    for _ in 0..5 {
        replay(&service, &first).await.expect(200);
        assert_eq!(tap.take(), ["GetItem", "UpdateItem"]);
    }
    service.pass(11);
    replay(&service, &first).await.expect(200);
    replay(&service, &first).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_of_zero_or_a_window_of_zero_leaves_the_grace_period_alone() {
    for (setting, reason) in
        [(("REFRESH_RETRY_LIMIT", "0"), "retry_limit"), (("REFRESH_RETRY_WINDOW", "0s"), "retry_window")]
    {
        let service = Service::start(&[setting]).await;
        let first = service.signup("ada@example.com").await;
        replay(&service, &first).await.expect(200);
        service.pass(10);
        replay(&service, &first).await.expect(200);
        service.pass(1);
        replay(&service, &first).await.expect(401);
        assert_eq!(service.audited("refresh_token_reused"), [reason]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_rotation_begins_the_count_anew() {
    let service = Service::start(&[("REFRESH_RETRY_LIMIT", "2")]).await;
    let (mut first, mut second) = rotated(&service).await;
    for _ in 0..3 {
        replay(&service, &first).await.expect(200);
        replay(&service, &first).await.expect(200);
        assert_eq!(number(&session(&service).await, "retries_of"), claims(&second.refresh)["gen"]);
        first = second;
        second = tokens(&replay(&service, &first).await.expect(200).body);
        assert!(!session(&service).await.contains_key("retries"), "the rotation removes the count");
        service.pass(11);
    }
    assert!(service.audited("refresh_token_reused").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_without_a_key_removes_the_count_too() {
    let service = Service::start(&[]).await;
    let (first, second) = rotated(&service).await;
    replay(&service, &first).await.expect(200);
    assert!(session(&service).await.contains_key("retries"));
    service.refresh(&second.refresh).await.expect(200);
    let session = session(&service).await;
    assert!(!session.contains_key("retries") && !session.contains_key("retries_of"));
}

/// A function version that knows no count rotates the session and leaves the attributes as they are.
#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_an_earlier_rotation_that_an_old_function_left_is_not_counted() {
    let service = Service::start(&[("REFRESH_RETRY_LIMIT", "1")]).await;
    let (first, second) = rotated(&service).await;
    replay(&service, &first).await.expect(200);
    let before = session(&service).await;
    replay(&service, &second).await.expect(200);
    let mut after = session(&service).await;
    for name in ["retries", "retries_of"] {
        after.insert(name.to_owned(), before[name].clone());
    }
    Table::of(&service).await.put(&after).await;
    service.pass(11);
    replay(&service, &second).await.expect(200);
    replay(&service, &second).await.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["retry_limit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_25_replays_at_once_at_most_10_are_answered_and_the_session_ends() {
    for round in 0..4 {
        let service = Arc::new(Service::start(&[]).await);
        let (first, second) = rotated(&service).await;
        let tasks: Vec<_> = (0..25)
            .map(|_| {
                let (service, first) = (Arc::clone(&service), first.clone());
                tokio::spawn(async move { replay(&service, &first).await })
            })
            .collect();
        let mut answered = 0;
        for task in tasks {
            let reply = task.await.expect("no panic");
            assert!(reply.status == 200 || reply.status == 401, "{round}: {} {}", reply.status, reply.body);
            if reply.status == 200 {
                answered += 1;
                assert_eq!(reply.body["refreshToken"], second.refresh);
            }
        }
        assert!((1..=10).contains(&answered), "{round}: {answered}");
        assert_eq!(service.audited("refresh_token_replayed").len(), answered);
        assert!(!service.audited("refresh_token_reused").is_empty());
        service.me(&second.access).await.expect(401);
        service.refresh(&second.refresh).await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_replays_at_once_as_the_limit_are_all_answered() {
    let service = Arc::new(Service::start(&[]).await);
    let (first, _) = rotated(&service).await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let (service, first) = (Arc::clone(&service), first.clone());
            tokio::spawn(async move { replay(&service, &first).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("no panic"), 200);
    }
}

/// The count lands, its answer is lost, and the SDK tries again: one repetition, and it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn the_second_try_of_a_count_is_not_counted_and_not_refused() {
    let (engine, service, tap) = tapped(&[("REFRESH_RETRY_LIMIT", "2")]).await;
    let (first, _) = rotated(&service).await;
    for counted in 1..=2 {
        tap.spoil_next(1, COUNT, Fault::LoseAnswer);
        replay(&service, &first).await.expect(200);
        assert!(!tap.heal(), "nothing was counted");
        let marks = session(&engine).await["retries"].as_ss().expect("a set").len();
        assert_eq!(marks, counted);
    }
    replay(&service, &first).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_fails_is_503_and_answers_nothing() {
    for fault in [Fault::Refuse("ThrottlingException"), Fault::LoseAnswer, Fault::Garble("{}")] {
        let (engine, service, tap) = tapped(&[]).await;
        let (first, second) = rotated(&service).await;
        tap.spoil(COUNT, fault);
        let reply = replay(&service, &first).await.expect(503);
        assert_eq!(reply.code(), "temporarily_unavailable", "{fault:?}");
        tap.heal();
        assert_eq!(tokens(&replay(&service, &first).await.expect(200).body).refresh, second.refresh);
        assert!(session(&engine).await["retries"].as_ss().expect("a set").len() <= 2);
        assert!(service.audited("refresh_token_reused").is_empty(), "{fault:?}");
    }
}

/// The replay was judged while the session was live, and is counted after: the condition holds the two together.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_before_the_count_lands_answers_no_replay() {
    let (_engine, service, tap) = tapped(&[]).await;
    let (first, second) = rotated(&service).await;
    replay(&service, &first).await.expect(200);
    tap.spoil_next(1, COUNT, Fault::Held(std::time::Duration::from_millis(700)));
    let ending = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        service.logout(&second.refresh).await.expect(204);
    };
    let (reply, ()) = tokio::join!(replay(&service, &first), ending);
    assert_eq!(reply.expect(401).code(), "invalid_grant");
    assert_eq!(service.audited("refresh_token_refused"), ["revoked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_before_the_count_lands_makes_the_replay_a_reuse() {
    let (_engine, service, tap) = tapped(&[]).await;
    let (first, second) = rotated(&service).await;
    tap.spoil_next(1, COUNT, Fault::Held(std::time::Duration::from_millis(700)));
    let rotation = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        service.refresh(&second.refresh).await.expect(200);
    };
    let (reply, ()) = tokio::join!(replay(&service, &first), rotation);
    reply.expect(401);
    assert_eq!(service.audited("refresh_token_reused"), ["superseded"]);
}

async fn listed(service: &Service, access: &str) -> Value {
    let reply = service.call("GET", "/auth/sessions").bearer(access).send().await.expect(200);
    reply.body["sessions"][0]["lastReplay"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_sessions_shows_the_client_of_the_last_counted_replay() {
    let service = Service::start(&[]).await;
    let (first, second) = rotated(&service).await;
    assert_eq!(listed(&service, &second.access).await, Value::Null);
    let call = service.call("POST", "/auth/refresh").header("idempotency-key", "k-1");
    let call = call.header("user-agent", "thief/1.0").json(&json!({"refreshToken": first.refresh}));
    call.send().await.expect(200);
    let replay = json!({"at": service.now(), "ip": "127.0.0.1", "userAgent": "thief/1.0"});
    assert_eq!(listed(&service, &second.access).await, replay);
    // The owner's next refresh does not hide it.
    let third = tokens(&service.refresh(&second.refresh).await.expect(200).body);
    assert_eq!(listed(&service, &third.access).await, replay);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_from_another_user_agent_than_the_rotation_is_recorded_as_foreign() {
    let service = Service::start(&[]).await;
    let first = service.signup("ada@example.com").await;
    let refresh = async |agent: &str| {
        let call = service.call("POST", "/auth/refresh").header("idempotency-key", "k-1");
        let call = call.header("user-agent", agent).json(&json!({"refreshToken": first.refresh}));
        call.send().await.expect(200)
    };
    refresh("browser/1.0").await;
    refresh("browser/1.0").await;
    assert!(service.audited("foreign_replay").is_empty());
    refresh("thief/1.0").await;
    assert_eq!(service.audited("foreign_replay"), ["user_agent"], "in the grace period, too");
    service.pass(11);
    refresh("thief/1.0").await;
    refresh("browser/1.0").await;
    assert_eq!(service.audited("foreign_replay"), ["user_agent", "user_agent"]);
    assert_eq!(service.audited("refresh_token_replayed").len(), 4);
    let entries = service.stack.audit().entries();
    let foreign = entries.iter().rfind(|entry| entry.reason == Some("user_agent")).expect("a line");
    assert_eq!((foreign.user_agent.as_str(), foreign.ip.as_str()), ("thief/1.0", "127.0.0.1"));
}

/// A token is not repeated without rotation: the same one is current for ever.
#[tokio::test(flavor = "multi_thread")]
async fn without_rotation_there_is_nothing_to_count() {
    let settings = [("REFRESH_TOKEN_ROTATION", "off"), ("REFRESH_RETRY_LIMIT", "1")];
    let (_engine, service, tap) = tapped(&settings).await;
    let (first, _) = rotated(&service).await;
    tap.take();
    for _ in 0..5 {
        service.pass(3_600);
        replay(&service, &first).await.expect(200);
        assert_eq!(tap.take(), ["GetItem", "UpdateItem"]);
    }
}
