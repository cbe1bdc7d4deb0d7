//! Limits for the client's networks.

use serde_json::json;

use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{PASSWORD, Service, tapped};

const OFFICE: &str = "203.0.113.7";
const HOME: &str = "198.51.100.9";

/// What is stored under a kind of limit.
async fn counts(service: &Service, kind: &str) -> usize {
    let items = Table::of(service).await.items_of("COUNT").await;
    items.iter().filter(|item| text(item, "pk").starts_with(&format!("LIMIT#{kind}#"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_over_its_limit_uses_up_no_addresss_attempts() {
    let settings =
        [("LOGIN_LIMIT_PER_IP", "5"), ("LOGIN_LIMIT_PER_ADDRESS", "3"), ("LOGIN_LOCK_FAILURES", "3")];
    let service = Service::start(&settings).await;
    service.signup("ada@example.com").await;
    for number in 0..5 {
        let unknown = format!("user{number}@example.com");
        assert_eq!(service.login_from(OFFICE, &unknown, "not the password").await, 401);
    }
    let before = counts(&service, "login-address").await;
    for _ in 0..10 {
        assert_eq!(service.login_from(OFFICE, "ada@example.com", "not the password").await, 429);
        assert_eq!(service.login_from(OFFICE, "new@example.com", "not the password").await, 429);
    }
    assert_eq!(counts(&service, "login-address").await, before);
    assert_eq!(service.login_from(HOME, "ada@example.com", "not the password").await, 401);
    assert_eq!(service.login_from(HOME, "ada@example.com", "not the password").await, 401);
    assert_eq!(service.login_from(HOME, "ada@example.com", PASSWORD).await, 200);
    assert_eq!(service.audited("limit_reached"), ["login_ip"; 20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_its_network_refuses_reads_and_writes_nothing_else() {
    let (_engine, service, tap) = tapped(&[("LOGIN_LIMIT_PER_IP", "1")]).await;
    service.signup("ada@example.com").await;
    service.try_login("ada@example.com", "not the password").await.expect(401);
    tap.take();
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
    assert_eq!(tap.take(), ["UpdateItem"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_signs_in_as_often_as_it_likes() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "3")]).await;
    for user in 0..8 {
        let email = format!("user{user}@example.com");
        service.signup(&email).await;
        assert_eq!(service.login_from(OFFICE, &email, PASSWORD).await, 200, "{email}");
    }
    for _ in 0..3 {
        assert_eq!(service.login_from(OFFICE, "user1@example.com", "not the password").await, 401);
    }
    assert_eq!(service.login_from(OFFICE, "user2@example.com", PASSWORD).await, 429, "wrong ones count");
    assert_eq!(service.login_from(HOME, "user2@example.com", PASSWORD).await, 200);
}

/// A success is one attempt less, whatever others do at the same moment.
#[tokio::test(flavor = "multi_thread")]
async fn of_guesses_beside_logins_no_more_than_the_limit_is_verified() {
    let settings = [("LOGIN_LIMIT_PER_IP", "30"), ("LOGIN_LIMIT_PER_ADDRESS", "0")];
    let service = std::sync::Arc::new(Service::start(&settings).await);
    for user in 0..4 {
        service.signup(&format!("user{user}@example.com")).await;
    }
    let tasks: Vec<_> = (0..64)
        .map(|number: usize| {
            let service = std::sync::Arc::clone(&service);
            let right = number.is_multiple_of(4);
            let password = if right { PASSWORD } else { "not the password" };
            let email = format!("user{}@example.com", number / 4 % 4);
            tokio::spawn(async move { (right, service.login_from(OFFICE, &email, password).await) })
        })
        .collect();
    let mut wrong = 0;
    for task in tasks {
        let (right, status) = task.await.expect("no panic");
        assert!([if right { 200 } else { 401 }, 429].contains(&status), "{status}");
        wrong += usize::from(status == 401);
    }
    assert!(wrong <= 30, "{wrong}");
    for _ in wrong..30 {
        assert_eq!(service.login_from(OFFICE, "nobody@example.com", "not the password").await, 401);
    }
    assert_eq!(service.login_from(OFFICE, "user0@example.com", PASSWORD).await, 429);
}

/// RIPE-690: a subscriber has a /56, or a /48.
#[tokio::test(flavor = "multi_thread")]
async fn ipv6_is_counted_by_64_56_and_48() {
    let service = Service::start(&[("LOGIN_LIMIT_PER_IP", "2"), ("LOGIN_LIMIT_PER_ADDRESS", "0")]).await;
    let tried = async |ip: &str| {
        let mut admitted = 0;
        while service.login_from(ip, "nobody@example.com", "not the password").await == 401 {
            admitted += 1;
        }
        admitted
    };
    let service_of = |net: u32, subnet: u32| format!("2001:db8:{net:x}:{subnet:x}::1");
    let mut of_56 = 0;
    for subnet in 0..8 {
        of_56 += tried(&service_of(1, subnet)).await;
    }
    assert_eq!(of_56, 8, "2 for each /64, 4 times that for the /56");
    assert_eq!(tried(&service_of(1, 0x100)).await, 2, "the next /56");
    assert_eq!(tried("2001:db8:1:100:ffff::2").await, 0, "the same /64");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_48_has_sixteen_times_the_limit() {
    let settings = [("LOGIN_LIMIT_PER_IP", "1"), ("LOGIN_LIMIT_PER_ADDRESS", "0")];
    let service = Service::start(&settings).await;
    let mut admitted = 0;
    for net in 0..20_u32 {
        let ip = format!("2001:db8:7:{net:x}00::1");
        admitted += u32::from(service.login_from(&ip, "nobody@example.com", "wrong").await == 401);
    }
    assert_eq!(admitted, 16);
    assert_eq!(service.login_from("2001:db8:8::1", "nobody@example.com", "wrong").await, 401);
    // What the /48 refused its /64 was not charged for.
    service.pass(900);
    assert_eq!(service.login_from("2001:db8:7:1300::1", "nobody@example.com", "wrong").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn signups_that_are_refused_for_a_weak_password_count() {
    let service = Service::start(&[("SIGNUP_LIMIT_PER_IP", "3")]).await;
    let weak = json!({"email": "ada@example.com", "password": "password"});
    for _ in 0..3 {
        service.call("POST", "/auth/signup").json(&weak).send().await.expect(400);
    }
    let reply = service.call("POST", "/auth/signup").json(&weak).send().await.expect(429);
    assert_eq!(reply.code(), "too_many_attempts");
    service.try_signup("ada@example.com").await.expect(429);
    assert_eq!(service.post_from(HOME, "signup", &weak).await, 400);
    service.pass(3_600);
    service.signup("ada@example.com").await;
}

/// An answer that is lost is asked for again by the SDK, within the invocation.
#[tokio::test(flavor = "multi_thread")]
async fn a_hit_whose_answer_was_lost_counts_once() {
    let (_engine, service, tap) = tapped(&[("LOGIN_LIMIT_PER_ADDRESS", "2")]).await;
    service.signup("ada@example.com").await;
    let counts = Target::of("UpdateItem", "LIMIT#login-address");
    for _ in 0..2 {
        tap.spoil_next(1, counts, Fault::LoseAnswer);
        service.try_login("ada@example.com", "not the password").await.expect(401);
        assert!(!tap.heal());
    }
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}

/// A hit is taken out once: a second try could take out somebody else's.
#[tokio::test(flavor = "multi_thread")]
async fn a_hit_whose_return_was_lost_is_returned_once() {
    let (_engine, service, tap) = tapped(&[("LOGIN_LIMIT_PER_ADDRESS", "3")]).await;
    service.signup("ada@example.com").await;
    for _ in 0..2 {
        service.try_login("ada@example.com", "not the password").await.expect(401);
    }
    service.pass(1);
    tap.spoil_next(9, Target::of("UpdateItem", ":minus"), Fault::LoseAnswer);
    service.login("ada@example.com").await;
    tap.heal();
    service.try_login("ada@example.com", "not the password").await.expect(401);
    service.try_login("ada@example.com", PASSWORD).await.expect(429);
}
