//! What goes wrong between a function and the table signs nobody out.

use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{PASSWORD, Service, tapped, tokens};

const THROTTLED: Fault = Fault::Refuse("ThrottlingException");

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_could_not_read_the_user_leaves_its_token_as_good_as_before() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    tap.spoil(Target::of("GetItem", "PROFILE"), THROTTLED);
    service.refresh(&first.refresh).await.expect(503);
    tap.heal();
    service.pass(3_600);
    service.refresh(&first.refresh).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_whose_answer_was_lost_is_no_reuse_even_without_a_grace() {
    let (_engine, service, tap) = tapped(&[("REFRESH_GRACE", "0s")]).await;
    let first = service.signup("ada@example.com").await;
    tap.spoil_next(1, Target::of("UpdateItem", ""), Fault::LoseAnswer);
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.refresh(&second.refresh).await.expect(200);
    assert_eq!(service.audited("refresh_token_reused").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reuse_is_recorded_even_if_the_session_cannot_be_ended_yet() {
    let (_engine, service, tap) = tapped(&[]).await;
    let first = service.signup("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    service.pass(11);
    // The rotation's own refusal passes; what comes after it does not.
    tap.spoil(Target::of("UpdateItem", "revoked_reason"), THROTTLED);
    service.refresh(&first.refresh).await.expect(503);
    assert_eq!(service.audited("refresh_token_reused").len(), 1);
    tap.heal();
    service.me(&second.access).await.expect(200);
    service.refresh(&first.refresh).await.expect(401);
    service.me(&second.access).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_counted_twice_still_locks() {
    let (_engine, service, tap) = tapped(&[
        ("LOGIN_LOCK_FAILURES", "2"),
        ("LOGIN_LIMIT_PER_ADDRESS", "0"),
        ("LOGIN_LIMIT_PER_IP", "0"),
    ])
    .await;
    service.signup("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    tap.spoil_next(1, Target::of("UpdateItem", "LIMIT#login-failures"), Fault::LoseAnswer);
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_that_cannot_be_replaced_keeps_nobody_out() {
    let (engine, old, tap) = tapped(&[]).await;
    old.signup("ada@example.com").await;
    let new = Service::start_at(&[("ARGON2_ITERATIONS", "2")], &tap.url).await;
    let table = Table::of(&engine).await;
    let hash = async || text(&table.items_of("CREDENTIAL").await[0], "password_hash").to_owned();
    let before = hash().await;
    for fault in [Fault::LoseRequest, Fault::Status(503), THROTTLED, Fault::Garble("<html>")] {
        tap.spoil(Target::of("UpdateItem", "password_hash"), fault);
        let tokens = new.login("ada@example.com").await;
        new.me(&tokens.access).await.expect(200);
        assert!(tap.spoilt() > 0, "{fault:?}: no hash was replaced");
        tap.heal();
    }
    new.login("ada@example.com").await;
    let after = hash().await;
    assert!(before.contains("t=1") && after.contains("t=2"), "{before} {after}");
}

const LOCKING: [(&str, &str); 3] =
    [("LOGIN_LOCK_FAILURES", "2"), ("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0")];

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_cannot_be_set_is_set_by_the_next_failure() {
    let (_engine, service, tap) = tapped(&LOCKING).await;
    service.signup("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    tap.spoil(Target::of("UpdateItem", "locked_until"), THROTTLED);
    service.try_login("ada@example.com", "not the password").await.expect(503);
    tap.heal();
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_whose_answer_was_lost_holds_and_is_recorded_once() {
    let (_engine, service, tap) = tapped(&LOCKING).await;
    service.signup("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    tap.spoil_next(1, Target::of("UpdateItem", "locked_until"), Fault::LoseAnswer);
    service.try_login("ada@example.com", "not the password").await.expect(401);
    assert!(!tap.heal(), "the lock was not tried");
    assert_eq!(service.audited("address_locked").len(), 1);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}
