//! A refresh that goes wrong on the way to the table: the honest retry gets the one successor.

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
