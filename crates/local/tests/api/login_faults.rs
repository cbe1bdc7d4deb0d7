//! A login whose session is written twice, because the first answer was lost or late: what happened to the session in between
//! stays.

use std::time::Duration;

use crate::support::table::{Table, text};
use crate::support::tap::{Fault, Target};
use crate::support::{PASSWORD, claims, tapped, tokens};

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
    let own = claims(&first.access)["sid"].as_str().expect("a sid").to_owned();
    let ending = async {
        let sid = loop {
            let written = table.items_of("SESSION#").await;
            let mut sids =
                written.iter().map(|item| text(item, "sk").trim_start_matches("SESSION#").to_owned());
            match sids.find(|sid| *sid != own) {
                Some(sid) => break sid,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        service.call("DELETE", &format!("/auth/sessions/{sid}")).bearer(&first.access).send().await
    };
    let (login, ended) = tokio::join!(service.try_login("ada@example.com", PASSWORD), ending);
    ended.expect(204);
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

/// The session is written, and then nothing can be read: nobody is told that the login has failed for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_second_reading_fails_is_503_and_works_later() {
    for about in ["CREDENTIAL", "PROFILE"] {
        let (_engine, service, tap) = tapped(&[]).await;
        service.signup("ada@example.com").await;
        tap.spoil_next(1, WRITE, Fault::Held(HELD));
        let failing = async {
            while tap.spoilt() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            tap.spoil(Target::of("GetItem", about), Fault::Refuse("ThrottlingException"));
        };
        let (reply, ()) = tokio::join!(service.try_login("ada@example.com", PASSWORD), failing);
        let reply = reply.expect(503);
        assert_eq!((reply.code(), reply.header("retry-after")), ("temporarily_unavailable", "1"));
        assert!(service.audited("login").is_empty(), "neither a success nor a failure");
        tap.heal();
        service.login("ada@example.com").await;
    }
}

/// A login that was overtaken and cannot revoke its own session is not answered with tokens either.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_cannot_revoke_its_overtaken_session_is_503() {
    let (engine, service, tap) = tapped(&[]).await;
    let table = Table::of(&engine).await;
    service.signup("ada@example.com").await;
    tap.spoil_next(1, WRITE, Fault::Held(HELD));
    tap.spoil_too(Target::of("UpdateItem", "revoked_reason"), Fault::Refuse("ThrottlingException"));
    let profile = table.items_of("PROFILE").await.remove(0);
    let disabling = async {
        while tap.spoilt() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        table.set(&profile, "status", "disabled").await;
    };
    let (reply, ()) = tokio::join!(service.try_login("ada@example.com", PASSWORD), disabling);
    reply.expect(503);
    tap.heal();
    service.try_login("ada@example.com", PASSWORD).await.expect(403);
}
