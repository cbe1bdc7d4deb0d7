//! A change of the password beside others, and while the table fails.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::change_password::passwords;
use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, claims, tapped, tokens};

const UNLIMITED: [(&str, &str); 3] =
    [("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LIMIT_PER_ADDRESS", "0"), ("DEVICE_LIMIT", "0")];
const OTHER_PASSWORD: &str = "Velvet-Harbour-Thimble";

/// The write of a new password.
const WRITE: Target = Target::of("UpdateItem", "changed_by");

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_wins_and_the_other_had_a_wrong_password() {
    for _ in 0..4 {
        let service = Arc::new(Service::start(&UNLIMITED).await);
        let mine = service.signup("ada@example.com").await;
        let phone = service.login("ada@example.com").await;
        let change = |access: String, new: &'static str| {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.change_password(&access, &passwords(PASSWORD, new)).await })
        };
        let (one, other) = (change(mine.access, NEW_PASSWORD), change(phone.access, OTHER_PASSWORD));
        let replies = [one.await.expect("no panic"), other.await.expect("no panic")];
        let winner = usize::from(replies[1].status == 200);
        assert_eq!(replies[winner].status, 200, "{replies:?}");
        // Its session may have ended before it got to its password.
        let loser = &replies[1 - winner];
        assert_eq!(loser.status, 401, "{replies:?}");
        assert!(["invalid_credentials", "invalid_token"].contains(&loser.code()), "{replies:?}");
        let chosen = [NEW_PASSWORD, OTHER_PASSWORD];
        service.try_login("ada@example.com", chosen[winner]).await.expect(200);
        service.try_login("ada@example.com", chosen[1 - winner]).await.expect(401);
        service.try_login("ada@example.com", PASSWORD).await.expect(401);
    }
}

/// A write that lands after the answer would be in no audit line.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_too_late_to_be_recorded_is_not_made() {
    let (_engine, service, tap) = tapped(&[]).await;
    let ada = service.signup("ada@example.com").await;
    tap.spoil_next(2, Target::of("GetItem", "PROFILE"), Fault::Late);
    tap.spoil_too(Target::of("UpdateItem", "LIMIT#"), Fault::Held(Duration::from_millis(1_300)));
    let body = passwords(PASSWORD, NEW_PASSWORD);
    service.change_password(&ada.access, &body).await.expect(503);
    tap.heal();
    assert!(service.audited("password_changed").is_empty());
    service.try_login("ada@example.com", PASSWORD).await.expect(200);
    service.change_password(&ada.access, &body).await.expect(200);
}

/// A double click.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_change_twice_at_once_is_one_change_and_one_new_session() {
    let mut answered_twice = 0;
    for _ in 0..8 {
        let service = Arc::new(Service::start(&[]).await);
        let mine = service.signup("ada@example.com").await;
        let change = || {
            let (service, access) = (Arc::clone(&service), mine.access.clone());
            tokio::spawn(
                async move { service.change_password(&access, &passwords(PASSWORD, NEW_PASSWORD)).await },
            )
        };
        let (one, other) = (change(), change());
        let mut sessions = Vec::new();
        for reply in [one.await.expect("no panic"), other.await.expect("no panic")] {
            // The second may find its session replaced before it gets to the password.
            if reply.status == 401 {
                assert_eq!(reply.code(), "invalid_token");
                continue;
            }
            let new = tokens(&reply.expect(200).body);
            service.me(&new.access).await.expect(200);
            sessions.push(claims(&new.refresh)["sid"].clone());
        }
        answered_twice += usize::from(sessions.len() == 2);
        sessions.dedup();
        assert_eq!(sessions.len(), 1, "one new session");
        service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
        service.try_login("ada@example.com", PASSWORD).await.expect(401);
    }
    assert!(answered_twice > 0, "no two requests were under way at once");
}

