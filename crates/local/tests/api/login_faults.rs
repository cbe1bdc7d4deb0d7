//! A login whose session is written twice, because the first answer was lost or late: what happened to the session in between
//! stays.

use std::time::Duration;

use serde_json::json;

use crate::support::table::Table;
use crate::support::tap::{Fault, Target};
use crate::support::{PASSWORD, tapped, tokens};

const WRITE: Target = Target::of("PutItem", "SESSION#");

/// Shorter than the store waits for one answer.
const HELD: Duration = Duration::from_millis(1_000);

/// Longer.
const OVERTAKEN: Duration = Duration::from_millis(2_500);

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_has_ended_is_not_written_anew() {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    let first = service.signup("ada@example.com").await;
    tap.spoil_next(1, WRITE, Fault::LoseAnswer);
    tap.spoil_too(WRITE, Fault::Held(HELD));
    let ending = async {
        while table.items_of("SESSION#").await.len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        service.call("POST", "/auth/revoke-all").bearer(&first.access).send().await
    };
    let (login, ended) = tokio::join!(service.try_login("ada@example.com", PASSWORD), ending);
    assert_eq!(ended.expect(200).body, json!({"revokedSessions": 2}));
    let late = tokens(&login.expect(200).body);
    assert_eq!(tap.spoilt(), 2);
    service.me(&late.access).await.expect(401);
    service.refresh(&late.refresh).await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_refreshed_is_not_set_back() {
    let (_engine, service, tap) = tapped(&[]).await;
    service.signup("ada@example.com").await;
    tap.spoil_next(1, WRITE, Fault::Held(OVERTAKEN));
    let first = service.login("ada@example.com").await;
    let second = tokens(&service.refresh(&first.refresh).await.expect(200).body);
    tokio::time::sleep(OVERTAKEN).await;
    assert_eq!(tap.spoilt(), 1);
    let third = tokens(&service.refresh(&second.refresh).await.expect(200).body);
    service.me(&third.access).await.expect(200);
}
