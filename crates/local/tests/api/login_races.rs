//! A login beside a change that ends all sessions: whatever was under way when the change was answered signs nobody in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::change_password::passwords;
use crate::support::http::Reply;
use crate::support::table::{Item, Table, text};
use crate::support::tap::{Fault, Tap, Target};
use crate::support::{NEW_PASSWORD, PASSWORD, Service, Tokens, tapped, tokens};

const UNLIMITED: [(&str, &str); 2] = [("LOGIN_LIMIT_PER_IP", "0"), ("LOGIN_LIMIT_PER_ADDRESS", "0")];

/// The write of a login's session.
const WRITE: Target = Target::of("PutItem", "SESSION#");

/// Long enough for everything else, and shorter than the store waits for an answer.
const HELD: Duration = Duration::from_millis(1_200);

const CHANGES: usize = 18;
const THIEVES: usize = 4;

/// Logs in without pause until `over`, and returns the tokens of every login that succeeded.
async fn keep_logging_in(
    service: Arc<Service>,
    password: &'static str,
    over: Arc<AtomicBool>,
) -> Vec<Tokens> {
    let mut stolen = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let reply = service.try_login("ada@example.com", password).await;
        if reply.status == 200 {
            stolen.push(tokens(&reply.body));
        }
    }
    stolen
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_with_the_old_password_survives_its_change() {
    let service = Arc::new(Service::start(&UNLIMITED).await);
    service.signup("ada@example.com").await;
    let (mut survivors, mut begun, mut current, mut next) = (0, 0, PASSWORD, NEW_PASSWORD);
    for _ in 0..CHANGES {
        let mine = tokens(&service.try_login("ada@example.com", current).await.expect(200).body);
        let over = Arc::new(AtomicBool::new(false));
        let thieves: Vec<_> = (0..THIEVES)
            .map(|_| tokio::spawn(keep_logging_in(Arc::clone(&service), current, Arc::clone(&over))))
            .collect();
        tokio::time::sleep(Duration::from_millis(30)).await;
        service.change_password(&mine.access, &passwords(current, next)).await.expect(200);
        over.store(true, Ordering::Relaxed);
        for thief in thieves {
            for stolen in thief.await.expect("no panic") {
                begun += 1;
                survivors += usize::from(service.me(&stolen.access).await.status == 200);
                survivors += usize::from(service.refresh(&stolen.refresh).await.status == 200);
            }
        }
        std::mem::swap(&mut current, &mut next);
    }
    assert!(begun >= CHANGES, "{begun} logins are no race");
    assert_eq!(survivors, 0, "of {begun} logins with an old password");
}

/// A login whose session is written while `change` happens.
async fn overtaken(service: &Service, tap: &Tap, change: impl Future<Output = ()>) -> Reply {
    tap.spoil_next(1, WRITE, Fault::Held(HELD));
    let before = tap.spoilt();
    let change = async {
        while tap.spoilt() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        change.await;
    };
    tokio::join!(service.try_login("ada@example.com", PASSWORD), change).0
}