/// A user whose hash is of another cost, and the service that would replace it, behind a tap.
async fn outdated() -> (Service, Arc<Service>, Tap, String) {
    let engine = Service::start(&[]).await;
    engine.signup("ada@example.com").await;
    let tap = Tap::start(engine.stack.store_endpoint()).await;
    let settings = [UNLIMITED[0], UNLIMITED[1], UNLIMITED[2], ("ARGON2_ITERATIONS", "2")];
    let service = Service::start_at(&settings, &tap.url).await;
    let access = service.login("ada@example.com").await.access;
    let table = Table::of(&engine).await;
    let credential = table.items_of("CREDENTIAL").await.remove(0);
    assert!(text(&credential, "password_hash").contains("t=2"));
    (engine, Arc::new(service), tap, access)
}

/// The login has read the old hash, and would write the old password anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_replaces_an_outdated_hash_does_not_bring_the_old_password_back() {
    let (engine, service, tap, access) = outdated().await;
    let table = Table::of(&engine).await;
    let old = Service::start_at(&UNLIMITED, &tap.url).await;
    // The other way round: to this one, what the first has written is outdated.
    tap.spoil_next(1, Target::of("GetItem", "CREDENTIAL"), Fault::Slow);
    let login = tokio::spawn(async move { old.try_login("ada@example.com", PASSWORD).await.status });
    wait_for(&tap).await;
    service.change_password(&access, &passwords(PASSWORD, NEW_PASSWORD)).await.expect(200);
    let changed = table.items_of("CREDENTIAL").await;
    login.await.expect("no panic");
    assert_eq!(table.items_of("CREDENTIAL").await, changed, "the login has written nothing");
    service.try_login("ada@example.com", PASSWORD).await.expect(401);
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

/// The change has read the old hash, and the login has replaced it since.
#[tokio::test(flavor = "multi_thread")]
async fn a_hash_that_a_login_has_replaced_meanwhile_does_not_fail_the_change() {
    let (engine, service, tap, access) = outdated().await;
    let table = Table::of(&engine).await;
    let old = Service::start_at(&UNLIMITED, engine.stack.store_endpoint()).await;
    tap.spoil_next(1, Target::of("GetItem", "CREDENTIAL"), Fault::Slow);
    let change = {
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            service.change_password(&access, &passwords(PASSWORD, NEW_PASSWORD)).await.status
        })
    };
    wait_for(&tap).await;
    old.login("ada@example.com").await;
    let replaced = table.items_of("CREDENTIAL").await.remove(0);
    assert!(text(&replaced, "password_hash").contains("t=1"), "before the change was written");
    assert_eq!(change.await.expect("no panic"), 200);
    service.try_login("ada@example.com", PASSWORD).await.expect(401);
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

