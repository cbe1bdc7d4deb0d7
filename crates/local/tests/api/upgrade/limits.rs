//! Counts and locks of an earlier edition.

use super::fixture::Upgraded;
use crate::support::PASSWORD;

const WRONG: &str = "not the password";

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_address_stays_locked_for_the_rest_of_its_time() {
    let upgraded = Upgraded::from_first().await;
    let reply = upgraded.service.try_login("carol@example.com", PASSWORD).await.expect(429);
    let wait: u64 = reply.header("retry-after").parse().expect("seconds");
    assert!((3_600..86_400).contains(&wait), "{wait}");
    upgraded.service.pass(wait);
    upgraded.service.try_login("carol@example.com", PASSWORD).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn consecutive_failures_are_counted_on_and_lock_the_address() {
    let upgraded = Upgraded::from_first().await;
    upgraded.service.try_login("gil@example.com", WRONG).await.expect(401);
    assert_eq!(upgraded.service.audited("address_locked").len(), 1);
    upgraded.service.try_login("gil@example.com", PASSWORD).await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_success_ends_the_consecutive_failures() {
    let upgraded = Upgraded::from_first().await;
    upgraded.service.try_login("gil@example.com", PASSWORD).await.expect(200);
    upgraded.service.try_login("gil@example.com", WRONG).await.expect(401);
    upgraded.service.try_login("gil@example.com", PASSWORD).await.expect(200);
}

/// The first edition counted in fixed windows, under keys of their own. They are not read: each limit begins anew, once.
#[tokio::test(flavor = "multi_thread")]
async fn a_limit_begins_anew_with_the_sliding_window() {
    let upgraded = Upgraded::from_first().await;
    for _ in 0..2 {
        upgraded.service.try_login("dave@example.com", WRONG).await.expect(401);
    }
    upgraded.service.try_login("dave@example.com", PASSWORD).await.expect(200);
}
