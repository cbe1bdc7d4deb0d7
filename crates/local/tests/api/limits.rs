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
async fn a_success_clears_the_count_of_its_address() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_ADDRESS", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..4 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.try_login("ada@example.com", "not the password").await.expect(401);
        service.login("ada@example.com").await;
    }
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
async fn the_table_may_forget_a_count_when_its_window_ends() {
    let service = Service::start(&[]).await;
    service.try_login("ada@example.com", PASSWORD).await.expect(401);
    let end = service.now() / 900 * 900 + 900;
    let table = Table::of(&service).await;
    let counts = table.items_of("COUNT").await;
    let ends: Vec<_> =
        counts.iter().map(|count| number(count, "expires_at")).filter(|at| *at == end).collect();
    assert_eq!(ends.len(), 2, "of the address and of the network: {counts:?}");
}
