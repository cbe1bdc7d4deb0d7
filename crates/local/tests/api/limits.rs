//! Limits on login attempts.

use std::sync::Arc;

use serde_json::json;

use crate::support::table::{Table, number};
use crate::support::{PASSWORD, Service};

#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_guesses_at_once_no_more_than_the_limit_is_verified() {
    let service = Arc::new(Service::start(&[]).await);
    service.signup("ada@example.com").await;
    let tasks: Vec<_> = (0..60)
        .map(|guess| {
            let service = Arc::clone(&service);
            tokio::spawn(async move {
                service.try_login("ada@example.com", &format!("guess number {guess}")).await.status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.expect("no panic"));
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(401), count(429)), (20, 40));
    assert_eq!(service.audited("login").len(), 20, "each verification leaves an audit line");
    assert_eq!(service.audited("limit_reached"), vec!["login_address"; 40]);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_limit_the_right_password_is_refused_too_until_the_window_ends() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..3 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
    }
    let reply = service.try_login("ada@example.com", PASSWORD).await.expect(429);
    assert_eq!(reply.code(), "too_many_attempts");
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&wait), "{wait}");
    service.try_login("bob@example.com", PASSWORD).await.expect(401);
    service.pass(wait);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_gives_back_its_own_attempt_and_no_other() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..5 {
        service.login("ada@example.com").await;
    }
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.login("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}

/// 15 guesses, a pause in which the owner signs in or does not, 10 more: strangers see no difference.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_guesses_do_not_tell_whether_the_owner_has_signed_in() {
    let service = Service::start(&[]).await;
    service.signup("ada@example.com").await;
    service.signup("bob@example.com").await;
    let guesses = async |email: &str, number| {
        let mut statuses = Vec::new();
        for _ in 0..number {
            statuses.push(service.try_login(email, "not the password").await.status);
        }
        statuses
    };
    let addresses = ["ada@example.com", "bob@example.com", "nobody@example.com"];
    for email in addresses {
        assert_eq!(guesses(email, 15).await, [401; 15]);
    }
    service.pass(60);
    service.login("ada@example.com").await;
    for email in addresses {
        assert_eq!(guesses(email, 10).await, [[401; 5], [429; 5]].concat(), "{email}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_no_fifteen_minutes_more_than_the_limit_is_verified() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "0")]).await;
    service.signup("ada@example.com").await;
    // The last second of a quarter of an hour by the clock.
    service.pass(899 - service.now() % 900);
    let guesses = async |number| {
        let mut verified = 0;
        for _ in 0..number {
            let status = service.try_login("ada@example.com", "not the password").await.status;
            verified += u32::from(status == 401);
        }
        verified
    };
    assert_eq!(guesses(15).await, 15);
    service.pass(1);
    assert_eq!(guesses(10).await, 5, "on the other side of the edge");
    service.pass(450);
    assert_eq!(guesses(5).await, 0);
    let reply = service.try_login("ada@example.com", PASSWORD).await.expect(429);
    assert_eq!(reply.header("retry-after"), "449", "when the first 15 are a window ago");
    service.pass(449);
    assert_eq!(guesses(30).await, 15);
    service.pass(1);
    assert_eq!(guesses(30).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_attempt_does_not_count() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "2")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..2 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
    }
    for _ in 0..10 {
        service.pass(80);
        service.try_login("ada@example.com", PASSWORD).await.expect(429);
    }
    service.pass(100);
    service.login("ada@example.com").await;
}

/// 60 guesses at once at a counter whose hits have expired: the removal of these and the new hits are one update.
#[tokio::test(flavor = "multi_thread")]
async fn of_sixty_guesses_at_once_after_a_window_no_more_than_the_limit_is_verified() {
    let service = Arc::new(Service::start(&[]).await);
    service.signup("ada@example.com").await;
    for _ in 0..20 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.pass(1);
    }
    service.pass(900);
    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.try_login("ada@example.com", "wrong").await.status })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.expect("no panic"));
    }
    let count = |status| statuses.iter().filter(|s| **s == status).count();
    // On a slow machine the SDK tries again what has landed, and a hit counts twice.
    assert!((1..=20).contains(&count(401)) && count(401) + count(429) == 60, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_limited_whatever_addresses_it_tries() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "5")]).await;
    for user in 0..5 {
        service.try_login(&format!("user{user}@example.com"), "not the password").await.expect(401);
    }
    service.try_login("another@example.com", "not the password").await.expect(429);
    assert_eq!(service.audited("limit_reached"), ["login_ip"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_in_a_row_lock_a_known_and_an_unknown_address_alike() {
    let settings =
        [("LOGIN_LOCK_FAILURES", "4"), ("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0")];
    let service = Service::start(&settings).await;
    service.signup("ada@example.com").await;
    for email in ["ada@example.com", "bob@example.com"] {
        for _ in 0..4 {
            service.try_login(email, "not the password").await.expect(401);
        }
        let reply = service.try_login(email, PASSWORD).await.expect(429);
        assert_eq!(reply.header("retry-after"), "86400", "{email}");
    }
    assert_eq!(service.audited("address_locked").len(), 2);
    service.pass(86_399);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    service.pass(1);
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_ends_the_row_of_failures() {
    let service = Service::start(&[("LOGIN_LOCK_FAILURES", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..3 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.login("ada@example.com").await;
    }
    assert_eq!(service.audited("address_locked").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_switches_every_limit_off() {
    let names =
        ["LOGIN_LIMIT_PER_ADDRESS", "LOGIN_LIMIT_PER_IP", "LOGIN_LOCK_FAILURES", "SIGNUP_LIMIT_PER_IP"];
    let service = Service::start(&names.map(|name| (name, "0"))).await;
    service.signup("ada@example.com").await;
    for _ in 0..25 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
    }
    service.login("ada@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_does_not_make_another_client() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "2")]).await;
    let attempt = async |number: u8| {
        let body = json!({"email": format!("user{number}@example.com"), "password": PASSWORD});
        let call =
            service.call("POST", "/auth/login").header("x-forwarded-for", &format!("203.0.113.{number}"));
        call.header("x-real-ip", &format!("203.0.113.{number}")).json(&body).send().await.status
    };
    assert_eq!([attempt(1).await, attempt(2).await, attempt(3).await], [401, 401, 429]);
}

/// A lock lasts a day, and a row of failures for 30 days after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_failures_is_forgotten_after_a_month_and_not_before() {
    let settings =
        [("LOGIN_LOCK_FAILURES", "2"), ("LOGIN_LIMIT_PER_ADDRESS", "0"), ("LOGIN_LIMIT_PER_IP", "0")];
    for (seconds, status) in [(31 * 86_400 - 1, 429), (31 * 86_400, 200)] {
        let service = Service::start(&settings).await;
        service.signup("ada@example.com").await;
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.pass(seconds);
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.try_login("ada@example.com", PASSWORD).await.expect(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_may_delete_a_count_a_window_after_its_last_hit() {
    let service = Service::start(&[]).await;
    for _ in 0..2 {
        service.pass(100);
        service.try_login("ada@example.com", PASSWORD).await.expect(401);
    }
    let end = service.now() + 900;
    let counts = Table::of(&service).await.items_of("COUNT").await;
    let ends = counts.iter().filter(|count| number(count, "expires_at") == end).count();
    assert_eq!(
        (ends, counts.len()),
        (2, 3),
        "of the address and of the network, and the failures: {counts:?}"
    );
}