/// The last session was revoked for `reason` before anybody had a token of it.
async fn assert_revoked(table: &Table, reason: &str) {
    let sessions = table.items_of("SESSION#").await;
    let revoked = sessions.iter().filter(|session| text(session, "revoked_reason") == reason).count();
    assert_eq!(revoked, 1, "{sessions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_a_password_change_overtakes_is_refused() {
    let (engine, service, tap) = tapped(&[]).await;
    let mine = service.signup("ada@example.com").await;
    let change = async {
        service.change_password(&mine.access, &passwords(PASSWORD, NEW_PASSWORD)).await.expect(200);
    };
    let reply = overtaken(&service, &tap, change).await.expect(401);
    assert_eq!(reply.code(), "invalid_credentials");
    assert_eq!(
        service.audited("login"),
        ["password_changed"; 2],
        "the change's new session, and the refusal"
    );
    let sessions = Table::of(&engine).await.items_of("SESSION#").await;
    assert!(sessions.iter().any(|session| text(session, "revoked_reason") == "password_changed"));
    service.try_login("ada@example.com", NEW_PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_revoke_all_overtakes_is_refused() {
    let (engine, service, tap) = tapped(&[]).await;
    let mine = service.signup("ada@example.com").await;
    let change = async {
        let reply = service.call("POST", "/auth/revoke-all").bearer(&mine.access).send().await.expect(200);
        assert_eq!(reply.body, json!({"revokedSessions": 1}), "the login is in no list yet");
    };
    let reply = overtaken(&service, &tap, change).await.expect(401);
    assert_eq!(reply.code(), "invalid_credentials");
    assert_eq!(service.audited("login"), ["sessions_revoked"]);
    let sessions = Table::of(&engine).await.items_of("SESSION#").await;
    assert!(sessions.iter().all(|session| text(session, "revoked_reason") == "revoke_all"));
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_user_is_disabled_meanwhile_is_forbidden() {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    service.signup("ada@example.com").await;
    let profile = table.items_of("PROFILE").await.remove(0);
    let reply = overtaken(&service, &tap, table.set(&profile, "status", "disabled")).await;
    assert_eq!(reply.expect(403).code(), "forbidden");
    assert_eq!(service.audited("login"), ["user_disabled"]);
    assert_revoked(&table, "user_disabled").await;
}

/// Disabled and enabled again: the sessions of before stay revoked, and so does that of the login.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_user_was_disabled_and_enabled_meanwhile_is_refused() {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    service.signup("ada@example.com").await;
    let moved = with_number(table.items_of("PROFILE").await.remove(0), "sessions_serial", 1);
    let reply = overtaken(&service, &tap, async { _ = table.put(&moved).await }).await;
    assert_eq!(reply.expect(401).code(), "invalid_credentials");
    assert_revoked(&table, "revoke_all").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_user_or_credential_is_deleted_meanwhile_is_refused() {
    for kind in ["PROFILE", "CREDENTIAL"] {
        let (engine, service, tap) = tapped(&[]).await;
        let table = Table::of(&engine).await;
        service.signup("ada@example.com").await;
        let item = table.items_of(kind).await.remove(0);
        let reply = overtaken(&service, &tap, table.delete(&item)).await;
        assert_eq!(reply.expect(401).code(), "invalid_credentials");
        assert_eq!(service.audited("login"), ["user_deleted"]);
        assert_revoked(&table, "user_disabled").await;
    }
}

/// A function of the first edition, which runs beside this one during a deployment, moves no serial.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_a_password_change_of_an_older_function_overtakes_is_refused() {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    service.signup("ada@example.com").await;
    let changed = with_number(table.items_of("CREDENTIAL").await.remove(0), "changed_at", service.now());
    let reply = overtaken(&service, &tap, async { _ = table.put(&changed).await }).await;
    assert_eq!(reply.expect(401).code(), "invalid_credentials");
    assert_eq!(service.audited("login"), ["password_changed"]);
}

/// Two logins that both replace an outdated hash are no password change to each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehash_by_another_login_refuses_nobody() {
    let (engine, old, tap) = tapped(&[("ARGON2_ITERATIONS", "2")]).await;
    old.signup("ada@example.com").await;
    let service = Service::start_at(&[], &tap.url).await;
    let table = Table::of(&engine).await;
    let reply = overtaken(&service, &tap, async { _ = service.login("ada@example.com").await }).await;
    reply.expect(200);
    let credential = table.items_of("CREDENTIAL").await.remove(0);
    assert!(text(&credential, "password_hash").contains("t=1"), "it was replaced");
    assert!(!credential.contains_key("serial"), "{credential:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_password_change_and_revoke_all_moves_its_serial() {
    let service = Service::start(&UNLIMITED).await;
    let table = Table::of(&service).await;
    service.signup("ada@example.com").await;
    let (mut current, mut next) = (PASSWORD, NEW_PASSWORD);
    for serial in 1..4 {
        let mine = tokens(&service.try_login("ada@example.com", current).await.expect(200).body);
        service.change_password(&mine.access, &passwords(current, next)).await.expect(200);
        std::mem::swap(&mut current, &mut next);
        let mine = tokens(&service.try_login("ada@example.com", current).await.expect(200).body);
        service.call("POST", "/auth/revoke-all").bearer(&mine.access).send().await.expect(200);
        let stored = |item: &Item, name| crate::support::table::number(item, name);
        assert_eq!(stored(&table.items_of("CREDENTIAL").await[0], "serial"), serial);
        assert_eq!(stored(&table.items_of("PROFILE").await[0], "sessions_serial"), serial);
    }
}

fn with_number(mut item: Item, name: &str, value: u64) -> Item {
    item.insert(name.to_owned(), AttributeValue::N(value.to_string()));
    item
}
