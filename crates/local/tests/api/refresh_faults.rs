//! A refresh that goes wrong on the way to the table: the honest retry gets the one successor.

use std::time::Duration;

use crate::support::http::Reply;
use crate::support::table::{Table, number};
use crate::support::tap::{Fault, Target};
use crate::support::{Service, claims, tapped, tokens};

/// Faults before the write, and faults after it.
const FAULTS: [(Fault, u64); 8] = [
    (Fault::LoseRequest, 0),
    (Fault::Status(500), 0),
    (Fault::Refuse("ThrottlingException"), 0),
    (Fault::Refuse("TransactionConflictException"), 0),
    (Fault::LoseAnswer, 1),
    (Fault::Truncate, 1),
    (Fault::Garble("<html>"), 1),
    (Fault::Late, 1),
];

const WRITE: Target = Target::of("UpdateItem", "SESSION#");

async fn refresh(service: &Service, token: &str, key: Option<&str>) -> Reply {
    match key {
        Some(key) => service.refresh_with_key(token, key).await,
        None => service.refresh(token).await,
    }
}

/// Each fault lasts for one request; the retry comes `later`.
async fn retried(key: Option<&str>, later: u64) {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    for (fault, written) in FAULTS {
        let first = service.signup(&format!("{}@example.com", name_of(fault))).await;
        let sid = claims(&first.refresh)["sid"].as_str().expect("a session").to_owned();
        let generation = async || number(&table.items_of(&format!("SESSION#{sid}")).await[0], "generation");
        tap.spoil(WRITE, fault);
        refresh(&service, &first.refresh, key).await.expect(503);
        tap.heal();
        assert_eq!(generation().await, written, "{fault:?}");
        service.pass(later);
        let second = tokens(&refresh(&service, &first.refresh, key).await.expect(200).body);
        let replay = tokens(&refresh(&service, &first.refresh, key).await.expect(200).body);
        assert_eq!(second.refresh, replay.refresh, "{fault:?}: two successors");
        assert_eq!(generation().await, 1, "{fault:?}");
        let third = tokens(&refresh(&service, &second.refresh, None).await.expect(200).body);
        service.me(&third.access).await.expect(200);
        assert_eq!(service.audited("refresh_token_reused").len(), 0, "{fault:?}");
    }
}

/// A name for an address.
fn name_of(fault: Fault) -> String {
    format!("{fault:?}").chars().filter(char::is_ascii_alphanumeric).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_in_the_grace_gets_the_one_successor() {
    retried(None, 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_its_key_gets_the_one_successor_at_any_time() {
    retried(Some("k-1"), 24 * 3_600).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_of_what_was_never_written_works_at_any_time() {
    let (_engine, service, tap) = tapped(&[]).await;
    for (fault, _) in FAULTS.into_iter().filter(|(_, written)| *written == 0) {
        let first = service.signup(&format!("{}@example.com", name_of(fault))).await;
        tap.spoil(WRITE, fault);
        service.refresh(&first.refresh).await.expect(503);
        tap.heal();
        service.pass(24 * 3_600);
        service.refresh(&first.refresh).await.expect(200);
    }
}

/// The token was checked before it ended; the session is asked after.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_its_refresh_is_under_way_is_not_refreshed() {
    for (idle, absolute, why) in [("2h", "90d", "idle_end"), ("90m", "2h", "absolute_end")] {
        let settings = [("REFRESH_TOKEN_EXPIRY", idle), ("SESSION_MAX_LIFETIME", absolute)];
        let (_engine, service, tap) = tapped(&settings).await;
        let mut current = service.signup("ada@example.com").await;
        if why == "absolute_end" {
            service.pass(3_600);
            current = tokens(&service.refresh(&current.refresh).await.expect(200).body);
            service.pass(3_599);
        } else {
            service.pass(7_199);
        }
        tap.spoil_next(1, Target::of("GetItem", "PROFILE"), Fault::Late);
        let later = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            service.pass(1);
        };
        let (reply, ()) = tokio::join!(service.refresh(&current.refresh), later);
        assert_eq!(reply.expect(401).code(), "invalid_grant");
        assert_eq!(service.audited("refresh_token_refused"), [why]);
    }
}