/// Until a request has met its fault, and the engine has answered.
async fn wait_for(tap: &Tap) {
    while tap.spoilt() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_a_change_and_counted_as_one() {
    let (_engine, service, tap) = tapped(&[]).await;
    let ada = service.signup("ada@example.com").await;
    tap.spoil_next(1, WRITE, Fault::LoseAnswer);
    service.change_password(&ada.access, &passwords(PASSWORD, NEW_PASSWORD)).await.expect(200);
    assert_eq!(tap.spoilt(), 1);
    assert_eq!(service.audited("password_changed"), [""]);
}

/// The function has given up, and the write was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_was_told_of_is_repeated_by_the_same_request() {
    let (_engine, service, tap) = tapped(&[]).await;
    let (mine, phone) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    tap.spoil(WRITE, Fault::Garble("<html>"));
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let reply = service.change_password(&mine.access, &body).await.expect(503);
    assert_eq!(reply.header("retry-after"), "1");
    tap.heal();
    service.me(&phone.access).await.expect(200);
    let reply = service.change_password(&mine.access, &body).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 1);
    service.me(&phone.access).await.expect(401);
    assert_eq!(service.audited("password_changed"), ["repeated"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_cannot_be_ended_are_told_and_the_same_request_again_ends_them() {
    let (_engine, service, tap) = tapped(&UNLIMITED).await;
    let mine = service.signup("ada@example.com").await;
    let mut others = Vec::new();
    for _ in 0..20 {
        others.push(service.login("ada@example.com").await);
    }
    let stuck: &'static str = claims(&others[7].access)["sid"].as_str().expect("a sid").to_owned().leak();
    tap.spoil(Target::of("UpdateItem", stuck), Fault::Refuse("ThrottlingException"));
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let reply = service.change_password(&mine.access, &body).await.expect(503);
    assert_eq!((reply.code(), reply.header("retry-after")), ("temporarily_unavailable", "1"));
    service.try_login("ada@example.com", PASSWORD).await.expect(401);
    service.me(&others[7].access).await.expect(200);
    service.me(&others[8].access).await.expect(401);
    tap.heal();
    let reply = service.change_password(&mine.access, &body).await.expect(200);
    assert_eq!(reply.body["revokedSessions"], 1);
    service.me(&others[7].access).await.expect(401);
    service.me(&mine.access).await.expect(401);
    service.me(&tokens(&reply.body).access).await.expect(200);
}

/// A query that takes three seconds, and then endings that take for ever.
#[tokio::test(flavor = "multi_thread")]
async fn however_slow_the_table_is_the_answer_and_its_audit_lines_come_in_time() {
    let (_engine, service, tap) = tapped(&[]).await;
    let (mine, phone) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    tap.spoil_next(2, Target::of("Query", ""), Fault::Late);
    tap.spoil_too(Target::of("UpdateItem", "revoked_reason"), Fault::Late);
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let reply =
        tokio::time::timeout(Duration::from_secs(9), service.change_password(&mine.access, &body)).await;
    reply.expect("an answer in time").expect(503);
    assert_eq!(service.audited("password_changed"), [""]);
    assert_eq!(service.audited("sessions_revoked"), ["password_changed"]);
    tap.heal();
    service.change_password(&mine.access, &body).await.expect(200);
    service.me(&phone.access).await.expect(401);
}

/// The asking session is ended by its owner elsewhere, while the change is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_session_is_ended_meanwhile_begins_no_new_one() {
    let (engine, service, tap) = tapped(&[]).await;
    let (mine, phone) = (service.signup("ada@example.com").await, service.login("ada@example.com").await);
    let path = format!("/auth/sessions/{}", claims(&mine.access)["sid"].as_str().expect("a sid"));
    tap.spoil_next(1, WRITE, Fault::Held(Duration::from_millis(800)));
    let end = async {
        while tap.spoilt() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        service.call("DELETE", &path).bearer(&phone.access).send().await.expect(204);
    };
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let (reply, ()) = tokio::join!(service.change_password(&mine.access, &body), end);
    assert_eq!(reply.expect(401).code(), "invalid_token");
    let sessions = Table::of(&engine).await.items_of("SESSION#").await;
    assert!(sessions.iter().all(|session| !text(session, "revoked_reason").is_empty()), "{sessions:?}");
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

/// The new session of a change is held against what happens meanwhile, like that of a login.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_a_revocation_of_all_sessions_overtakes_begins_no_session() {
    let (engine, service, tap) = tapped(&[]).await;
    let mine = service.signup("ada@example.com").await;
    tap.spoil_next(1, Target::of("PutItem", "SESSION#"), Fault::Held(Duration::from_millis(800)));
    let table = Table::of(&engine).await;
    let mut moved = table.items_of("PROFILE").await.remove(0);
    moved.insert("sessions_serial".to_owned(), AttributeValue::N("1".to_owned()));
    let revoke_all = async {
        while tap.spoilt() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        _ = table.put(&moved).await;
    };
    let body = passwords(PASSWORD, NEW_PASSWORD);
    let (reply, ()) = tokio::join!(service.change_password(&mine.access, &body), revoke_all);
    assert_eq!(reply.expect(401).code(), "invalid_token");
    let sessions = table.items_of("SESSION#").await;
    let revoked = sessions.iter().filter(|session| text(session, "revoked_reason") == "revoke_all");
    assert_eq!(revoked.count(), 1, "the new one: {sessions:?}");
}
